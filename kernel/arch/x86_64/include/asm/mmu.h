/* asm/mmu.h - x86-64 page table entries (Intel SDM vol. 3, 4.5).
 * Accessed and dirty are always set: nothing harvests them, so the walker never writes a table.
 * Kernel entries are global. An entry without any access keeps its address but is not present. */
#ifndef ASM_MMU_H
#define ASM_MMU_H

#define X86_PTE_P   0x001ull
#define X86_PTE_W   0x002ull
#define X86_PTE_U   0x004ull
#define X86_PTE_PWT 0x008ull
#define X86_PTE_PCD 0x010ull
#define X86_PTE_A   0x020ull
#define X86_PTE_D   0x040ull
#define X86_PTE_PS  0x080ull
#define X86_PTE_G   0x100ull
#define X86_PTE_NX  (1ull << 63)
#define X86_PTE_PA  0x000ffffffffff000ull

static inline phys_addr_t arch_direct_map_pa(void)
{
	return 0;
}
static inline phys_addr_t arch_image_pa(void)
{
	return 0;
}
static inline u64 arch_pte_leaf(phys_addr_t pa, unsigned prot, int level)
{
	u64 v = pa | X86_PTE_A | X86_PTE_D;

	if (prot & (PROT_R | PROT_W | PROT_X))
		v |= X86_PTE_P;
	if (prot & PROT_W)
		v |= X86_PTE_W;
	v |= prot & PROT_U ? X86_PTE_U : X86_PTE_G;
	if (!(prot & PROT_X))
		v |= X86_PTE_NX;
	if (prot & PROT_DEVICE)
		v |= X86_PTE_PCD | X86_PTE_PWT;
	if (level > 1)
		v |= X86_PTE_PS;
	return v;
}
/* Access is decided by the leaf alone. */
static inline u64 arch_pte_table(phys_addr_t pa)
{
	return pa | X86_PTE_P | X86_PTE_W | X86_PTE_U | X86_PTE_A;
}
static inline bool arch_pte_present(u64 pte)
{
	return pte & X86_PTE_P;
}
static inline bool arch_pte_is_leaf(u64 pte, int level)
{
	return arch_pte_present(pte) && (level == 1 || (pte & X86_PTE_PS));
}
static inline phys_addr_t arch_pte_pa(u64 pte)
{
	return pte & X86_PTE_PA;
}
static inline unsigned arch_pte_prot(u64 pte)
{
	unsigned prot = pte & X86_PTE_U ? PROT_U : 0;

	if (pte & X86_PTE_PCD)
		prot |= PROT_DEVICE;
	if (!arch_pte_present(pte))
		return prot;
	prot |= PROT_R;
	if (pte & X86_PTE_W)
		prot |= PROT_W;
	if (!(pte & X86_PTE_NX))
		prot |= PROT_X;
	return prot;
}
/* x86 keeps stores in order for the walker; one aligned store cannot tear. */
static inline void arch_pte_write(u64 *p, u64 v)
{
	WRITE_ONCE(*p, v);
	barrier();
}

#endif
