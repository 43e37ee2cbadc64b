/* Host body of <arch/mmio.h>: a device is a test's memory. */
#ifndef ASM_MMIO_H
#define ASM_MMIO_H

#define MMIO_ACCESS(bits)                                                                          \
	static inline u##bits mmio_read##bits(const volatile void *p)                              \
	{                                                                                          \
		return *(const volatile u##bits *)p;                                               \
	}                                                                                          \
	static inline void mmio_write##bits(volatile void *p, u##bits v)                           \
	{                                                                                          \
		*(volatile u##bits *)p = v;                                                        \
	}
MMIO_ACCESS(8)
MMIO_ACCESS(16)
MMIO_ACCESS(32)
MMIO_ACCESS(64)
#undef MMIO_ACCESS

static inline void arch_device_mb(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
