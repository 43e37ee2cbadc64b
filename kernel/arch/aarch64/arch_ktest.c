/* arch_ktest.c - what only this architecture can get wrong: SError, descriptors, a damaged device
 * tree. What its contract promises to all is tested where it is used (irq/nmi_ktest.c,
 * mm/uaccess_ktest.c). */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include <arch/cpu.h>
#include "arch.h"

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
