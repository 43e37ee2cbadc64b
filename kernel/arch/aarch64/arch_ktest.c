/* arch_ktest.c - what only this architecture can get wrong: interrupts of NMI priority at a CPU
 * whose priority mask holds the others back, exact counts of the copy routines, descriptors, a
 * damaged device tree. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/uaccess.h>
#include <tracing/ring.h>
#include "arch.h"

#define NMI_ROUNDS 200

struct deaf {
	u32 spinning, stop; /* atomic */
	struct thread *seen;
	irqflags_t flags;
};

/* Spins with interrupts masked; afterwards they must still be, and the thread be the same. */
static void deaf_thread(void *arg)
{
	struct deaf *d = arg;
	irqflags_t f = arch_irq_save();

	atomic_store_release(&d->spinning, 1);
	while (!atomic_load(&d->stop))
		arch_cpu_relax();
	__asm__ volatile("mrs %0, sp_el0" : "=r"(d->seen));
	d->flags = sysreg_read(ICC_PMR_EL1);
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

KTEST(a64_nmi_reaches_a_masked_cpu)
{
	struct deaf d = {0};
	unsigned int cpu = nr_cpus - 1;
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
	for (int i = 0; i < NMI_ROUNDS; i++)
		KT_ASSERT(nmi_answered(b, cpu));
	KT_ASSERT(b->nmi_pc >= (u64)__text_start && b->nmi_pc < (u64)__text_end);
	KT_EQ(READ_ONCE(b->ipi_received[IPI_RESCHED]), resched);
	atomic_store(&d.stop, 1);
	KT_EQ(kthread_stop(t), 0);
	KT_ASSERT(d.seen == t);
	KT_EQ(d.flags, GIC_PMR_MASKED);
}

#define PSTATE_A BIT(8)

struct serrors {
	u32 stop, masked; /* atomic */
};

/* Switched to from an interrupt sooner or later. */
static void look_for_masked_serror(void *arg)
{
	struct serrors *s = arg;

	while (!atomic_load(&s->stop))
		if (sysreg_read(daif) & PSTATE_A)
			atomic_store(&s->masked, 1);
	kthread_exit(0);
}

/* More threads than CPUs, so that each is preempted: SError stays open in all of them. */
KTEST(a64_serror_stays_open)
{
	u64 until = arch_ticks() + ns_to_ticks(100 * NSEC_PER_SEC / 1000);
	struct thread *t[2];
	struct serrors s = {0};

	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		t[i] = kthread_run_on(0, "serror", look_for_masked_serror, &s);
		KT_ASSERT(!IS_ERR(t[i]));
	}
	while (arch_ticks() < until)
		sched_yield();
	atomic_store(&s.stop, 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++)
		KT_EQ(kthread_stop(t[i]), 0);
	KT_ASSERT(!atomic_load(&s.masked));
	KT_ASSERT(!(sysreg_read(daif) & PSTATE_A));
}

KTEST(a64_nmi_to_oneself)
{
	irqflags_t f = arch_irq_save();
	struct bb_cpu *b = port_cpu();

	KT_ASSERT(nmi_answered(b, this_cpu()));
	KT_ASSERT(arch_irqs_disabled());
	arch_irq_restore(f);
}

/* Two pages are mapped, the third is not: copies that run into it stop at its first byte. */
KTEST(a64_copies_stop_at_the_exact_byte)
{
	struct mm *mm = mm_create(), *old = current_thread()->mm;
	unsigned long at = 0, end;
	u8 in[80], out[80];

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 3 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_unmap(mm, at + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	mm_activate(mm);
	end = at + 2 * PAGE_SIZE;
	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (u8)(i + 1);
	for (size_t before = 0; before <= 72; before++) {
		void __user *u = (void __user *)(end - before);

		memset(out, 0xee, sizeof(out));
		KT_EQ(arch_copy_to_user(u, in, 72), 72 - before);
		KT_EQ(arch_copy_from_user(out, u, 72), 72 - before);
		KT_ASSERT(!memcmp(out, in, before) && out[before] == 0xee);
		KT_EQ(arch_clear_user(u, 72), 72 - before);
		KT_EQ(arch_copy_from_user(out, u, before), 0);
		for (size_t i = 0; i < before; i++)
			KT_ASSERT(out[i] == 0);
	}
	arch_icache_sync(at, 3 * PAGE_SIZE);
	if (old)
		mm_activate(old);
	else
		arch_mmu_switch(0, 0);
	current_thread()->mm = old;
	mm_put(mm);
}

KTEST(a64_descriptors)
{
	for (unsigned int prot = 0; prot < 2 * PROT_DEVICE; prot++) {
		unsigned int want = prot & (PROT_R | PROT_W | PROT_X) ? prot | PROT_R : 0;

		for (int level = 1; level <= 3; level++) {
			u64 pte = arch_pte_leaf(0x7f40000000ul, prot, level);

			KT_EQ(arch_pte_prot(pte), want);
			KT_EQ(arch_pte_present(pte), want != 0);
			KT_EQ(arch_pte_is_leaf(pte, level), want != 0);
			if (want)
				KT_EQ(arch_pte_pa(pte), 0x7f40000000ul);
		}
	}
	KT_ASSERT(!arch_pte_is_leaf(arch_pte_table(PAGE_SIZE), 2));
}

/* Reads everything that platform.c reads, of whatever kind. */
static u32 read_tree(const struct fdt *f)
{
	u32 n = 0, len;
	u64 a, b;

	for (u32 node = fdt_next(f, 0); node; node = fdt_next(f, node)) {
		n += fdt_lists(f, node, "compatible", "arm,gic-v3") + fdt_enabled(f, node);
		n += fdt_reg(f, node, 0, &a, &b) + fdt_u32(f, node, "#address-cells", 2);
		n += fdt_prop(f, node, "interrupts", &len) != NULL;
		n += fdt_first_child(f, node) != 0;
		n += fdt_next_sibling(f, node) != 0;
	}
	return n;
}

/* The real tree, cut down to what is used of it, with one byte damaged at a time: reading ends. */
KTEST(a64_damaged_device_tree)
{
	const struct fdt *good = &platform.tree;
	u32 used = MAX(good->struct_end, good->strings_end), seed = 1;
	u8 *copy = vmalloc(used, PROT_R | PROT_W);
	struct fdt f;

	KT_ASSERT(copy);
	for (int round = 0; round < 64; round++) {
		u32 at, size = __builtin_bswap32(used);

		memcpy(copy, good->blob, used);
		memcpy(copy + 4, &size, 4);
		KT_ASSERT(fdt_open(&f, copy, used));
		if (!round)
			KT_EQ(read_tree(&f), read_tree(good));
		seed = seed * 1664525u + 1013904223u;
		at = round < 40 ? (u32)round : seed % used;
		copy[at] ^= (u8)(seed >> 24 | 1);
		if (fdt_open(&f, copy, used))
			read_tree(&f);
	}
	vfree(copy);
}
