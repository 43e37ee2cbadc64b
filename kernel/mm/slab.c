/* slab.c - small objects: kmem_cache and kmalloc.
 *
 * Model. A slab is a block of 2^order pages cut into `count` slots of equal stride; its header at
 * the start of the block holds a stack of free slot numbers, so free objects carry no links. A
 * cache keeps slabs with both free and used slots on `partial`, full ones on no list, and at most
 * one empty slab in `spare`; further empty ones go back to the page allocator. Every page of a slab
 * points to its header (page->slab, PG_SLAB), which is how kfree() finds the cache. kmalloc sizes
 * beyond the largest class are whole pages.
 *
 * Locks. cache->lock (interrupts masked) guards the lists and the headers of its slabs. Pages are
 * allocated and freed without it. Order: anything > mm.slab > mm.buddy.
 *
 * Debug layout of a slot: [pad][struct guard][object][red zone up to the stride]. The guard's last
 * word is the left red zone. A free object is filled with FREE_BYTE and verified when it is handed
 * out; from the requested size to the end of the slot RED_BYTE must stand at the free. The guard
 * keeps the sites of the last allocation and free: double free, overrun, underrun, write after free
 * and free into the wrong cache each panic with both.
 */
#define LOG_TAG "slab"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <arch/thread.h>
#include "blame.h"
#include "buddy.h"
#include "slab.h"

#define FREE_BYTE        0x6b
#define RED_BYTE         0xbb
#define RED_WORD         0xbbbbbbbbbbbbbbbbull
#define RED_SIZE         16u
#define SLAB_MAX_ORDER   3u
#define SLAB_MIN_OBJECTS 8u

#ifdef CONFIG_DEBUG
enum slot_state { SLOT_FREE = 0xf4ee, SLOT_USED = 0xa110 };
struct guard {
	u32 state;
	u32 size; /* as requested */
	unsigned long alloc_site, free_site;
	u64 red; /* left red zone */
};
#define GUARD_SIZE sizeof(struct guard)
#define TAIL_SIZE  RED_SIZE
#else
#define GUARD_SIZE 0u
#define TAIL_SIZE  0u
#endif

struct kmem_cache {
	struct spinlock lock;
	const char *name;
	u32 size;   /* of an object */
	u32 stride; /* of a slot */
	u32 lead;   /* bytes before the object in a slot */
	u32 first;  /* offset of slot 0 in a slab */
	u32 count;  /* slots a slab */
	u32 order;
	struct list_head partial; /* [lock] */
	struct slab *spare;       /* [lock] one empty slab, or NULL */
};

struct slab {
	struct list_head link; /* cache->partial */
	struct kmem_cache *cache;
	u32 nfree;
	u16 free[]; /* slot numbers, the first nfree are valid */
};

static DEFINE_LOCK_CLASS(slab_class, "mm.slab", BB_LK_SPIN, RANK_SLAB);

static const u32 class_size[] = {16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048};
static const char *const class_name[] = {
	"kmalloc-16",  "kmalloc-32",  "kmalloc-64",  "kmalloc-96",  "kmalloc-128",  "kmalloc-192",
	"kmalloc-256", "kmalloc-384", "kmalloc-512", "kmalloc-768", "kmalloc-1024", "kmalloc-2048"};
#define KMALLOC_MAX 2048u
static struct kmem_cache kmalloc_cache[ARRAY_SIZE(class_size)];

/* ---- checks --------------------------------------------------------------------------------- */

#ifdef CONFIG_DEBUG
static struct guard *guard_of(const void *obj)
{
	return (struct guard *)obj - 1;
}

/* `then` and its site: what was last done to the object before. */
static void __noreturn __cold bad_object(const struct kmem_cache *c, const void *obj,
					 const char *what, const void *where, const char *then,
					 unsigned long then_site, unsigned long site)
{
	panic("%s: byte %ld of %#lx (%s, %u bytes asked), seen in %s; %s in %s", what,
	      (long)((const u8 *)where - (const u8 *)obj), (unsigned long)obj, c->name,
	      guard_of(obj)->size, blame(site).text, then, blame(then_site).text);
}

