/* vmalloc.c - kernel mappings outside the direct map: vmalloc, device registers, kernel stacks.
 *
 * Model. [VMALLOC_BASE, KSTACK_VA) holds areas of any size on a list ascending by address; each
 * area starts with one unmapped guard page, so every mapping has an unmapped page on both sides.
 * [KSTACK_VA, VMALLOC_END) is an array of equal slots {guard page, KSTACK_SIZE}: whether an address
 * is a stack's guard is plain arithmetic, which a fault handler may do anywhere. Slots that are
 * free keep their node on a list; the first unused slot number grows.
 *
 * Freeing clears the entries and gives the pages back at once; the addresses are quarantined on
 * `stale` until the next flush of all TLBs and are not reused before. So freeing works in any
 * context (a dying thread's stack goes away inside the scheduler) and costs no interrupt of other
 * CPUs; only a stray access through an address that nobody owns any more could still see the old
 * page, on a CPU that had used it. The flush comes in thread context, by an allocation that finds
 * STALE_MAX areas.
 *
 * The area of a mapping is found through its first frame: page->owner. Device mappings are never
 * freed.
 *
 * Locks. vmalloc_lock (spin, interrupts masked): lists, slot counter, kernel page tables after
 * boot. Order: anything > mm.vmalloc > mm.slab > mm.buddy. Nothing waits while it is held; TLBs are
 * flushed without it.
 */
#define LOG_TAG "mm"
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <arch/boot.h>
#include <arch/thread.h>
#include <tracing/events.h>
#include "blame.h"
#include "pgtable.h"

#define KSTACK_VA    (VMALLOC_END - (1ul << 40))
#define SLOT_SIZE    (PAGE_SIZE + KSTACK_SIZE)
#define KSTACK_PAGES (KSTACK_SIZE / PAGE_SIZE)
#define STALE_MAX    32u

struct vm_area {
	struct list_head link; /* areas, free_slots or stale */
	struct list_head stale_link;
	unsigned long start; /* of the mapping; the guard page is below */
	unsigned long size;
	bool is_stack;
};

static DEFINE_LOCK_CLASS(vmalloc_class, "mm.vmalloc", BB_LK_SPIN, RANK_VMALLOC);
static DEFINE_SPINLOCK(vmalloc_lock, vmalloc_class);
/* [vmalloc_lock] all below */
static LIST_HEAD(areas); /* ascending; stale ones stay until the flush */
static LIST_HEAD(free_slots);
static LIST_HEAD(stale);
static unsigned int nr_stale;
static u64 next_slot;

/* ---- addresses ------------------------------------------------------------------------------ */

/* Lowest gap that holds the guard page and the mapping. */
static int place_area(struct vm_area *a, unsigned long align) REQUIRES(vmalloc_lock)
{
	unsigned long start = ALIGN_UP(VMALLOC_BASE + PAGE_SIZE, align);
	struct vm_area *n;
	struct list_head *before = &areas;

	list_for_each_entry (n, &areas, link) {
		if (start + a->size <= n->start - PAGE_SIZE) {
			before = &n->link;
			break;
		}
		start = ALIGN_UP(n->start + n->size + PAGE_SIZE, align);
	}
	if (start + a->size > KSTACK_VA)
		return -ENOMEM;
	a->start = start;
	list_add_tail(&a->link, before);
	return 0;
}

static void retire(struct vm_area *a) REQUIRES(vmalloc_lock)
{
	list_add_tail(&a->stale_link, &stale);
	nr_stale++;
}

/* Flushes every TLB and makes quarantined addresses usable again. Thread context; when interrupts
 * are still masked (boot, one CPU) the quarantine just grows. */
