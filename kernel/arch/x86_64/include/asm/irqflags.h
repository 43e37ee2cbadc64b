/* asm/irqflags.h - RFLAGS.IF. */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H

#define X86_FLAG_IF 0x200ul

static inline irqflags_t arch_irq_flags(void)
{
	irqflags_t f;

	__asm__ volatile("pushfq; popq %0" : "=r"(f) : : "memory");
	return f;
}
static inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}
static inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}
static inline irqflags_t arch_irq_save(void)
{
	irqflags_t f = arch_irq_flags();

	arch_irq_disable();
	return f;
}
static inline bool arch_irqflags_disabled(irqflags_t f)
{
	return !(f & X86_FLAG_IF);
}
static inline void arch_irq_restore(irqflags_t f)
{
	if (f & X86_FLAG_IF)
		arch_irq_enable();
	else
		arch_irq_disable();
}
static inline bool arch_irqs_disabled(void)
{
	return arch_irqflags_disabled(arch_irq_flags());
}

#endif
