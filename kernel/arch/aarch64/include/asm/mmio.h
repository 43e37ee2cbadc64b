/* asm/mmio.h - see <arch/mmio.h>. */
#ifndef ASM_MMIO_H
#define ASM_MMIO_H

#define MMIO_ACCESS(bits, suffix, w)                                                               \
	static inline u##bits mmio_read##bits(const volatile void *p)                              \
	{                                                                                          \
		u##bits v;                                                                         \
                                                                                                   \
		__asm__ volatile("ldr" suffix " %" w "0, [%1]" : "=r"(v) : "r"(p) : "memory");     \
		return v;                                                                          \
	}                                                                                          \
	static inline void mmio_write##bits(volatile void *p, u##bits v)                           \
	{                                                                                          \
		__asm__ volatile("str" suffix " %" w "0, [%1]" ::"rZ"(v), "r"(p) : "memory");      \
	}
MMIO_ACCESS(8, "b", "w")
MMIO_ACCESS(16, "h", "w")
MMIO_ACCESS(32, "", "w")
MMIO_ACCESS(64, "", "x")
#undef MMIO_ACCESS

/* Devices observe in the outer shareable domain. */
static inline void arch_device_mb(void)
{
	__asm__ volatile("dmb osh" ::: "memory");
}

#endif
