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
/* Where a leaf returns to; the stack pointer is below the caller's frame. */
#define arch_leaf_sp()     arch_sp()
#define arch_leaf_return() ((unsigned long)__builtin_return_address(0))
/* Every function has a frame here: the one above it. */
static inline __attribute__((always_inline)) unsigned long arch_fp_register(void)
{
	return *(const unsigned long *)__builtin_frame_address(0);
}
static inline __attribute__((always_inline)) unsigned long arch_sp(void)
{
	return (unsigned long)__builtin_frame_address(0);
}
#endif
