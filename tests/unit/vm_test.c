/* vm_test.c - user address spaces on the host: vm.c, fault.c, fork.c and shared.c over real page
 * tables, page allocator and slab, with a file and a TLB of the test's own. The TLB is a log of
 * what was flushed: an entry that a program may have used must be in it once it has lost something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <lib/atomic.h>
#include <lib/bug.h>
#include <mm/vm.h>
#include <arch/upcalls.h>
#include "kernel/arch/host/host.h"
#include "kernel/mm/buddy.h"
#include "kernel/mm/slab.h"
#include "kernel/mm/vm_local.h"

#define RAM_SIZE  (16ul << 20)
#define RW        (VMA_READ | VMA_WRITE)
#define AT        0x10000000ul
#define FILE_SIZE 16u /* pages */
#define P(n)      ((n)*PAGE_SIZE)

/* ---- the file ------------------------------------------------------------------------------- */

struct inode {
	u32 refs;
	long fails; /* what reading a page gives, 0: the page */
	u64 reads;
	struct page *pages[FILE_SIZE]; /* page n is full of 'A' + n */
};
static struct inode file = {.refs = 1};

static struct page *file_page(struct inode *i, u64 index)
{
	i->reads++;
	if (i->fails)
		return ERR_PTR(i->fails);
	if (index >= FILE_SIZE)
		return ERR_PTR(-EIO);
	page_get(i->pages[index]);
	return i->pages[index];
}

static void file_get(struct inode *i)
{
	i->refs++;
}

static void file_put(struct inode *i)
{
	i->refs--;
}

/* ---- the machine ---------------------------------------------------------------------------- */

static struct {
	unsigned long va, size;
} flushes[4096];
static unsigned int nflushes;
static const u64 *watched; /* an entry, and what it was at the last flush */
static u64 at_flush;

void arch_mmu_root_init(u64 *root)
{
}

void arch_mmu_switch(phys_addr_t root, u32 asid)
{
}

u32 arch_asid_max(void)
{
	return 255;
}

void arch_icache_sync(unsigned long va, unsigned long size)
{
}

void arch_tlb_flush_local(unsigned long va, unsigned long size, u32 asid)
{
}

bool arch_tlb_flush_broadcast(unsigned long va, unsigned long size, u32 asid)
{
	assert_true(nflushes < ARRAY_SIZE(flushes));
	if (watched)
		at_flush = *watched;
	flushes[nflushes].va = va;
	flushes[nflushes++].size = size;
	return true;
}

void ipi_call(const struct cpumask *mask, void (*fn)(void *), void *arg)
{
	fail();
}

static bool flushed(unsigned long va)
{
	for (unsigned int i = 0; i < nflushes; i++)
		if (va >= flushes[i].va && va - flushes[i].va < flushes[i].size)
			return true;
	return false;
}

/* Allocations that still succeed; -1: all. */
static long allocs_left = -1;
struct page *__real_page_alloc(unsigned int order, unsigned int flags);
struct page *__wrap_page_alloc(unsigned int order, unsigned int flags);
void *__real_kmem_cache_alloc(struct kmem_cache *c);
void *__wrap_kmem_cache_alloc(struct kmem_cache *c);

static bool alloc_may(void)
{
	if (allocs_left > 0)
		allocs_left--;
	else if (allocs_left == 0)
		return false;
	return true;
}

struct page *__wrap_page_alloc(unsigned int order, unsigned int flags)
{
	return alloc_may() ? __real_page_alloc(order, flags) : NULL;
}

void *__wrap_kmem_cache_alloc(struct kmem_cache *c)
{
	return alloc_may() ? __real_kmem_cache_alloc(c) : NULL;
}

static u64 free_now(void)
{
	u64 total, left;

	mm_stats(&total, &left);
	return left;
}

/* ---- a program's accesses ------------------------------------------------------------------- */

static u64 *entry(struct mm *mm, unsigned long va)
{
	return pgt_walk(mm->root, va, false);
}

