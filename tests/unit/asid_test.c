/* asid_test.c - kernel/mm/context.c and tlb.c on one CPU: who has which address-space number, what
 * a change of address space tells the machine and the mask of CPUs, and whom a flush reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <irq/irq.h>
#include <lib/atomic.h>
#include <lib/cpu.h>
#include <sync/preempt.h>
#include <arch/mmu.h>
#include <arch/thread.h>
#include "kernel/arch/host/host.h"
#include "kernel/mm/pgtable.h"
#include "kernel/mm/vm_local.h"

#define ASIDS 130u /* three words of the map, the last not full */

/* ---- the machine: a log of what it was told ------------------------------------------------- */

static struct {
	phys_addr_t root;
	u32 asid, switches;
	bool in_mask; /* when the root was loaded, the CPU stood in the mask of `watched` */
	struct {
		unsigned long va, size;
		u32 asid, count;
	} all, local;
	struct cpumask asked;
	u32 asks;
	bool broadcasts;
} m;
static struct mm *watched;

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
	m.root = root;
	m.asid = asid;
	m.switches++;
	m.in_mask = watched && cpumask_test(&watched->cpus, this_cpu());
}

u32 arch_asid_max(void)
{
	return ASIDS;
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
	m.local.va = va;
	m.local.size = size;
	m.local.asid = asid;
	m.local.count++;
}

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	m.all.va = va;
	m.all.size = size;
	m.all.asid = asid;
	m.all.count++;
	return m.broadcasts;
}

void *kzalloc(size_t size)
{
	return calloc(1, size);
}

void ipi_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	m.asked = *mask;
	m.asks++;
	fn(arg);
}

static struct mm *space_make(void)
{
	struct mm *mm = calloc(1, sizeof(*mm));

	mm->root = malloc(64);
	mm_context_new(mm);
	return mm;
}

static void space_free(struct mm *mm)
{
	mm_context_drop(mm);
	free(mm->root);
	free(mm);
}

