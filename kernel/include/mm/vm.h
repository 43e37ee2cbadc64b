/* mm/vm.h - user address spaces: VMAs, page faults, copy on write. */
#ifndef MM_VM_H
#define MM_VM_H

#include <lib/cpu.h>
#include <lib/rbtree.h>
#include <mm/mm.h>
#include <sync/mutex.h>

struct inode;
struct thread;
struct vm_shared; /* mm/shared.c */

#define VMA_READ   1u
#define VMA_WRITE  2u
#define VMA_EXEC   4u
#define VMA_SHARED 8u
#define VMA_STACK  16u /* grows down */
/* What mprotect may ever make of it. Decided when it is mapped, from how the file was open; a fork
 * and both halves of a split inherit it. */
#define VMA_MAY_READ  (VMA_READ << 8)
#define VMA_MAY_WRITE (VMA_WRITE << 8)
#define VMA_MAY_EXEC  (VMA_EXEC << 8)
#define VMA_MAY_ALL   (VMA_MAY_READ | VMA_MAY_WRITE | VMA_MAY_EXEC)
/* For vm_map() only: */
#define VM_MAP_NO_REPLACE (1u << 16) /* *addr or nothing: -EEXIST where something is mapped */
#define VM_MAP_HINT       (1u << 17) /* *addr if that is free, else chosen */

/* [start, end), page aligned. File-backed: page at `start` shows the file at `offset`; bytes from
 * file_end on are zero (ELF .bss tail). Private writable file pages are copied on write. */
struct vma {
	struct rb_node node;
	unsigned long start, end;
	u32 flags;
	struct inode *inode; /* NULL: anonymous; holds a reference */
	u64 offset;
	u64 file_bytes; /* bytes of the mapping that come from the file */
	struct vm_shared
		*shared; /* pages of a shared anonymous mapping, found at `offset`; or NULL */
};
struct mm {
	struct mutex lock; /* all below */
	struct rb_root vmas;
	u64 *root;
	u32 asid;
	u32 users;           /* atomic */
	struct cpumask cpus; /* CPUs that may hold translations */
	unsigned long brk_start, brk;
	unsigned long mmap_top;
	unsigned long stack_top;
	u64 resident; /* pages */
};

struct mm *mm_create(void) must_check; /* ERR_PTR */
void mm_get(struct mm *mm);
void mm_put(struct mm *mm); /* last user: unmaps and frees all. May sleep. */
/* Copy for fork: private writable pages become copy-on-write in both. ERR_PTR. */
struct mm *mm_fork(struct mm *mm) must_check;
/* Current thread changes to mm (exec); drops nothing. */
void mm_activate(struct mm *mm);
/* The scheduler's part of a switch: mm becomes what this CPU translates with; NULL (a kernel
 * thread) leaves what there is. Interrupts masked, run queue lock held. */
void mm_switch(struct mm *mm);

/* Adds a mapping at *addr, replacing what is there (as mmap MAP_FIXED) unless a VM_MAP_ flag says
 * otherwise. *addr 0 = choose, returned in *addr. A file's flags say what the mapping may become
 * (VMA_MAY_*); anonymous memory may become anything. -ENOMEM, -EINVAL, -EEXIST; -EACCES: more
 * access than it may have. Takes mm->lock. Takes its own inode reference. */
int vm_map(struct mm *mm, unsigned long *addr, unsigned long size, u32 flags, struct inode *inode,
	   u64 offset, u64 file_bytes) must_check;
int vm_unmap(struct mm *mm, unsigned long addr, unsigned long size) must_check;
/* flags: VMA_READ, _WRITE, _EXEC. -ENOMEM: some of it is not mapped; -EACCES: some of it may not
 * become that. Then nothing has changed. -EINVAL. */
int vm_protect(struct mm *mm, unsigned long addr, unsigned long size, u32 flags) must_check;
unsigned long vm_brk(struct mm *mm, unsigned long addr); /* Linux semantics */
/* Resolves a fault: 0, -EFAULT (no mapping or not allowed: SIGSEGV), -ENOMEM, -EIO (SIGBUS),
 * -ERESTARTSYS (the process is to die and would have had to wait). */
int vm_fault(struct mm *mm, unsigned long addr, unsigned int flags);

/* Page cache of an inode, registered by fs: returns the page with a reference, or ERR_PTR. */
extern struct page *(*vm_file_page)(struct inode *inode, u64 index);
extern void (*vm_inode_get)(struct inode *);
extern void (*vm_inode_put)(struct inode *);

/* User memory. 0 or -EFAULT; nothing is trusted. Thread context, may sleep, no spin locks. */
int copy_from_user(void *dst, const void __user *src, size_t n) must_check;
int copy_to_user(void __user *dst, const void *src, size_t n) must_check;
int clear_user(void __user *dst, size_t n) must_check;
/* Copies a string of at most size-1 bytes and terminates it. Length, -EFAULT, -ENAMETOOLONG. */
ssize_t strncpy_from_user(char *dst, const char __user *src, size_t size) must_check;

#endif
