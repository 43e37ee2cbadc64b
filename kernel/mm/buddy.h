/* buddy.h - the page allocator, as the rest of mm sees it. */
#ifndef MM_BUDDY_H
#define MM_BUDDY_H
#include <lib/atomic.h>
#include <mm/mm.h>

#define MAX_ORDER 10u /* largest block: 2^10 pages, 4 MiB */

/* struct page.flags beyond those in <mm/mm.h> */
#define PG_HOLE   8u  /* no RAM there */
#define PG_POISON 16u /* free, and its content is the free poison (debug) */

/* Flags of a page are changed by its owner, or under buddy_lock while it is free. The allocator
 * looks at the flags of a free block's buddy whoever owns that: so by single loads and stores. */
static inline void page_flag_set(struct page *p, u8 flag)
{
	atomic_store(&p->flags, (u8)(p->flags | flag));
}
static inline void page_flag_clear(struct page *p, u8 flag)
{
	atomic_store(&p->flags, (u8)(p->flags & ~flag));
}

/* The page array covers frames [first, first + count); all start as PG_HOLE. */
void buddy_init(struct page *array, u64 first, u64 count);
/* Before anything is freed: every word of a free page is poison, not one of eight. */
void buddy_poison_full(void);
/* [base, base+size) is RAM: in use until buddy_give(). */
void buddy_add_ram(phys_addr_t base, u64 size);
void buddy_give(phys_addr_t base, u64 size);
bool buddy_ready(void);

/* As page_alloc() and page_free(), with the site to blame in reports. */
struct page *page_alloc_site(unsigned int order, unsigned int flags, unsigned long site) must_check;
void page_free_site(struct page *p, unsigned int order, unsigned long site);
#endif
