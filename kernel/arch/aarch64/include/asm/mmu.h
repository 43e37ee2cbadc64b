/* asm/mmu.h - VMSAv8-64 stage 1 descriptors: 48-bit addresses, 4 KiB granule. Level numbers here
 * count from the leaf (1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB, 4 = root); the manual counts from the root.
 * Access flags are always set; there is no hardware dirty tracking: writable means written. */
#ifndef ASM_MMU_H
#define ASM_MMU_H
#include <asm/sysreg.h>

#define PTE_VALID       BIT(0)
#define PTE_TABLE       BIT(1) /* levels 2-4: table; level 1: page */
#define PTE_ATTR_NORMAL (0ul << 2)
#define PTE_ATTR_DEVICE (1ul << 2) /* nGnRE; MAIR is set up in boot.S */
#define PTE_AP_USER     BIT(6)
#define PTE_AP_RO       BIT(7)
#define PTE_SH_INNER    (3ul << 8)
#define PTE_AF          BIT(10)
#define PTE_NG          BIT(11)
#define PTE_PXN         BIT(53)
#define PTE_UXN         BIT(54)
#define PTE_ADDR_MASK   0x0000fffffffff000ul

/* RAM starts here (boot.S: load address of the image - 2 MiB); the direct map and the image
 * mapping both show it. */
extern phys_addr_t arch_ram_base;
static inline phys_addr_t arch_direct_map_pa(void)
{
	return arch_ram_base;
}
static inline phys_addr_t arch_image_pa(void)
{
	return arch_ram_base;
}

/* prot without R, W and X gives an entry that is not present. W and X imply R: this format has no
 * write-only pages, and execute-only ones are not offered. */
static inline u64 arch_pte_leaf(phys_addr_t pa, unsigned int prot, int level)
{
	u64 pte = (pa & PTE_ADDR_MASK) | PTE_VALID | PTE_AF;

	if (!(prot & (PROT_R | PROT_W | PROT_X)))
		return 0;
	if (level == 1)
		pte |= PTE_TABLE;
	pte |= prot & PROT_DEVICE ? PTE_ATTR_DEVICE : PTE_ATTR_NORMAL | PTE_SH_INNER;
	if (!(prot & PROT_W))
		pte |= PTE_AP_RO;
	if (prot & PROT_U)
		pte |= PTE_AP_USER | PTE_NG | PTE_PXN | (prot & PROT_X ? 0 : PTE_UXN);
	else
		pte |= PTE_UXN | (prot & PROT_X ? 0 : PTE_PXN);
	return pte;
}
static inline u64 arch_pte_table(phys_addr_t pa)
{
	return pa | PTE_TABLE | PTE_VALID;
}
static inline bool arch_pte_present(u64 pte)
{
	return pte & PTE_VALID;
}
static inline bool arch_pte_is_leaf(u64 pte, int level)
{
	return (pte & PTE_VALID) && (level == 1 || !(pte & PTE_TABLE));
}
static inline phys_addr_t arch_pte_pa(u64 pte)
{
	return pte & PTE_ADDR_MASK;
}
static inline unsigned int arch_pte_prot(u64 pte)
{
	unsigned int prot = PROT_R;

	if (!(pte & PTE_VALID))
		return 0;
	if (!(pte & PTE_AP_RO))
		prot |= PROT_W;
	if (pte & PTE_AP_USER)
		prot |= PROT_U | (pte & PTE_UXN ? 0 : PROT_X);
	else
		prot |= pte & PTE_PXN ? 0 : PROT_X;
	if ((pte & (7ul << 2)) == PTE_ATTR_DEVICE)
		prot |= PROT_DEVICE;
	return prot;
}
/* The barriers make the entry visible to the table walker before the next access of this CPU. A
 * change of a live entry is the caller's break-before-make: 0, flush, new entry. */
static inline void arch_pte_write(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
	dsb(ishst);
	isb();
}

#endif
