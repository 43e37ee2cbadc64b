/* blackbox.h - the black box on the wire: every structure that a reader finds in memory.
 *
 * Theory. One physically contiguous region, page aligned, that decodes by itself: a reader finds
 * BB_MAGIC at a page boundary, checks the header's CRC and walks the directory. All offsets are
 * from the start of the header. All integers have the writer's byte order (see byte_order). The
 * header never changes after set-up; what changes while the guest runs is in the sections.
 * Numbers and layouts are append-only: a section gets a new version and new trailing fields, a
 * reader uses entry_size as the stride and skips kinds that it does not know. FORMAT.md is the
 * contract in words; the size asserts below keep kernel and reader honest.
 *
 * Consistency. A record of a ring proves itself (unit number and check). A table entry is guarded
 * by sequence words: odd = being written, changed between two looks = read again. (Of held locks
 * the word has the count in its upper half, and pushing a lock is one store of it: held.h.) The
 * header, the schema, names and symbols are constant.
 *
 * Freestanding: only <stdint.h>. Used by the kernel, by tools/tracedump and by unit tests.
 */
#ifndef TRACING_BLACKBOX_H
#define TRACING_BLACKBOX_H

#include <stdint.h>

#define BB_MAGIC      0x5448474953444e48ull /* "HNDSIGHT" in little-endian memory */
#define BB_VERSION    0x00010003u /* major << 16 | minor; another major is another format */
#define BB_BYTE_ORDER 0x01020304u
#define BB_ALIGN      4096u
#define BB_NAME_LEN   32

enum bb_clock_kind { BB_CLOCK_TSC = 1, BB_CLOCK_CNTVCT = 2, BB_CLOCK_HOST = 3 };

struct bb_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size; /* of this structure, without the directory */
	uint32_t byte_order;
	uint32_t machine; /* ELF e_machine: 183 aarch64, 62 x86-64 */
	uint32_t cpus;
	uint32_t page_size;
	uint64_t total_size; /* of the whole region in bytes */
	uint64_t phys_base;  /* physical address of this header */
	uint64_t virt_base;  /* kernel address of this header */
	uint64_t image_virt; /* kernel image: link address, physical address, size */
	uint64_t image_phys;
	uint64_t image_size;
	uint64_t direct_virt; /* direct map: kernel address that shows direct_phys */
	uint64_t direct_phys;
	uint64_t ram_size; /* all RAM, bytes */
	/* ns since boot = (ticks - clock_anchor) * 1e9 / clock_hz */
	uint32_t clock_kind;
	uint32_t clock_flags; /* none defined */
	uint64_t clock_hz;
	uint64_t clock_anchor; /* ticks at the first instruction of the kernel */
	uint64_t wall_anchor;  /* ns since 1970 at clock_anchor, 0 = unknown */
	uint8_t build_id[20];  /* the ELF's NT_GNU_BUILD_ID */
	uint32_t build_id_len;
	char release[64];    /* "Hindsight 0.1 debug" */
	uint32_t dir_offset; /* directory: count entries of entry_size */
	uint32_t dir_count;
	uint32_t dir_entry_size;
	uint32_t checksum; /* CRC-32 (IEEE 802.3) over header_size bytes with this field 0,
			    * then over the directory */
};

enum bb_section_kind {
	BB_SEC_CONTROL = 1, /* struct bb_control, one */
	BB_SEC_SCHEMA = 2,  /* struct bb_event_row */
	BB_SEC_ENUMS = 3,   /* struct bb_enum_row */
	BB_SEC_RINGS = 4,   /* struct bb_ring: one a ring */
	BB_SEC_RINGDATA = 5,
	BB_SEC_CPUS = 6,        /* struct bb_cpu, indexed by CPU */
	BB_SEC_TASKS = 7,       /* struct bb_task, indexed by slot */
	BB_SEC_CLASSES = 8,     /* struct bb_class, indexed by class number; entry 0 unused */
	BB_SEC_LOCKS = 9,       /* struct bb_lock: locks that were ever contended or reported */
	BB_SEC_SYMS = 10,       /* struct bb_sym, ascending by offset */
	BB_SEC_SYMNAMES = 11,   /* NUL-terminated names */
	BB_SEC_CONSOLE = 12,    /* struct bb_console, then its text */
	BB_SEC_CRASH = 13,      /* struct bb_crash, one */
	BB_SEC_COUNTERS = 14,   /* struct bb_counter */
	BB_SEC_CMDLINE = 15,    /* NUL-terminated text */
	BB_SEC_REPORTS = 16,    /* struct bb_report: what the run-time checks found */
	BB_SEC_QUEUES = 17,     /* struct bb_queue: request queues shared with devices */
	BB_SEC_LINES = 18,      /* struct bb_line, ascending by offset: source lines of calls */
	BB_SEC_PLACES = 19,     /* struct bb_place, by number */
	BB_SEC_PLACENAMES = 20, /* NUL-terminated texts of the places */
	BB_SEC_CALLS = 21,      /* struct bb_call: arguments of system calls */
};

