/* tracker.h - the lock and wait tracker: who holds what, who waits for what, and what that means.
 *
 * Theory. Records are always kept, checks can be switched off (bb_control.checks_on). Each task's
 * black-box entry has a held stack (held.h) and a wait record, each CPU's entry has the same for
 * interrupt context; only the owner writes them. A lock embeds a track_lock, whose owner word is
 * the lock itself: to take it is to put one's number there, so there is no second field to keep
 * true. Checks walk those tables without locks, at most one hop a task, and re-read before they
 * speak. A finding goes to bb_report (deduplicated) and to port_report(), which prints. Nothing
 * here allocates, sleeps or takes a lock; nothing ever turns the tracker off.
 *
 * Cost. An uncontended lock is a compare-and-swap and a push, a release a compare and two stores:
 * the short way, inline in held.h. It is only open while the lock's `tag` says so. The tag is 0
 * before the first use, in memory that was never initialised, and while the lock keeps statistics:
 * from a wait until some tens of releases without one. All that is told apart on the long way.
 *
 * Owner words: see BB_OWNER_CPU in blackbox.h.
 */
/* clang-format off */
/* What the checks find. Each speaks once per place (see track_report); checks=off silences all.
 *
 *  check     the bug                                               seen when             in
 *  SELF      waits for a lock that it holds itself, or that the    a task waits, a spin  walk.c
 *            code holds which this interrupt has interrupted       lasts; the scan
 *  CYCLE     A waits for B, B for A, over any number of locks      the same              walk.c
 *  ORPHAN    waits for a lock whose holder is gone: left for       the same              walk.c
 *            user mode, ended, its slot is somebody else's
 *  LEAVE     goes to user mode with a lock held                    in the exit stub      held.c
 *  EXIT      ends with a lock held                                 at exit               held.c
 *  SLEEP     about to sleep with a spin lock held, interrupts off  before any sleep      held.c
 *            or in an interrupt
 *  UNLOCK    unlocks what it does not hold: another's, a free one  at release            held.c
 *  UNINIT    a lock that was never initialised                     acquire, release,     lives.c
 *                                                                  wait
 *  DEAD      a lock that was destroyed, or lies in freed memory    the same              lives.c
 *  FREED     a lock is destroyed, or its memory freed, while held  at the free           lives.c
 *  FREED_WAIT  the same while somebody waits for it                at the free           lives.c
 *  WATCHDOG  a CPU without ticks                                   kernel/debug
 *  QUEUE     a device's interrupt that never came                  kernel/debug          box.c
 */
/* clang-format on */
#ifndef TRACING_TRACKER_H
#define TRACING_TRACKER_H

#include <tracing/blackbox.h>
#include <tracing/config.h>
#include <tracing/held.h>
#include <tracing_port.h>

struct track_class {
	const char *name;
	uint32_t kind;  /* enum bb_lock_kind */
	uint32_t rank;  /* declared order, 0 = none */
	uint32_t index; /* in the black box; given by track_class_add() */
};
#define TRACK_LIVE    0x4b434f4cu
#define TRACK_DEAD    0x44414544u /* destroyed; release_site: where */
#define TRACK_WIPED   0x6b6b6b6bu /* what an allocator that checks fills freed memory with */
#define TRACK_WAITERS 0x40000000u /* somebody queues: who releases must look */
#define TRACK_SHARED  0x20000000u /* the rest counts readers */
#define TRACK_COUNT   0x1fffffffu

/* Owner word of the exclusive holder; 0: free or shared. */
static inline uint32_t track_owner_of(uint32_t word)
{
	return word & TRACK_SHARED ? 0 : word & ~TRACK_WAITERS;
}

/* A wait for what is no lock: an event, a child, I/O, another CPU's answer ... */
struct track_wait {
	const void *object;              /* what identifies it */
	const struct track_class *class; /* of the wait queue or completion, or NULL */
	uint32_t kind;                   /* enum bb_wait_kind */
	uint32_t arg;                    /* see struct bb_wait */
	/* The only one who can end it (owner word), 0: not known. Whoever gives one keeps it true
	 * as long as the wait lasts; a wait that ends by itself in time has none. */
	uint32_t owner;
};

/* The tables, set by box_build(); before that, by the kernel's first steps, one early task. */
struct track_tables {
	struct bb_task *tasks;
	uint32_t ntasks;
	struct bb_cpu *cpus;
	uint32_t ncpus;
	struct bb_class *classes;
	uint32_t nclasses;
	struct bb_lock *locks;
	uint32_t nlocks; /* power of two */
	struct bb_report *reports;
	uint32_t nreports;
};
extern struct track_tables track_tables;

/* Owner word of the running context: the interrupt of this CPU or the current task; 0 = too early.
 */
static inline uint32_t track_self(void)
{
	const struct track_context *c = port_context();

	return c ? c->owner : 0;
}

