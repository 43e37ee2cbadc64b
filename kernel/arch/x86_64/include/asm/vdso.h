/* asm/vdso.h - what kernel/vdso needs, in user mode. Names and version: Linux, arch/x86/entry/vdso.
 * Ring 3 may read the TSC (CR4.TSD is 0). The fence keeps the read where the program has it. */
#ifndef ASM_VDSO_H
#define ASM_VDSO_H
#ifndef __ASSEMBLER__
#define VDSO_NAME(f)          __vdso_##f
#define VDSO_HAS_TIME         1
#define VDSO_NR_clock_gettime 228
#define VDSO_NR_clock_getres  229
#define VDSO_NR_gettimeofday  96

static inline u64 vdso_ticks(void)
{
	u64 lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return hi << 32 | lo;
}

static inline long vdso_syscall2(long nr, long a, long b)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b) : "rcx", "r11", "memory");
	return ret;
}
#else
/* The linker's: what is visible, and as which version. */
/* clang-format off */
#define VDSO_VERSION VERSION { LINUX_2.6 { \
	global: __vdso_clock_gettime; __vdso_clock_getres; __vdso_gettimeofday; __vdso_time; \
	local: *; }; }
/* clang-format on */
#endif
#endif