struct bb_section {
	uint32_t kind;
	uint16_t version; /* 1 */
	uint16_t flags;
	uint64_t offset;
	uint64_t size; /* bytes */
	uint32_t entry_size;
	uint32_t count;
};

/* ---- control: what is switched on; a tool may write it while the guest runs ----------------- */
#define BB_MAX_EVENTS 256
struct bb_control {
	uint8_t event_on[BB_MAX_EVENTS]; /* by event id: 0 off, 1 on. The truth the probes test */
	uint32_t checks_on;              /* run-time checks (checks=off clears it) */
	uint32_t panicked;               /* the crash record is valid */
	uint32_t bare; /* 1: built without recorder, tracker and checks; only tables and text */
	uint32_t reserved32;
	uint64_t reserved[5];
};

/* ---- schema --------------------------------------------------------------------------------- */
/* How an argument is shown; append-only. An unknown kind is shown as hex. */
enum bb_show {
	BB_DEC = 1, /* signed decimal */
	BB_UDEC = 2,
	BB_HEX = 3,
	BB_PTR = 4,  /* kernel object address */
	BB_SYM = 5,  /* code address */
	BB_TASK = 6, /* thread id; 0 = idle of that CPU */
	BB_CPU = 7,
	BB_LOCK = 8,     /* lock address */
	BB_CLASS = 9,    /* lock class number */
	BB_NS = 10,      /* duration in ns */
	BB_TICKS = 11,   /* duration in clock ticks */
	BB_SYSCALL = 12, /* Linux number of the machine's ABI; names in enum table "syscall" */
	BB_ERRNO = 13,   /* signed; negative = -errno, names in enum table "errno" */
	BB_IRQ = 14,
	BB_UPTR = 15,  /* user address */
	BB_STR8 = 16,  /* up to 8 bytes of text, low byte first */
	BB_ENUM = 17,  /* value of the argument's own table (bb_event_row.args[].table) */
	BB_FLAGS = 18, /* bit set; table names the bits */
	BB_BYTES = 19, /* a size */
	BB_OCT = 20,   /* octal */
	BB_CALL = 21,  /* BB_CALL_WORD: number below, how long it took above */
	BB_INT = 22,   /* signed decimal, the low 32 bits */
};

/* What an event means on a timeline; append-only. Roles take their arguments by position. */
enum bb_role {
	BB_ROLE_INSTANT = 0,
	BB_ROLE_TASK_BEGIN = 1, /* slice on the current task's track, named after the event */
	BB_ROLE_TASK_END = 2,
	BB_ROLE_CPU_BEGIN = 3, /* slice on the CPU's track */
	BB_ROLE_CPU_END = 4,
	BB_ROLE_COUNTER = 5,    /* arg0 = value */
	BB_ROLE_SWITCH = 6,     /* arg0 prev tid, arg1 prev state, arg2 next tid, arg3 next prio */
	BB_ROLE_WAKE = 7,       /* arg0 woken tid, arg1 target cpu; waker = current */
	BB_ROLE_MIGRATE = 8,    /* arg0 tid, arg1 from cpu, arg2 to cpu */
	BB_ROLE_TASK_NEW = 9,   /* arg0 tid, arg1 pid, arg2-3 name (STR8 twice) */
	BB_ROLE_TASK_NAME = 10, /* arg0 tid, arg1-2 name */
	BB_ROLE_TASK_EXIT = 11, /* arg0 tid, arg1 status */
	BB_ROLE_IRQ_BEGIN = 12, /* arg0 irq; slice on the CPU's interrupt track */
	BB_ROLE_IRQ_END = 13,   /* arg0 irq */
	BB_ROLE_SYSCALL_BEGIN = 14, /* arg0 number, arg1.. arguments */
	BB_ROLE_SYSCALL_END = 15,   /* arg0 number, arg1 result */
	BB_ROLE_LOCK_WAIT = 16,     /* arg0 lock, arg1 class, arg2 owner tid, arg3 site */
	BB_ROLE_LOCK_WAITED = 17,   /* arg0 lock, arg1 class: the wait is over, the lock is ours */
	BB_ROLE_LOCK_TAKEN = 18,    /* arg0 lock, arg1 class, arg2 site; contended locks only */
	BB_ROLE_LOCK_FREED = 19,    /* arg0 lock, arg1 class, arg2 site, arg3 held ticks */
	BB_ROLE_LOG = 20,           /* printk: arg0 level, arg1 console offset, arg2 length */
	BB_ROLE_FAULT = 21,         /* arg0 address, arg1 flags, arg2 pc */
	BB_ROLE_TICK = 22,          /* arg0 current tid: re-states who runs */
	BB_ROLE_REPORT = 23,        /* arg0 verdict, arg1 lock, arg2 class, arg3 tid */
	BB_ROLE_SYSCALL_DONE = 24,  /* arg0 BB_CALL_WORD, arg1 result, then as many arguments as
				     * the call has: a slice that ends here */
	BB_ROLE_SELF = 25,          /* arg0 current tid; an instant otherwise */
};

