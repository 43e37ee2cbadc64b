/* asm/time.h - the TSC. */
#ifndef ASM_TIME_H
#define ASM_TIME_H

static inline u64 arch_ticks(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#endif