/* The byte at va after the faults that it takes, or the error. */
static int look(struct mm *mm, unsigned long va)
{
	int r = vm_fault(mm, va, FAULT_USER);

	if (r)
		return r;
	assert_true(arch_pte_prot(*entry(mm, va)) & PROT_R);
	return ((unsigned char *)phys_to_virt(arch_pte_pa(*entry(mm, va))))[va % PAGE_SIZE];
}

static int put(struct mm *mm, unsigned long va, unsigned char c)
{
	int r = vm_fault(mm, va, FAULT_USER | FAULT_WRITE);

	if (r)
		return r;
	assert_true(arch_pte_prot(*entry(mm, va)) & PROT_W);
	((unsigned char *)phys_to_virt(arch_pte_pa(*entry(mm, va))))[va % PAGE_SIZE] = c;
	return 0;
}

static struct mm *space(void)
{
	struct mm *mm = mm_create();

	assert_false(IS_ERR(mm));
	nflushes = 0;
	return mm;
}

static void map(struct mm *mm, unsigned long at, unsigned long size, u32 flags)
{
	assert_int_equal(vm_map(mm, &at, size, flags, NULL, 0, 0), 0);
}

static void map_file(struct mm *mm, unsigned long at, unsigned long size, u32 flags, u64 offset,
		     u64 bytes)
{
	assert_int_equal(vm_map(mm, &at, size, flags | VMA_MAY_ALL, &file, offset, bytes), 0);
}