enum bb_category {
	BB_CAT_BOOT,
	BB_CAT_SCHED,
	BB_CAT_IRQ,
	BB_CAT_SYSCALL,
	BB_CAT_LOCK,
	BB_CAT_LOCKALL,
	BB_CAT_WAIT,
	BB_CAT_FAULT,
	BB_CAT_MM,
	BB_CAT_FS,
	BB_CAT_BLOCK,
	BB_CAT_NET,
	BB_CAT_SIGNAL,
	BB_CAT_TIMER,
	BB_CAT_PROCESS,
	BB_CAT_PRINTK,
	BB_CAT_FUNCTION,
	BB_CAT_USER,
	BB_CAT_DIAG,
	BB_CATEGORIES
};

/* Number of a system call and its duration in ticks. */
#define BB_CALL_WORD(nr, ticks) ((uint64_t)(uint16_t)(nr) | (uint64_t)(ticks) << 16)
#define BB_CALL_NR(word)        ((uint32_t)(word)&0xffff)
#define BB_CALL_TICKS(word)     ((uint64_t)(word) >> 16)

#define BB_MAX_ARGS 8
struct bb_arg_row {
	char name[14];
	uint8_t show;  /* enum bb_show */
	uint8_t table; /* for BB_ENUM, BB_FLAGS: table number in the enum section */
};
struct bb_event_row {
	uint16_t id;
	uint8_t category;
	uint8_t role;
	uint8_t nargs;
	uint8_t reserved[3];
	char name[24];
	struct bb_arg_row args[BB_MAX_ARGS];
};
/* A system call of the machine's ABI that the kernel has. */
struct bb_call {
	uint32_t nr;
	uint32_t nargs;
	struct bb_arg_row args[6];
};
/* Enum tables by number: */
enum bb_table {
	BB_TAB_CATEGORY = 1,
	BB_TAB_STATE = 2,
	BB_TAB_SYSCALL = 3,
	BB_TAB_ERRNO = 4,
	BB_TAB_WAIT = 5,
	BB_TAB_VERDICT = 6,
	BB_TAB_MODE = 7,
	BB_TAB_FAULT = 8,
	BB_TAB_IPI = 9,
	BB_TAB_LOCKKIND = 10,
	BB_TAB_LEVEL = 11,
	BB_TAB_IRQ = 12
};
/* Why a page fault came: bits of its event's flags. */
#define BB_FAULT_WRITE   1u
#define BB_FAULT_EXEC    2u
#define BB_FAULT_USER    4u /* from user mode */
#define BB_FAULT_PRESENT 8u /* protection, not absence */
enum bb_ipi { BB_IPI_RESCHED, BB_IPI_CALL, BB_IPI_STOP, BB_IPI_KINDS };
struct bb_enum_row {
	uint32_t table;
	uint32_t reserved;
	int64_t value;
	char name[24];
};

