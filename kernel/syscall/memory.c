/* memory.c - mmap and its family: flags and sizes checked, the rest is mm's. */
#include <task/files.h>
#include <uapi/fcntl.h>
#include <uapi/mman.h>
#include "syscall.h"

static struct mm *current_mm(void)
{
	return current_process()->mm;
}

static int vma_flags(unsigned long prot, u32 *flags)
{
	if (prot & ~(unsigned long)(MM_PROT_READ | MM_PROT_WRITE | MM_PROT_EXEC))
		return -EINVAL;
	*flags = (prot & MM_PROT_READ ? VMA_READ : 0) | (prot & MM_PROT_WRITE ? VMA_WRITE : 0) |
		 (prot & MM_PROT_EXEC ? VMA_EXEC : 0);
	return 0;
}

/* Rounded up to pages; 0 stands for "too big or nothing". */
static unsigned long map_size(unsigned long len)
{
	return len > USER_END ? 0 : ALIGN_UP(len, PAGE_SIZE);
}

static bool map_range_ok(unsigned long addr, unsigned long size)
{
	return IS_ALIGNED(addr, PAGE_SIZE) && addr >= USER_BASE && addr <= USER_END &&
	       size <= USER_END - addr;
}

static long map_file(struct file *f, unsigned long *addr, unsigned long size, u32 flags, u64 offset)
{
	u32 access = f->flags & O_ACCMODE;

	if (f->flags & O_PATH)
		return -EBADF;
	if (!f->inode || !S_ISREG(f->inode->mode))
		return -ENODEV;
	if (access == O_WRONLY)
		return -EACCES;
	if ((flags & VMA_SHARED) && (flags & VMA_WRITE) && access != O_RDWR)
		return -EACCES;
	if (!IS_ALIGNED(offset, PAGE_SIZE))
		return -EINVAL;
	if (offset + size < offset)
		return -EOVERFLOW;
	/* All of it is the file's: a page behind the file's end is SIGBUS, not zeroes. */
	return vm_map(current_mm(), addr, size, flags, f->inode, offset, size);
}

long sys_mmap(const unsigned long *a)
{
	unsigned long addr = a[0], size = map_size(a[1]), how = a[3], type = how & MAP_TYPE;
	u32 flags;
	long ret = vma_flags(a[2], &flags);

	if (ret || a[1] == 0)
		return -EINVAL;
	if (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (!size)
		return -ENOMEM;
	if (type != MAP_PRIVATE)
		flags |= VMA_SHARED;
	if (how & MAP_FIXED) {
		if (!IS_ALIGNED(addr, PAGE_SIZE))
			return -EINVAL;
		if (!map_range_ok(addr, size))
			return addr < USER_BASE ? -EPERM : -ENOMEM;
	} else {
		addr = 0; /* a hint binds nobody */
	}
	if (how & MAP_ANONYMOUS) {
		ret = vm_map(current_mm(), &addr, size, flags, NULL, 0, 0);
	} else {
		struct file *f = fd_get((int)a[4]);

		if (!f)
			return -EBADF;
		ret = map_file(f, &addr, size, flags, a[5]);
		file_put(f);
	}
	return ret ? ret : (long)addr;
}

long sys_munmap(const unsigned long *a)
{
	unsigned long size = map_size(a[1]);

	if (!size || !map_range_ok(a[0], size))
		return -EINVAL;
	return vm_unmap(current_mm(), a[0], size);
}

long sys_mprotect(const unsigned long *a)
{
	unsigned long size = map_size(a[1]);
	u32 flags;

	if (!IS_ALIGNED(a[0], PAGE_SIZE) || vma_flags(a[2], &flags))
		return -EINVAL;
	if (a[1] == 0)
		return 0;
	if (!size || !map_range_ok(a[0], size))
		return -ENOMEM;
	return vm_protect(current_mm(), a[0], size, flags);
}

long sys_brk(const unsigned long *a)
{
	return (long)vm_brk(current_mm(), a[0]);
}

/* Advice that changes what the program would read (MADV_DONTNEED, MADV_FREE) is refused rather than
 * ignored. */
long sys_madvise(const unsigned long *a)
{
	if (!IS_ALIGNED(a[0], PAGE_SIZE) || (a[1] && !map_size(a[1])))
		return -EINVAL;
	switch ((int)a[2]) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return 0;
	}
	return -EINVAL;
}
