/* asm/local.h - an unlocked XADD; x86 keeps stores in order for other CPUs. */
#ifndef ASM_LOCAL_H
#define ASM_LOCAL_H
#include <lib/types.h>

static inline u64 arch_local_fetch_add(u64 *p, u64 v)
{
	__asm__ volatile("xaddq %0, %1" : "+r"(v), "+m"(*p) : : "memory", "cc");
	return v;
}

#endif