/* ---- rings ---------------------------------------------------------------------------------- */
/* word0 = ticks48 << 16 | check16; word1 = unit32 << 32 | id12 << 20 | nargs4 << 16 | ordinal16.
 * Arguments follow; a record takes 1 + (nargs + 1) / 2 units of 16 bytes and may run past the end
 * into BB_RING_SPARE units that belong to the ring, so it never wraps. */
#define BB_UNIT       16u
#define BB_RING_SPARE 4u
struct bb_ring {
	uint64_t head;        /* units << 32 | events, ever reserved; both wrap at 2^32, the
			       * carry of events into units skips one unit */
	uint64_t units;       /* power of two */
	uint64_t data_offset; /* of (units + BB_RING_SPARE) * 16 bytes */
	uint64_t data_virt;   /* kernel address of the same */
	uint32_t cpu;
	uint32_t kind;   /* 0 = main ring */
	uint64_t drops;  /* events refused before a reservation; not in head */
	uint32_t fenced; /* a writer was interrupted inside an emit: see ring.h */
	uint32_t fence_unit;
	uint64_t fence_head; /* head when the last fenced interrupt ended */
};

/* ---- locks and waits ------------------------------------------------------------------------ */
enum bb_lock_kind {
	BB_LK_SPIN = 1,
	BB_LK_MUTEX,
	BB_LK_RWLOCK,
	BB_LK_SEM,
	BB_LK_COMPLETION,
	BB_LK_WAITQ
};
/* Wait kinds (append-only). */
enum bb_wait_kind {
	BB_WAIT_NONE,
	BB_WAIT_SPIN,
	BB_WAIT_MUTEX,
	BB_WAIT_READ,
	BB_WAIT_WRITE,
	BB_WAIT_SEM,
	BB_WAIT_COMPLETION,
	BB_WAIT_QUEUE,
	BB_WAIT_FUTEX,
	BB_WAIT_PIPE,
	BB_WAIT_SOCKET,
	BB_WAIT_TTY,
	BB_WAIT_CHILD,
	BB_WAIT_SIGNAL,
	BB_WAIT_TIMER,
	BB_WAIT_IO,
	BB_WAIT_IPI,
	BB_WAIT_TLB,
	BB_WAIT_RECLAIM,
	BB_WAIT_POLL, /* one of several queues, the object is the first; arg: how many, and: */
	BB_WAIT_KINDS
};
#define BB_POLL_FOREVER 0x80000000u /* nothing but those queues ends it, no time */
/* An event position "cpu:ordinal": the ring's event count just before. */
#define BB_EVENT(cpu, ordinal) ((uint64_t)(cpu) << 32 | (uint32_t)(ordinal))

/* Who holds: 0 nobody, slot + 1 of a task, or BB_OWNER_CPU | cpu for interrupt context. */
#define BB_OWNER_CPU 0x80000000u

enum bb_hold_mode {
	BB_HOLD_EXCL = 1,
	BB_HOLD_SHARED = 2,
	BB_HOLD_IRQOFF = 4,
	BB_HOLD_LEFT = 8,
	BB_HOLD_RETURNED = 16, /* its function had returned when the task last began to wait */
};
struct bb_held {
	uint64_t lock; /* address; 0 = free entry */
	uint64_t site; /* return address of the acquire call */
	uint64_t sp;   /* stack pointer of the acquiring frame */
	uint64_t ticks;
	uint64_t event; /* BB_EVENT at acquire */
	uint32_t class;
	uint16_t mode;   /* enum bb_hold_mode */
	uint16_t frame;  /* frame record of the acquiring function: at sp + 8 * frame; 0 unknown,
			  * as for every spin lock */
	uint32_t epoch;  /* the task's departures to user mode at acquire */
	uint32_t caller; /* low half of the address that function returns to; with frame */
};
struct bb_wait {
	uint64_t object; /* lock, queue, ... ; 0 with kind NONE */
	uint64_t site;   /* return address of the waiting call */
	uint64_t ticks;  /* since */
	uint64_t event;
	uint32_t kind;  /* enum bb_wait_kind */
	uint32_t class; /* of the lock, wait queue or completion; 0 none */
	uint32_t owner; /* of a lock: owner word seen when the wait began; of what is no lock: the
			 * only one who can end the wait; 0 unknown */
	uint32_t arg;   /* CHILD: pid; IPI: a cpu that has not answered; SPIN: owner word of the
			 * spinner; MUTEX to SEM: the lock's history_next when the wait began */
};
struct bb_class {
	char name[BB_NAME_LEN]; /* "ext2.root" */
	uint32_t kind;          /* enum bb_lock_kind */
	uint32_t rank;          /* place in the declared order, 0 = none */
	uint64_t init_site;     /* where it was declared, 0 = static */
	uint64_t contended;     /* waits ever */
	uint64_t returned;      /* releases after the acquiring function had returned */
};
#define BB_LOCK_HISTORY 4
/* Found by its address: open addressing from a hash, see FORMAT.md. */
struct bb_lock {
	uint64_t lock; /* 0 = free */
	uint32_t class;
	uint32_t owner; /* as bb_wait.owner, updated while contended */
	uint64_t waits;
	uint64_t release_site; /* last */
	uint64_t release_ticks;
	struct {
		uint32_t owner, reserved;
		uint64_t site, ticks, held; /* acquire site and time, ticks held */
	} history[BB_LOCK_HISTORY];
	uint32_t history_next;
	/* Since 1.3. 1: was destroyed while held or waited for, at release_site and release_ticks,
	 * when `owner` held it. The memory may be another lock's since, with a row of its own. */
	uint32_t dead;
};
#define BB_LOCK_GONE 1u /* in `lock`: the row of a destroyed lock; free, but no end of a search */