static const u8 *find_other(const u8 *p, const u8 *end, u8 byte)
{
	return memchr_inv(p, byte, (size_t)(end - p));
}

static u8 *slot_end(const struct kmem_cache *c, const void *obj)
{
	return (u8 *)obj - c->lead + c->stride;
}

static void object_init_free(const struct kmem_cache *c, void *obj)
{
	struct guard *g = guard_of(obj);

	g->state = SLOT_FREE;
	g->red = RED_WORD;
	memset(obj, FREE_BYTE, c->size);
}

static void object_allocated(const struct kmem_cache *c, void *obj, u32 size, unsigned long site)
{
	struct guard *g = guard_of(obj);
	const u8 *bad = find_other(obj, (u8 *)obj + c->size, FREE_BYTE);

	if (unlikely(bad))
		bad_object(c, obj, "object written after free", bad, "freed", g->free_site, site);
	if (unlikely(g->state != SLOT_FREE || g->red != RED_WORD))
		bad_object(c, obj, "free object's guard overwritten", g, "freed", g->free_site,
			   site);
	g->state = SLOT_USED;
	g->size = size;
	g->alloc_site = site;
	memset((u8 *)obj + size, RED_BYTE, (size_t)(slot_end(c, obj) - (u8 *)obj) - size);
}

static void object_freed(const struct kmem_cache *c, void *obj, unsigned long site)
{
	struct guard *g = guard_of(obj);
	const u8 *bad;

	bad = find_other((const u8 *)&g->red, obj, RED_BYTE);
	if (unlikely(bad))
		bad_object(c, obj, "write before the object", bad, "allocated", g->alloc_site,
			   site);
	if (unlikely(g->state == SLOT_FREE))
		bad_object(c, obj, "double free", obj, "first freed", g->free_site, site);
	if (unlikely(g->state != SLOT_USED || g->size > c->size))
		bad_object(c, obj, "object's guard overwritten", g, "allocated", g->alloc_site,
			   site);
	bad = find_other((u8 *)obj + g->size, slot_end(c, obj), RED_BYTE);
	if (unlikely(bad))
		bad_object(c, obj, "write past the end of the object", bad, "allocated",
			   g->alloc_site, site);
	g->state = SLOT_FREE;
	g->free_site = site;
	memset(obj, FREE_BYTE, c->size);
}

static u32 object_size(const struct kmem_cache *c, const void *obj)
{
	return guard_of(obj)->size;
}

/* The tracker takes a lock whose words are FREE_BYTE for one in freed memory. */
_Static_assert(TRACK_WIPED == FREE_BYTE * 0x01010101u, "wiped memory is known by its bytes");

/* Whoever frees an object in which it holds a lock will unlock what is another's by then. A
 * destructor of the lock finds more, but it must be there. */
static void locks_freed(const void *obj, size_t size, unsigned long site)
{
	if (unlikely(track_task_holds(arch_current()->bb)))
		track_freed(obj, size, site);
}

/* Whole pages: the bytes beyond the request are the red zone; size and site are in struct page. */
static void large_allocated(struct page *p, size_t size, unsigned long site)
{
	u8 *base = page_to_virt(p);

	p->index = size;
	p->owner = (void *)site;
	memset(base + size, RED_BYTE, (PAGE_SIZE << p->order) - size);
}

static void large_freed(struct page *p, unsigned long site)
{
	u8 *base = page_to_virt(p);
	const u8 *bad = find_other(base + p->index, base + (PAGE_SIZE << p->order), RED_BYTE);

	if (unlikely(bad))
		panic("write past the end of the object: byte %ld of %#lx (%llu bytes asked), seen "
		      "in %s; allocated in %s",
		      (long)(bad - base), (unsigned long)base, (unsigned long long)p->index,
		      blame(site).text, blame((unsigned long)p->owner).text);
}

static size_t large_size(const struct page *p)
{
	return p->index;
}
#else
static void object_init_free(const struct kmem_cache *c, void *obj)
{
}

