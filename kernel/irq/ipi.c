/* ipi.c - other CPUs: ask to reschedule, run a function, stop.
 *
 * Theory of ipi_call. One request at a time, under call_lock, taken with interrupts on: a CPU that
 * waits for the lock still answers the present request. The sender publishes the request, sets a
 * bit for each target, sends, and waits until all bits are gone; a target runs the function and
 * then clears its bit with release, which the sender reads with acquire. The wait is recorded (kind
 * IPI); its owner is a CPU that has not answered, the first one, and the next one as soon as that
 * has, so that the record never blames a CPU that has done its part. */
#include <irq/irq.h>
#include <lib/bug.h>
#include <sync/lock_order.h>
#include <sync/preempt.h>
#include <sync/spinlock.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

DEFINE_LOCK_CLASS(call_class, "irq.call", BB_LK_SPIN, RANK_IRQ_CALL);
static DEFINE_SPINLOCK(call_lock, call_class);
static struct {
	void (*fn)(void *);
	void *arg;
	struct cpumask pending;
} call;

static void send(unsigned int cpu, enum ipi_kind kind)
{
	struct bb_cpu *c = port_cpu();

	if (c)
		atomic_fetch_add(&c->ipi_sent[kind], 1);
	trace(ipi_send, cpu, kind);
	arch_ipi_send(cpu, kind);
}

void ipi_resched(unsigned int cpu)
{
	send(cpu, IPI_RESCHED);
}

static u32 first_pending(void)
{
	for_each_cpu (c)
		if (cpumask_test(&call.pending, c))
			return c;
	return nr_cpus;
}

static void wait_for_answers(unsigned long site)
{
	u32 now, asked = first_pending();
	struct track_wait w = {.object = &call, .kind = BB_WAIT_IPI};

	if (asked == nr_cpus)
		return;
	w.owner = BB_OWNER_CPU | asked;
	w.arg = asked;
	track_wait_begin(&w, site);
	while ((now = first_pending()) != nr_cpus) {
		if (now != asked)
			track_wait_needs(BB_OWNER_CPU | now, now);
		asked = now;
		arch_cpu_relax();
	}
	track_wait_end();
}

void ipi_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	bool any = false;

	spin_lock(&call_lock);
	call.fn = fn;
	call.arg = arg;
	smp_wmb();
	for_each_online_cpu (c) {
		if (c != this_cpu() && cpumask_test(mask, c)) {
			cpumask_set(&call.pending, c);
			any = true;
		}
	}
	if (any) {
		ASSERT(!arch_irqs_disabled());
		for_each_cpu (c)
			if (cpumask_test(&call.pending, c))
				send(c, IPI_CALL);
		wait_for_answers(RET_IP);
		smp_mb();
	}
	spin_unlock(&call_lock);
}

void trap_ipi(struct trap_frame *tf, enum ipi_kind kind)
{
	struct bb_cpu *c = port_cpu();

	trace(ipi_entry, kind);
	if (c)
		WRITE_ONCE(c->ipi_received[kind], c->ipi_received[kind] + 1);
	switch (kind) {
	case IPI_CALL:
		if (cpumask_test(&call.pending, this_cpu())) {
			smp_mb();
			call.fn(call.arg);
			cpumask_clear(&call.pending, this_cpu());
		}
		break;
	case IPI_STOP:
		arch_halt();
	case IPI_RESCHED: /* need_resched is set; the interrupt's exit acts on it */
	case IPI_KINDS:
		break;
	}
	trace(ipi_return, kind);
}