static void recycle_stale(void)
{
	LIST_HEAD(batch);
	LIST_HEAD(dead);
	unsigned long lo = VMALLOC_END, hi = VMALLOC_BASE;
	struct vm_area *a, *next;
	irqflags_t f;

	if (atomic_load(&nr_stale) < STALE_MAX || arch_irqs_disabled())
		return;
	f = spin_lock_irqsave(&vmalloc_lock);
	list_for_each_entry_safe (a, next, &stale, stale_link) {
		list_del(&a->stale_link);
		list_add_tail(&a->stale_link, &batch);
		lo = MIN(lo, a->start);
		hi = MAX(hi, a->start + a->size);
	}
	nr_stale = 0;
	spin_unlock_irqrestore(&vmalloc_lock, f);
	if (list_empty(&batch))
		return;

	trace(tlb_flush, lo, hi - lo, 0);
	tlb_flush(lo, hi - lo, 0, &cpu_online);

	f = spin_lock_irqsave(&vmalloc_lock);
	list_for_each_entry_safe (a, next, &batch, stale_link) {
		list_del(&a->stale_link);
		if (a->is_stack) {
			list_add(&a->link, &free_slots);
		} else {
			list_del(&a->link);
			list_add(&a->link, &dead);
		}
	}
	spin_unlock_irqrestore(&vmalloc_lock, f);
	list_for_each_entry_safe (a, next, &dead, link)
		kfree(a);
}

/* ---- mapping -------------------------------------------------------------------------------- */

/* Clears the entries of the first `size` bytes and frees their pages. */
static void unmap_pages(struct vm_area *a, unsigned long size) REQUIRES(vmalloc_lock)
{
	for (unsigned long va = a->start; va < a->start + size; va += PAGE_SIZE) {
		u64 *e = pgt_walk(kernel_root, va, false);
		struct page *p = phys_to_page(arch_pte_pa(*e));

		arch_pte_write(e, 0);
		arch_tlb_flush_local(va, PAGE_SIZE, 0);
		p->owner = NULL;
		page_free(p, 0);
	}
}

static int map_pages(struct vm_area *a, unsigned int flags, unsigned int prot)
	REQUIRES(vmalloc_lock)
{
	for (unsigned long off = 0; off < a->size; off += PAGE_SIZE) {
		struct page *p = page_alloc(0, flags);
		u64 *e = p ? pgt_walk(kernel_root, a->start + off, true) : NULL;

		if (!e) {
			if (p)
				page_free(p, 0);
			unmap_pages(a, off);
			return -ENOMEM;
		}
		if (off == 0)
			p->owner = a;
		arch_pte_write(e, arch_pte_leaf(page_to_phys(p), prot, 1));
	}
	return 0;
}

static struct vm_area *area_new(unsigned long size)
{
	struct vm_area *a = kzalloc(sizeof(*a));

	if (a) {
		list_init(&a->link);
		list_init(&a->stale_link);
		a->size = size;
	}
	return a;
}

void *vmalloc(size_t size, unsigned int prot)
{
	struct vm_area *a;
	u64 total, left;
	irqflags_t f;
	int r;

	recycle_stale();
	if (!size || size > KSTACK_VA - VMALLOC_BASE)
		return NULL;
	/* What cannot succeed shall not first take all there is, with interrupts masked. */
	mm_stats(&total, &left);
	if (size >> PAGE_SHIFT > left)
		return NULL;
	a = area_new(ALIGN_UP(size, PAGE_SIZE));
	if (!a)
		return NULL;
	f = spin_lock_irqsave(&vmalloc_lock);
	r = place_area(a, PAGE_SIZE);
	if (r) {
		spin_unlock_irqrestore(&vmalloc_lock, f);
		kfree(a);
		return NULL;
	}
	r = map_pages(a, MM_ZERO, prot);
	if (r)
		retire(a);
	spin_unlock_irqrestore(&vmalloc_lock, f);
	return r ? NULL : (void *)a->start;
}

