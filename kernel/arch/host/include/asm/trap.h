/* Host body of <arch/trap.h>: there are no exceptions to save registers for. */
#ifndef ASM_TRAP_H
#define ASM_TRAP_H
struct trap_frame {
	int unused;
};
static inline unsigned long trap_pc(const struct trap_frame *tf)
{
	return 0;
}
static inline unsigned long trap_sp(const struct trap_frame *tf)
{
	return 0;
}
static inline unsigned long trap_fp(const struct trap_frame *tf)
{
	return 0;
}
#endif
