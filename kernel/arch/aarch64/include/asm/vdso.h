/* asm/vdso.h - what kernel/vdso needs, in user mode. Names and version: Linux,
 * arch/arm64/kernel/vdso. EL0 may read CNTVCT (boot.S). The barrier keeps the read where the
 * program has it. */
#ifndef ASM_VDSO_H
#define ASM_VDSO_H
#ifndef __ASSEMBLER__
#define VDSO_NAME(f)          __kernel_##f
#define VDSO_NR_clock_gettime 113
#define VDSO_NR_clock_getres  114
#define VDSO_NR_gettimeofday  169

static inline u64 vdso_ticks(void)
{
	u64 v;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

static inline long vdso_syscall2(long nr, long a, long b)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
	return x0;
}
#else
/* The linker's: what is visible, and as which version. */
/* clang-format off */
#define VDSO_VERSION VERSION { LINUX_2.6.39 { \
	global: __kernel_clock_gettime; __kernel_clock_getres; __kernel_gettimeofday; __kernel_rt_sigreturn; \
	local: *; }; }
/* clang-format on */
#endif
#endif