/* ---- tasks and CPUs ------------------------------------------------------------------------- */
enum bb_state {
	BB_ST_NONE,
	BB_ST_NEW,
	BB_ST_RUNNABLE,
	BB_ST_RUNNING,
	BB_ST_SLEEPING /* may be
ended by a signal */
	,
	BB_ST_BLOCKED /* not */,
	BB_ST_STOPPED,
	BB_ST_ZOMBIE,
	BB_ST_DEAD
};
enum bb_mode { BB_MODE_KERNEL, BB_MODE_USER, BB_MODE_IDLE };
/* A thing that a task has open with others and by which alone waits on a queue can be ended: the
 * write end of a pipe for those who wait for data, the read end for those who wait for room. */
#define BB_MAX_ENDS 8
struct bb_end {
	uint64_t object; /* of those waits; 0 = unused */
	uint32_t count;  /* descriptors */
	uint32_t reserved;
};
#define BB_MAX_HELD     16
#define BB_TASK_KTHREAD 1u
#define BB_TASK_IDLE    2u
struct bb_task {
	/* identity: written while state is NONE or by the task itself under ident_seq */
	uint32_t ident_seq;
	uint32_t tid; /* 0 with flag IDLE: cpu's idle task */
	uint32_t pid;
	uint32_t ppid;
	uint32_t flags;
	uint32_t reserved0;
	char name[BB_NAME_LEN];
	uint64_t stack_base, stack_top; /* kernel stack */
	uint64_t start_ticks;
	/* scheduling: written under the run queue's lock, guarded by sched_seq */
	uint32_t sched_seq;
	uint32_t state; /* enum bb_state */
	uint32_t cpu;
	uint32_t prio;
	uint64_t since;                           /* ticks of the last change of state */
	uint64_t switch_sp, switch_fp, switch_pc; /* saved when it last left a CPU */
	uint64_t run_ticks;
	uint32_t waker; /* slot + 1 of who last made it runnable; BB_OWNER_CPU|cpu = an interrupt */
	uint32_t on_queue;
	/* the task's own: mode and system call */
	uint32_t user_epoch; /* departures to user mode */
	uint32_t mode;       /* enum bb_mode of this task: in user or kernel */
	uint64_t left_site;  /* where it last left the kernel while holding a lock, else 0 */
	uint64_t left_ticks;
	uint64_t left_event;
	int32_t syscall;        /* number in progress, -1 none */
	uint32_t preempt_count; /* preemption is off while != 0 */
	uint64_t syscall_args[6];
	/* waiting: own writer, guarded by wait_seq */
	uint32_t wait_seq;
	uint32_t reserved1;
	struct bb_wait wait;
	/* held locks: own writer; entries 0..nheld-1 in order of acquiring. The first two are one
	 * word, see held.h: entries are whole between two equal reads of it, held_seq being even */
	uint32_t held_seq;
	uint32_t nheld;
	uint32_t held_lost; /* acquires that found the list full */
	uint32_t reserved2;
	struct bb_held held[BB_MAX_HELD];
	/* since 1.2, each field by itself; written by the task itself, or before it first runs */
	struct bb_end ends[BB_MAX_ENDS];
	uint32_t ends_lost; /* descriptors that found the table full; then nobody knows who has what
			     */
	uint32_t reserved3;
	/* system calls, the task's own: of the one in progress; calls answered with -ENOSYS */
	uint64_t syscall_ticks; /* when it began */
	uint32_t syscall_nargs; /* so many syscall_args count */
	int32_t missing;        /* number of the last one, if missing_count */
	uint64_t missing_ticks;
	uint32_t missing_count;
	uint32_t reserved4;
};

