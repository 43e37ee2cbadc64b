/* asm/trap.h - the frame that entry.S builds. For exceptions `error` is the CPU's error code; for
 * system calls it keeps the number (rax becomes the result). */
#ifndef ASM_TRAP_H
#define ASM_TRAP_H
#include <lib/types.h>

struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector; /* 0..255, or X86_VEC_SYSCALL */
	u64 error;
	u64 rip, cs, rflags, rsp, ss; /* pushed by the CPU */
};
#define X86_VEC_SYSCALL 0x100

static inline unsigned long trap_pc(const struct trap_frame *tf)
{
	return tf->rip;
}
static inline unsigned long trap_sp(const struct trap_frame *tf)
{
	return tf->rsp;
}
static inline unsigned long trap_fp(const struct trap_frame *tf)
{
	return tf->rbp;
}
static inline unsigned long trap_caller(const struct trap_frame *tf)
{
	return *(const unsigned long *)tf->rsp;
}
static inline bool trap_from_user(const struct trap_frame *tf)
{
	return (tf->cs & 3) != 0;
}
static inline bool trap_irqs_were_disabled(const struct trap_frame *tf)
{
	return !(tf->rflags & 0x200);
}
static inline void trap_set_pc(struct trap_frame *tf, unsigned long pc)
{
	tf->rip = pc;
}
static inline void trap_set_sp(struct trap_frame *tf, unsigned long sp)
{
	tf->rsp = sp;
}
static inline unsigned long trap_syscall_nr(const struct trap_frame *tf)
{
	return tf->error;
}
/* System call arguments: rdi rsi rdx r10 r8 r9 (x86-64 psABI, A.2.1). */
static inline unsigned long trap_syscall_arg(const struct trap_frame *tf, int n)
{
	switch (n) {
	case 0:
		return tf->rdi;
	case 1:
		return tf->rsi;
	case 2:
		return tf->rdx;
	case 3:
		return tf->r10;
	case 4:
		return tf->r8;
	default:
		return tf->r9;
	}
}
static inline void trap_set_ret(struct trap_frame *tf, unsigned long v)
{
	tf->rax = v;
}

#endif
