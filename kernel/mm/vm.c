/* vm.c - address spaces: the VMA tree and the calls that change it.
 *
 * Model. An mm is a tree of VMAs (ascending, disjoint, page aligned) and a page table. The tree
 * says what may be accessed; the table holds what was touched so far, always with permissions that
 * the VMA allows, and less where a write must be noticed (copy on write). Each entry, present or
 * held (PROT_NONE), owns one reference on its page, and `resident` counts the entries. Neighbours
 * that could be one VMA are merged, so that brk and malloc do not grow the tree.
 *
 * Unmapping clears entries in batches, flushes, and only then drops the pages: no CPU can reach a
 * page that somebody else may already have got. Tables stay until the mm goes away.
 *
 * Locks. mm->lock (mutex, class mm.as) guards all of it; faults take it too. Order:
 * process locks > mm->lock > mm.shared, page cache > allocator locks. User memory is never copied
 * with it held. The last mm_put() works without it: nobody else has the mm.
 */
#define LOG_TAG "mm"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/string.h>
#include <sync/lock_order.h>
#include "vm_local.h"

static DEFINE_LOCK_CLASS(mm_class, "mm.as", BB_LK_MUTEX, RANK_MM);
static struct kmem_cache *mm_cache, *vma_cache;

struct page *(*vm_file_page)(struct inode *inode, u64 index);
void (*vm_inode_get)(struct inode *);
void (*vm_inode_put)(struct inode *);

/* ---- the tree ------------------------------------------------------------------------------- */

struct vma *vma_alloc(void)
{
	return kmem_cache_alloc(vma_cache);
}

void vma_free(struct vma *v)
{
	if (v->inode)
		vm_inode_put(v->inode);
	if (v->shared)
		vm_shared_put(v->shared);
	kmem_cache_free(vma_cache, v);
}

struct vma *vma_clone(const struct vma *v, unsigned long start)
{
	struct vma *n = vma_alloc();
	u64 delta = start - v->start;

	if (!n)
		return NULL;
	n->start = start;
	n->end = v->end;
	n->flags = v->flags;
	n->inode = v->inode;
	n->shared = v->shared;
	n->offset = v->offset + delta;
	n->file_bytes = v->file_bytes > delta ? v->file_bytes - delta : 0;
	if (n->inode)
		vm_inode_get(n->inode);
	if (n->shared)
		vm_shared_get(n->shared);
	return n;
}

struct vma *vma_next(struct vma *v)
{
	struct rb_node *n = rb_next(&v->node);

	return n ? rb_entry(n, struct vma, node) : NULL;
}

struct vma *vma_prev(struct vma *v)
{
	struct rb_node *n = rb_prev(&v->node);

	return n ? rb_entry(n, struct vma, node) : NULL;
}

struct vma *vma_find(struct mm *mm, unsigned long addr)
{
	struct rb_node *n = mm->vmas.node;
	struct vma *best = NULL;

