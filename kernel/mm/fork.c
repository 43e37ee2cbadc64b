/* fork.c - copying an address space. Private writable pages become read-only in both and are copied
 * by the first write (fault.c); everything else is shared as it is. The parent's lock is held all
 * the time, so its entries stand still; the child is not visible to anybody yet, its lock is not
 * needed. The parent's TLB entries that still allow writing are flushed before the lock is dropped
 * and before the child can run, also when the copy fails half way. */
#include <lib/bug.h>
#include "vm_local.h"

static int copy_pages(struct mm *child, struct mm *mm, const struct vma *v)
{
	unsigned long va = v->start;
	u64 *e;

	for (; (e = pgt_next(mm->root, &va, v->end)); va += PAGE_SIZE) {
		u64 *ce = pgt_walk(child->root, va, true);
		u64 pte = *e;

		if (!ce)
			return -ENOMEM;
		if (arch_pte_present(pte) && vma_is_private(v) && arch_pte_prot(pte) & PROT_W) {
			pte = arch_pte_leaf(pte_frame(pte), arch_pte_prot(pte) & ~PROT_W, 1);
			arch_pte_write(e, pte);
		}
		page_get(phys_to_page(pte_frame(pte)));
		arch_pte_write(ce, pte);
		child->resident++;
	}
	return 0;
}

struct mm *mm_fork(struct mm *mm)
{
	struct mm *child = mm_create();
	int r = 0;

	if (IS_ERR(child))
		return child;
	mutex_lock(&mm->lock);
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
		r = copy_pages(child, mm, v);
	}
	mm_flush(mm, 0, USER_END);
	mutex_unlock(&mm->lock);
	if (r) {
		mm_put(child);
		return ERR_PTR(r);
	}
	return child;
}
