/* asm/context.h - what a switch keeps of a thread: callee-saved registers (the rest is on its
 * stack), and of a user thread its TLS pointer and FP/SIMD registers. Offsets are known to
 * switch.S through asm-offsets. */
#ifndef ASM_CONTEXT_H
#define ASM_CONTEXT_H
#include <lib/types.h>

struct arch_thread {
	u64 x19_x28[10];
	u64 fp, pc, sp;
	u64 tls; /* TPIDR_EL0 */
	u64 fpcr, fpsr;
	u64 vregs[64]; /* q0..q31 */
};

static inline unsigned long arch_sp(void)
{
	unsigned long v;

	__asm__ volatile("mov %0, sp" : "=r"(v));
	return v;
}
/* Below the caller's frame, whose record may be at its very bottom. */
static __always_inline unsigned long arch_leaf_sp(void)
{
	unsigned long v;

	__asm__ volatile("sub %0, sp, #16" : "=r"(v));
	return v;
}
/* Where a leaf returns to: the link register still has it. (The compiler's own word for it would
 * save the register and strip what it holds.) */
static __always_inline unsigned long arch_leaf_return(void)
{
	unsigned long v;

	__asm__ volatile("mov %0, x30" : "=r"(v));
	return v;
}
/* The frame register as it is: without a frame of one's own, that of the caller. */
static __always_inline unsigned long arch_fp_register(void)
{
	unsigned long v;

	__asm__ volatile("mov %0, x29" : "=r"(v));
	return v;
}
static __always_inline unsigned long arch_fp(void)
{
	return (unsigned long)__builtin_frame_address(0);
}

#endif
