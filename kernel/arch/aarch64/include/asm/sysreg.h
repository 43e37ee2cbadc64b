/* asm/sysreg.h - system registers by their architectural name. Private to this architecture. */
#ifndef ASM_SYSREG_H
#define ASM_SYSREG_H
#include <lib/types.h>

#define sysreg_read(r)                                                                             \
	({                                                                                         \
		u64 v_;                                                                            \
		__asm__ volatile("mrs %0, " #r : "=r"(v_)::"memory");                              \
		v_;                                                                                \
	})
#define sysreg_write(r, v) __asm__ volatile("msr " #r ", %x0" ::"rZ"((u64)(v)) : "memory")
#define isb()              __asm__ volatile("isb" ::: "memory")
#define dsb(domain)        __asm__ volatile("dsb " #domain ::: "memory")

#endif
