/* Host body of <arch/local.h>. */
#ifndef ASM_LOCAL_H
#define ASM_LOCAL_H
static inline u64 arch_local_fetch_add(u64 *p, u64 v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL);
}

static inline void arch_local_publish(u64 *p, u64 seen, u64 v)
{
	__atomic_store_n(p, seen + v, __ATOMIC_RELEASE);
}

static inline bool arch_take_word(u32 *p, u32 v)
{
	u32 none = 0;

	return __atomic_compare_exchange_n(p, &none, v, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

#endif
