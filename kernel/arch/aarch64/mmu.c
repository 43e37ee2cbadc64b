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

/* One instruction for this CPU alone, or for all of the inner shareable domain. */
#define TLBI(op, everywhere, arg)                                                                  \
	do {                                                                                       \
		if (everywhere)                                                                    \
			__asm__ volatile("tlbi " op "is, %0" ::"r"(arg) : "memory");               \
		else                                                                               \
			__asm__ volatile("tlbi " op ", %0" ::"r"(arg) : "memory");                 \
	} while (0)

static void tlbi_range(unsigned long va, unsigned long end, u32 asid, bool everywhere)
{
	if (end - va > FLUSH_PAGES_MAX * PAGE_SIZE) {
		if (asid)
			TLBI("aside1", everywhere, (u64)asid << 48);
		else if (everywhere)
			__asm__ volatile("tlbi vmalle1is" ::: "memory");
		else
			__asm__ volatile("tlbi vmalle1" ::: "memory");
		return;
	}
	for (; va != end; va += PAGE_SIZE) {
		if (asid)
			TLBI("vae1", everywhere, tlbi_arg(va, asid));
		else
			TLBI("vaae1", everywhere, tlbi_arg(va, 0));
	}
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
	dsb(nshst);
	tlbi_range(ALIGN_DOWN(va, PAGE_SIZE), ALIGN_UP(va + size, PAGE_SIZE), asid, false);
	dsb(nsh);
	isb();
}

/* Cortex-A76 up to r3p0 (erratum 1286807) may let another CPU's access with the old translation be
 * seen after the DSB, unless invalidation and DSB are done twice. Set by any such CPU that starts.
 */
static bool tlbi_twice;

void mmu_init_cpu(void)
{
	u64 midr = sysreg_read(midr_el1);
	u32 revision = (midr >> 20 & 0xf) << 4 | (midr & 0xf);

	if ((midr & 0xff00fff0) == 0x4100d0b0 && revision <= 0x30)
		WRITE_ONCE(tlbi_twice, true);
}

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	unsigned long end = ALIGN_UP(va + size, PAGE_SIZE);

	va = ALIGN_DOWN(va, PAGE_SIZE);
	dsb(ishst);
	tlbi_range(va, end, asid, true);
	dsb(ish);
	if (unlikely(READ_ONCE(tlbi_twice))) {
		tlbi_range(va, end, asid, true);
		dsb(ish);
	}
	isb();
	return true;
}

void arch_icache_sync(unsigned long va, unsigned long size)
{
	if (size)
		icache_sync_range(va, va + size, sysreg_read(ctr_el0));
}
