/* task/call.h - the system call in progress, as the black box tells it. The thread's own; thread
 * context. While it runs, number, arguments and begin are in the task's entry; one record at its
 * end has them all and the result. Calls that do not return (exec, exit) end where they cannot fail
 * any more. */
#ifndef TASK_CALL_H
#define TASK_CALL_H

#include <arch/cpu.h>
#include <tracing/events.h>

/* The arguments are in bb->syscall_args. */
static inline void call_begin(struct bb_task *bb, s32 nr, u32 nargs)
{
	TRACE_FACT(bb->syscall_nargs, nargs);
	TRACE_FACT(bb->syscall_ticks, port_ticks());
	barrier();
	TRACE_FACT(bb->syscall, nr);
}

static inline void call_end(struct bb_task *bb, long ret)
{
	if (trace_event_on(EV_syscall_done))
		trace_put_call[bb->syscall_nargs](bb, (u64)ret);
	TRACE_FACT(bb->syscall, -1);
}

/* From where there may be no call: the first program starts without one. */
static inline void call_end_if_any(struct bb_task *bb, long ret)
{
	if (bb->syscall != -1)
		call_end(bb, ret);
}

#endif
