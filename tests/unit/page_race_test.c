/* page_race_test.c - kernel/mm/buddy.c with two CPUs that drop their references on one page at the
 * same moment, while others allocate: a page belongs to somebody else as soon as its last reference
 * is gone, and the thread sanitizer sees whoever looks at it after that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <lib/atomic.h>
#include <lib/cpu.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include "kernel/arch/host/host.h"
#include "kernel/mm/buddy.h"

#define CPUS     2u
#define ROUNDS   300u
#define RAM_SIZE (4ul << 20)

static struct page array[RAM_SIZE / PAGE_SIZE];
static struct page *shared[ROUNDS]; /* atomic: the page that both are to drop in a round */
static u32 arrived;                 /* atomic: how often that was done */

static u64 free_now(void)
{
	u64 total, left;

	mm_stats(&total, &left);
	return left;
}

static void body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		struct page *p;

		if (this_cpu() == 0) {
			p = page_alloc(0, 0);
			page_get(p);
			atomic_store_release(&shared[i], p);
		}
		while (!(p = atomic_load_acquire(&shared[i])))
			arch_cpu_relax();
		page_put(p);
		/* Whoever is last may get it again, as part of a larger block. */
		p = page_alloc(i % 3, 0);
		page_free(p, i % 3);
		atomic_fetch_add(&arrived, 1);
		while (atomic_load_acquire(&arrived) < CPUS * (i + 1))
			arch_cpu_relax();
	}
}

static void give(void *arg)
{
	buddy_give(HOST_RAM, RAM_SIZE);
}

static void nobody_looks_behind_the_last_put(void **state)
{
	u64 before = free_now();

	host_run(CPUS, body, NULL);
	assert_int_equal(free_now(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_looks_behind_the_last_put),
	};

	host_init(CPUS);
	host_ram = aligned_alloc(4ul << 20, RAM_SIZE);
	buddy_poison_full();
	buddy_init(array, HOST_RAM >> PAGE_SHIFT, RAM_SIZE >> PAGE_SHIFT);
	buddy_add_ram(HOST_RAM, RAM_SIZE);
	host_run(1, give, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
