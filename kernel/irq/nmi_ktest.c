/* nmi_ktest.c - NMIs at a CPU that holds ordinary interrupts back: they come, and leave the thread,
 * its per-CPU data and its mask as they were. */
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <sched/sched.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <tracing/ring.h>

#define NMI_ROUNDS 200

struct deaf {
	u32 spinning, stop; /* atomic */
	struct thread *seen;
	unsigned long offset;
	bool masked;
};

/* Spins with interrupts masked and looks afterwards who and where it is. */
static void deaf_thread(void *arg)
{
	struct deaf *d = arg;
	irqflags_t f = arch_irq_save();

	atomic_store_release(&d->spinning, 1);
	while (!atomic_load(&d->stop))
		arch_cpu_relax();
	d->seen = arch_current();
	d->offset = arch_percpu_offset();
	d->masked = arch_irqs_disabled();
	arch_irq_restore(f);
	kthread_exit(0);
}

static bool nmi_answered(struct bb_cpu *b, unsigned int cpu)
{
	u64 now = arch_ticks(), limit = now + ns_to_ticks(NSEC_PER_SEC);

	arch_nmi_send(cpu);
	while (READ_ONCE(b->nmi_ticks) < now && arch_ticks() < limit)
		arch_cpu_relax();
	return READ_ONCE(b->nmi_ticks) >= now;
}

KTEST(nmi_reaches_a_masked_cpu)
{
	struct deaf d = {0};
	unsigned int cpu = nr_cpus - 1, answered = 0;
	struct thread *t;
	struct bb_cpu *b;
	u64 resched;

	if (!cpu)
		KT_SKIP("needs 2 CPUs");
	KT_ASSERT(cpumask_test(&cpu_online, cpu));
	b = *per_cpu_ptr(&trace_cpu, cpu);
	t = kthread_run_on(cpu, "deaf", deaf_thread, &d);
	KT_ASSERT(!IS_ERR(t));
	while (!atomic_load_acquire(&d.spinning))
		sched_yield();
	resched = READ_ONCE(b->ipi_received[IPI_RESCHED]);
	arch_ipi_send(cpu, IPI_RESCHED);
	while (answered < NMI_ROUNDS && nmi_answered(b, cpu))
		answered++;
	KT_EQ(answered, NMI_ROUNDS);
	KT_ASSERT(b->nmi_pc >= (u64)__text_start && b->nmi_pc < (u64)__text_end);
	KT_EQ(READ_ONCE(b->ipi_received[IPI_RESCHED]), resched);
	atomic_store(&d.stop, 1);
	KT_EQ(kthread_stop(t), 0);
	KT_ASSERT(d.seen == t);
	KT_EQ(d.offset, percpu_offset[cpu]);
	KT_ASSERT(d.masked);
}

KTEST(nmi_to_oneself)
{
	irqflags_t f = arch_irq_save();
	struct bb_cpu *b = port_cpu();

	KT_ASSERT(nmi_answered(b, this_cpu()));
	KT_ASSERT(arch_irqs_disabled());
	arch_irq_restore(f);
}