	while (n) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (addr < v->end) {
			best = v;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

void vma_insert(struct mm *mm, struct vma *v)
{
	struct rb_node **link = &mm->vmas.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = v->start < rb_entry(parent, struct vma, node)->start ? &parent->left
									    : &parent->right;
	}
	rb_link(&v->node, parent, link);
	rb_insert_fixup(&mm->vmas, &v->node);
}

static void vma_remove(struct mm *mm, struct vma *v)
{
	rb_erase(&mm->vmas, &v->node);
	vma_free(v);
}

/* May b, which starts where a ends, be part of a? */
static bool can_merge(const struct vma *a, const struct vma *b)
{
	u64 len = a->end - a->start;

	if (a->end != b->start || a->flags != b->flags || a->flags & VMA_STACK ||
	    a->inode != b->inode || a->shared != b->shared)
		return false;
	if (a->inode)
		return a->offset + len == b->offset && a->file_bytes == len;
	return !a->shared || a->offset + len == b->offset;
}

static struct vma *try_merge(struct mm *mm, struct vma *a, struct vma *b)
{
	if (!a || !b || !can_merge(a, b))
		return b;
	a->file_bytes += b->file_bytes;
	a->end = b->end;
	vma_remove(mm, b);
	return a;
}

static void merge_around(struct mm *mm, struct vma *v)
{
	v = try_merge(mm, vma_prev(v), v);
	try_merge(mm, v, vma_next(v));
}

/* Makes `at` a boundary: a VMA that contains it is split. 0 or -ENOMEM. */
static int split_at(struct mm *mm, unsigned long at)
{
	struct vma *v = vma_find(mm, at), *high;

	if (!v || v->start >= at)
		return 0;
	high = vma_clone(v, at);
	if (!high)
		return -ENOMEM;
	v->end = at;
	v->file_bytes = MIN(v->file_bytes, (u64)(at - v->start));
	/* Only the lowest part of a stack may grow. */
	high->flags &= ~VMA_STACK;
	vma_insert(mm, high);
	return 0;
}

/* ---- entries -------------------------------------------------------------------------------- */

#define BATCH 64u

/* The *n pages of [from, to), whose entries are 0 by now. */
static void zap_batch(struct mm *mm, unsigned long from, unsigned long to, struct page **batch,
		      unsigned int *n, bool flush)
{
	if (flush)
		mm_flush(mm, from, to);
	mm->resident -= *n;
	while (*n)
		page_put(batch[--*n]);
}

/* Clears [start, end) and drops the pages. `flush`: some CPU may hold translations. */
static void zap_range(struct mm *mm, unsigned long start, unsigned long end, bool flush)
{
	struct page *batch[BATCH];
	unsigned long va = start, from = start, to = start, table_end;
	unsigned int n = 0;
	u64 *e;

	while ((e = pgt_next(mm->root, &va, end))) {
		if (!n)
			from = va;
		table_end = pgt_table_end(va, end);
		for (; va < table_end && n < BATCH; va += PAGE_SIZE, e++) {
			if (!*e)
				continue;
			batch[n++] = phys_to_page(pte_frame(*e));
			arch_pte_write(e, 0);
			to = va + PAGE_SIZE;
		}
		if (n == BATCH)
			zap_batch(mm, from, to, batch, &n, flush);
	}
	if (n)
		zap_batch(mm, from, to, batch, &n, flush);
}

/* One entry's share of protect_entries(). True if some permission went away. */
static bool protect_entry(struct mm *mm, const struct vma *v, unsigned long va, u64 *e)
{
	unsigned int old = arch_pte_present(*e) ? arch_pte_prot(*e) : 0;
	unsigned int new = vma_prot(v);

	if (vma_is_private(v) && !(old & PROT_W))
		new &= ~PROT_W;
	if (new == old)
		return false;
	if (new &PROT_X && !(old & PROT_X))
		arch_icache_sync((unsigned long)phys_to_virt(pte_frame(*e)), PAGE_SIZE);
	arch_pte_write(e, new ? arch_pte_leaf(pte_frame(*e), new, 1) : pte_held(pte_frame(*e)));
	if (old && !(old & ~new))
		mm_flush_local(mm, va);
	return old & ~new;
}

/* Gives the entries of v new permissions. A private page becomes writable by its next write fault
 * only, which finds out whether it is shared. True if some permission went away. */
static bool protect_entries(struct mm *mm, const struct vma *v)
{
	unsigned long va = v->start, table_end;
	bool lost = false;
	u64 *e;

	while ((e = pgt_next(mm->root, &va, v->end))) {
		table_end = pgt_table_end(va, v->end);
		for (; va < table_end; va += PAGE_SIZE, e++)
			if (*e)
				lost |= protect_entry(mm, v, va, e);
	}
	return lost;
}

/* ---- life ----------------------------------------------------------------------------------- */

struct mm *mm_create(void)
{
	struct mm *mm = kmem_cache_alloc(mm_cache);

