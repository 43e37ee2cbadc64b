/* buddy.c - physical pages: buddy system of orders 0..MAX_ORDER with a per-CPU cache of single
 * pages.
 *
 * Model. One struct page a frame, in one array from the lowest frame of RAM to the highest. A frame
 * is a hole, in use (refs > 0 on the head of a block), or free. Free blocks are on free[order] with
 * PG_BUDDY on their head; free single pages may instead sit in a CPU's cache, without PG_BUDDY.
 *
 * Invariants. A block of order k starts at a frame number that is a multiple of 2^k. Two free
 * buddies of one order never both stay on a list: freeing merges them. A free page has refs 0; refs
 * decide who owns a page, so taking and dropping references needs no lock (acquire-release
 * read-modify- write; the last put sees all that others did with the page).
 *
 * Locks. buddy_lock (interrupts masked) guards the lists, PG_BUDDY, `order` of free blocks and
 * nr_free. A CPU's cache is guarded by masking interrupts on that CPU. buddy_lock is the innermost
 * lock but for the tracer's: everything may allocate with its own locks held.
 *
 * Debug. A freed page is filled with a pattern that is verified when it is handed out again; what
 * differs was written after the free, and the message names address and last free site. Memory that
 * was never freed since boot is not filled, so booting does not touch all of RAM.
 *
 * Out of memory. Each CPU may keep up to CACHE_MAX pages that others cannot get; a failing
 * allocation gives back its own CPU's cache and retries once, then reports NULL.
 */
#define LOG_TAG "mm"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <tracing/events.h>
#include "blame.h"
#include "buddy.h"

#define CACHE_MAX   32u
#define CACHE_BATCH 16u
#define POISON_WORD 0xf5eef5eef5eef5eeull /* "free" pages read as this */

static DEFINE_LOCK_CLASS(buddy_class, "mm.buddy", BB_LK_SPIN, RANK_BUDDY);
static DEFINE_SPINLOCK(buddy_lock, buddy_class);

static struct page *pages; /* of frame first_frame */
static u64 first_frame, nr_frames;
static u64 nr_ram;                                /* frames that are not holes */
static struct list_head free_list[MAX_ORDER + 1]; /* [buddy_lock] */
static u64 nr_free;                               /* [buddy_lock] pages on the lists */
static bool ready;                                /* set once at boot */

struct page_cache_cpu {
	struct list_head list;
	u32 count; /* others read it for statistics */
};
static DEFINE_PER_CPU(struct page_cache_cpu, page_cache_cpu);

static u64 page_index(const struct page *p)
{
	return (u64)(p - pages);
}

phys_addr_t page_to_phys(const struct page *p)
{
	return (first_frame + page_index(p)) << PAGE_SHIFT;
}

void *page_to_virt(const struct page *p)
{
	return phys_to_virt(page_to_phys(p));
}

struct page *phys_to_page(phys_addr_t pa)
{
	u64 i = (pa >> PAGE_SHIFT) - first_frame;

	if (i >= nr_frames || pages[i].flags & PG_HOLE)
		return NULL;
	return &pages[i];
}

struct page *virt_to_page(const void *v)
{
	return phys_to_page(virt_to_phys(v));
}

static void __noreturn __cold bad_page(const struct page *p, const char *what, unsigned long site)
{
	struct blame freed = blame(p->flags & PG_POISON ? p->index : 0);

	panic("page %#llx (refs %u, order %u, flags %#x): %s in %s; last freed by %s",
	      (unsigned long long)page_to_phys(p), p->refs, p->order, p->flags, what,
	      blame(site).text, freed.text);
}

#ifdef CONFIG_DEBUG
/* Poison. A free page reads as POISON_WORD, in each word with poison=full (and in the kernel's own
 * tests), else in one of eight, which one of them depending on the page: so any writer of 64 bytes
 * is caught, and one of a word on one page of eight, at an eighth of the price. */
#define SPARSE 8u
#define WORDS  (PAGE_SIZE / sizeof(u64))

static bool poison_full;

void buddy_poison_full(void)
{
	poison_full = true;
}

static void fill(u64 *w, unsigned int step)
{
	for (unsigned int k = 0; k < WORDS; k += step)
		w[k] = POISON_WORD;
}

/* The first word that is not poison, or NULL. */
static const u64 *find_written(const u64 *w, unsigned int step)
{
	for (unsigned int k = 0; k < WORDS; k += step)
		if (unlikely(w[k] != POISON_WORD))
			return &w[k];
	return NULL;
}

static void fill_sparse(u64 *w)
{
#pragma clang loop unroll(full)
	for (unsigned int k = 0; k < WORDS; k += SPARSE)
		w[k] = POISON_WORD;
}

/* By the sum, an addition a word: one that was changed always shows in it, several cancel out by a
 * rare chance. */
static bool sparse_is_written(const u64 *w)
{
	u64 sum = 0;

#pragma clang loop unroll(full)
	for (unsigned int k = 0; k < WORDS; k += SPARSE)
		sum += w[k];
	return sum != WORDS / SPARSE * POISON_WORD;
}

