/* asm/time.h - the virtual counter: one for the whole system, so values compare between CPUs. No
 * barrier: a record may be dated a few ticks early on a core that speculates. */
#ifndef ASM_TIME_H
#define ASM_TIME_H
#include <lib/types.h>

static inline u64 arch_ticks(void)
{
	u64 v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
}

#endif