	if (!mm)
		return ERR_PTR(-ENOMEM);
	mm->root = pgt_alloc_table();
	if (!mm->root) {
		kmem_cache_free(mm_cache, mm);
		return ERR_PTR(-ENOMEM);
	}
	arch_mmu_root_init(mm->root);
	mutex_init(&mm->lock, &mm_class);
	mm->users = 1;
	mm->stack_top = USER_END;
	mm->mmap_top = USER_END - STACK_LIMIT - STACK_GAP;
	mm_context_new(mm);
	return mm;
}

void mm_get(struct mm *mm)
{
	atomic_fetch_add(&mm->users, 1);
}

void mm_put(struct mm *mm)
{
	struct rb_node *n;

	if (atomic_fetch_sub(&mm->users, 1) != 1)
		return;
	mm_context_drop(mm);
	zap_range(mm, 0, USER_END, false);
	BUG_ON(mm->resident);
	while ((n = rb_first(&mm->vmas)))
		vma_remove(mm, rb_entry(n, struct vma, node));
	pgt_free_user_tables(mm->root);
	page_free(virt_to_page(mm->root), 0);
	mutex_fini(&mm->lock);
	kmem_cache_free(mm_cache, mm);
}

void vm_init(void)
{
	mm_cache = kmem_cache_create("mm", sizeof(struct mm), 16);
	vma_cache = kmem_cache_create("vma", sizeof(struct vma), 16);
	if (!mm_cache || !vma_cache)
		panic("no memory for address spaces");
	vm_shared_init();
	mm_context_init();
}

/* ---- mapping calls -------------------------------------------------------------------------- */

static bool range_ok(unsigned long addr, unsigned long size)
{
	return IS_ALIGNED(addr, PAGE_SIZE) && size && addr >= USER_BASE && addr < USER_END &&
	       size <= USER_END - addr;
}

/* Highest free place below mmap_top; if there is none, the highest anywhere. 0 = none. */
static unsigned long choose_address(struct mm *mm, unsigned long size)
{
	unsigned long limits[2] = {mm->mmap_top, USER_END};

	for (unsigned int i = 0; i < ARRAY_SIZE(limits); i++) {
		unsigned long top = limits[i];
		struct vma *v = vma_find(mm, top - 1);

		if (!v && mm->vmas.node)
			v = rb_entry(rb_last(&mm->vmas), struct vma, node);
		for (;; v = vma_prev(v)) {
			unsigned long floor = v ? MAX(v->end, USER_BASE) : USER_BASE;

			if (top > floor && top - floor >= size)
				return top - size;
			if (!v)
				break;
			top = MIN(top, v->flags & VMA_STACK && v->start > STACK_GAP
					       ? v->start - STACK_GAP
					       : v->start);
		}
	}
	return 0;
}

/* Makes [addr, addr + size) free of mappings. */
static int unmap_locked(struct mm *mm, unsigned long addr, unsigned long size)
{
	unsigned long end = addr + size;
	struct vma *v, *next;
	int r = split_at(mm, addr);

	if (!r)
		r = split_at(mm, end);
	if (r)
		return r;
	v = vma_find(mm, addr);
	if (!v || v->start >= end)
		return 0;
	zap_range(mm, addr, end, true);
	for (; v && v->start < end; v = next) {
		next = vma_next(v);
		vma_remove(mm, v);
	}
	return 0;
}

/* May something that may become VMA_MAY_* `may` have the access `flags`? */
static bool access_ok(u32 may, u32 flags)
{
	return !((flags & (VMA_READ | VMA_WRITE | VMA_EXEC)) & ~(may >> 8));
}

/* Is [addr, addr + size) free, with the room that a stack above needs? */
static bool range_is_free(struct mm *mm, unsigned long addr, unsigned long size)
{
	struct vma *v = vma_find(mm, addr);

	return !v || v->start >= addr + size + (v->flags & VMA_STACK ? STACK_GAP : 0);
}

/* Where a new mapping goes; makes room for it. -ENOMEM, -EEXIST. */
static int place_locked(struct mm *mm, unsigned long *addr, unsigned long size, u32 how)
{
	struct vma *v;

	if (how & VM_MAP_NO_REPLACE) {
		v = vma_find(mm, *addr);
		return v && v->start < *addr + size ? -EEXIST : 0;
	}
	if (how & VM_MAP_HINT && !range_is_free(mm, *addr, size))
		*addr = 0;
	if (*addr)
		return unmap_locked(mm, *addr, size);
	*addr = choose_address(mm, size);
	return *addr ? 0 : -ENOMEM;
}

int vm_map(struct mm *mm, unsigned long *addr, unsigned long size, u32 flags, struct inode *inode,
	   u64 offset, u64 file_bytes)
{
	u32 how = flags & (VM_MAP_NO_REPLACE | VM_MAP_HINT);
	struct vma *v;
	u64 end_offset;
	int r;

	flags &= ~how;
	if (!inode)
		flags |= VMA_MAY_ALL;
	if (!access_ok(flags, flags))
		return -EACCES;

	if (!size || size > USER_END || !IS_ALIGNED(offset, PAGE_SIZE))
		return size > USER_END ? -ENOMEM : -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (__builtin_add_overflow(offset, size, &end_offset) || (*addr && !range_ok(*addr, size)))
		return *addr && IS_ALIGNED(*addr, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	v = vma_alloc();
	if (!v)
		return -ENOMEM;
	v->flags = flags;
	v->offset = inode ? offset : 0;
	v->file_bytes = inode ? MIN(file_bytes, (u64)size) : 0;
	if (!inode && flags & VMA_SHARED) {
		v->shared = vm_shared_create();
		if (!v->shared) {
			vma_free(v);
			return -ENOMEM;
		}
	}
	if (inode) {
		vm_inode_get(inode);
		v->inode = inode;
	}

	r = mutex_lock_killable(&mm->lock);
	if (r) {
		vma_free(v);
		return r;
	}
	r = place_locked(mm, addr, size, how);
	if (!r) {
		v->start = *addr;
		v->end = *addr + size;
		vma_insert(mm, v);
		merge_around(mm, v);
	}
	mutex_unlock(&mm->lock);
	if (r)
		vma_free(v);
	return r;
}

int vm_unmap(struct mm *mm, unsigned long addr, unsigned long size)
{
	int r;

	if (size > USER_END)
		return -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (!range_ok(addr, size))
		return -EINVAL;
	r = mutex_lock_killable(&mm->lock);
	if (r)
		return r;
	r = unmap_locked(mm, addr, size);
	mutex_unlock(&mm->lock);
	return r;
}

/* 0 if all of [addr, end) is mapped and may have the access `flags`; -ENOMEM, -EACCES: the first
 * obstacle from below. */
static int may_protect(struct mm *mm, unsigned long addr, unsigned long end, u32 flags)
{
	for (struct vma *v = vma_find(mm, addr); v && v->start <= addr; v = vma_next(v)) {
		if (!access_ok(v->flags, flags))
			return -EACCES;
		addr = v->end;
		if (addr >= end)
			return 0;
	}
	return -ENOMEM;
}

int vm_protect(struct mm *mm, unsigned long addr, unsigned long size, u32 flags)
{
	unsigned long end;
	bool lost = false;
	struct vma *v, *next;
	int r;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!size)
		return 0;
	if (size > USER_END)
		return -ENOMEM;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (!range_ok(addr, size))
		return -ENOMEM;
	end = addr + size;
	flags &= VMA_READ | VMA_WRITE | VMA_EXEC;

	r = mutex_lock_killable(&mm->lock);
	if (r)
		return r;
	r = may_protect(mm, addr, end, flags);
	if (!r)
		r = split_at(mm, addr);
	if (!r)
		r = split_at(mm, end);
	if (r)
		goto out;
	for (v = vma_find(mm, addr); v && v->start < end; v = next) {
		v->flags = (v->flags & (VMA_SHARED | VMA_STACK | VMA_MAY_ALL)) | flags;
		lost |= protect_entries(mm, v);
		v = try_merge(mm, vma_prev(v), v);
		next = vma_next(v);
	}
	if (v)
		try_merge(mm, vma_prev(v), v);
	if (lost)
		mm_flush(mm, addr, end);
out:
	mutex_unlock(&mm->lock);
	return r;
}

unsigned long vm_brk(struct mm *mm, unsigned long addr)
{
	unsigned long from, to, result;
	struct vma *v;

	if (mutex_lock_killable(&mm->lock))
		return 0; /* nobody is there any more to read it */
	if (addr < mm->brk_start || addr > USER_END - PAGE_SIZE)
		goto out;
	from = ALIGN_UP(mm->brk, PAGE_SIZE);
	to = ALIGN_UP(addr, PAGE_SIZE);
	if (to < from) {
		if (unmap_locked(mm, to, from - to))
			goto out;
	} else if (to > from) {
		if (!range_is_free(mm, from, to - from))
			goto out;
		v = vma_alloc();
		if (!v)
			goto out;
		v->start = from;
		v->end = to;
		v->flags = VMA_READ | VMA_WRITE | VMA_MAY_ALL;
		vma_insert(mm, v);
		merge_around(mm, v);
	}
	mm->brk = addr;
out:
	result = mm->brk;
	mutex_unlock(&mm->lock);
	return result;
}
