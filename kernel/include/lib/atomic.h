/* lib/atomic.h - typed wrappers over the compiler's __atomic builtins, and the memory barriers.
 * Read-modify-write operations are acquire+release unless their name says relaxed. */
#ifndef LIB_ATOMIC_H
#define LIB_ATOMIC_H

#include <lib/types.h>

#define atomic_load(p)             __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store(p, v)         __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_fetch_add(p, v)     __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL)
#define atomic_fetch_sub(p, v)     __atomic_fetch_sub(p, v, __ATOMIC_ACQ_REL)
#define atomic_add_fetch(p, v)     __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL)
#define atomic_sub_fetch(p, v)     __atomic_sub_fetch(p, v, __ATOMIC_ACQ_REL)
#define atomic_fetch_or(p, v)      __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL)
#define atomic_fetch_and(p, v)     __atomic_fetch_and(p, v, __ATOMIC_ACQ_REL)
#define atomic_xchg(p, v)          __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)
/* On failure *oldp receives the value found. */
#define atomic_try_cmpxchg(p, oldp, v)                                                             \
	__atomic_compare_exchange_n(p, oldp, v, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#endif
