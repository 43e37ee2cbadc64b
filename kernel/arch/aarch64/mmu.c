/* mmu.c - table roots, TLB maintenance, instruction cache. The barriers: DSB ISHST before TLBI
 * makes the changed entries visible to all walkers, DSB ISH after it waits until no CPU uses the
 * old ones, ISB makes this CPU refetch. Broadcast needs no IPI. ASIDs: the user root in use carries
 * one of 1..arch_asid_max(); EMPTY_ASID belongs to the empty root that kernel threads run with, so
 * that nothing a user address space left in the TLB is reachable from there. */
#include <lib/string.h>
#include <arch/mmu.h>
#include "arch.h"

phys_addr_t arch_ram_base;
phys_addr_t kernel_root_pa;
void *(*map_mmio)(phys_addr_t pa, u64 size);

/* Above this many pages one flush of the whole ASID is cheaper. */
#define FLUSH_PAGES_MAX 512ul

void arch_mmu_root_init(u64 *root)
{
	/* The kernel half is TTBR1's; a zeroed user half is ready. */
}

void arch_mmu_enable_kernel(phys_addr_t root)
{
	void (*replace)(u64) =
		(void (*)(u64))virt_to_phys((const void *)(unsigned long)mmu_replace_ttbr1);
	u64 daif = sysreg_read(daif);

	__asm__ volatile("msr daifset, #0xf" ::: "memory");
	kernel_root_pa = root;
	replace(root);
	sysreg_write(daif, daif);
}

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
	u64 ttbr = root | (u64)asid << 48;

	if (!root)
		ttbr = virt_to_phys(empty_root) | EMPTY_ASID << 48;
	sysreg_write(ttbr0_el1, ttbr);
	isb();
	if (root && !asid) {
		__asm__ volatile("tlbi aside1, xzr" ::: "memory");
		dsb(nsh);
		isb();
	}
}

u32 arch_asid_max(void)
{
	return (sysreg_read(id_aa64mmfr0_el1) >> 4 & 0xf) == 2 ? 0xfffe : 0xfe;
}

static u64 tlbi_arg(unsigned long va, u32 asid)
{
	return (u64)asid << 48 | (va >> PAGE_SHIFT & 0xffffffffffful);
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
	unsigned long end = ALIGN_UP(va + size, PAGE_SIZE);

	va = ALIGN_DOWN(va, PAGE_SIZE);
	dsb(nshst);
	if (end - va > FLUSH_PAGES_MAX * PAGE_SIZE) {
		if (asid)
			__asm__ volatile("tlbi aside1, %0" ::"r"((u64)asid << 48) : "memory");
		else
			__asm__ volatile("tlbi vmalle1" ::: "memory");
	} else {
		for (; va != end; va += PAGE_SIZE) {
			if (asid)
				__asm__ volatile("tlbi vae1, %0" ::"r"(tlbi_arg(va, asid))
						 : "memory");
			else
				__asm__ volatile("tlbi vaae1, %0" ::"r"(tlbi_arg(va, 0))
						 : "memory");
		}
	}
	dsb(nsh);
	isb();
}

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	unsigned long end = ALIGN_UP(va + size, PAGE_SIZE);

	va = ALIGN_DOWN(va, PAGE_SIZE);
	dsb(ishst);
	if (end - va > FLUSH_PAGES_MAX * PAGE_SIZE) {
		if (asid)
			__asm__ volatile("tlbi aside1is, %0" ::"r"((u64)asid << 48) : "memory");
		else
			__asm__ volatile("tlbi vmalle1is" ::: "memory");
	} else {
		for (; va != end; va += PAGE_SIZE) {
			if (asid)
				__asm__ volatile("tlbi vae1is, %0" ::"r"(tlbi_arg(va, asid))
						 : "memory");
			else
				__asm__ volatile("tlbi vaae1is, %0" ::"r"(tlbi_arg(va, 0))
						 : "memory");
		}
	}
	dsb(ish);
	isb();
	return true;
}

void arch_icache_sync(unsigned long va, unsigned long size)
{
	if (size)
		icache_sync_range(va, va + size, sysreg_read(ctr_el0));
}
