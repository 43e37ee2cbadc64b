/* mmu.c - address spaces and TLBs.
 * No PCIDs: a CR3 write empties the user half of this CPU's TLB; kernel entries are global and go
 * by INVLPG or by switching CR4.PGE off and on. */
#include <arch/mmu.h>
#include "x86.h"

#define KERNEL_HALF  256 /* first root entry of the kernel half */
#define ROOT_ENTRIES 512
/* Beyond this many pages emptying everything is cheaper. */
#define FLUSH_PAGES_MAX 32

phys_addr_t x86_kernel_root;
void *(*x86_map_mmio)(phys_addr_t pa, u64 size);

void arch_mmu_root_init(u64 *root)
{
	const u64 *kernel_root = phys_to_virt(x86_kernel_root);

	for (unsigned int i = KERNEL_HALF; i < ROOT_ENTRIES; i++)
		root[i] = kernel_root[i];
}

void arch_mmu_enable_kernel(phys_addr_t root)
{
	u64 cr4 = read_cr4();

	x86_kernel_root = root;
	write_cr3(root);
	/* the early map's entries are not global, but be rid of whatever there is */
	write_cr4(cr4 & ~(u64)CR4_PGE);
	write_cr4(cr4 | CR4_PGE);
}

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
	write_cr3(root ? root : x86_kernel_root);
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

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	return false;
}

/* x86 keeps instruction fetch coherent with stores. */
void arch_icache_sync(unsigned long va, unsigned long size)
{
}
