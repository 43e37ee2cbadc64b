/* warp.c - the look whether two CPUs' time stamp counters agree.
 *
 * Model. A lock puts the looks of both CPUs in an order, and each reads its counter inside: time
 * goes on from one to the next, so a counter that shows less than the look before it is behind the
 * other's. Looking from both sides finds either sign: a new CPU that is behind sees it itself, one
 * that is ahead is seen by the boot CPU. A difference smaller than the lock's way between the CPUs
 * (some 100 cycles) cannot be seen, nor can any event be seen out of order by it.
 *
 * The new CPU waits for nobody: it may come after the boot CPU has given it up, and both decide by
 * one exchange of `state`. Each looks until both have looked often enough, so that they overlap. */
#include <lib/atomic.h>
#include <arch/cpu.h>
#include "warp.h"

#define LOOKS 64u
enum { NOBODY, HERE, GIVEN_UP };

static void look(struct x86_warp *w, unsigned int who, u64 (*read)(void))
{
	u64 now;

	while (atomic_xchg(&w->lock, 1))
		arch_cpu_relax();
	now = read();
	if (now < w->last && w->last - now > w->behind[who])
		atomic_store(&w->behind[who], w->last - now);
	w->last = now;
	atomic_store_release(&w->lock, 0);
	atomic_store(&w->looks[who], w->looks[who] + 1);
	arch_cpu_relax();
}

static void look_together(struct x86_warp *w, unsigned int who, u64 (*read)(void))
{
	while (atomic_load(&w->looks[0]) < LOOKS || atomic_load(&w->looks[1]) < LOOKS)
		look(w, who, read);
}

bool x86_warp_new(struct x86_warp *w, u64 (*read)(void))
{
	if (atomic_xchg(&w->state, HERE) == GIVEN_UP)
		return false;
	look_together(w, WARP_NEW, read);
	return true;
}

bool x86_warp_boot(struct x86_warp *w, u64 (*read)(void), u64 limit)
{
	while (atomic_load(&w->state) == NOBODY && read() < limit)
		arch_cpu_relax();
	if (atomic_xchg(&w->state, GIVEN_UP) == NOBODY)
		return false;
	look_together(w, WARP_BOOT, read);
	return true;
}