#define BB_MAX_IRQ_HELD 8
struct bb_cpu {
	uint32_t cpu;
	uint32_t online;
	uint32_t mode; /* enum bb_mode; user is not said here but of the task that runs (1.3) */
	uint32_t irq_depth;
	uint32_t current; /* slot + 1 */
	uint32_t hwid;
	uint32_t need_resched;
	uint32_t queue_len;      /* runnable, not counting the running one */
	uint64_t last_tick;      /* ticks of the last timer interrupt */
	uint64_t ticks;          /* timer interrupts ever */
	uint64_t next_timer;     /* deadline programmed, ~0 none */
	uint64_t irqs_off_since; /* ticks, 0 = on; kept by the tracked interrupt-off sections */
	uint64_t irqs_off_site;
	uint64_t idle_ticks;                   /* entries into idle */
	uint64_t ipi_sent[4], ipi_received[4]; /* by kind */
	uint64_t nmi_pc, nmi_fp, nmi_ticks;    /* last NMI: where it hit */
	/* what this CPU spins for (in whatever context), guarded by wait_seq */
	uint32_t wait_seq;
	uint32_t reserved0;
	struct bb_wait wait;
	/* locks taken in interrupt context, as a task's */
	uint32_t held_seq;
	uint32_t nheld;
	uint32_t held_lost;
	uint32_t reserved1;
	struct bb_held held[BB_MAX_IRQ_HELD];
};

/* ---- the rest ------------------------------------------------------------------------------- */
struct bb_sym {
	uint32_t offset; /* from image_virt */
	uint32_t size;
	uint32_t name; /* offset into SYMNAMES */
	uint32_t reserved;
};
/* The line of a call: by the address that it returns to. */
struct bb_line {
	uint32_t offset; /* from image_virt */
	uint16_t place;
	uint16_t line;
};
struct bb_place {
	uint32_t file; /* offsets into PLACENAMES */
	uint32_t func; /* the inlined function that the call stands in; 0: the symbol's */
};
struct bb_console {
	uint64_t head; /* bytes ever written; text[head % size] is next */
	uint64_t size; /* of the text that follows, power of two */
};
#define BB_CRASH_FRAMES 32
struct bb_crash {
	uint32_t valid; /* set last */
	uint32_t cpu;
	uint32_t task; /* slot + 1 */
	uint32_t nframes;
	uint64_t ticks;
	uint64_t pc, sp, fp, addr, code;
	char reason[160];
	uint64_t frames[BB_CRASH_FRAMES];
};
struct bb_counter {
	char name[24];
	uint64_t value;
};
enum bb_verdict {
	BB_V_NONE,
	BB_V_ORPHAN,
	BB_V_CYCLE,
	BB_V_SELF,
	BB_V_IRQ_SELF,
	BB_V_OWNER_NOT_RUNNING,
	BB_V_OWNER_SLEEPING,
	BB_V_LOST_WAKEUP,
	BB_V_NO_WAKER,
	BB_V_STRANDED,
	BB_V_CPU_DEAD,
	BB_V_MISSING_IRQ,
	BB_V_LIVELOCK,
	BB_V_STARVED,
	BB_V_CORRUPT_LOCK,
	BB_V_HEALTHY
};
struct bb_report {        /* deduplicated by verdict, class and site */
	uint32_t seq;     /* odd while written; 0 = free */
	uint32_t verdict; /* enum bb_verdict */
	uint32_t check;   /* enum bb_check: which check spoke */
	uint32_t class;
	uint64_t lock;
	uint64_t ticks;
	uint64_t event;
	uint64_t site;  /* acquire site, or the offending site */
	uint64_t site2; /* where it left, waits, or released */
	uint32_t task;  /* owner word of the offender */
	uint32_t cpu;
	uint64_t count; /* times seen */
	uint64_t key;   /* since 1.3: findings of one key are one finding; 0 = free */
};
enum bb_check {
	BB_CHK_LEAVE = 1,
	BB_CHK_SELF,
	BB_CHK_CYCLE,
	BB_CHK_ORPHAN,
	BB_CHK_SLEEP,
	BB_CHK_UNLOCK,
	BB_CHK_UNINIT,
	BB_CHK_EXIT,
	BB_CHK_WATCHDOG,
	BB_CHK_HOLD,
	BB_CHK_QUEUE,      /* site: kernel address of the bb_queue */
	BB_CHK_FREED,      /* site: where it was taken; site2: freed */
	BB_CHK_FREED_WAIT, /* task, site: who waits for it, where; site2: freed */
	BB_CHK_DEAD        /* site: the use; site2: where it was destroyed, 0 unknown */
};

