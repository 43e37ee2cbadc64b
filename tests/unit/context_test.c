/* context_test.c - kernel/mm/context.c with two CPUs: one changes its address space at the moment
 * when the other drops the one that is left. The translation root is a word a CPU, and changing it
 * takes a while on both sides, as it may on a real machine. What must hold: when
 * mm_context_drop() has returned, no CPU has that root loaded, and nobody touches the mm any more
 * (it is freed at once, so the sanitizers see who does). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <irq/irq.h>
#include <lib/atomic.h>
#include <lib/cpu.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include "kernel/arch/host/host.h"
#include "kernel/mm/vm_local.h"

#define CPUS   2u
#define ROUNDS 300u
#define HOLD   20u /* looks at the other CPU's state on either side of a change of root */

static phys_addr_t root_of[CPUS]; /* atomic: what each CPU translates with */
static struct mm *victim;         /* atomic: CPU 1 is to drop it; NULL when it is gone */
static u32 dropping;              /* atomic: CPU 1 has started to */
static u32 bad, calls;            /* atomic */

/* ---- the machine ---------------------------------------------------------------------------- */

static void hold(void)
{
	for (u32 n = 0; n < HOLD && atomic_load(&victim); n++)
		arch_cpu_relax();
}

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
	while (atomic_load(&victim) && !atomic_load(&dropping))
		arch_cpu_relax();
	hold();
	atomic_store_release(&root_of[this_cpu()], root);
	hold();
}

u32 arch_asid_max(void)
{
	return 0;
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
}

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	return true;
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

/* One call at a time, for CPU 0, which looks for it where its interrupts are on. */
static struct {
	void (*fn)(void *);
	void *arg;
	u32 pending; /* atomic */
} call;

void ipi_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	assert_true(cpumask_test(mask, 0));
	call.fn = fn;
	call.arg = arg;
	atomic_fetch_add(&calls, 1);
	atomic_store_release(&call.pending, 1);
	while (atomic_load_acquire(&call.pending))
		arch_cpu_relax();
}

static void take_interrupts(void)
{
	if (!atomic_load_acquire(&call.pending))
		return;
	arch_irq_disable();
	call.fn(call.arg);
	arch_irq_enable();
	atomic_store_release(&call.pending, 0);
}

/* ---- the two CPUs --------------------------------------------------------------------------- */

static struct mm *space_make(void)
{
	struct mm *mm = calloc(1, sizeof(*mm));

	mm->root = malloc(64);
	mm_context_new(mm);
	return mm;
}

static void space_load(struct mm *mm)
{
	arch_irq_disable();
	mm_switch(mm);
	arch_irq_enable();
}

/* Changes to another space while the one it leaves is dropped; every fourth time it stays on it, as
 * an idle CPU does, and must be made to let go. */
static void changer(void)
{
	struct mm *old = space_make();

	space_load(old);
	for (u32 i = 0; i < ROUNDS; i++) {
		struct mm *next = space_make();

		atomic_store_release(&victim, old);
		if (i % 4 != 3)
			space_load(next);
		while (atomic_load_acquire(&victim))
			take_interrupts();
		if (i % 4 == 3)
			space_load(next);
		old = next;
	}
}

static void dropper(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		struct mm *mm;
		phys_addr_t root;

		while (!(mm = atomic_load_acquire(&victim)))
			arch_cpu_relax();
		atomic_store(&dropping, 1);
		root = virt_to_phys(mm->root);
		/* Before the root changes, or at once after it. */
		if (i % 4 < 2)
			while (atomic_load(&root_of[0]) == root)
				arch_cpu_relax();
		for (u32 n = i / 4 % (2 * HOLD); n; n--)
			arch_cpu_relax();
		mm_context_drop(mm);
		for (u32 c = 0; c < CPUS; c++)
			if (atomic_load(&root_of[c]) == root)
				atomic_fetch_add(&bad, 1);
		free(mm->root);
		free(mm);
		atomic_store(&dropping, 0);
		atomic_store_release(&victim, NULL);
	}
}

static void body(void *arg)
{
	if (this_cpu() == 0)
		changer();
	else
		dropper();
}

static void a_dropped_space_is_loaded_nowhere(void **state)
{
	host_run(CPUS, body, NULL);
	assert_int_equal(bad, 0);
	/* The idle rounds at least; how many more depends on who was first. */
	assert_true(calls >= ROUNDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dropped_space_is_loaded_nowhere),
	};

	host_init(CPUS);
	mm_context_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
