/* mm/mm.h - physical pages, kernel memory, kernel mappings. */
#ifndef MM_MM_H
#define MM_MM_H

#include <lib/errno.h>
#include <lib/list.h>
#include <arch/mmu.h>

/* One a page frame of RAM. */
struct page {
	u32 refs; /* atomic; 0 = free */
	u8 order; /* of the block it heads */
	u8 flags;
	u16 reserved;
	union {
		struct list_head free_link; /* buddy */
		struct {
			void *slab;  /* slab that owns it */
			void *owner; /* page cache: inode mapping */
		};
	};
	u64 index; /* page cache: page number in the file */
};
#define PG_RESERVED 1u /* never allocated: image, tables */
#define PG_SLAB     2u
#define PG_BUDDY    4u /* heads a free block */

/* Page allocator, per-CPU tables, slab, final page tables with W^X. Boot CPU, once. */
void mm_init(void);

/* 2^order pages, naturally aligned, refs = 1 each head. NULL when memory is out. Content undefined
 * (poisoned in debug) unless MM_ZERO. Any context but NMI. */
#define MM_ZERO 1u
struct page *page_alloc(unsigned int order, unsigned int flags) must_check;
void page_free(struct page *p, unsigned int order);
/* Reference counts of order-0 pages; the last put frees. */
void page_get(struct page *p);
void page_put(struct page *p);
struct page *phys_to_page(phys_addr_t pa); /* NULL if no RAM page */
phys_addr_t page_to_phys(const struct page *p);
void *page_to_virt(const struct page *p);
struct page *virt_to_page(const void *v); /* direct-map address */
void mm_stats(u64 *total_pages, u64 *free_pages);

/* Slab. kmalloc: any size (large ones take whole pages), 16-byte aligned. In debug: poisoned, red
 * zones checked at free, double free and overrun panic with both sites. Any context but NMI. */
void *kmalloc(size_t size) must_check;
void *kzalloc(size_t size) must_check;
void kfree(const void *p); /* NULL is fine */
size_t kmalloc_usable(const void *p);
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align) must_check;
void *kmem_cache_alloc(struct kmem_cache *c) must_check; /* zeroed */
void kmem_cache_free(struct kmem_cache *c, void *p);

/* Kernel virtual memory, with an unmapped guard page on both sides. Thread context. */
void *vmalloc(size_t size, unsigned int prot) must_check;
void vfree(void *p);
/* Registers of a device: uncached. Never fails at boot (panics). */
void *vm_map_mmio(phys_addr_t pa, u64 size);
/* Kernel stack of KSTACK_SIZE; returns the lowest address; guard page below. */
void *kstack_alloc(void) must_check;
void kstack_free(void *base);
/* Is this address in the guard page of a kernel stack? */
bool kstack_is_guard(unsigned long addr);
/* What a kernel address lies in, for fault reports: "read-only text", ... or NULL. */
const char *kernel_map_describe(unsigned long va);

extern u64 *kernel_root; /* final kernel page table */

#endif
