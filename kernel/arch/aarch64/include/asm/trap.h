/* asm/trap.h - the frame that entry.S builds on the kernel stack. Its last members are a frame
 * record {fp, pc}, so that a frame-pointer walk crosses the exception; for a frame from user mode
 * the record is zero and ends the walk. */
#ifndef ASM_TRAP_H
#define ASM_TRAP_H
#include <arch/irqflags.h>

#define PSR_MODE_MASK 0xful
#define PSR_MODE_EL0  0ul
#define PSR_I         BIT(7)

struct trap_frame {
	u64 x[31];
	u64 sp, pc, pstate;
	u64 pmr; /* ICC_PMR_EL1 of the interrupted context */
	u64 esr, far;
	u64 reserved; /* keeps the frame a multiple of 16 bytes */
	u64 record[2];
};
_Static_assert(sizeof(struct trap_frame) % 16 == 0, "SP stays 16-byte aligned");

static inline unsigned long trap_pc(const struct trap_frame *tf)
{
	return tf->pc;
}
static inline unsigned long trap_sp(const struct trap_frame *tf)
{
	return tf->sp;
}
static inline unsigned long trap_fp(const struct trap_frame *tf)
{
	return tf->x[29];
}
static inline unsigned long trap_caller(const struct trap_frame *tf)
{
	return tf->x[30];
}
static inline bool trap_from_user(const struct trap_frame *tf)
{
	return (tf->pstate & PSR_MODE_MASK) == PSR_MODE_EL0;
}
static inline bool trap_irqs_were_disabled(const struct trap_frame *tf)
{
	return tf->pmr <= GIC_PMR_MASKED || (tf->pstate & PSR_I);
}
static inline void trap_set_pc(struct trap_frame *tf, unsigned long pc)
{
	tf->pc = pc;
}
static inline void trap_set_sp(struct trap_frame *tf, unsigned long sp)
{
	tf->sp = sp;
}
static inline unsigned long trap_syscall_nr(const struct trap_frame *tf)
{
	return tf->x[8];
}
static inline unsigned long trap_syscall_arg(const struct trap_frame *tf, unsigned int n)
{
	return tf->x[n];
}
static inline void trap_set_ret(struct trap_frame *tf, unsigned long v)
{
	tf->x[0] = v;
}

#endif
