/* mmu.c - address spaces and TLBs.
 * No PCIDs: a CR3 write empties the user half of this CPU's TLB; kernel entries are global and go
 * by INVLPG or by switching CR4.PGE off and on. Other CPUs are asked by IPI. */
#include <arch/mmu.h>
#include <kernel/irq.h>
#include <kernel/mm.h>
#include <kernel/preempt.h>
#include "x86.h"

#define KERNEL_HALF  256 /* first root entry of the kernel half */
#define ROOT_ENTRIES 512
/* Beyond this many pages emptying everything is cheaper. */
#define FLUSH_PAGES_MAX 32

void arch_mmu_root_init(u64 *root)
{
	for (unsigned int i = KERNEL_HALF; i < ROOT_ENTRIES; i++)
		root[i] = kernel_root[i];
}

void arch_mmu_enable_kernel(phys_addr_t root)
{
	u64 cr4 = read_cr4();

	write_cr3(root);
	/* the early map's entries are not global, but be rid of whatever there is */
	write_cr4(cr4 & ~(u64)CR4_PGE);
	write_cr4(cr4 | CR4_PGE);
}

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
	write_cr3(root ? root : virt_to_phys(kernel_root));
}

u32 arch_asid_max(void)
{
	return 0;
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
	u64 cr4;

	if (size <= FLUSH_PAGES_MAX * PAGE_SIZE) {
		for (unsigned long a = va & PAGE_MASK; a < va + size; a += PAGE_SIZE)
			__asm__ volatile("invlpg (%0)" : : "r"(a) : "memory");
		return;
	}
	if (va < DIRECT_MAP_BASE) {
		write_cr3(read_cr3());
		return;
	}
	cr4 = read_cr4();
	write_cr4(cr4 & ~(u64)CR4_PGE);
	write_cr4(cr4);
}

struct flush {
	unsigned long va, size;
	u32 asid;
};

static void flush_remote(void *arg)
{
	const struct flush *f = arg;

	arch_tlb_flush_local(f->va, f->size, f->asid);
}

void arch_tlb_flush_all(unsigned long va, unsigned long size, u32 asid, const void *cpumask)
{
	const struct cpumask *mask = cpumask;
	struct cpumask others = {{0}};
	struct flush f = {va, size, asid};
	bool any = false;

	preempt_disable();
	/* the table's new content before the look at the mask; pairs with the atomic cpumask_set()
	 * that precedes a CPU's first use of an address space */
	smp_mb();
	arch_tlb_flush_local(va, size, asid);
	for_each_online_cpu (c) {
		if (c == this_cpu() || !cpumask_test(mask, c))
			continue;
		cpumask_set(&others, c);
		any = true;
	}
	if (any)
		ipi_call(&others, flush_remote, &f);
	preempt_enable();
}

/* x86 keeps instruction fetch coherent with stores. */
void arch_icache_sync(unsigned long va, unsigned long size)
{
}