static void poison_pages(struct page *p, unsigned int order, unsigned long site)
{
	for (u64 i = 0; i < BIT(order); i++) {
		u64 *w = page_to_virt(&p[i]);

		if (unlikely(poison_full))
			fill(w, 1);
		else
			fill_sparse(w + page_index(&p[i]) % SPARSE);
		page_flag_set(&p[i], PG_POISON);
		p[i].index = site;
	}
}

static void check_poison(struct page *p, unsigned int order, unsigned long site)
{
	for (u64 i = 0; i < BIT(order); i++) {
		const u64 *w = page_to_virt(&p[i]), *bad = NULL;

		if (!(p[i].flags & PG_POISON))
			continue;
		page_flag_clear(&p[i], PG_POISON);
		if (unlikely(poison_full))
			bad = find_written(w, 1);
		else if (unlikely(sparse_is_written(w + page_index(&p[i]) % SPARSE)))
			bad = find_written(w + page_index(&p[i]) % SPARSE, SPARSE);
		if (unlikely(bad != NULL))
			panic("free page written after free: %#lx holds %#llx; freed in "
			      "%s, "
			      "noticed by an allocation in %s",
			      (unsigned long)bad, (unsigned long long)*bad, blame(p[i].index).text,
			      blame(site).text);
	}
}
#else
void buddy_poison_full(void)
{
}

static void poison_pages(struct page *p, unsigned int order, unsigned long site)
{
}

static void check_poison(struct page *p, unsigned int order, unsigned long site)
{
}
#endif

/* ---- lists ---------------------------------------------------------------------------------- */

static void block_insert(struct page *p, unsigned int order) REQUIRES(buddy_lock)
{
	p->order = (u8)order;
	page_flag_set(p, PG_BUDDY);
	list_add(&p->free_link, &free_list[order]);
}

static void block_remove(struct page *p) REQUIRES(buddy_lock)
{
	list_del(&p->free_link);
	page_flag_clear(p, PG_BUDDY);
}

static struct page *block_take(unsigned int order) REQUIRES(buddy_lock)
{
	for (unsigned int k = order; k <= MAX_ORDER; k++) {
		struct page *p;

		if (list_empty(&free_list[k]))
			continue;
		p = list_first_entry(&free_list[k], struct page, free_link);
		block_remove(p);
		while (k > order) {
			k--;
			block_insert(p + BIT(k), k);
		}
		p->order = (u8)order;
		nr_free -= BIT(order);
		return p;
	}
	return NULL;
}

static void block_give(struct page *p, unsigned int order) REQUIRES(buddy_lock)
{
	u64 frame = first_frame + page_index(p);

	nr_free += BIT(order);
	for (; order < MAX_ORDER; order++) {
		u64 buddy = frame ^ BIT(order);
		struct page *b;

		if (buddy < first_frame || buddy - first_frame >= nr_frames)
			break;
		b = &pages[buddy - first_frame];
		if (!(atomic_load(&b->flags) & PG_BUDDY) || b->order != order)
			break;
		block_remove(b);
		frame &= ~BIT(order);
	}
	block_insert(&pages[frame - first_frame], order);
}

/* ---- per-CPU cache; interrupts masked ------------------------------------------------------- */

static void cache_drain(struct page_cache_cpu *c, u32 n)
{
	spin_lock(&buddy_lock);
	for (; n && c->count; n--) {
		struct page *p = list_entry(c->list.prev, struct page, free_link);

		list_del(&p->free_link);
		block_give(p, 0);
		atomic_store(&c->count, c->count - 1);
	}
	spin_unlock(&buddy_lock);
}

static struct page *cache_take(struct page_cache_cpu *c)
{
	struct page *p;

	if (!c->count) {
		spin_lock(&buddy_lock);
		for (u32 i = 0; i < CACHE_BATCH && (p = block_take(0)); i++) {
			list_add_tail(&p->free_link, &c->list);
			atomic_store(&c->count, c->count + 1);
		}
		if (unlikely(nr_free < nr_ram / 64))
			trace(mm_low, nr_free);
		spin_unlock(&buddy_lock);
		if (!c->count)
			return NULL;
	}
	p = list_first_entry(&c->list, struct page, free_link);
	list_del(&p->free_link);
	atomic_store(&c->count, c->count - 1);
	return p;
}

static void cache_give(struct page_cache_cpu *c, struct page *p)
{
	p->order = 0;
	list_add(&p->free_link, &c->list);
	atomic_store(&c->count, c->count + 1);
	if (c->count > CACHE_MAX)
		cache_drain(c, CACHE_BATCH);
}

/* A CPU's list head is initialised at its first use: per-CPU copies are plain bytes. */
static struct page_cache_cpu *this_cache(void)
{
	struct page_cache_cpu *c = this_cpu_ptr(&page_cache_cpu);

	if (unlikely(!c->list.next))
		list_init(&c->list);
	return c;
}

