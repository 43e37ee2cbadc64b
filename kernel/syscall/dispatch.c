/* dispatch.c - from the trap to the handler. The table is made from syscalls.def by number; what is
 * not in it is -ENOSYS, as are some forms of calls that are. Number and arguments are in the
 * thread's entry of the black box while the call runs (arguments first, so that a reader who sees
 * the number sees them too); from there the handler gets them, and the one record that the call
 * leaves at its end (call_end). A handler that returns with a lock held is named in the report that
 * the exit stub makes.
 */
#include <task/call.h>
#include <task/process.h>
#include <arch/trap.h>
#include <arch/upcalls.h>
#include <tracing/tracker.h>
#include "syscall.h"
#include <syscall/table.h>

struct syscall_row {
	long (*fn)(const u64 *a); /* unpacks and calls the handler */
	const void *handler;
	u32 nargs;
};

#define SYSCALL_ROW(name, n, params, args, ...)                                                    \
	static long call_##name(const u64 *a)                                                      \
	{                                                                                          \
		return sys_##name args;                                                            \
	}
#include "syscalls.def"
#undef SYSCALL_ROW

#define SYSCALL_ROW(name, n, params, args, ...) [__NR_##name] = {call_##name, sys_##name, n},
static const struct syscall_row table[] = {
#include "syscalls.def"
};
#undef SYSCALL_ROW

#define SYSCALL_ROW(name, n, params, args, ...) {__NR_##name, n, {__VA_ARGS__}},
const struct bb_call syscall_calls[] = {
#include "syscalls.def"
};
#undef SYSCALL_ROW
const unsigned int syscall_calls_count = ARRAY_SIZE(syscall_calls);

static long call_unknown(const u64 *a)
{
	return -ENOSYS;
}
static const struct syscall_row unknown = {call_unknown, call_unknown, 6};

/* A program that goes on without what it asked for may spin: it must not look healthy for want of a
 * fact. */
static void __noinline call_missing(struct bb_task *bb, unsigned long pc)
{
	if (!bb->missing_count || bb->missing != bb->syscall)
		trace(syscall_missing, bb->syscall, pc);
	WRITE_ONCE(bb->missing, bb->syscall);
	WRITE_ONCE(bb->missing_ticks, bb->syscall_ticks);
	WRITE_ONCE(bb->missing_count, bb->missing_count + 1);
}

static inline void take_args(u64 *a, const struct trap_frame *tf, u32 n)
{
	switch (n) {
	case 6:
		WRITE_ONCE(a[5], trap_syscall_arg(tf, 5));
		fallthrough;
	case 5:
		WRITE_ONCE(a[4], trap_syscall_arg(tf, 4));
		fallthrough;
	case 4:
		WRITE_ONCE(a[3], trap_syscall_arg(tf, 3));
		fallthrough;
	case 3:
		WRITE_ONCE(a[2], trap_syscall_arg(tf, 2));
		fallthrough;
	case 2:
		WRITE_ONCE(a[1], trap_syscall_arg(tf, 1));
		fallthrough;
	case 1:
		WRITE_ONCE(a[0], trap_syscall_arg(tf, 0));
	}
}

static inline const struct syscall_row *row_of(unsigned long nr)
{
	return nr < ARRAY_SIZE(table) && table[nr].fn ? &table[nr] : &unknown;
}

/* + 1: sites are return addresses, inside the function. */
static void __noinline note_leaving(const struct trap_frame *tf)
{
	current_process()->leaving_site = (unsigned long)row_of(trap_syscall_nr(tf))->handler + 1;
}

void trap_syscall(struct trap_frame *tf)
{
	unsigned long nr = trap_syscall_nr(tf);
	const struct syscall_row *row = row_of(nr);
	struct bb_task *bb = current_thread()->bb;
	long ret;

	take_args(bb->syscall_args, tf, row->nargs);
	call_begin(bb, (s32)nr, row->nargs);
	ret = row->fn(bb->syscall_args);
	if (TRACING && unlikely(ret == -ENOSYS))
		call_missing(bb, trap_pc(tf));
	call_end(bb, ret);
	if (track_task_holds(bb))
		note_leaving(tf);
	trap_set_ret(tf, (unsigned long)ret);
}