static unsigned int vmas(struct mm *mm)
{
	unsigned int n = 0;

	for (struct rb_node *r = rb_first(&mm->vmas); r; r = rb_next(r))
		n++;
	return n;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void split_file_mapping(void **state)
{
	struct mm *mm = space();

	/* Five pages of the file from page 2 on, of which the last shows 100 bytes. */
	map_file(mm, AT, P(5), RW, P(2), P(4) + 100);
	assert_int_equal(vm_unmap(mm, AT + P(1), P(1)), 0);
	assert_int_equal(look(mm, AT), 'A' + 2);
	assert_int_equal(look(mm, AT + P(1)), -EFAULT);
	assert_int_equal(look(mm, AT + P(2)), 'A' + 4);
	assert_int_equal(vm_protect(mm, AT + P(3), P(1), VMA_READ), 0);
	assert_int_equal(vmas(mm), 4);
	assert_int_equal(look(mm, AT + P(3)), 'A' + 5);
	assert_int_equal(put(mm, AT + P(3), 'x'), -EFAULT);
	assert_int_equal(look(mm, AT + P(4) + 99), 'A' + 6);
	assert_int_equal(look(mm, AT + P(4) + 100), 0);
	/* One again, and its pages are still the file's. */
	assert_int_equal(vm_protect(mm, AT + P(3), P(1), RW), 0);
	assert_int_equal(vmas(mm), 2);
	assert_int_equal(vm_unmap(mm, AT + P(2), P(1)), 0);
	assert_int_equal(look(mm, AT + P(3)), 'A' + 5);
	assert_int_equal(put(mm, AT + P(3), 'x'), 0);
	assert_int_equal(*(char *)page_to_virt(file.pages[5]), 'A' + 5);
	/* Entirely behind the file's bytes: zeroes, and the file is not asked. */
	map_file(mm, AT + P(8), P(2), RW, P(3), 10);
	assert_int_equal(look(mm, AT + P(9)), 0);
	assert_int_equal(vm_unmap(mm, AT + P(8), P(1)), 0);
	file.reads = 0;
	assert_int_equal(put(mm, AT + P(9), 'y'), 0);
	assert_int_equal(file.reads, 0);
	mm_put(mm);
	assert_int_equal(file.refs, 1);
}

/* What mprotect may make of a mapping goes with it: into parts, and into a child. */
static void may_become(void **state)
{
	struct mm *mm = space(), *child;
	unsigned long at = AT;

	assert_int_equal(
		vm_map(mm, &at, P(3), VMA_READ | VMA_SHARED | VMA_MAY_READ, &file, 0, P(3)), 0);
	assert_int_equal(vm_protect(mm, AT, P(1), RW), -EACCES);
	assert_int_equal(vm_protect(mm, AT, P(1), VMA_READ | VMA_EXEC), -EACCES);
	assert_int_equal(vm_protect(mm, AT, P(3), 0), 0);
	assert_int_equal(vm_protect(mm, AT, P(1), RW), -EACCES);
	assert_int_equal(vm_protect(mm, AT, P(3), VMA_READ), 0);
	assert_int_equal(vm_unmap(mm, AT + P(1), P(1)), 0);
	assert_int_equal(vm_protect(mm, AT + P(2), P(1), RW), -EACCES);
	map(mm, AT - P(1), P(1), VMA_READ);
	/* Whole or not at all. */
	assert_int_equal(vm_protect(mm, AT - P(1), P(2), RW), -EACCES);
	assert_int_equal(put(mm, AT - P(1), 'x'), -EFAULT);
	assert_int_equal(vm_protect(mm, AT, P(3), RW), -EACCES);
	child = mm_fork(mm);
	assert_int_equal(vm_protect(child, AT, P(1), RW), -EACCES);
	assert_int_equal(vm_protect(child, AT - P(1), P(1), RW), 0);
	at = AT + P(8);
	assert_int_equal(vm_map(mm, &at, P(1), RW | VMA_MAY_READ, &file, 0, P(1)), -EACCES);
	mm_put(child);
	mm_put(mm);
	assert_int_equal(file.refs, 1);
}

static void stack_splits_and_gap(void **state)
{
	struct mm *mm = space();
	unsigned long top = AT + P(4096), start = top - P(4), floor;

	map(mm, start, P(4), RW | VMA_STACK);
	/* A neighbour of the same kind stays a VMA of its own: only the stack grows. */
	map(mm, top, P(1), RW);
	assert_int_equal(vmas(mm), 2);
	assert_int_equal(put(mm, start - P(3), 's'), 0);
	assert_int_equal(vma_find(mm, start)->start, start - P(3));
	/* Split: the lowest part is the stack, the rest grows no more. */
	assert_int_equal(vm_unmap(mm, start, P(1)), 0);
	assert_int_equal(put(mm, start - P(5), 's'), 0);
	assert_int_equal(put(mm, start, 's'), -EFAULT);
	assert_int_equal(vma_find(mm, start)->flags & VMA_STACK, 0);
	/* The whole gap must remain between the stack and what is below. */
	floor = start - P(600);
	map(mm, floor - P(1), P(1), RW);
	assert_int_equal(put(mm, floor + STACK_GAP, 's'), 0);
	assert_int_equal(put(mm, floor + STACK_GAP - 1, 's'), -EFAULT);
	assert_int_equal(look(mm, floor), -EFAULT);
	/* Protected in the middle and back. */
	assert_int_equal(vm_protect(mm, start - P(2), P(1), VMA_READ), 0);
	assert_int_equal(look(mm, start - P(3)), 's');
	assert_int_equal(put(mm, start - P(2), 's'), -EFAULT);
	assert_int_equal(vm_protect(mm, start - P(2), P(1), RW), 0);
	assert_int_equal(put(mm, start - P(2), 's'), 0);
	mm_put(mm);
}

/* No place is chosen, and no break goes, where a stack still wants to grow. */
static void places_keep_the_gap(void **state)
{
	struct mm *mm = space();
	unsigned long a = 0, stack = AT + STACK_GAP + P(2);

	map(mm, stack, P(1), RW | VMA_STACK);
	mm->mmap_top = stack + P(1);
	assert_int_equal(vm_map(mm, &a, P(1), RW, NULL, 0, 0), 0);
	assert_int_equal(a, stack - STACK_GAP - P(1));
	a = stack - P(1);
	assert_int_equal(vm_map(mm, &a, P(1), RW | VM_MAP_HINT, NULL, 0, 0), 0);
	assert_true(a < stack - STACK_GAP);
	a = stack + P(1);
	assert_int_equal(vm_map(mm, &a, P(1), RW | VM_MAP_HINT, NULL, 0, 0), 0);
	assert_int_equal(a, stack + P(1));
	assert_int_equal(vm_map(mm, &a, P(2), RW | VM_MAP_NO_REPLACE, NULL, 0, 0), -EEXIST);
	a = stack + P(2);
	assert_int_equal(vm_map(mm, &a, P(1), RW | VM_MAP_NO_REPLACE, NULL, 0, 0), 0);
	assert_int_equal(a, stack + P(2));

	mm->brk_start = mm->brk = AT - P(4);
	assert_int_equal(vm_brk(mm, AT - P(2)), AT - P(2));
	assert_int_equal(vm_brk(mm, AT + P(2)), AT - P(2)); /* into a mapping */
	assert_int_equal(vm_unmap(mm, AT, stack - AT), 0);
	assert_int_equal(vm_brk(mm, AT + P(2)), AT + P(2));
	assert_int_equal(vm_brk(mm, AT + P(2) + 1), AT + P(2)); /* into the gap */
	mm_put(mm);
}

/* The highest hole that is large enough, wherever the last mapping below the top lies. */
static void chosen_places_are_free(void **state)
{
	struct mm *mm = space();
	unsigned long a = 0;

	mm->mmap_top = AT + P(10);
	map(mm, AT + P(5), P(4), RW);
	assert_int_equal(put(mm, AT + P(8), 'x'), 0);
	assert_int_equal(vm_map(mm, &a, P(2), VMA_READ, NULL, 0, 0), 0);
	assert_int_equal(a, AT + P(3));
	a = 0;
	assert_int_equal(vm_map(mm, &a, P(1), VMA_READ, NULL, 0, 0), 0);
	assert_int_equal(a, AT + P(9));
	a = 0;
	assert_int_equal(vm_map(mm, &a, P(1), VMA_READ, NULL, 0, 0), 0);
	assert_int_equal(a, AT + P(2));
	assert_int_equal(look(mm, AT + P(8)), 'x');
	mm_put(mm);
}

static void child_has_its_parents_bounds(void **state)
{
	struct mm *mm = space(), *child;
	unsigned long a = 0;

	mm->brk_start = AT;
	mm->brk = AT;
	assert_int_equal(vm_brk(mm, AT + 5000), AT + 5000);
	assert_int_equal(put(mm, AT + 4999, 'b'), 0);
	mm->mmap_top = AT + P(1000);
	mm->stack_top = AT + P(2000);
	child = mm_fork(mm);
	assert_int_equal(vm_brk(child, 0), AT + 5000);
	assert_int_equal(look(child, AT + 4999), 'b');
	assert_int_equal(vm_brk(child, AT + P(3)), AT + P(3));
	assert_int_equal(vm_brk(child, AT - 1), AT + P(3));
	assert_int_equal(vm_brk(child, AT), AT);
	assert_int_equal(look(child, AT), -EFAULT);
	assert_int_equal(look(mm, AT + 4999), 'b');
	assert_int_equal(vm_map(child, &a, P(1), RW, NULL, 0, 0), 0);
	assert_int_equal(a, AT + P(999));
	assert_int_equal(child->stack_top, AT + P(2000));
	mm_put(child);
	mm_put(mm);
}

/* -ENOMEM, which is waited for, is not -EIO, which is a signal. */
static void errors_of_a_file(void **state)
{
	struct mm *mm = space();

	map_file(mm, AT, P(4), RW, 0, P(4));
	map_file(mm, AT + P(4), P(1), VMA_READ | VMA_SHARED, P(FILE_SIZE), P(1));
	file.fails = -ENOMEM;
	assert_int_equal(look(mm, AT), -ENOMEM);
	assert_int_equal(put(mm, AT, 'x'), -ENOMEM);
	file.fails = -EIO;
	assert_int_equal(look(mm, AT), -EIO);
	file.fails = -EINTR; /* whatever it is: the page cannot be had */
	assert_int_equal(look(mm, AT), -EIO);
	file.fails = 0;
	assert_int_equal(look(mm, AT), 'A');
	assert_int_equal(look(mm, AT + P(4)), -EIO); /* behind its end */
	allocs_left = 0;
	assert_int_equal(put(mm, AT, 'x'), -ENOMEM);
	assert_int_equal(put(mm, AT + P(1), 'x'), -ENOMEM);
	allocs_left = -1;
	assert_int_equal(look(mm, AT), 'A');
	assert_int_equal(put(mm, AT, 'x'), 0);
	mm_put(mm);
	assert_int_equal(file.refs, 1);
}

/* Every entry that was in use and lost something is flushed, over all batches and holes. */
static void lost_entries_are_flushed(void **state)
{
	struct mm *mm = space();

	map(mm, AT, P(300), RW);
	for (unsigned int i = 0; i < 300; i++)
		if (i % 7 != 3 && (i < 100 || i > 180))
			assert_int_equal(put(mm, AT + P(i), 'f'), 0);
	nflushes = 0;
	assert_int_equal(vm_protect(mm, AT + P(10), P(50), VMA_READ), 0);
	for (unsigned int i = 10; i < 60; i++)
		assert_true(i % 7 == 3 || flushed(AT + P(i)));
	nflushes = 0;
	assert_int_equal(vm_protect(mm, AT + P(10), P(5), 0), 0);
	for (unsigned int i = 10; i < 15; i++)
		assert_true(flushed(AT + P(i)));
	nflushes = 0;
	assert_int_equal(vm_unmap(mm, AT, P(300)), 0);
	for (unsigned int i = 0; i < 300; i++)
		assert_true(i % 7 == 3 || (i >= 100 && i <= 180) || (i >= 10 && i < 15) ||
			    flushed(AT + P(i)));
	assert_int_equal(mm->resident, 0);
	mm_put(mm);
}

/* An entry goes through nothing and a flush before it names another page, or none: a CPU may not
 * see both pages at once, nor the old one after it was given back. */
static void an_entry_breaks_before_it_changes(void **state)
{
	struct mm *mm = space(), *child;
	u64 old;

	map(mm, AT, P(2), RW);
	assert_int_equal(put(mm, AT, 'a'), 0);
	assert_int_equal(put(mm, AT + P(1), 'b'), 0);
	child = mm_fork(mm);
	assert_false(IS_ERR(child));
	watched = entry(child, AT);
	old = *watched;
	at_flush = 1;
	assert_int_equal(put(child, AT, 'c'), 0);
	assert_int_equal(at_flush, 0);
	assert_int_not_equal(arch_pte_pa(*watched), arch_pte_pa(old));
	watched = entry(child, AT + P(1));
	at_flush = 1;
	assert_int_equal(vm_unmap(child, AT + P(1), P(1)), 0);
	assert_int_equal(at_flush, 0);
	watched = NULL;
	mm_put(child);
	assert_int_equal(look(mm, AT), 'a');
	mm_put(mm);
}

/* Entries of every kind, over several tables, in parent and child. */
static void fork_copies(void **state)
{
	struct mm *mm = space(), *child;
	unsigned long far = AT + (5ul << 30), edge = AT + (2ul << 20) - P(2);
	u64 shared_frame;

	map(mm, AT, P(8), RW);
	map(mm, edge, P(4), RW); /* across two tables */
	map(mm, far, P(2), RW | VMA_SHARED);
	map_file(mm, AT + P(16), P(4), RW, P(1), P(3));
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(put(mm, AT + P(2 * i), (unsigned char)('a' + i)), 0);
		assert_int_equal(put(mm, edge + P(i), (unsigned char)('e' + i)), 0);
	}
	assert_int_equal(put(mm, far, 'S'), 0);
	assert_int_equal(look(mm, AT + P(16)), 'A' + 1);
	assert_int_equal(put(mm, AT + P(17), 'q'), 0);
	assert_int_equal(vm_protect(mm, AT + P(2), P(1), 0), 0); /* held */
	nflushes = 0;
	child = mm_fork(mm);
	assert_false(IS_ERR(child));
	assert_true(flushed(AT) && flushed(edge + P(3)));
	assert_int_equal(child->resident, mm->resident);
	assert_int_equal(vmas(child), vmas(mm));
	shared_frame = arch_pte_pa(*entry(mm, far));
	for (unsigned int k = 0; k < 2; k++) {
		struct mm *m = k ? mm : child;

		for (unsigned int i = 0; i < 4; i++) {
			if (i != 1)
				assert_int_equal(look(m, AT + P(2 * i)), 'a' + (int)i);
			assert_false(arch_pte_prot(*entry(m, edge + P(i))) & PROT_W);
			assert_int_equal(look(m, edge + P(i)), 'e' + (int)i);
		}
		assert_int_equal(look(m, AT + P(2)), -EFAULT);
		assert_int_equal(look(m, AT + P(16)), 'A' + 1);
		assert_int_equal(look(m, AT + P(17)), 'q');
		assert_int_equal(look(m, AT + P(1)), 0);
		assert_true(arch_pte_prot(*entry(m, far)) & PROT_W);
		assert_int_equal(arch_pte_pa(*entry(m, far)), shared_frame);
	}
	assert_int_equal(put(child, edge + P(1), 'C'), 0);
	assert_int_equal(look(mm, edge + P(1)), 'f');
	assert_int_equal(put(mm, edge + P(1), 'M'), 0);
	assert_int_equal(look(child, edge + P(1)), 'C');
	assert_int_equal(vm_protect(child, AT + P(2), P(1), RW), 0);
	assert_int_equal(look(child, AT + P(2)), 'b');
	assert_int_equal(put(child, far + P(1), 'T'), 0);
	assert_int_equal(look(mm, far + P(1)), 'T');
	mm_put(mm);
	assert_int_equal(look(child, AT + P(6)), 'd');
	mm_put(child);
	assert_int_equal(file.refs, 1);
}

