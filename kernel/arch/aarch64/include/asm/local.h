/* asm/local.h - LDADDAL: one instruction, acquire and release. */
#ifndef ASM_LOCAL_H
#define ASM_LOCAL_H
#include <lib/types.h>

static inline u64 arch_local_fetch_add(u64 *p, u64 v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL);
}

static inline void arch_local_publish(u64 *p, u64 seen, u64 v)
{
	__atomic_store_n(p, seen + v, __ATOMIC_RELEASE);
}

/* What was there says whether it was taken: one test less than the compiler's own. */
static inline bool arch_take_word(u32 *p, u32 v)
{
	u32 was = 0;

	__asm__ volatile("casa %w0, %w2, %1" : "+r"(was), "+Q"(*p) : "r"(v) : "memory");
	return was == 0;
}

#endif
