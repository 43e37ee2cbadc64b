/* irq/irq.h - device interrupt handlers and cross-CPU calls. */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include <lib/cpu.h>
#include <arch/irqchip.h>
#include <arch/smp.h>

/* Runs in interrupt context; returns true if the device had something. */
typedef bool (*irq_handler_t)(unsigned int irq, void *arg);
/* Registers and unmasks. 0, -EBUSY, -EINVAL. Thread context. */
int irq_request(unsigned int irq, const char *name, irq_handler_t fn, void *arg) must_check;

/* Runs fn(arg) on every CPU of the mask but this one, in interrupt context, and waits for all
 * (wait record: IPI). Interrupts on, no spin lock that fn takes. */
void ipi_call(const struct cpumask *mask, void (*fn)(void *), void *arg);
/* Asks a CPU to reschedule. Any context. */
void ipi_resched(unsigned int cpu);

#endif
