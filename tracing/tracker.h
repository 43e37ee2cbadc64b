/* tracker.h - the lock and wait tracker: who holds what, who waits for what, and what that means.
 *
 * Theory. Records are always kept, checks can be switched off (bb_control.checks_on). Each task's
 * black-box entry has a held list and a wait record, each CPU's entry has the same for interrupt
 * context; only the owner writes them, guarded by sequence words. A lock embeds a track_lock: its
 * class, its present owner and its last release. Checks walk those tables without locks, at most
 * one hop a task, and re-read before they speak. A finding goes to bb_report (deduplicated) and to
 * port_report(), which prints. Nothing here allocates, sleeps or takes a lock; nothing ever turns
 * the tracker off.
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
 *  UNINIT    a lock that was never initialised                     acquire, release,     held.c
 *                                                                  wait
 *  WATCHDOG  a CPU without ticks                                   kernel/debug
 *  QUEUE     a device's interrupt that never came                  kernel/debug          box.c
 */
/* clang-format on */
#ifndef TRACING_TRACKER_H
#define TRACING_TRACKER_H

#include <tracing/blackbox.h>

struct track_class {
	const char *name;
	uint32_t kind;  /* enum bb_lock_kind */
	uint32_t rank;  /* declared order, 0 = none */
	uint32_t index; /* in the black box; given by track_class_add() */
};
struct track_lock {
	struct track_class *class; /* NULL: never initialised */
	uint32_t owner;            /* owner word of the exclusive holder, 0 = free or shared */
	uint32_t magic;            /* TRACK_LIVE while initialised */
	uint64_t release_site;
	struct bb_lock *stats;            /* entry in the black box once contended, else NULL */
	uint64_t taken_site, taken_ticks; /* of the present exclusive holder */
};
#define TRACK_LIVE 0x4b434f4cu
#define TRACK_LOCK_INIT(cls)                                                                       \
	{                                                                                          \
		.class = &(cls), .magic = TRACK_LIVE                                               \
	}

/* Gives the class its number and its row in the black box (a static table: works from the first
 * instruction). A class that finds the table full stays number 0 and is counted. */
void track_class_add(struct track_class *c);
void track_lock_init(struct track_lock *l, struct track_class *c);

/* Owner word of the running context: the interrupt of this CPU or the current task; 0 = too early.
 */
uint32_t track_self(void);

/* The identity of a lock, in every record, is the address of its track_lock.
 *
 * Around a wait. `site` is the return address of the caller's call; kind: enum bb_wait_kind. The
 * spin forms record in the CPU's entry, the block forms in the task's. begin runs the self-deadlock
 * and edge-closing checks for locks. */
void track_spin_begin(struct track_lock *l, uint32_t kind, uint64_t site);
void track_spin_still(struct track_lock *l, uint64_t site); /* past a threshold */
void track_spin_end(struct track_lock *l);
/* l: the lock waited for, or NULL and `object` identifies what is waited for. */
void track_block_begin(struct track_lock *l, const void *object, uint32_t kind, uint32_t arg,
		       uint64_t site);
void track_block_end(struct track_lock *l, const void *object);

/* After acquire, before release. mode: enum bb_hold_mode. sp: stack pointer of the acquirer. */
void track_acquired(struct track_lock *l, uint32_t mode, uint64_t site, uint64_t sp);
void track_released(struct track_lock *l, uint32_t mode, uint64_t site);
/* Passes a held entry to another task: the run queue's lock across a context switch. */
void track_hand_over(struct track_lock *l, struct bb_task *from, struct bb_task *to);

/* The one exit stub, only when held locks remain: records and (checks on) reports. */
void track_leaving(uint64_t site);
static inline int track_task_holds(const struct bb_task *t)
{
	return __builtin_expect(t->nheld != 0, 0);
}
/* A task ends; locks it still holds are reported. */
void track_task_exit(uint64_t site);
/* About to sleep: reports spin locks held or interrupts off. */
void track_might_sleep(uint64_t site);

/* Looks at every task that has waited for a lock for longer than `age` ticks: catches a wait that
 * became hopeless after it began. Checks on only. Any context. */
void track_scan_waits(uint64_t age);

/* Records a finding once per (check, class, site). Returns 1 if it is new. */
int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l, uint64_t site,
		 uint64_t site2, uint32_t task);

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

#endif