/* One failing allocation after the other: the parent is as before, and nothing is lost. */
static void fork_without_memory(void **state)
{
	struct mm *mm = space(), *child = NULL;
	u64 before = 0;
	long n;

	map(mm, AT, P(3), RW);
	map(mm, AT + (1ul << 30), P(3), RW);
	map_file(mm, AT + P(16), P(4), RW, 0, P(3));
	assert_int_equal(put(mm, AT, 'x'), 0);
	assert_int_equal(put(mm, AT + (1ul << 30), 'y'), 0);
	assert_int_equal(look(mm, AT + P(16)), 'A');
	for (n = 0; n < 100; n++) {
		allocs_left = n;
		child = mm_fork(mm);
		allocs_left = -1;
		if (!IS_ERR(child))
			break;
		assert_int_equal(PTR_ERR(child), -ENOMEM);
		assert_int_equal(look(mm, AT), 'x');
		assert_int_equal(put(mm, AT + (1ul << 30), 'y'), 0);
		if (n > 8) /* slabs have their pages by now */
			assert_int_equal(free_now(), before);
		before = free_now();
	}
	assert_true(n > 8 && n < 100);
	mm_put(child);
	mm_put(mm);
	assert_int_equal(file.refs, 1);
}

static void sizes_out_of_range(void **state)
{
	static const unsigned long bad[] = {~0ul, ~0ul - PAGE_SIZE, USER_END + 1, 1ul << 63};
	struct mm *mm = space();
	unsigned long a;

	map(mm, AT, P(1), RW);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		a = 0;
		assert_int_equal(vm_map(mm, &a, bad[i], RW, NULL, 0, 0), -ENOMEM);
		a = AT;
		assert_int_equal(vm_map(mm, &a, bad[i], RW, NULL, 0, 0), -ENOMEM);
		assert_int_equal(vm_unmap(mm, AT, bad[i]), -EINVAL);
		assert_int_equal(vm_protect(mm, AT, bad[i], VMA_READ), -ENOMEM);
		assert_int_equal(vm_fault(mm, bad[i], FAULT_USER), -EFAULT);
		mm->brk_start = mm->brk = AT + P(8);
		assert_int_equal(vm_brk(mm, bad[i]), AT + P(8));
	}
	a = USER_END - PAGE_SIZE;
	assert_int_equal(vm_map(mm, &a, P(2), RW, NULL, 0, 0), -ENOMEM);
	assert_int_equal(vm_map(mm, &a, P(1), RW, NULL, 0, 0), 0);
	assert_int_equal(put(mm, USER_END - 1, 'z'), 0);
	a = AT;
	assert_true(vm_map(mm, &a, P(1), VMA_READ | VMA_MAY_ALL, &file, 0 - P(1), P(1)) < 0);
	a = 0;
	assert_int_equal(vm_map(mm, &a, USER_END - USER_BASE, RW, NULL, 0, 0), -ENOMEM);
	assert_int_equal(vm_map(mm, &a, 0, RW, NULL, 0, 0), -EINVAL);
	assert_int_equal(put(mm, AT, 'x'), 0);
	mm_put(mm);
}

