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

/* Nothing if there is no call: the first program starts without one. */
static inline void call_end(struct bb_task *bb, long ret)
{
	if (trace_event_on(EV_syscall_done) && likely(bb->syscall >= 0))
		trace_put_call(BB_CALL_WORD(bb->syscall, port_ticks() - bb->syscall_ticks),
			       (u64)ret, bb->syscall_args, bb->syscall_nargs);
	TRACE_FACT(bb->syscall, -1);
}

#endif
