/* pgtable.h - page tables as data: four levels of 512 entries, kernel and user alike.
 * The caller serialises changes of one table: mm->lock for a user table, vmalloc's lock for the
 * kernel's. Nothing here flushes a TLB. */
#ifndef MM_PGTABLE_H
#define MM_PGTABLE_H
#include <lib/cpu.h>
#include <mm/mm.h>

/* A page that stays with its address but that nobody may access (PROT_NONE): not present for the
 * hardware, bit 0 clear on both architectures. */
#define PTE_HELD    0x800ull
#define PTE_PA_MASK 0x000ffffffffff000ull

#define HUGE_SIZE (512 * PAGE_SIZE) /* of a leaf one level up */

static inline bool pte_is_held(u64 pte)
{
	return !arch_pte_present(pte) && pte & PTE_HELD;
}
static inline u64 pte_held(phys_addr_t pa)
{
	return pa | PTE_HELD;
}
/* The frame of a present or held entry. */
static inline phys_addr_t pte_frame(u64 pte)
{
	return arch_pte_present(pte) ? arch_pte_pa(pte) : pte & PTE_PA_MASK;
}

/* A zeroed table page from the page allocator, or from boot_alloc before that exists. */
u64 *pgt_alloc_table(void) must_check;
/* The 4 KiB entry of va; missing tables are made if `create`. NULL: none, or out of memory, or a
 * 2 MiB leaf is in the way. */
u64 *pgt_walk(u64 *root, unsigned long va, bool create);
/* Finds the first entry in [*va, end) that is not zero, sets *va to its address. 4 KiB leaves only
 * (user tables, vmalloc). NULL when there is none. */
u64 *pgt_next(u64 *root, unsigned long *va, unsigned long end);
/* Entries of neighbouring pages stand next to each other, up to the end of their table: the address
 * there, or `end` if that comes first. So one walk serves up to 512 pages. */
static inline unsigned long pgt_table_end(unsigned long va, unsigned long end)
{
	return MIN((va | (PAGE_SIZE * 512 - 1)) + 1, end);
}
/* Maps a range, with 2 MiB leaves where alignment allows; replaces what was there, splitting a 2
 * MiB leaf that is only partly replaced. 0 or -ENOMEM. */
int pgt_map_range(u64 *root, unsigned long va, phys_addr_t pa, u64 size,
		  unsigned int prot) must_check;
/* The leaf that translates va, or 0. *level: 1 or 2. */
u64 pgt_query(u64 *root, unsigned long va, int *level);
/* Frees all tables below the root's user half (entries 0..255), not the pages that leaves name. */
void pgt_free_user_tables(u64 *root);
/* Makes the tables down to level 3 for [start, end), so that copies of the root stay complete. */
int pgt_fill_top(u64 *root, unsigned long start, unsigned long end) must_check;

/* kernel_map.c: builds the kernel's final table in kernel_root. Boot CPU, before the page
 * allocator. */
void kernel_map_build(void);

/* tlb.c: returns when no CPU of the mask can use old translations of [va, va + size). Interrupts
 * on, no spin lock held that an interrupt handler takes. asid 0: kernel mapping, or all of them. */
void tlb_flush(unsigned long va, unsigned long size, u32 asid, const struct cpumask *mask);
#endif
