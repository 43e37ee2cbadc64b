/* arch_ktest.c - what only this architecture can get wrong: NMIs at a CPU that masks interrupts
 * (and GS afterwards), exact counts of the copy routines. FP registers across switches are
 * tests/guest's. */
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <arch/uaccess.h>
#include <tracing/ring.h>
#include "x86.h"

#define NMI_ROUNDS 200

struct deaf {
	u32 spinning, stop; /* atomic */
	struct thread *seen;
	unsigned long offset;
};

/* Spins with interrupts masked; afterwards GS must still lead to this CPU and this thread. */
static void deaf_thread(void *arg)
{
	struct deaf *d = arg;
	irqflags_t f = arch_irq_save();

	atomic_store_release(&d->spinning, 1);
	while (!atomic_load(&d->stop))
		arch_cpu_relax();
	d->seen = arch_current();
	d->offset = rdmsr(MSR_GS_BASE);
	arch_irq_restore(f);
	kthread_exit(0);
}

KTEST(x86_nmi_reaches_a_masked_cpu)
{
	struct deaf d = {0};
	unsigned int cpu = nr_cpus - 1;
	struct thread *t;
	struct bb_cpu *b;

	if (!cpu)
		KT_SKIP("needs 2 CPUs");
	KT_ASSERT(cpumask_test(&cpu_online, cpu));
	b = *per_cpu_ptr(&trace_cpu, cpu);
	t = kthread_run_on(cpu, "deaf", deaf_thread, &d);
	KT_ASSERT(!IS_ERR(t));
	while (!atomic_load_acquire(&d.spinning))
		sched_yield();
	for (int i = 0; i < NMI_ROUNDS; i++) {
		u64 now = arch_ticks(), limit = now + ns_to_ticks(NSEC_PER_SEC);

		arch_nmi_send(cpu);
		while (READ_ONCE(b->nmi_ticks) < now && arch_ticks() < limit)
			arch_cpu_relax();
		if (READ_ONCE(b->nmi_ticks) < now)
			break;
	}
	atomic_store(&d.stop, 1);
	KT_ASSERT(kthread_stop(t) == 0);
	KT_ASSERT(arch_ticks() - b->nmi_ticks < ns_to_ticks(NSEC_PER_SEC));
	KT_ASSERT(b->nmi_pc >= (u64)__text_start && b->nmi_pc < (u64)__text_end);
	KT_ASSERT(d.seen == t);
	KT_EQ(d.offset, percpu_offset[cpu]);
}

/* A selector of the local table names nothing: VERR says so and reads no memory. */
KTEST(x86_there_is_no_ldt)
{
	bool readable;

	for (u16 selector = 4; selector < 64; selector += 8) {
		__asm__ volatile("verr %w1" : "=@ccz"(readable) : "r"(selector));
		KT_ASSERT(!readable);
	}
}

/* Up to the end of a user page with nothing behind it everything is copied, to the last byte. */
KTEST(x86_copies_stop_at_the_exact_byte)
{
	struct mm *mm = mm_create(), *old = current_thread()->mm;
	unsigned long at = 0, end;
	u8 in[64], out[64];

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 2 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_unmap(mm, at + PAGE_SIZE, PAGE_SIZE), 0);
	mm_activate(mm);
	end = at + PAGE_SIZE;
	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (u8)(i + 1);
	for (size_t before = 0; before <= 40; before++) {
		void __user *u = (void __user *)(end - before);

		memset(out, 0xee, sizeof(out));
		KT_EQ(arch_copy_to_user(u, in, 40), 40 - before);
		KT_EQ(arch_copy_from_user(out, u, 40), 40 - before);
		KT_ASSERT(!memcmp(out, in, before) && out[before] == 0xee);
		KT_EQ(arch_clear_user(u, 40), 40 - before);
		KT_EQ(arch_copy_from_user(out, u, before), 0);
		for (size_t i = 0; i < before; i++)
			KT_ASSERT(out[i] == 0);
	}
	mm_put(mm);
	if (old)
		mm_activate(old);
}