/* A queue of requests shared with a device: a split virtqueue (virtio 1.x, 2.7) whose rings lie in
 * the box, so that what the device has done stands beside what the driver has seen of it. A request
 * belongs to a slot of the driver's, into which its first descriptor points; who waits for it waits
 * for an object inside that slot. */
#define BB_QUEUE_LOOKS 3u /* so many looks, each a second after the last: it is missing */
struct bb_queue {
	char name[16];        /* of the device; empty = unused */
	uint64_t ring_offset; /* of the descriptor table, from the header */
	uint32_t size;        /* descriptors, power of two */
	uint32_t avail_at;    /* bytes from ring_offset: the driver's ring */
	uint32_t used_at;     /* the device's ring */
	uint32_t cpu;         /* the one that its interrupts go to */
	uint32_t seen;        /* place in the device's ring up to which the driver has looked */
	uint32_t kicked;      /* the driver's idx when it last called the device */
	uint64_t slot_base;   /* kernel address of the slots */
	uint32_t slot_size, slot_count;
	uint64_t irqs; /* interrupts ever, and when the last one came */
	uint64_t last_irq;
	/* `cpu` looks from its one-second timer, that is, with interrupts working: how many looks
	 * in a row found finished requests and `seen` unchanged, and when the first one was */
	uint64_t unseen_since;
	uint32_t looks;
	uint32_t looked; /* `seen` at those looks */
};

#define BB_ASSERT(c, m) _Static_assert(c, m)
BB_ASSERT(sizeof(struct bb_header) == 240, "bb_header is part of the format");
BB_ASSERT(sizeof(struct bb_section) == 32, "bb_section is part of the format");
BB_ASSERT(sizeof(struct bb_control) == 312, "bb_control is part of the format");
BB_ASSERT(sizeof(struct bb_event_row) == 160, "bb_event_row is part of the format");
BB_ASSERT(sizeof(struct bb_enum_row) == 40, "bb_enum_row is part of the format");
BB_ASSERT(sizeof(struct bb_call) == 104, "bb_call is part of the format");
BB_ASSERT(sizeof(struct bb_ring) == 64, "bb_ring is part of the format");
BB_ASSERT(sizeof(struct bb_held) == 56, "bb_held is part of the format");
BB_ASSERT(sizeof(struct bb_wait) == 48, "bb_wait is part of the format");
BB_ASSERT(sizeof(struct bb_class) == 64, "bb_class is part of the format");
BB_ASSERT(sizeof(struct bb_lock) == 176, "bb_lock is part of the format");
BB_ASSERT(sizeof(struct bb_end) == 16, "bb_end is part of the format");
BB_ASSERT(sizeof(struct bb_task) == 1368, "bb_task is part of the format");
BB_ASSERT(sizeof(struct bb_cpu) == 688, "bb_cpu is part of the format");
BB_ASSERT(sizeof(struct bb_sym) == 16, "bb_sym is part of the format");
BB_ASSERT(sizeof(struct bb_line) == 8, "bb_line is part of the format");
BB_ASSERT(sizeof(struct bb_place) == 8, "bb_place is part of the format");
BB_ASSERT(sizeof(struct bb_crash) == 480, "bb_crash is part of the format");
BB_ASSERT(sizeof(struct bb_counter) == 32, "bb_counter is part of the format");
BB_ASSERT(sizeof(struct bb_report) == 80, "bb_report is part of the format");
BB_ASSERT(sizeof(struct bb_queue) == 96, "bb_queue is part of the format");

#endif