/* The area whose mapping starts at p; panics when there is none. */
static struct vm_area *area_of(const void *p, unsigned long site) REQUIRES(vmalloc_lock)
{
	int level;
	u64 pte = pgt_query(kernel_root, (unsigned long)p, &level);
	struct page *page = pte ? phys_to_page(arch_pte_pa(pte)) : NULL;
	struct vm_area *a = page ? page->owner : NULL;

	if (!a || a->start != (unsigned long)p)
		panic("free of %#lx: not the start of a vmalloc area or kernel stack (freed "
		      "twice?), "
		      "in %s",
		      (unsigned long)p, blame(site).text);
	return a;
}

static void area_free(const void *p, unsigned long site)
{
	irqflags_t f = spin_lock_irqsave(&vmalloc_lock);
	struct vm_area *a = area_of(p, site);

	unmap_pages(a, a->size);
	retire(a);
	spin_unlock_irqrestore(&vmalloc_lock, f);
}

void vfree(void *p)
{
	if (p)
		area_free(p, RET_IP);
}

void *vm_map_mmio(phys_addr_t pa, u64 size)
{
	phys_addr_t base = ALIGN_DOWN(pa, PAGE_SIZE);
	struct vm_area *a = area_new(ALIGN_UP(pa + size, PAGE_SIZE) - base);
	/* so that a large range (PCI's configuration space) takes few tables */
	unsigned long align =
		size >= HUGE_SIZE && IS_ALIGNED(base, HUGE_SIZE) ? HUGE_SIZE : PAGE_SIZE;
	irqflags_t f;
	int r;

	if (!a)
		panic("no memory to map device registers at %#llx", (unsigned long long)pa);
	f = spin_lock_irqsave(&vmalloc_lock);
	r = place_area(a, align);
	if (!r)
		r = pgt_map_range(kernel_root, a->start, base, a->size,
				  PROT_R | PROT_W | PROT_DEVICE);
	spin_unlock_irqrestore(&vmalloc_lock, f);
	if (r)
		panic("cannot map %#llx bytes of device registers at %#llx",
		      (unsigned long long)size, (unsigned long long)pa);
	return (void *)(a->start + (pa - base));
}

/* ---- kernel stacks -------------------------------------------------------------------------- */

static struct vm_area *slot_take(void)
{
	struct vm_area *a = NULL;
	irqflags_t f = spin_lock_irqsave(&vmalloc_lock);

	if (!list_empty(&free_slots)) {
		a = list_first_entry(&free_slots, struct vm_area, link);
		list_del(&a->link);
	}
	spin_unlock_irqrestore(&vmalloc_lock, f);
	if (a)
		return a;
	a = area_new(KSTACK_SIZE);
	if (!a)
		return NULL;
	a->is_stack = true;
	f = spin_lock_irqsave(&vmalloc_lock);
	a->start = KSTACK_VA + next_slot++ * SLOT_SIZE + PAGE_SIZE;
	spin_unlock_irqrestore(&vmalloc_lock, f);
	BUG_ON(a->start + a->size > VMALLOC_END);
	return a;
}

void *kstack_alloc(void)
{
	struct vm_area *a;
	irqflags_t f;
	int r;

	recycle_stale();
	a = slot_take();
	if (!a)
		return NULL;
	f = spin_lock_irqsave(&vmalloc_lock);
	r = map_pages(a, 0, PROT_R | PROT_W);
	if (r)
		retire(a);
	spin_unlock_irqrestore(&vmalloc_lock, f);
	return r ? NULL : (void *)a->start;
}

void kstack_free(void *base)
{
	if (base)
		area_free(base, RET_IP);
}

bool kstack_is_guard(unsigned long addr)
{
	unsigned long boot = (unsigned long)boot_stack;

	return (addr >= KSTACK_VA && addr < VMALLOC_END &&
		(addr - KSTACK_VA) % SLOT_SIZE < PAGE_SIZE) ||
	       (addr >= boot - PAGE_SIZE && addr < boot);
}
