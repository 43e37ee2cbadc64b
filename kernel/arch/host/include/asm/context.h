/* Host body of <arch/context.h>: the C library keeps a thread's registers. */
#ifndef ASM_CONTEXT_H
#define ASM_CONTEXT_H
struct arch_thread {
	int unused;
};
static inline __attribute__((always_inline)) unsigned long arch_fp(void)
{
	return (unsigned long)__builtin_frame_address(0);
}
static inline __attribute__((always_inline)) unsigned long arch_sp(void)
{
	return (unsigned long)__builtin_frame_address(0);
}
#endif