/* A program's random life against a plain array of bytes and permissions. */
#define MODEL_PAGES 200u

static void random_life(void **state)
{
	static struct {
		bool mapped;
		u32 prot;
		unsigned char byte;
	} model[MODEL_PAGES];
	struct mm *mm = space();

	memset(model, 0, sizeof(model));
	for (unsigned int round = 0; round < 20000; round++) {
		unsigned int from = (unsigned int)rand() % MODEL_PAGES;
		unsigned int n = (unsigned int)rand() % 20 + 1, what = (unsigned int)rand() % 16;
		unsigned long va = AT + P(from);
		u32 prot = (u32[]){0, VMA_READ, RW}[rand() % 3];
		bool whole = true;
		struct mm *child;

		n = MIN(n, MODEL_PAGES - from);
		nflushes = 0;
		for (unsigned int i = from; i < from + n; i++)
			whole &= model[i].mapped;
		switch (what) {
		case 0:
			map(mm, va, P(n), prot);
			for (unsigned int i = from; i < from + n; i++) {
				model[i].mapped = true;
				model[i].prot = prot;
				model[i].byte = 0;
			}
			break;
		case 1:
			assert_int_equal(vm_unmap(mm, va, P(n)), 0);
			for (unsigned int i = from; i < from + n; i++)
				model[i].mapped = false;
			break;
		case 2:
		case 3:
			assert_int_equal(vm_protect(mm, va, P(n), prot), whole ? 0 : -ENOMEM);
			for (unsigned int i = from; whole && i < from + n; i++)
				model[i].prot = prot;
			break;
		case 4:
			if (round % 4)
				break;
			child = mm_fork(mm);
			assert_false(IS_ERR(child));
			if (round % 8) { /* go on as the child */
				struct mm *swap = mm;

				mm = child;
				child = swap;
			}
			for (unsigned int i = 0; i < MODEL_PAGES; i += 9)
				(void)put(child, AT + P(i), 'k');
			mm_put(child);
			break;
		default:
			if (what & 1) {
				bool may = model[from].mapped && model[from].prot == RW;
				unsigned char c = (unsigned char)rand();

				assert_int_equal(put(mm, va, c), may ? 0 : -EFAULT);
				if (may)
					model[from].byte = c;
			} else {
				bool may = model[from].mapped && model[from].prot;

				assert_int_equal(look(mm, va), may ? model[from].byte : -EFAULT);
			}
		}
	}
	mm_put(mm);
}

