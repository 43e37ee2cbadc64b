/* shared.c - the pages behind shared anonymous mappings.
 *
 * Model. An object belongs to all vmas, of all address spaces, that descend from one mmap; it maps
 * an offset to a page. The map is a page table of its own that no CPU ever loads (entries are held
 * entries), so it grows with what is used and there is no limit but the table's 47 bits. The object
 * has one reference on each of its pages until it goes away with the last vma.
 *
 * Locks. shared->lock (mutex) guards the table. Order: mm->lock > mm.shared. */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <sync/lock_order.h>
#include <sync/mutex.h>
#include "vm_local.h"

#define OFFSET_END (1ull << 47)

struct vm_shared {
	struct mutex lock;
	u32 refs;
	u64 *table; /* [lock] offset -> held page */
};

static DEFINE_LOCK_CLASS(shared_class, "mm.shared", BB_LK_MUTEX, RANK_MM_SHARED);
static struct kmem_cache *shared_cache;

struct vm_shared *vm_shared_create(void)
{
	struct vm_shared *s = kmem_cache_alloc(shared_cache);

	if (!s)
		return NULL;
	s->table = pgt_alloc_table();
	if (!s->table) {
		kmem_cache_free(shared_cache, s);
		return NULL;
	}
	mutex_init(&s->lock, &shared_class);
	s->refs = 1;
	return s;
}

void vm_shared_get(struct vm_shared *s)
{
	atomic_fetch_add(&s->refs, 1);
}

void vm_shared_put(struct vm_shared *s)
{
	unsigned long off = 0;
	u64 *e;

	if (atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	/* Nobody else can reach it any more. */
	while ((e = pgt_next(s->table, &off, OFFSET_END))) {
		page_put(phys_to_page(pte_frame(*e)));
		*e = 0;
	}
	pgt_free_user_tables(s->table);
	page_free(virt_to_page(s->table), 0);
	mutex_fini(&s->lock);
	kmem_cache_free(shared_cache, s);
}

struct page *vm_shared_page(struct vm_shared *s, u64 offset)
{
	struct page *p = NULL;
	u64 *e;
	int err;

	if (offset >= OFFSET_END)
		return ERR_PTR(-ENOMEM);
	err = mutex_lock_killable(&s->lock);
	if (err)
		return ERR_PTR(err);
	e = pgt_walk(s->table, offset, true);
	if (e && *e) {
		p = phys_to_page(pte_frame(*e));
	} else if (e) {
		p = page_alloc(0, MM_ZERO);
		if (p)
			*e = pte_held(page_to_phys(p));
	}
	if (p)
		page_get(p);
	mutex_unlock(&s->lock);
	return p ? p : ERR_PTR(-ENOMEM);
}

void vm_shared_init(void)
{
	shared_cache = kmem_cache_create("vm_shared", sizeof(struct vm_shared), 16);
	if (!shared_cache)
		panic("no memory for vm_shared");
}