#if TRACING
struct track_lock {
	uint32_t owner;            /* the lock: 0 free; owner word; TRACK_SHARED | readers */
	uint32_t magic;            /* TRACK_LIVE while it is a lock */
	uint32_t calm;             /* releases since somebody last waited, until CALM */
	uint64_t tag;              /* HELD_TAG(class, BB_HOLD_EXCL): the short way is open; or 0 */
	struct track_class *class; /* NULL: never initialised */
	uint64_t release_site;
	struct bb_lock *stats; /* entry in the black box once contended, else NULL */
};
#define TRACK_LOCK_INIT(cls)                                                                       \
	{                                                                                          \
		.class = &(cls), .magic = TRACK_LIVE                                               \
	}

/* Gives the class its number and its row in the black box (a static table: works from the first
 * instruction). A class that finds the table full stays number 0 and is counted. */
void track_class_add(struct track_class *c);
void track_lock_init(struct track_lock *l, struct track_class *c);
/* The object that the lock lies in goes away: by the last one to touch it, before its memory does.
 * waited: the lock's own queue is not empty. Nobody may hold it or wait for it; if somebody does,
 * that stays on record (bb_lock.dead). A later use is found as long as the memory shows it. */
void track_lock_fini(struct track_lock *l, int waited, uint64_t site);
/* Memory is about to be freed: does the running context hold a lock in it? Checks on only. */
void track_freed(const void *mem, uint64_t size, uint64_t site);
/* Is it a lock? Reports one that is not (any more). Before what would follow its pointers. */
int track_lock_alive(const struct track_lock *l, uint64_t site);
/* Does it lie in memory that was freed? Found only where the allocator checks. */
static inline int track_lock_wiped(const struct track_lock *l)
{
	return l->magic == TRACK_WIPED;
}

/* The identity of a lock, in every record, is the address of its track_lock.
 *
 * Around a wait. `site` is the return address of the caller's call; kind: enum bb_wait_kind. The
 * spin forms record in the CPU's entry, the block forms in the task's. begin runs the self-deadlock
 * and edge-closing checks. */
void track_spin_begin(struct track_lock *l, uint32_t kind, uint64_t site);
void track_spin_still(struct track_lock *l, uint64_t site); /* past a threshold */
void track_spin_end(struct track_lock *l);
void track_block_begin(struct track_lock *l, uint32_t kind, uint64_t site);
void track_block_end(struct track_lock *l);

/* Around a wait for what is no lock. */
void track_wait_begin(const struct track_wait *w, uint64_t site);
void track_wait_end(void);
/* The wait that goes on now needs another owner: the record's `owner` and `arg` change, the rest
 * stays. */
void track_wait_needs(uint32_t owner, uint32_t arg);

/* Task t has one more, one less descriptor of that by which alone waits for `object` can be ended
 * (see struct bb_end). In the task itself, or before it first runs; closed: after the fact. */
void track_end_opened(struct bb_task *t, const void *object);
void track_end_closed(struct bb_task *t, const void *object);

/* After the lock's word has been taken, before it is given back: the long way. mode: enum
 * bb_hold_mode. sp: stack pointer of the acquirer. */
void track_acquired(struct track_lock *l, uint32_t mode, uint64_t site, uint64_t sp);
void track_released(struct track_lock *l, uint32_t mode, uint64_t site);
/* The releaser has made another task the owner, who does not run yet. */
void track_granted(struct track_lock *l, uint32_t owner);
/* Passes a held entry to another task, whom the caller makes the owner: the run queue's across a
 * context switch. */
void track_hand_over(struct track_lock *l, struct bb_task *from, struct bb_task *to);

/* The one exit stub, only when held locks remain: records and (checks on) reports. */
void track_leaving(uint64_t site);
static inline int track_task_holds(const struct bb_task *t)
{
	return __builtin_expect(t->nheld != 0, 0);
}
/* A task ends; locks it still holds are reported. */
void track_task_exit(uint64_t site);
/* From each timer interrupt: a task that holds a lock for too long releases it the long way, where
 * that is noticed. `c`: the context that was interrupted. */
void track_tick(struct track_context *c);
/* Are the events of all locks on? Then contexts are set up diverted. */
int track_all_locks(void);
/* About to sleep: reports spin locks held or interrupts off. */
void track_sleeps(uint64_t site);
static inline void track_might_sleep(uint64_t site)
{
	if (__builtin_expect(!port_may_sleep(), 0))
		track_sleeps(site);
}

/* Looks at every task that has waited for a lock for longer than `age` ticks: catches a wait that
 * became hopeless after it began. Checks on only. Any context. */
void track_scan_waits(uint64_t age);

/* Records a finding once per (check, class, site). Returns 1 if it is new. */
int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l, uint64_t site,
		 uint64_t site2, uint32_t task);
#else
#include <tracing/tracker_none.h>
#endif

#endif
