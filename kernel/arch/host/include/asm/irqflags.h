/* Host body of <arch/irqflags.h>: no interrupts come; the mask is a word a thread. */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H
extern __thread irqflags_t host_irqs_off; /* 0 or 1 */
static inline irqflags_t arch_irq_save(void)
{
	irqflags_t f = host_irqs_off;

	host_irqs_off = 1;
	return f;
}
static inline void arch_irq_restore(irqflags_t f)
{
	host_irqs_off = f;
}
static inline void arch_irq_enable(void)
{
	host_irqs_off = 0;
}
static inline void arch_irq_disable(void)
{
	host_irqs_off = 1;
}
static inline bool arch_irqs_disabled(void)
{
	return host_irqs_off;
}
static inline bool arch_irqflags_disabled(irqflags_t f)
{
	return f;
}
#endif
