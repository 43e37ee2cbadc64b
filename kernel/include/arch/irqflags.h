/* arch/irqflags.h - masking of interrupts on this CPU. Any context. An NMI (x86) or an interrupt
 * of NMI priority (aarch64, GICv3 priority mask) still gets through.
 * <asm/irqflags.h> provides, static inline:
 *   irqflags_t arch_irq_save(void);           mask; returns the state before
 *   void arch_irq_restore(irqflags_t);
 *   void arch_irq_enable(void), arch_irq_disable(void);
 *   bool arch_irqs_disabled(void);
 *   bool arch_irqflags_disabled(irqflags_t);  does this saved state mean "masked"? */
#ifndef ARCH_IRQFLAGS_H
#define ARCH_IRQFLAGS_H
#include <lib/types.h>
typedef unsigned long irqflags_t;
#include <asm/irqflags.h>
#endif
