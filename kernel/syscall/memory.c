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

/* ABI: mmap(2). ETXTBSY cannot arise: a file that runs lies on a read-only file system, where
 * opening it for writing is EROFS; no mount is noexec, so a file may always become executable. */
static long map_file(struct file *f, unsigned long *addr, unsigned long size, u32 flags, u64 offset)
{
	u32 access = f->flags & O_ACCMODE;

	if (f->flags & O_PATH)
		return -EBADF;
	if (access == O_WRONLY || (flags & VMA_SHARED && flags & VMA_WRITE && access != O_RDWR))
		return -EACCES;
	if (!f->inode || !S_ISREG(f->inode->mode))
		return -ENODEV;
	/* What a private mapping writes stays its own; a shared one writes the file. */
	flags |= VMA_MAY_READ | VMA_MAY_EXEC;
	if (!(flags & VMA_SHARED) || access == O_RDWR)
		flags |= VMA_MAY_WRITE;
	if (offset + size < offset)
		return -EOVERFLOW;
	/* All of it is the file's: a page behind the file's end is SIGBUS, not zeroes. */
	return vm_map(current_mm(), addr, size, flags, f->inode, offset, size);
}

/* Where: a fixed address is checked, any other is a hint, rounded to a page that may be mapped. */
static long map_place(unsigned long *addr, unsigned long size, unsigned long how, u32 *flags)
{
	if (how & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (!IS_ALIGNED(*addr, PAGE_SIZE))
			return -EINVAL;
		if (!map_range_ok(*addr, size))
			return *addr < USER_BASE ? -EPERM : -ENOMEM;
		if (how & MAP_FIXED_NOREPLACE)
			*flags |= VM_MAP_NO_REPLACE;
		return 0;
	}
	*addr &= PAGE_MASK;
	if (*addr && *addr < USER_BASE)
		*addr = USER_BASE;
	if (!map_range_ok(*addr, size))
		*addr = 0;
	if (*addr)
		*flags |= VM_MAP_HINT;
	return 0;
}

long sys_mmap(unsigned long at, size_t len, unsigned long prot, unsigned long how, int fd,
	      unsigned long offset)
{
	unsigned long addr = at, size = map_size(len), type = how & MAP_TYPE;
	bool anonymous = how & MAP_ANONYMOUS;
	struct file *f = NULL;
	u32 flags;
	long ret;

	if (!IS_ALIGNED(offset, PAGE_SIZE))
		return -EINVAL;
	if (!anonymous) {
		f = fd_get(fd);
		if (!f)
			return -EBADF;
	}
	ret = vma_flags(prot, &flags);
	if (!ret && len == 0)
		ret = -EINVAL;
	else if (!ret && !size)
		ret = -ENOMEM;
	if (!ret)
		ret = map_place(&addr, size, how, &flags);
	if (ret)
		goto out;
	if (type == MAP_SHARED_VALIDATE && !anonymous && how & ~(unsigned long)MAP_LEGACY_MASK)
		ret = -EOPNOTSUPP;
	else if (type != MAP_PRIVATE && type != MAP_SHARED &&
		 (type != MAP_SHARED_VALIDATE || anonymous))
		ret = -EINVAL;
	if (ret)
		goto out;
	if (type != MAP_PRIVATE)
		flags |= VMA_SHARED;
	ret = f ? map_file(f, &addr, size, flags, offset)
		: vm_map(current_mm(), &addr, size, flags, NULL, 0, 0);
out:
	if (f)
		file_put(f);
	return ret ? ret : (long)addr;
}

long sys_munmap(unsigned long addr, size_t len)
{
	unsigned long size = map_size(len);

	if (!size || !map_range_ok(addr, size))
		return -EINVAL;
	return vm_unmap(current_mm(), addr, size);
}

long sys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	unsigned long size = map_size(len);
	u32 flags;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || vma_flags(prot, &flags))
		return -EINVAL;
	if (len == 0)
		return 0;
	if (!size || !map_range_ok(addr, size))
		return -ENOMEM;
	return vm_protect(current_mm(), addr, size, flags);
}

long sys_brk(unsigned long brk)
{
	return (long)vm_brk(current_mm(), brk);
}

/* Advice that changes what the program would read (MADV_DONTNEED, MADV_FREE) is refused rather than
 * ignored. */
long sys_madvise(unsigned long addr, size_t len, int advice)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE) || (len && !map_size(len)))
		return -EINVAL;
	switch (advice) {
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
