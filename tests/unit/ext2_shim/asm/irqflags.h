/* Host body of <arch/irqflags.h>: unit tests have no interrupts. */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H
static inline irqflags_t arch_irq_save(void)
{
	return 0;
}
static inline void arch_irq_restore(irqflags_t f)
{
}
#endif