/* ---- interface ------------------------------------------------------------------------------ */

struct page *page_alloc_site(unsigned int order, unsigned int flags, unsigned long site)
{
	struct page_cache_cpu *c;
	struct page *p;
	irqflags_t f;

	if (order > MAX_ORDER)
		return NULL;
	f = arch_irq_save();
	c = this_cache();
	if (order == 0) {
		p = cache_take(c);
	} else {
		spin_lock(&buddy_lock);
		p = block_take(order);
		spin_unlock(&buddy_lock);
		if (!p && c->count) {
			cache_drain(c, c->count);
			spin_lock(&buddy_lock);
			p = block_take(order);
			spin_unlock(&buddy_lock);
		}
	}
	arch_irq_restore(f);
	if (unlikely(!p)) {
		trace(mm_low, atomic_load(&nr_free));
		return NULL;
	}

	if (unlikely(p->refs || p->flags & (PG_BUDDY | PG_SLAB | PG_RESERVED | PG_HOLE)))
		bad_page(p, "allocator's free list holds a page in use, found", site);
	check_poison(p, order, site);
	p->slab = p->owner = NULL;
	p->index = 0;
	atomic_store(&p->refs, 1);
	if (flags & MM_ZERO)
		memset(page_to_virt(p), 0, PAGE_SIZE << order);
	return p;
}

/* refs is 0 by now and p belongs to nobody. */
static void release(struct page *p, unsigned int order, unsigned long site)
{
	irqflags_t f;

	poison_pages(p, order, site);
	f = arch_irq_save();
	if (order == 0) {
		cache_give(this_cache(), p);
	} else {
		spin_lock(&buddy_lock);
		block_give(p, order);
		spin_unlock(&buddy_lock);
	}
	arch_irq_restore(f);
}

void page_free_site(struct page *p, unsigned int order, unsigned long site)
{
	u32 refs = 1;

	if (unlikely(p->flags & (PG_RESERVED | PG_HOLE | PG_BUDDY | PG_SLAB)))
		bad_page(p, "freeing a page that is not an allocated one", site);
	if (unlikely(p->order != order))
		bad_page(p, "freeing with another order than allocated", site);
	if (unlikely(!atomic_try_cmpxchg(&p->refs, &refs, 0)))
		bad_page(p, refs ? "freeing a page that others still use" : "double free", site);
	release(p, order, site);
}

struct page *page_alloc(unsigned int order, unsigned int flags)
{
	return page_alloc_site(order, flags, RET_IP);
}

void page_free(struct page *p, unsigned int order)
{
	page_free_site(p, order, RET_IP);
}

void page_get(struct page *p)
{
	u32 old = atomic_fetch_add(&p->refs, 1);

	if (unlikely(!old || old == ~0u))
		bad_page(p, "reference taken on a free page", RET_IP);
}

void page_put(struct page *p)
{
	/* Before the reference is gone: after that somebody else may have the page. */
	u8 order = p->order;
	u32 old = atomic_fetch_sub(&p->refs, 1);

	if (unlikely(!old || order))
		bad_page(p, "reference dropped that was not held", RET_IP);
	if (old == 1)
		release(p, 0, RET_IP);
}

void mm_stats(u64 *total_pages, u64 *free_pages)
{
	u64 n = atomic_load(&nr_free);

	for_each_cpu (c)
		n += atomic_load(&per_cpu_ptr(&page_cache_cpu, c)->count);
	*total_pages = nr_ram;
	*free_pages = n;
}

/* ---- boot ----------------------------------------------------------------------------------- */

void buddy_init(struct page *array, u64 first, u64 count)
{
	pages = array;
	first_frame = first;
	nr_frames = count;
	for (u64 i = 0; i < count; i++)
		array[i].flags = PG_HOLE | PG_RESERVED;
	for (unsigned int k = 0; k <= MAX_ORDER; k++)
		list_init(&free_list[k]);
}

void buddy_add_ram(phys_addr_t base, u64 size)
{
	for (u64 i = (base >> PAGE_SHIFT) - first_frame, n = size >> PAGE_SHIFT; n; i++, n--) {
		pages[i].flags = PG_RESERVED;
		pages[i].refs = 1;
		nr_ram++;
	}
}

void buddy_give(phys_addr_t base, u64 size)
{
	u64 frame = base >> PAGE_SHIFT, end = (base + size) >> PAGE_SHIFT;
	irqflags_t f = spin_lock_irqsave(&buddy_lock);

	for (u64 i = frame; i < end; i++) {
		pages[i - first_frame].flags = 0;
		pages[i - first_frame].refs = 0;
	}
	while (frame < end) {
		unsigned int order = MAX_ORDER;

		while (frame & (BIT(order) - 1) || frame + BIT(order) > end)
			order--;
		block_give(&pages[frame - first_frame], order);
		frame += BIT(order);
	}
	ready = true;
	spin_unlock_irqrestore(&buddy_lock, f);
}

bool buddy_ready(void)
{
	return ready;
}
