/* schema.c - events.def as rows that a reader decodes, and the names of enumerations. Pointer-free
 * and of fixed size: the same bytes in the ELF (sections .trace_schema, .trace_enums) and in the
 * black box. */
#include <tracing/events.h>
#include "schema.h"

#define ARG(n, s)     {#n, BB_##s, 0},
#define ARGT(n, s, t) {#n, BB_##s, BB_TAB_##t},
#define EVENT(i, n, cat, r, a)                                                                     \
	{.id = i,                                                                                  \
	 .category = BB_CAT_##cat,                                                                 \
	 .role = BB_ROLE_##r,                                                                      \
	 .nargs = EVN_##n,                                                                         \
	 .name = #n,                                                                               \
	 .args = {a}},

const struct bb_event_row trace_schema[] __attribute__((section(".trace_schema"), used)) = {
#include <tracing/events.def>
};
const uint32_t trace_schema_count = sizeof(trace_schema) / sizeof(trace_schema[0]);

#define ROW(t, v, n)                                                                               \
	{                                                                                          \
		.table = BB_TAB_##t, .value = v, .name = n                                         \
	}
const struct bb_enum_row trace_enums[] __attribute__((section(".trace_enums"), used)) = {
	ROW(CATEGORY, BB_CAT_BOOT, "boot"),
	ROW(CATEGORY, BB_CAT_SCHED, "sched"),
	ROW(CATEGORY, BB_CAT_IRQ, "irq"),
	ROW(CATEGORY, BB_CAT_SYSCALL, "syscall"),
	ROW(CATEGORY, BB_CAT_LOCK, "lock"),
	ROW(CATEGORY, BB_CAT_LOCKALL, "lockall"),
	ROW(CATEGORY, BB_CAT_WAIT, "wait"),
	ROW(CATEGORY, BB_CAT_FAULT, "fault"),
	ROW(CATEGORY, BB_CAT_MM, "mm"),
	ROW(CATEGORY, BB_CAT_FS, "fs"),
	ROW(CATEGORY, BB_CAT_BLOCK, "block"),
	ROW(CATEGORY, BB_CAT_NET, "net"),
	ROW(CATEGORY, BB_CAT_SIGNAL, "signal"),
	ROW(CATEGORY, BB_CAT_TIMER, "timer"),
	ROW(CATEGORY, BB_CAT_PROCESS, "process"),
	ROW(CATEGORY, BB_CAT_PRINTK, "printk"),
	ROW(CATEGORY, BB_CAT_FUNCTION, "function"),
	ROW(CATEGORY, BB_CAT_USER, "user"),
	ROW(CATEGORY, BB_CAT_DIAG, "diag"),
	ROW(STATE, BB_ST_NONE, "none"),
	ROW(STATE, BB_ST_NEW, "new"),
	ROW(STATE, BB_ST_RUNNABLE, "runnable"),
	ROW(STATE, BB_ST_RUNNING, "running"),
	ROW(STATE, BB_ST_SLEEPING, "sleeping"),
	ROW(STATE, BB_ST_BLOCKED, "blocked"),
	ROW(STATE, BB_ST_STOPPED, "stopped"),
	ROW(STATE, BB_ST_ZOMBIE, "zombie"),
	ROW(STATE, BB_ST_DEAD, "dead"),
	ROW(WAIT, BB_WAIT_NONE, "nothing"),
	ROW(WAIT, BB_WAIT_SPIN, "spin lock"),
	ROW(WAIT, BB_WAIT_MUTEX, "mutex"),
	ROW(WAIT, BB_WAIT_READ, "rwlock (read)"),
	ROW(WAIT, BB_WAIT_WRITE, "rwlock (write)"),
	ROW(WAIT, BB_WAIT_SEM, "semaphore"),
	ROW(WAIT, BB_WAIT_COMPLETION, "completion"),
	ROW(WAIT, BB_WAIT_QUEUE, "event"),
	ROW(WAIT, BB_WAIT_FUTEX, "futex"),
	ROW(WAIT, BB_WAIT_PIPE, "pipe"),
	ROW(WAIT, BB_WAIT_SOCKET, "socket"),
	ROW(WAIT, BB_WAIT_TTY, "terminal input"),
	ROW(WAIT, BB_WAIT_CHILD, "child"),
	ROW(WAIT, BB_WAIT_SIGNAL, "signal"),
	ROW(WAIT, BB_WAIT_TIMER, "timer"),
	ROW(WAIT, BB_WAIT_IO, "disk I/O"),
	ROW(WAIT, BB_WAIT_IPI, "other CPU's answer"),
	ROW(WAIT, BB_WAIT_TLB, "TLB shootdown"),
	ROW(WAIT, BB_WAIT_RECLAIM, "memory"),
	ROW(WAIT, BB_WAIT_POLL, "file to be ready"),
	ROW(VERDICT, BB_V_NONE, "none"),
	ROW(VERDICT, BB_V_ORPHAN, "orphan"),
	ROW(VERDICT, BB_V_CYCLE, "cycle"),
	ROW(VERDICT, BB_V_SELF, "self"),
	ROW(VERDICT, BB_V_IRQ_SELF, "irq-self"),
	ROW(VERDICT, BB_V_OWNER_NOT_RUNNING, "owner-not-running"),
	ROW(VERDICT, BB_V_OWNER_SLEEPING, "owner-sleeping"),
	ROW(VERDICT, BB_V_LOST_WAKEUP, "lost-wakeup"),
	ROW(VERDICT, BB_V_NO_WAKER, "no-waker"),
	ROW(VERDICT, BB_V_STRANDED, "stranded"),
	ROW(VERDICT, BB_V_CPU_DEAD, "cpu-dead"),
	ROW(VERDICT, BB_V_MISSING_IRQ, "missing-irq"),
	ROW(VERDICT, BB_V_LIVELOCK, "livelock"),
	ROW(VERDICT, BB_V_STARVED, "starved"),
	ROW(VERDICT, BB_V_CORRUPT_LOCK, "corrupt-lock"),
	ROW(VERDICT, BB_V_HEALTHY, "healthy"),
	ROW(MODE, BB_MODE_KERNEL, "kernel"),
	ROW(MODE, BB_MODE_USER, "user"),
	ROW(MODE, BB_MODE_IDLE, "idle"),
	ROW(FAULT, BB_FAULT_WRITE, "write"),
	ROW(FAULT, BB_FAULT_EXEC, "exec"),
	ROW(FAULT, BB_FAULT_USER, "user"),
	ROW(FAULT, BB_FAULT_PRESENT, "protection"),
	ROW(IPI, BB_IPI_RESCHED, "reschedule"),
	ROW(IPI, BB_IPI_CALL, "call"),
	ROW(IPI, BB_IPI_STOP, "stop"),
	ROW(LOCKKIND, BB_LK_SPIN, "spin lock"),
	ROW(LOCKKIND, BB_LK_MUTEX, "mutex"),
	ROW(LOCKKIND, BB_LK_RWLOCK, "rwlock"),
	ROW(LOCKKIND, BB_LK_SEM, "semaphore"),
	ROW(LOCKKIND, BB_LK_COMPLETION, "completion"),
	ROW(LOCKKIND, BB_LK_WAITQ, "wait queue"),
	ROW(LEVEL, 3, "error"),
	ROW(LEVEL, 4, "warning"),
	ROW(LEVEL, 6, "info"),
	ROW(LEVEL, 7, "debug"),
};
const uint32_t trace_enums_count = sizeof(trace_enums) / sizeof(trace_enums[0]);
