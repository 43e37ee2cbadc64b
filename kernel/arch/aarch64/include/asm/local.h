/* asm/local.h - LDADDAL: one instruction, acquire and release. */
#ifndef ASM_LOCAL_H
#define ASM_LOCAL_H
#include <lib/types.h>

static inline u64 arch_local_fetch_add(u64 *p, u64 v)
{
	return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL);
}

#endif
