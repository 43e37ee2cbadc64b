/* mmio.h - device registers. Each access is one instruction of the stated width. Ordering: device
 * mappings keep their own order; against normal memory the caller uses smp_mb()/smp_wmb(). */
#ifndef DRIVERS_MMIO_H
#define DRIVERS_MMIO_H

#include <lib/types.h>

static inline u8 mmio_read8(const volatile void *p)
{
	return *(const volatile u8 *)p;
}
static inline u16 mmio_read16(const volatile void *p)
{
	return *(const volatile u16 *)p;
}
static inline u32 mmio_read32(const volatile void *p)
{
	return *(const volatile u32 *)p;
}
static inline void mmio_write8(volatile void *p, u8 v)
{
	*(volatile u8 *)p = v;
}
static inline void mmio_write16(volatile void *p, u16 v)
{
	*(volatile u16 *)p = v;
}
static inline void mmio_write32(volatile void *p, u32 v)
{
	*(volatile u32 *)p = v;
}

#endif