static int setup(void **state)
{
	memset(&m, 0, sizeof(m));
	m.broadcasts = true;
	watched = NULL;
	return 0;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static void numbers_are_given_once(void **state)
{
	struct mm *mm[ASIDS + 2], *late;
	bool used[ASIDS + 1] = {false};
	u32 again;

	for (u32 i = 0; i < ASIDS; i++) {
		mm[i] = space_make();
		assert_in_range(mm[i]->asid, 1, ASIDS);
		assert_false(used[mm[i]->asid]);
		used[mm[i]->asid] = true;
	}
	/* Used up: the others share number 0. */
	for (u32 i = ASIDS; i < ASIDS + 2; i++) {
		mm[i] = space_make();
		assert_int_equal(mm[i]->asid, 0);
	}
	/* One comes back, flushed, and is the only one to be had. */
	for (u32 i = 0; i < ASIDS; i += 43) {
		again = mm[i]->asid;
		m.all.count = 0;
		mm_context_drop(mm[i]);
		assert_int_equal(m.all.count, 1);
		assert_int_equal(m.all.asid, again);
		assert_true(m.all.va == 0 && m.all.size == USER_END);
		late = space_make();
		assert_int_equal(late->asid, again);
		assert_int_equal(mm[i]->asid, 0);
		/* Its number is another's: to drop it once more takes it from nobody. */
		mm_context_drop(mm[i]);
		free(mm[i]->root);
		free(mm[i]);
		mm[i] = space_make();
		assert_int_equal(mm[i]->asid, 0);
		space_free(mm[i]);
		mm[i] = late;
	}
	for (u32 i = 0; i < ASIDS + 2; i++)
		space_free(mm[i]);
}

/* A number is not the next one's at once: what is left of it in a TLB has time to go. */
static void numbers_go_round(void **state)
{
	struct mm *mm = space_make();
	u32 first = mm->asid, last = first;

	for (u32 i = 0; i < 2 * ASIDS; i++) {
		space_free(mm);
		mm = space_make();
		assert_int_equal(mm->asid, last == ASIDS ? 1 : last + 1);
		last = mm->asid;
	}
	assert_int_equal(last, first);
	space_free(mm);
}

/* ---- changing ------------------------------------------------------------------------------- */

static void a_change_is_told(void **state)
{
	struct mm *a = space_make(), *b = space_make();

	watched = a;
	mm_switch(a);
	assert_true(m.switches == 1 && m.in_mask && m.asid == a->asid);
	assert_true(m.root == virt_to_phys(a->root));
	mm_switch(a);
	mm_switch(NULL); /* a kernel thread runs on what is there */
	assert_int_equal(m.switches, 1);
	watched = b;
	mm_activate(b);
	assert_true(m.switches == 2 && m.in_mask && m.asid == b->asid);
	assert_ptr_equal(current_thread()->mm, b);
	/* What it has in the TLB under its number is still there. */
	assert_true(cpumask_test(&a->cpus, this_cpu()));
	mm_context_drop(a);
	assert_int_equal(m.switches, 2);
	assert_ptr_equal(current_thread()->mm, b);
	mm_context_drop(b);
	assert_true(m.switches == 3 && m.root == 0 && m.asid == 0);
	assert_null(current_thread()->mm);
	assert_int_equal(m.asks, 0);
	space_free(a);
	space_free(b);
}

/* Without a number nothing of it stays behind a change, so its mask forgets the CPU. */
static void without_a_number(void **state)
{
	struct mm *a = space_make(), *b = space_make();
	u32 kept = a->asid;

	a->asid = 0;
	mm_switch(a);
	assert_true(cpumask_test(&a->cpus, this_cpu()));
	mm_switch(b);
	assert_false(cpumask_test(&a->cpus, this_cpu()));
	assert_true(cpumask_test(&b->cpus, this_cpu()));
	m.all.count = 0;
	mm_context_drop(a);
	assert_int_equal(m.all.count, 0);
	a->asid = kept;
	space_free(a);
	space_free(b);
}

/* ---- flushing ------------------------------------------------------------------------------- */

static void a_flush_reaches_those_of_the_mask(void **state)
{
	struct mm *a = space_make();
	unsigned int here = this_cpu();

	mm_flush(a, 0x5000, 0x9000);
	assert_true(m.all.va == 0x5000 && m.all.size == 0x4000 && m.all.asid == a->asid);
	assert_int_equal(m.local.count + m.asks, 0); /* the broadcast was enough */
	mm_flush_local(a, 0x5123);
	assert_true(m.local.va == 0x5000 && m.local.size == PAGE_SIZE);
	assert_int_equal(m.local.asid, a->asid);

	m.broadcasts = false;
	m.local.count = 0;
	cpumask_set(&a->cpus, here);
	mm_flush(a, 0x5000, 0x9000);
	assert_int_equal(m.asks, 0);
	assert_int_equal(m.local.count, 1);
	assert_true(m.local.va == 0x5000 && m.local.size == 0x4000 && m.local.asid == a->asid);
	nr_cpus = 5;
	/* Of four others one is not in the mask, and one is off. */
	for (unsigned int c = 1; c < 5; c++) {
		if (c != 3)
			cpumask_set(&cpu_online, c);
		if (c != 2)
			cpumask_set(&a->cpus, c);
	}
	m.local.count = 0;
	mm_flush(a, 0x7000, 0x8000);
	assert_int_equal(m.asks, 1);
	assert_int_equal(m.local.count, 2);
	assert_int_equal(cpumask_weight(&m.asked), 2);
	assert_true(cpumask_test(&m.asked, 1) && cpumask_test(&m.asked, 4));
	assert_true(m.local.va == 0x7000 && m.local.size == 0x1000);
	assert_int_equal(*preempt_count_ptr(), 0);
	for (unsigned int c = 1; c < 5; c++)
		cpumask_clear(&cpu_online, c);
	nr_cpus = 1;
	m.broadcasts = true;
	space_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(numbers_are_given_once, setup),
		cmocka_unit_test_setup(numbers_go_round, setup),
		cmocka_unit_test_setup(a_change_is_told, setup),
		cmocka_unit_test_setup(without_a_number, setup),
		cmocka_unit_test_setup(a_flush_reaches_those_of_the_mask, setup),
	};

	host_single();
	mm_context_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
