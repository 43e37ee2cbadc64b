/* asm/mmio.h - see <arch/mmio.h>. */
#ifndef ASM_MMIO_H
#define ASM_MMIO_H

#define MMIO_ACCESS(bits, suffix)                                                                  \
	static inline u##bits mmio_read##bits(const volatile void *p)                              \
	{                                                                                          \
		u##bits v;                                                                         \
                                                                                                   \
		__asm__ volatile("mov" suffix " %1, %0"                                            \
				 : "=r"(v)                                                         \
				 : "m"(*(const volatile u##bits *)p)                               \
				 : "memory");                                                      \
		return v;                                                                          \
	}                                                                                          \
	static inline void mmio_write##bits(volatile void *p, u##bits v)                           \
	{                                                                                          \
		__asm__ volatile("mov" suffix " %1, %0"                                            \
				 : "=m"(*(volatile u##bits *)p)                                    \
				 : "r"(v)                                                          \
				 : "memory");                                                      \
	}
MMIO_ACCESS(8, "b")
MMIO_ACCESS(16, "w")
MMIO_ACCESS(32, "l")
MMIO_ACCESS(64, "q")
#undef MMIO_ACCESS

static inline void arch_device_mb(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

#endif
