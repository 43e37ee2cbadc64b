/* fault.c - resolving a page fault in a user address space.
 *
 * Model. mm->lock is held from the look at the VMA to the store of the entry, so faults of one mm
 * are serial and an entry that is found present was made by an earlier fault: if it allows the
 * access the fault is spurious. The lock may be held across disk I/O (file pages); other address
 * spaces do not notice.
 *
 * Copy on write. A private page may be written in place iff its only reference is the entry's own:
 * a fork gives every sharer a reference, and the page cache has one on each of its pages. The count
 * can only fall meanwhile, because taking a reference needs one, and this mm's lock is held.
 * Otherwise the page is copied; the entry goes through 0 and a flush before the new frame is stored
 * (aarch64 demands break-before-make, and other threads must not keep reading the old page).
 *
 * A stack VMA grows down to the fault address while it stays within STACK_LIMIT and STACK_GAP bytes
 * remain to the mapping below. */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/string.h>
#include <arch/upcalls.h>
#include <tracing/events.h>
#include "vm_local.h"

/* The VMA that covers addr, grown if it is a stack; or NULL. */
static struct vma *find_or_grow(struct mm *mm, unsigned long addr)
{
	struct vma *v = vma_find(mm, addr), *below;
	unsigned long start = addr & PAGE_MASK;

	if (!v || addr >= v->start)
		return v;
	if (!(v->flags & VMA_STACK) || v->end - start > STACK_LIMIT || start < USER_BASE)
		return NULL;
	below = vma_prev(v);
	if (below && (start < below->end || start - below->end < STACK_GAP))
		return NULL;
	v->start = start;
	return v;
}

/* A page of the process's own: zeroes, then n bytes from `from`. NULL when memory is out. */
static struct page *private_page(const struct page *from, size_t n)
{
	struct page *p = page_alloc(0, n == PAGE_SIZE ? 0 : MM_ZERO);

	if (p && n)
		memcpy(page_to_virt(p), page_to_virt(from), n);
	return p;
}

/* The page for a first access, with a reference; *writable tells whether the entry may allow
 * writing now. ERR_PTR(-ENOMEM, -EIO, -ERESTARTSYS). */
static struct page *first_page(struct vma *v, unsigned long va, bool write, bool *writable)
{
	u64 delta = va - v->start, bytes;
	struct page *file, *p;

	if (v->shared) {
		*writable = true;
		return vm_shared_page(v->shared, v->offset + delta);
	}
	bytes = v->inode && v->file_bytes > delta ? MIN(v->file_bytes - delta, PAGE_SIZE) : 0;
	if (!bytes) {
		*writable = true;
		p = private_page(NULL, 0);
		return p ? p : ERR_PTR(-ENOMEM);
	}
	file = vm_file_page(v->inode, (v->offset + delta) >> PAGE_SHIFT);
	if (IS_ERR(file))
		return PTR_ERR(file) == -ENOMEM || PTR_ERR(file) == -ERESTARTSYS ? file
										 : ERR_PTR(-EIO);
	if (!vma_is_private(v)) {
		*writable = true;
		return file;
	}
	if (bytes == PAGE_SIZE && !write) {
		*writable = false;
		return file;
	}
	p = private_page(file, bytes);
	page_put(file);
	*writable = true;
	return p ? p : ERR_PTR(-ENOMEM);
}

/* No flush: absence is not cached, and of the same page only permissions grow. */
static void set_entry(u64 *e, struct page *p, unsigned int prot)
{
	if (prot & PROT_X)
		arch_icache_sync((unsigned long)page_to_virt(p), PAGE_SIZE);
	arch_pte_write(e, arch_pte_leaf(page_to_phys(p), prot, 1));
}

static int map_first(struct mm *mm, struct vma *v, u64 *e, unsigned long va, bool write)
{
	unsigned int prot = vma_prot(v);
	bool writable = false;
	struct page *p = first_page(v, va, write, &writable);

	if (IS_ERR(p))
		return (int)PTR_ERR(p);
	if (!writable)
		prot &= ~PROT_W;
	mm->resident++;
	set_entry(e, p, prot);
	return 0;
}

/* A write to a present entry that does not allow it. */
static int copy_on_write(struct mm *mm, struct vma *v, u64 *e, unsigned long va)
{
	struct page *old = phys_to_page(pte_frame(*e)), *copy;

	if (!vma_is_private(v) || atomic_load_acquire(&old->refs) == 1) {
		trace(fault_cow, va, 1);
		set_entry(e, old, vma_prot(v));
		mm_flush_local(mm, va);
		return 0;
	}
	copy = private_page(old, PAGE_SIZE);
	if (!copy)
		return -ENOMEM;
	arch_pte_write(e, 0);
	mm_flush(mm, va, va + PAGE_SIZE);
	set_entry(e, copy, vma_prot(v));
	page_put(old);
	trace(fault_cow, va, 0);
	return 0;
}

static int fault_locked(struct mm *mm, unsigned long addr, unsigned int flags)
{
	unsigned long va = addr & PAGE_MASK;
	struct vma *v = find_or_grow(mm, addr);
	bool write = flags & FAULT_WRITE;
	unsigned int prot;
	u64 *e;

	if (!v)
		return -EFAULT;
	prot = vma_prot(v);
	if (!prot || (write && !(prot & PROT_W)) || (flags & FAULT_EXEC && !(prot & PROT_X)))
		return -EFAULT;
	e = pgt_walk(mm->root, va, true);
	if (!e)
		return -ENOMEM;
	if (!*e)
		return map_first(mm, v, e, va, write);
	ASSERT(arch_pte_present(*e));
	if (write && !(arch_pte_prot(*e) & PROT_W))
		return copy_on_write(mm, v, e, va);
	mm_flush_local(mm, va);
	return 0;
}

int vm_fault(struct mm *mm, unsigned long addr, unsigned int flags)
{
	int r;

	if (addr < USER_BASE || addr >= USER_END)
		return -EFAULT;
	r = mutex_lock_killable(&mm->lock);
	if (r)
		return r;
	r = fault_locked(mm, addr, flags);
	mutex_unlock(&mm->lock);
	return r;
}