static void object_allocated(const struct kmem_cache *c, void *obj, u32 size, unsigned long site)
{
}

static void object_freed(const struct kmem_cache *c, void *obj, unsigned long site)
{
}

static u32 object_size(const struct kmem_cache *c, const void *obj)
{
	return c->size;
}

static void locks_freed(const void *obj, size_t size, unsigned long site)
{
}

static void large_allocated(struct page *p, size_t size, unsigned long site)
{
}

static void large_freed(struct page *p, unsigned long site)
{
}

static size_t large_size(const struct page *p)
{
	return PAGE_SIZE << p->order;
}
#endif

/* ---- slabs ---------------------------------------------------------------------------------- */

static void *slot_object(const struct kmem_cache *c, struct slab *s, u32 slot)
{
	return (u8 *)s + c->first + (size_t)slot * c->stride + c->lead;
}

static struct slab *slab_create(struct kmem_cache *c, unsigned long site)
{
	struct page *p = page_alloc_site(c->order, 0, site);
	struct slab *s;

	if (!p)
		return NULL;
	s = page_to_virt(p);
	for (u64 i = 0; i < BIT(c->order); i++) {
		p[i].slab = s;
		page_flag_set(&p[i], PG_SLAB);
	}
	list_init(&s->link);
	s->cache = c;
	s->nfree = c->count;
	for (u32 i = 0; i < c->count; i++) {
		s->free[i] = (u16)(c->count - 1 - i); /* slot 0 first */
		object_init_free(c, slot_object(c, s, i));
	}
	return s;
}

static void slab_destroy(struct kmem_cache *c, struct slab *s, unsigned long site)
{
	struct page *p = virt_to_page(s);

	for (u64 i = 0; i < BIT(c->order); i++)
		page_flag_clear(&p[i], PG_SLAB);
	page_free_site(p, c->order, site);
}

static void *cache_alloc(struct kmem_cache *c, u32 size, unsigned long site)
{
	irqflags_t f = spin_lock_irqsave(&c->lock);
	struct slab *s, *extra;
	void *obj;

	while (list_empty(&c->partial)) {
		if (c->spare) {
			list_add(&c->spare->link, &c->partial);
			c->spare = NULL;
			break;
		}
		spin_unlock_irqrestore(&c->lock, f);
		s = slab_create(c, site);
		if (!s)
			return NULL;
		f = spin_lock_irqsave(&c->lock);
		if (!c->spare) {
			c->spare = s;
			continue;
		}
		/* Others made one meanwhile: it serves both. */
		extra = s;
		spin_unlock_irqrestore(&c->lock, f);
		slab_destroy(c, extra, site);
		f = spin_lock_irqsave(&c->lock);
	}
	s = list_first_entry(&c->partial, struct slab, link);
	obj = slot_object(c, s, s->free[--s->nfree]);
	if (!s->nfree)
		list_del(&s->link);
	object_allocated(c, obj, size, site);
	spin_unlock_irqrestore(&c->lock, f);
	return obj;
}

static void cache_free(struct kmem_cache *c, struct slab *s, void *obj, unsigned long site)
{
	size_t off = (size_t)((u8 *)obj - (u8 *)s) - c->first - c->lead;
	struct slab *empty = NULL;
	irqflags_t f;

	if (unlikely(off % c->stride || off / c->stride >= c->count))
		panic("kfree(%#lx): not the start of an object of %s; freed in %s",
		      (unsigned long)obj, c->name, blame(site).text);
	locks_freed(obj, c->size, site);
	f = spin_lock_irqsave(&c->lock);
	object_freed(c, obj, site);
	if (!s->nfree)
		list_add(&s->link, &c->partial);
	BUG_ON(s->nfree >= c->count);
	s->free[s->nfree++] = (u16)(off / c->stride);
	if (s->nfree == c->count) {
		list_del(&s->link);
		empty = c->spare;
		c->spare = s;
	}
	spin_unlock_irqrestore(&c->lock, f);
	if (empty)
		slab_destroy(c, empty, site);
}

