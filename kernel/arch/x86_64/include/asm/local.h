/* asm/local.h - an unlocked XADD; x86 keeps stores in order for other CPUs. */
#ifndef ASM_LOCAL_H
#define ASM_LOCAL_H
#include <lib/types.h>

static inline u64 arch_local_fetch_add(u64 *p, u64 v)
{
	__asm__ volatile("xaddq %0, %1" : "+r"(v), "+m"(*p) : : "memory", "cc");
	return v;
}

static inline void arch_local_publish(u64 *p, u64 seen, u64 v)
{
	__asm__ volatile("addq %1, %0" : "+m"(*p) : "r"(v) : "memory", "cc");
}

static inline bool arch_take_word(u32 *p, u32 v)
{
	u32 none = 0;

	return __atomic_compare_exchange_n(p, &none, v, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

#endif
