/* mm_ktest.c - memory management inside the running kernel: what the host tests cannot show, i.e.
 * real page tables, several CPUs, user address spaces. Runs in a kernel thread, interrupts on. */
#include <lib/boot.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/upcalls.h>
#include "pgtable.h"

static u64 free_pages(void)
{
	u64 total, left;

	mm_stats(&total, &left);
	return left;
}

KTEST(mm_pages_come_back)
{
	u64 before = free_pages();
	struct page *p[11];

	for (unsigned int k = 0; k < ARRAY_SIZE(p); k++) {
		p[k] = page_alloc(k, MM_ZERO);
		KT_ASSERT(p[k]);
		KT_ASSERT(IS_ALIGNED(page_to_phys(p[k]), PAGE_SIZE << k));
		KT_EQ(*(u64 *)page_to_virt(p[k]), 0);
		KT_ASSERT(virt_to_page(page_to_virt(p[k])) == p[k]);
	}
	KT_ASSERT(free_pages() + 2047 <= before + 64); /* others may run */
	for (unsigned int k = 0; k < ARRAY_SIZE(p); k++)
		page_free(p[k], k);
	KT_ASSERT(free_pages() + 64 >= before);
}

KTEST(mm_kernel_map_is_w_xor_x)
{
	int level;
	u64 e = pgt_query(kernel_root, (unsigned long)__text_start, &level);

	KT_EQ(arch_pte_prot(e) & (PROT_W | PROT_X), PROT_X);
	e = pgt_query(kernel_root, (unsigned long)__rodata_start, &level);
	KT_EQ(arch_pte_prot(e) & (PROT_W | PROT_X), 0);
	e = pgt_query(kernel_root, (unsigned long)__data_start, &level);
	KT_EQ(arch_pte_prot(e) & (PROT_W | PROT_X), PROT_W);
	e = pgt_query(kernel_root, (unsigned long)phys_to_virt(virt_to_phys(__text_start)), &level);
	KT_EQ(arch_pte_prot(e) & (PROT_W | PROT_X), 0);
	for (unsigned int i = 0; i < boot_info.nr_ram; i++) {
		phys_addr_t last = boot_info.ram[i].base + boot_info.ram[i].size - PAGE_SIZE;

		e = pgt_query(kernel_root, (unsigned long)phys_to_virt(last), &level);
		KT_ASSERT(arch_pte_present(e));
		KT_EQ(arch_pte_prot(e) & PROT_X, 0);
	}
}

KTEST(mm_slab_sizes)
{
	static const size_t sizes[] = {1, 16, 17, 100, 513, 2048, 2049, 5000, 100000};
	void *p[ARRAY_SIZE(sizes)];

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		p[i] = kzalloc(sizes[i]);
		KT_ASSERT(p[i] && IS_ALIGNED((unsigned long)p[i], 16));
		KT_ASSERT(kmalloc_usable(p[i]) >= sizes[i]);
		memset(p[i], (int)i, sizes[i]);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		const u8 *b = p[i];

		KT_EQ(b[0], i);
		KT_EQ(b[sizes[i] - 1], i);
		kfree(p[i]);
	}
}

KTEST(mm_vmalloc_and_stacks)
{
	u64 before = free_pages();

	for (unsigned int i = 0; i < 100; i++) {
		char *v = vmalloc(5 * PAGE_SIZE + 1, PROT_R | PROT_W), *s = kstack_alloc();
		int level;

		KT_ASSERT(v && s);
		v[5 * PAGE_SIZE] = 1;
		s[KSTACK_SIZE - 1] = 1;
		KT_EQ(pgt_query(kernel_root, (unsigned long)v - 1, &level), 0);
		KT_EQ(pgt_query(kernel_root, (unsigned long)v + 6 * PAGE_SIZE, &level), 0);
		KT_ASSERT(kstack_is_guard((unsigned long)s - 1));
		KT_ASSERT(!kstack_is_guard((unsigned long)s));
		KT_EQ(pgt_query(kernel_root, (unsigned long)s - 1, &level), 0);
		vfree(v);
		kstack_free(s);
	}
	/* What may stay: tables, nodes of slots and quarantined areas. */
	KT_ASSERT(free_pages() + 48 >= before);
}

static u64 page_of(struct mm *mm, unsigned long va)
{
	u64 *e = pgt_walk(mm->root, va, false);

	return e && *e ? pte_frame(*e) : 0;
}

