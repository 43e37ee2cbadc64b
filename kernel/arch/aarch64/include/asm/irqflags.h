/* asm/irqflags.h - interrupt masking by the GICv3 priority mask.
 *
 * ICC_PMR_EL1 lets interrupts of a numerically lower priority through: 0xe0 admits device
 * interrupts, IPIs and the timer (0xa0), 0x60 only those of NMI priority (0x20). PSTATE.I stays
 * clear except in entry and exit code, in an NMI and around WFI. The flags word is the PMR value.
 * A write of PMR takes effect for the writing CPU without a barrier (GICv3: self-synchronising). */
#ifndef ASM_IRQFLAGS_H
#define ASM_IRQFLAGS_H
#include <asm/sysreg.h>

#define GIC_PMR_ENABLED 0xe0ul
#define GIC_PMR_MASKED  0x60ul

static inline bool arch_irqflags_disabled(irqflags_t f)
{
	return f <= GIC_PMR_MASKED;
}
static inline bool arch_irqs_disabled(void)
{
	return arch_irqflags_disabled(sysreg_read(ICC_PMR_EL1));
}
static inline void arch_irq_disable(void)
{
	sysreg_write(ICC_PMR_EL1, GIC_PMR_MASKED);
}
static inline void arch_irq_enable(void)
{
	sysreg_write(ICC_PMR_EL1, GIC_PMR_ENABLED);
}
static inline irqflags_t arch_irq_save(void)
{
	irqflags_t f = sysreg_read(ICC_PMR_EL1);

	arch_irq_disable();
	return f;
}
static inline void arch_irq_restore(irqflags_t f)
{
	sysreg_write(ICC_PMR_EL1, f);
}

#endif
