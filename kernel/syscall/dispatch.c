/* dispatch.c - from the trap to the handler. The table is made from syscalls.def by number; what is
 * not in it is -ENOSYS. Number and arguments are in the thread's black-box entry while the call
 * runs (arguments first, so that a reader who sees the number sees them too). A handler that
 * returns with a lock held is named in the report that the exit stub makes.
 */
#include <task/process.h>
#include <arch/trap.h>
#include <arch/upcalls.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "syscall.h"
#include <syscall/table.h>

struct syscall_row {
	long (*fn)(const unsigned long *a);
	u8 nargs;
};

#define SYSCALL(name, kinds) [__NR_##name] = {sys_##name, sizeof(kinds) - 1},
static const struct syscall_row table[] = {
#include "syscalls.def"
};
#undef SYSCALL

#define SYSCALL(name, kinds) {BB_TAB_SYSCALL, 0, __NR_##name, #name},
const struct bb_enum_row syscall_rows[] = {
#include "syscalls.def"
};
#undef SYSCALL
const unsigned int syscall_rows_count = ARRAY_SIZE(syscall_rows);

static long sys_unknown(const unsigned long *a)
{
	return -ENOSYS;
}
static const struct syscall_row unknown = {sys_unknown, 6};

void trap_syscall(struct trap_frame *tf)
{
	unsigned long nr = trap_syscall_nr(tf), a[6];
	const struct syscall_row *row =
		nr < ARRAY_SIZE(table) && table[nr].fn ? &table[nr] : &unknown;
	struct bb_task *bb = current_thread()->bb;
	long ret;

	for (unsigned int i = 0; i < 6; i++) {
		a[i] = i < row->nargs ? trap_syscall_arg(tf, i) : 0;
		WRITE_ONCE(bb->syscall_args[i], a[i]);
	}
	barrier();
	WRITE_ONCE(bb->syscall, (s32)nr);
	trace(syscall_enter, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	ret = row->fn(a);
	trace(syscall_exit, nr, ret);
	WRITE_ONCE(bb->syscall, -1);
	if (track_task_holds(bb)) /* + 1: sites are return addresses, inside the function */
		current_process()->leaving_site = (unsigned long)row->fn + 1;
	trap_set_ret(tf, (unsigned long)ret);
}
