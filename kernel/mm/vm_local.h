/* vm_local.h - what the files of the user address space share: vm.c, fault.c, fork.c, shared.c,
 * context.c. Everything here needs mm->lock unless it says otherwise. */
#ifndef MM_VM_LOCAL_H
#define MM_VM_LOCAL_H
#include <mm/vm.h>
#include "pgtable.h"

#define STACK_LIMIT (8ul << 20)
#define STACK_GAP   (1ul << 20) /* kept free below a stack, so that it cannot run into a mapping */

void vm_init(void); /* boot, after slab: caches, ASIDs */

/* vm.c */
struct vma *vma_alloc(void); /* zeroed; NULL */
/* Drops what the vma holds and frees it; it is in no tree. No lock needed. */
void vma_free(struct vma *v);
void vma_insert(struct mm *mm, struct vma *v);
/* First vma that ends above addr. */
struct vma *vma_find(struct mm *mm, unsigned long addr);
struct vma *vma_next(struct vma *v);
struct vma *vma_prev(struct vma *v);
/* A new vma with the same backing as v, references taken, for the part from `start` on. NULL. */
struct vma *vma_clone(const struct vma *v, unsigned long start);

/* Hardware permissions that a vma allows at most; 0 = no access. */
static inline unsigned int vma_prot(const struct vma *v)
{
	unsigned int prot;

	if (!(v->flags & (VMA_READ | VMA_WRITE | VMA_EXEC)))
		return 0;
	prot = PROT_R | PROT_U;
	if (v->flags & VMA_WRITE)
		prot |= PROT_W;
	if (v->flags & VMA_EXEC)
		prot |= PROT_X;
	return prot;
}
static inline bool vma_is_private(const struct vma *v)
{
	return !(v->flags & VMA_SHARED);
}

/* shared.c - pages of a shared anonymous mapping. No lock needed but a reference. */
struct vm_shared *vm_shared_create(void);
void vm_shared_get(struct vm_shared *s);
void vm_shared_put(struct vm_shared *s);
/* The page at a byte offset, made at its first use; with a reference. ERR_PTR(-ENOMEM,
 * -ERESTARTSYS). */
struct page *vm_shared_page(struct vm_shared *s, u64 offset);
void vm_shared_init(void);

/* context.c - ASIDs and TLBs. */
void mm_context_init(void);         /* boot */
void mm_context_new(struct mm *mm); /* a fresh mm: gives it an ASID */
/* No thread runs in mm any more: takes it off every CPU where it is still loaded, flushes what is
 * left of it and gives the ASID back. Interrupts on, no spin lock. */
void mm_context_drop(struct mm *mm);
/* After entries of [start, end) lost permissions or went away: when it returns, no CPU uses the old
 * ones. Interrupts on, no spin lock. */
void mm_flush(struct mm *mm, unsigned long start, unsigned long end);
/* After an entry of this address gained permissions: this CPU sees it. */
void mm_flush_local(struct mm *mm, unsigned long addr);
#endif
