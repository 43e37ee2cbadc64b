/* asm/backtrace.h - a return address without pointer authentication bits: bit 55 says which half
 * of the address space it belongs to, the bits above the 48-bit address repeat it. */
#ifndef ASM_BACKTRACE_H
#define ASM_BACKTRACE_H

static inline unsigned long arch_strip_ra(unsigned long ra)
{
	return ra & BIT(55) ? ra | 0xffff000000000000ul : ra & 0x0000fffffffffffful;
}

#endif
