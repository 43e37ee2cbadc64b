/* preempt.c - the preemption count, and the table through which this floor asks for a switch. The
 * count is the running thread's own (preempt_count_of); only that thread and interrupts on top
 * of it write it, and each leaves it as found, so plain loads and stores do. */
#include <sync/park.h>
#include <sync/preempt.h>
#include <arch/irqflags.h>
#include <arch/percpu.h>
#include <arch/thread.h>
#include <tracing_port.h>
#include "slow.h"

const struct park_ops *park_ops;

u32 *preempt_count_ptr(void)
{
	return preempt_count_of(arch_current());
}

void preempt_disable(void)
{
	u32 *p = preempt_count_ptr();

	WRITE_ONCE(*p, READ_ONCE(*p) + 1);
	barrier();
}

void preempt_enable_noresched(void)
{
	u32 *p = preempt_count_ptr();

	barrier();
	WRITE_ONCE(*p, READ_ONCE(*p) - 1);
}

bool need_resched(void)
{
	struct bb_cpu *c = port_cpu();

	return c && READ_ONCE(c->need_resched);
}

void preempt_now(void)
{
	if (preemptible()) {
		irqflags_t f = arch_irq_save();

		park_ops->preempt();
		arch_irq_restore(f);
	}
}

void preempt_enable(void)
{
	preempt_enable_noresched();
	if (unlikely(need_resched()))
		preempt_now();
}

bool preemptible(void)
{
	return READ_ONCE(*preempt_count_ptr()) == 0 && !arch_irqs_disabled();
}

bool in_irq(void)
{
	return (READ_ONCE(*preempt_count_ptr()) & PREEMPT_IRQ_MASK) != 0;
}
