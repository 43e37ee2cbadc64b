/* asm/backtrace.h - return addresses are plain on x86-64. */
#ifndef ASM_BACKTRACE_H
#define ASM_BACKTRACE_H

static inline unsigned long arch_strip_ra(unsigned long ra)
{
	return ra;
}

#endif
