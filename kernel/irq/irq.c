/* irq.c - device interrupts, and the bookkeeping around every interrupt.
 *
 * A handler is registered before its line is unmasked and is never removed, so the interrupt path
 * reads the table without a lock: `fn` is stored last with release. Interrupt depth is part of the
 * interrupted thread's preemption count; each level remembers whether it fenced the trace ring
 * (tracing/ring.h) in one bit of a per-CPU word. */
#include <irq/irq.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <sync/lock_order.h>
#include <sync/preempt.h>
#include <sync/spinlock.h>
#include <trace/glue.h>
#include <arch/upcalls.h>
#include <tracing/events.h>

#define LOG_TAG "irq"
#include <lib/printk.h>

#define UNCLAIMED_LIMIT 1000u

struct irq_slot {
	irq_handler_t fn;
	void *arg;
	const char *name;
	u32 unclaimed; /* in a row, about */
};
static struct irq_slot slots[ARCH_IRQ_MAX];

DEFINE_LOCK_CLASS(irq_table_class, "irq.table", BB_LK_SPIN, RANK_IRQ_TABLE);
static DEFINE_SPINLOCK(table_lock, irq_table_class);

static DEFINE_PER_CPU(u32, nest_tokens); /* one bit an interrupt level, innermost lowest */

int irq_request(unsigned int irq, const char *name, irq_handler_t fn, void *arg)
{
	irqflags_t f;
	int err = 0;

	if (irq >= ARCH_IRQ_MAX || !fn)
		return -EINVAL;
	f = spin_lock_irqsave(&table_lock);
	if (slots[irq].fn) {
		err = -EBUSY;
	} else {
		slots[irq].arg = arg;
		slots[irq].name = name;
		atomic_store_release(&slots[irq].fn, fn);
	}
	if (!err)
		arch_irq_unmask(irq);
	spin_unlock_irqrestore(&table_lock, f);
	return err;
}

void irq_enter(struct trap_frame *tf)
{
	u32 *count = preempt_count_ptr();
	struct bb_cpu *c = port_cpu();
	u32 *tokens = this_cpu_ptr(&nest_tokens);

	WRITE_ONCE(*count, READ_ONCE(*count) + PREEMPT_IRQ);
	*tokens = *tokens << 1 | trace_nest_begin(trap_pc(tf));
	if (c)
		WRITE_ONCE(c->irq_depth, c->irq_depth + 1);
	trace_irq_enter((READ_ONCE(*count) & PREEMPT_IRQ_MASK) / PREEMPT_IRQ);
}

void irq_exit(struct trap_frame *tf)
{
	u32 *count = preempt_count_ptr();
	struct bb_cpu *c = port_cpu();
	u32 *tokens = this_cpu_ptr(&nest_tokens);

	trace_irq_exit((READ_ONCE(*count) & PREEMPT_IRQ_MASK) / PREEMPT_IRQ);
	if (c)
		WRITE_ONCE(c->irq_depth, c->irq_depth - 1);
	trace_nest_end(*tokens & 1);
	*tokens >>= 1;
	WRITE_ONCE(*count, READ_ONCE(*count) - PREEMPT_IRQ);
}

static void mask_stray(unsigned int irq)
{
	irqflags_t f = spin_lock_irqsave(&table_lock);

	arch_irq_mask(irq);
	spin_unlock_irqrestore(&table_lock, f);
}

void trap_irq(struct trap_frame *tf, unsigned int irq)
{
	struct irq_slot *s = irq < ARCH_IRQ_MAX ? &slots[irq] : NULL;
	irq_handler_t fn = s ? atomic_load_acquire(&s->fn) : NULL;

	trace(irq_entry, irq);
	if (fn && fn(irq, s->arg)) {
		s->unclaimed = 0;
	} else if (s && ++s->unclaimed == (fn ? UNCLAIMED_LIMIT : 1)) {
		/* A stray one is normal (a level that fell meanwhile); a stream of them is not. */
		pr_warn("interrupt %u (%s): nobody claims it", irq,
			s->name ? s->name : "no handler");
		if (!fn)
			mask_stray(irq);
	}
	trace(irq_return, irq);
}