KTEST(mm_fork_copies_on_write)
{
	struct mm *a = mm_create(), *b;
	unsigned long priv = 0, shared = 0, none = 0;

	KT_ASSERT(!IS_ERR(a));
	KT_EQ(vm_map(a, &priv, 4 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_map(a, &shared, 4 * PAGE_SIZE, VMA_READ | VMA_WRITE | VMA_SHARED, NULL, 0, 0), 0);
	KT_EQ(vm_map(a, &none, PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_fault(a, priv, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(a, shared, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(a, none, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_protect(a, none, PAGE_SIZE, 0), 0);
	KT_EQ(vm_fault(a, none, FAULT_USER), -EFAULT);
	KT_EQ(a->resident, 3);
	*(u64 *)phys_to_virt(page_of(a, priv)) = 42;

	b = mm_fork(a);
	KT_ASSERT(!IS_ERR(b));
	KT_EQ(page_of(a, priv), page_of(b, priv));
	KT_EQ(page_of(a, none), page_of(b, none));
	KT_EQ(vm_fault(b, priv, FAULT_USER | FAULT_WRITE | FAULT_PRESENT), 0);
	KT_ASSERT(page_of(a, priv) != page_of(b, priv));
	KT_EQ(*(u64 *)phys_to_virt(page_of(b, priv)), 42);
	/* a is the sole owner again: same page, writable. */
	{
		u64 was = page_of(a, priv);

		KT_EQ(vm_fault(a, priv, FAULT_USER | FAULT_WRITE | FAULT_PRESENT), 0);
		KT_EQ(page_of(a, priv), was);
	}
	/* Shared anonymous memory: touched before and after the fork. */
	KT_EQ(page_of(a, shared), page_of(b, shared));
	KT_EQ(vm_fault(b, shared + PAGE_SIZE, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(a, shared + PAGE_SIZE, FAULT_USER), 0);
	KT_EQ(page_of(a, shared + PAGE_SIZE), page_of(b, shared + PAGE_SIZE));
	mm_put(a);
	mm_put(b);
}

KTEST(mm_fork_exit_leaks_nothing)
{
	struct mm *mm = mm_create();
	unsigned long at = 0, far = USER_BASE;
	u64 before = 0;

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 64 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_map(mm, &far, PAGE_SIZE, VMA_READ | VMA_WRITE | VMA_SHARED, NULL, 0, 0), 0);
	for (unsigned int i = 0; i < 64; i++)
		KT_EQ(vm_fault(mm, at + i * PAGE_SIZE, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(mm, far, FAULT_USER | FAULT_WRITE), 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct mm *child = mm_fork(mm);

		KT_ASSERT(!IS_ERR(child));
		for (unsigned int k = 0; k < 64; k += 7)
			KT_EQ(vm_fault(child, at + k * PAGE_SIZE, FAULT_USER | FAULT_WRITE), 0);
		KT_EQ(vm_unmap(child, at + PAGE_SIZE, 3 * PAGE_SIZE), 0);
		mm_put(child);
		if (i == 0)
			before = free_pages();
	}
	/* Slabs may keep one empty block each; other threads may run meanwhile. */
	KT_ASSERT(free_pages() + 16 >= before);
	mm_put(mm);
}

KTEST(mm_vma_split_and_merge)
{
	struct mm *mm = mm_create();
	unsigned long at = 0x10000000, n = 0;

	KT_ASSERT(!IS_ERR(mm));
	for (unsigned int i = 0; i < 8; i++) {
		unsigned long a = at + i * PAGE_SIZE;

		KT_EQ(vm_map(mm, &a, PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	}
	for (struct rb_node *r = rb_first(&mm->vmas); r; r = rb_next(r))
		n++;
	KT_EQ(n, 1);
	KT_EQ(vm_protect(mm, at + 2 * PAGE_SIZE, PAGE_SIZE, VMA_READ), 0);
	KT_EQ(vm_unmap(mm, at + 5 * PAGE_SIZE, PAGE_SIZE), 0);
	n = 0;
	for (struct rb_node *r = rb_first(&mm->vmas); r; r = rb_next(r))
		n++;
	KT_EQ(n, 4);
	KT_EQ(vm_fault(mm, at + 2 * PAGE_SIZE, FAULT_USER | FAULT_WRITE), -EFAULT);
	KT_EQ(vm_fault(mm, at + 5 * PAGE_SIZE, FAULT_USER), -EFAULT);
	KT_EQ(vm_protect(mm, at, 8 * PAGE_SIZE, VMA_READ), -ENOMEM);
	KT_EQ(vm_protect(mm, at, 5 * PAGE_SIZE, VMA_READ | VMA_WRITE), 0);
	n = 0;
	for (struct rb_node *r = rb_first(&mm->vmas); r; r = rb_next(r))
		n++;
	KT_EQ(n, 2);

	mm->brk_start = mm->brk = 0x20000010;
	KT_EQ(vm_brk(mm, 0), 0x20000010);
	KT_EQ(vm_brk(mm, 0x20005000), 0x20005000);
	KT_EQ(vm_fault(mm, 0x20004fff, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(mm, 0x20005000, FAULT_USER | FAULT_WRITE), -EFAULT);
	KT_EQ(vm_brk(mm, 0x20001000), 0x20001000);
	KT_EQ(mm->resident, 0);
	mm_put(mm);
}

KTEST(mm_stack_grows_to_its_limit)
{
	struct mm *mm = mm_create();
	unsigned long at;

	KT_ASSERT(!IS_ERR(mm));
	at = mm->stack_top - 4 * PAGE_SIZE;
	KT_EQ(vm_map(mm, &at, 4 * PAGE_SIZE, VMA_READ | VMA_WRITE | VMA_STACK, NULL, 0, 0), 0);
	KT_EQ(vm_fault(mm, at - 3 * PAGE_SIZE, FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(mm, mm->stack_top - (8ul << 20), FAULT_USER | FAULT_WRITE), 0);
	KT_EQ(vm_fault(mm, mm->stack_top - (8ul << 20) - 1, FAULT_USER | FAULT_WRITE), -EFAULT);
	mm_put(mm);
}

KTEST(mm_uaccess_rejects_kernel_ranges)
{
	char buf[16];

	KT_EQ(copy_from_user(buf, (const void __user *)(DIRECT_MAP_BASE), 8), -EFAULT);
	KT_EQ(copy_from_user(buf, (const void __user *)(USER_END - 4), 8), -EFAULT);
	KT_EQ(copy_from_user(buf, (const void __user *)~0ul, 8), -EFAULT);
	KT_EQ(copy_to_user((void __user *)(USER_END - 4), buf, 8), -EFAULT);
	KT_EQ(clear_user((void __user *)IMAGE_BASE, 8), -EFAULT);
	/* No address space: the fault must end in the recovery, not in an endless retry. */
	KT_EQ(copy_from_user(buf, (const void __user *)0x400000ul, 8), -EFAULT);
	KT_EQ(strncpy_from_user(buf, (const char __user *)0x400000ul, 8), -EFAULT);
}

/* Real translations: this thread borrows an address space and writes through it on its CPU. */
KTEST(mm_user_copies_fault_in_and_cow)
{
	struct mm *mm = mm_create(), *old = current_thread()->mm, *child;
	unsigned long at = 0;
	u64 v = 7, w = 0;

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 4 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	mm_activate(mm);
	KT_EQ(copy_to_user((void __user *)(at + PAGE_SIZE - 4), &v, 8), 0);
	KT_EQ(copy_from_user(&w, (const void __user *)(at + PAGE_SIZE - 4), 8), 0);
	KT_EQ(w, 7);
	KT_EQ(mm->resident, 2);
	child = mm_fork(mm);
	KT_ASSERT(!IS_ERR(child));
	v = 8;
	KT_EQ(copy_to_user((void __user *)(at + PAGE_SIZE - 4), &v, 8), 0);
	mm_activate(child);
	KT_EQ(copy_from_user(&w, (const void __user *)(at + PAGE_SIZE - 4), 8), 0);
	KT_EQ(w, 7);
	KT_EQ(vm_protect(child, at, PAGE_SIZE, VMA_READ), 0);
	KT_EQ(copy_to_user((void __user *)at, &v, 8), -EFAULT);
	KT_EQ(vm_unmap(child, at, PAGE_SIZE), 0);
	KT_EQ(copy_from_user(&w, (const void __user *)at, 8), -EFAULT);
	mm_activate(mm);
	KT_EQ(copy_from_user(&w, (const void __user *)(at + PAGE_SIZE - 4), 8), 0);
	KT_EQ(w, 8);
	mm_put(child);
	mm_put(mm);
	if (old)
		mm_activate(old);
}
