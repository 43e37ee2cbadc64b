/* asm/time.h - the TSC. */
#ifndef ASM_TIME_H
#define ASM_TIME_H

static inline u64 arch_ticks(void)
{
	u64 lo, hi; /* the instruction clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}

#endif
