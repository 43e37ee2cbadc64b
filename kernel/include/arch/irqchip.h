/* arch/irqchip.h - device interrupts: numbers are the architecture's (GIC INTID; x86 vector). The
 * arch acknowledges, calls trap_irq(tf, irq), then ends the interrupt. */
#ifndef ARCH_IRQCHIP_H
#define ARCH_IRQCHIP_H
#include <lib/types.h>

#define ARCH_IRQ_MAX 1024u
/* Unmask/mask at the controller; routed to CPU 0. The caller serialises the two (irq.table). */
void arch_irq_unmask(unsigned int irq);
void arch_irq_mask(unsigned int irq);
/* A message-signalled vector: returns irq, sets what the device must write; -ENOSYS if the
 * platform has none (aarch64 without ITS), -ENOSPC. This and the two below: one caller at a time
 * (drivers are set up one after the other). */
int arch_msi_alloc(u64 *addr, u32 *data);
/* The interrupt of PCI pin 1..4 (INTA..INTD) of a device on bus 0; -ENOENT if unknown. */
int arch_pci_intx(unsigned int dev, unsigned int pin);
/* The UART's receive interrupt; -ENOENT if none. */
int arch_uart_irq(void);
#endif
