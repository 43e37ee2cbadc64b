/* asm/context.h - what a thread keeps while it does not run.
 * The kernel part (callee-saved registers) lies on its stack at `sp`; FP state, FS and GS bases are
 * here and only meaningful for threads with `user` set: kernel code never uses FP registers. */
#ifndef ASM_CONTEXT_H
#define ASM_CONTEXT_H
#include <lib/types.h>

/* x87 + SSE + AVX in the standard XSAVE form; no other component is ever enabled in XCR0. */
#define X86_FPU_BYTES 832
#define X86_FPU_ALIGN 64

struct x86_selectors {
	u16 ds, es, fs, gs;
};
struct arch_thread {
	unsigned long sp;
	unsigned long fs_base;          /* user TLS */
	unsigned long gs_base;          /* user GS */
	struct x86_selectors selectors; /* user's */
	bool user;                      /* has user registers to switch: since exec or fork */
	u8 fpu_raw[X86_FPU_BYTES + X86_FPU_ALIGN]; /* the area starts at the first aligned byte */
};

static inline unsigned long arch_sp(void)
{
	unsigned long v;

	__asm__ volatile("movq %%rsp, %0" : "=r"(v));
	return v;
}
/* Where a leaf returns to; the stack pointer is below the caller's frame. */
#define arch_leaf_sp()     arch_sp()
#define arch_leaf_return() ((unsigned long)__builtin_return_address(0))
/* The frame register as it is: without a frame of one's own, that of the caller. */
static __always_inline unsigned long arch_fp_register(void)
{
	unsigned long v;

	__asm__ volatile("movq %%rbp, %0" : "=r"(v));
	return v;
}
static __always_inline unsigned long arch_fp(void)
{
	return (unsigned long)__builtin_frame_address(0);
}

#endif