/* The slab of an object; panics when p is not from the slab allocator. */
static struct slab *slab_of(const void *p, unsigned long site)
{
	struct page *page = virt_to_page(p);

	if (unlikely(!page || !(page->flags & PG_SLAB)))
		panic("free of %#lx, which is not a slab object; freed in %s", (unsigned long)p,
		      blame(site).text);
	return page->slab;
}

/* ---- caches --------------------------------------------------------------------------------- */

static void cache_setup(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
	spin_init(&c->lock, &slab_class);
	list_init(&c->partial);
	align = MAX(align, 16ul);
	c->name = name;
	c->size = (u32)ALIGN_UP(MAX(size, 1ul), 16ul);
	c->lead = (u32)ALIGN_UP((size_t)GUARD_SIZE, align);
	c->stride = (u32)ALIGN_UP(c->lead + c->size + TAIL_SIZE, align);
	for (c->order = 0;; c->order++) {
		size_t room = PAGE_SIZE << c->order, n = (room - sizeof(struct slab)) / c->stride;

		while (n && ALIGN_UP(sizeof(struct slab) + n * sizeof(u16), align) + n * c->stride >
				    room)
			n--;
		c->count = (u32)n;
		if (n >= SLAB_MIN_OBJECTS || (n && c->order >= SLAB_MAX_ORDER))
			break;
	}
	c->first = (u32)ALIGN_UP(sizeof(struct slab) + c->count * sizeof(u16), align);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c;

	BUG_ON(size > PAGE_SIZE || align > PAGE_SIZE || align & (align - 1));
	c = kzalloc(sizeof(*c));
	if (c)
		cache_setup(c, name, size, align);
	return c;
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	void *p = cache_alloc(c, c->size, RET_IP);

	return p ? memset(p, 0, c->size) : NULL;
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	struct slab *s;

	if (!p)
		return;
	s = slab_of(p, RET_IP);
	if (unlikely(s->cache != c))
		panic("free of %#lx to cache %s, but it is from %s; freed in %s", (unsigned long)p,
		      c->name, s->cache->name, blame(RET_IP).text);
	cache_free(c, s, p, RET_IP);
}

static void *kmalloc_site(size_t size, unsigned long site)
{
	unsigned int order = 0;
	struct page *page;

	if (size <= KMALLOC_MAX) {
		unsigned int i = 0;

		while (class_size[i] < size)
			i++;
		return cache_alloc(&kmalloc_cache[i], (u32)size, site);
	}
	if (size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	while (PAGE_SIZE << order < size)
		order++;
	page = page_alloc_site(order, 0, site);
	if (!page)
		return NULL;
	large_allocated(page, size, site);
	return page_to_virt(page);
}

void *kmalloc(size_t size)
{
	return kmalloc_site(size, RET_IP);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc_site(size, RET_IP);

	return p ? memset(p, 0, size) : NULL;
}

void kfree(const void *p)
{
	struct page *page;

	if (!p)
		return;
	page = virt_to_page(p);
	if (page && page->flags & PG_SLAB) {
		struct slab *s = page->slab;

		cache_free(s->cache, s, (void *)p, RET_IP);
		return;
	}
	if (unlikely(!page || (unsigned long)p & (PAGE_SIZE - 1) || page->flags & PG_RESERVED ||
		     !page->refs))
		panic("kfree(%#lx): not an allocated object; freed in %s", (unsigned long)p,
		      blame(RET_IP).text);
	large_freed(page, RET_IP);
	locks_freed(p, PAGE_SIZE << page->order, RET_IP);
	page_free_site(page, page->order, RET_IP);
}

size_t kmalloc_usable(const void *p)
{
	struct page *page = virt_to_page(p);

	if (page->flags & PG_SLAB)
		return object_size(((struct slab *)page->slab)->cache, p);
	return large_size(page);
}

void slab_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(class_size); i++)
		cache_setup(&kmalloc_cache[i], class_name[i], class_size[i], 16);
}
