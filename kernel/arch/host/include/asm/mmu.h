/* Host body of <arch/mmu.h>: physical memory is an arena of the test; HOST_RAM is the address of
 * its first byte. */
#ifndef ASM_MMU_H
#define ASM_MMU_H
#define HOST_RAM 0x40000000ull
extern unsigned char *host_ram;
extern unsigned long host_early_size; /* bytes of it in the early map */
static inline phys_addr_t arch_direct_map_pa(void)
{
	return HOST_RAM + DIRECT_MAP_BASE - (unsigned long)host_ram;
}
static inline phys_addr_t arch_image_pa(void)
{
	return 0;
}

/* The page table format of a machine of our own: bit 0 present, bits 1-5 the PROT_* bits, bit 6 a
 * leaf of 2 MiB. */
#define HOST_PTE_P    1ull
#define HOST_PTE_HUGE 64ull
#define HOST_PTE_PA   0x000ffffffffff000ull
static inline u64 arch_pte_leaf(phys_addr_t pa, unsigned int prot, int level)
{
	return pa | (u64)prot << 1 | (level == 2 ? HOST_PTE_HUGE : 0) |
	       (prot & (PROT_R | PROT_W | PROT_X) ? HOST_PTE_P : 0);
}
static inline u64 arch_pte_table(phys_addr_t pa)
{
	return pa | HOST_PTE_P;
}
static inline bool arch_pte_present(u64 pte)
{
	return pte & HOST_PTE_P;
}
static inline bool arch_pte_is_leaf(u64 pte, int level)
{
	return arch_pte_present(pte) && (level == 1 || (pte & HOST_PTE_HUGE));
}
static inline phys_addr_t arch_pte_pa(u64 pte)
{
	return pte & HOST_PTE_PA;
}
static inline unsigned int arch_pte_prot(u64 pte)
{
	return pte >> 1 & 31;
}
static inline void arch_pte_write(u64 *p, u64 v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

#endif
