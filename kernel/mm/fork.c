/* fork.c - copying an address space. Private writable pages become read-only in both and are copied
 * by the first write (fault.c); everything else is shared as it is. The parent's lock is held all
 * the time, so its entries stand still; the child is not visible to anybody yet, its lock is not
 * needed. The parent's TLB entries that still allow writing are flushed before the lock is dropped
 * and before the child can run, also when the copy fails half way; if none did, nothing is. */
#include <lib/bug.h>
#include "vm_local.h"

/* One entry of v for the child. True if the parent's lost the permission to write. */
static bool copy_entry(const struct vma *v, u64 *e, u64 *ce)
{
	u64 pte = *e;
	bool lost = false;

	if (arch_pte_present(pte) && vma_is_private(v) && arch_pte_prot(pte) & PROT_W) {
		pte = arch_pte_leaf(pte_frame(pte), arch_pte_prot(pte) & ~PROT_W, 1);
		arch_pte_write(e, pte);
		lost = true;
	}
	page_get(phys_to_page(pte_frame(pte)));
	arch_pte_write(ce, pte);
	return lost;
}

/* Table by table: one walk in the parent and one in the child for up to 512 pages. */
static int copy_pages(struct mm *child, struct mm *mm, const struct vma *v, bool *lost)
{
	unsigned long va = v->start, table_end;
	u64 *e, *ce;

	while ((e = pgt_next(mm->root, &va, v->end))) {
		ce = pgt_walk(child->root, va, true);
		if (!ce)
			return -ENOMEM;
		table_end = pgt_table_end(va, v->end);
		for (; va < table_end; va += PAGE_SIZE, e++, ce++) {
			if (!*e)
				continue;
			*lost |= copy_entry(v, e, ce);
			child->resident++;
		}
	}
	return 0;
}

struct mm *mm_fork(struct mm *mm)
{
	struct mm *child = mm_create();
	bool lost = false;
	int r;

	if (IS_ERR(child))
		return child;
	r = mutex_lock_killable(&mm->lock);
	if (r) {
		mm_put(child);
		return ERR_PTR(r);
	}
	child->brk_start = mm->brk_start;
	child->brk = mm->brk;
	child->mmap_top = mm->mmap_top;
	child->stack_top = mm->stack_top;
	for (struct vma *v = vma_find(mm, 0); v && !r; v = vma_next(v)) {
		struct vma *cv = vma_clone(v, v->start);

		if (!cv) {
			r = -ENOMEM;
			break;
		}
		vma_insert(child, cv);
		r = copy_pages(child, mm, v, &lost);
	}
	if (lost)
		mm_flush(mm, 0, USER_END);
	mutex_unlock(&mm->lock);
	if (r) {
		mm_put(child);
		return ERR_PTR(r);
	}
	return child;
}
