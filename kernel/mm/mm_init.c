/* mm_init.c - brings memory management up, in the one order that works: the final page tables are
 * built from boot memory, because the page array may lie beyond what the early map shows and
 * everything after them sees all RAM. Boot CPU, once, interrupts masked. */
#define LOG_TAG "mm"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/printk.h>
#include <mm/mm.h>
#include <arch/exception_stack.h>
#include <tracing/events.h>
#include "boot_alloc.h"
#include "buddy.h"
#include "pgtable.h"
#include "slab.h"
#include "vm_local.h"

static void page_array_init(void)
{
	const struct mem_range *first = boot_info.ram, *last;
	u64 most = boot_pages_for(boot_alloc_largest()), lo = first->base >> PAGE_SHIFT, cut, count;
	size_t len;

	if (cmdline_is("poison", "full") || cmdline_get("ktest", &len))
		buddy_poison_full();
	if (!most)
		panic("out of memory at boot: no room for the page array; give the machine more "
		      "memory");
	/* The array covers holes, too, and must lie in what the early map shows. */
	cut = boot_ram_cut((lo + most) << PAGE_SHIFT);
	if (cut)
		pr_warn("%llu MiB of RAM are left off: the page array for more than %llu GiB does "
			"not fit into the first RAM",
			(unsigned long long)cut >> 20,
			(unsigned long long)most >> (30 - PAGE_SHIFT));
	last = &first[boot_info.nr_ram - 1];
	count = ((last->base + last->size) >> PAGE_SHIFT) - lo;
	buddy_init(boot_alloc(count * sizeof(struct page), PAGE_SIZE), lo, count);
	for (unsigned int i = 0; i < boot_info.nr_ram; i++) {
		buddy_add_ram(boot_info.ram[i].base, boot_info.ram[i].size);
		trace(boot_memory, boot_info.ram[i].base, boot_info.ram[i].size);
	}
}

static void exception_stacks_init(void)
{
	for_each_cpu (c) {
		for (unsigned int i = 0; i < arch_exception_stacks; i++) {
			void *base = vmalloc(EXCEPTION_STACK_SIZE, PROT_R | PROT_W);

			if (!base)
				panic("no memory for the exception stacks of CPU %u", c);
			arch_exception_stack_set(c, i, base);
		}
	}
}

void mm_init(void)
{
	u64 total, left;

	page_array_init();
	kernel_map_build();
	arch_mmu_enable_kernel(virt_to_phys(kernel_root));
	boot_alloc_drain(buddy_give);
	slab_init();
	vm_init();
	exception_stacks_init();
	mm_stats(&total, &left);
	pr_info("%llu MiB of RAM, %llu MiB free", (unsigned long long)(total >> (20 - PAGE_SHIFT)),
		(unsigned long long)(left >> (20 - PAGE_SHIFT)));
}
