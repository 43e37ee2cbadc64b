/* arch/mmu.h - page table format. Both architectures: 4 KiB pages, 4 levels of 512 entries; the
 * walker is portable (mm/pgtable.c), the encodings are here.
 * <asm/mmu.h> provides, static inline:
 *   u64  arch_pte_leaf(phys_addr_t pa, unsigned prot, int level);  level 1 = 4 KiB, 2 = 2 MiB
 *   u64  arch_pte_table(phys_addr_t pa);             entry that points to a lower table
 *   bool arch_pte_present(u64), arch_pte_is_leaf(u64 pte, int level);
 *   phys_addr_t arch_pte_pa(u64);
 *   unsigned arch_pte_prot(u64);                     VM_* bits below
 *   void arch_pte_write(u64 *p, u64 v);              store and make it visible to the walker
 * and the address map (docs/map.md; the same on both architectures):
 *   DIRECT_MAP_BASE 0xffff800000000000 = all RAM; +PA - arch_direct_map_pa() */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H
#include <lib/types.h>

#define PROT_R      1u /* present, readable */
#define PROT_W      2u
#define PROT_X      4u
#define PROT_U      8u  /* user mode may access */
#define PROT_DEVICE 16u /* uncached, ordered */

#define USER_BASE         0x10000ul
#define USER_END          (0x0000800000000000ul - 0x1000ul) /* one page below the hole */
#define DIRECT_MAP_BASE   0xffff800000000000ul
#define VMALLOC_BASE      0xffffc00000000000ul
#define VMALLOC_END       0xffffd00000000000ul
#define KASAN_SHADOW_BASE 0xffffe00000000000ul
#define KASAN_SHADOW_END  0xfffff00000000000ul
#define IMAGE_BASE        0xffffffff80000000ul

#include <asm/mmu.h>

/* Physical address that DIRECT_MAP_BASE shows (0 on x86-64, start of RAM on aarch64). Constant
 * from the first instruction. <asm/mmu.h> gives arch_direct_map_pa() and arch_image_pa() (the
 * physical address of IMAGE_BASE) as static inlines or macros. */
static inline void *phys_to_virt(phys_addr_t pa)
{
	return (void *)(pa - arch_direct_map_pa() + DIRECT_MAP_BASE);
}
/* For direct-map and image addresses. */
static inline phys_addr_t virt_to_phys(const void *p)
{
	unsigned long v = (unsigned long)p;

	return v >= IMAGE_BASE ? v - IMAGE_BASE + arch_image_pa()
			       : v - DIRECT_MAP_BASE + arch_direct_map_pa();
}

/* Prepares a zeroed root table of a new user address space (x86-64: copies the kernel half). */
void arch_mmu_root_init(u64 *root);
/* The kernel's final root, as built by mm: switch this CPU to it, and remember it for the
 * CPUs that start later. Turns on what W^X needs (NX, WP, ...). */
void arch_mmu_enable_kernel(phys_addr_t root);
/* Makes `root` this CPU's user address space; 0 = none (kernel thread: user half inaccessible).
 * asid: 1..arch_asid_max(), or 0 = flush everything non-global of the user half. Interrupts masked.
 */
void arch_mmu_switch(phys_addr_t root, u32 asid);
u32 arch_asid_max(void); /* 0 = no ASIDs in use */

/* TLB. Local: this CPU only. Broadcast: true when no CPU can use the old translations any more;
 * false, with nothing done, where the architecture cannot broadcast (x86-64): then every CPU must
 * flush for itself (mm/tlb.c). `asid` 0 with va in the kernel half = kernel mapping. Any context.
 */
void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid);
bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid);
/* After writing instructions through the data side. Range in kernel or current user space. */
void arch_icache_sync(unsigned long va, unsigned long size);
#endif