int main(void)
{
	static struct page array[RAM_SIZE / PAGE_SIZE];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_file_mapping),
		cmocka_unit_test(may_become),
		cmocka_unit_test(stack_splits_and_gap),
		cmocka_unit_test(places_keep_the_gap),
		cmocka_unit_test(chosen_places_are_free),
		cmocka_unit_test(child_has_its_parents_bounds),
		cmocka_unit_test(errors_of_a_file),
		cmocka_unit_test(lost_entries_are_flushed),
		cmocka_unit_test(an_entry_breaks_before_it_changes),
		cmocka_unit_test(fork_copies),
		cmocka_unit_test(fork_without_memory),
		cmocka_unit_test(sizes_out_of_range),
		cmocka_unit_test(random_life),
	};

	host_single();
	host_ram = aligned_alloc(4ul << 20, RAM_SIZE);
	buddy_poison_full();
	buddy_init(array, HOST_RAM >> PAGE_SHIFT, RAM_SIZE >> PAGE_SHIFT);
	buddy_add_ram(HOST_RAM, RAM_SIZE);
	buddy_give(HOST_RAM, RAM_SIZE);
	slab_init();
	vm_init();
	vm_file_page = file_page;
	vm_inode_get = file_get;
	vm_inode_put = file_put;
	for (unsigned int i = 0; i < FILE_SIZE; i++) {
		file.pages[i] = page_alloc(0, 0);
		memset(page_to_virt(file.pages[i]), 'A' + (int)i, PAGE_SIZE);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
