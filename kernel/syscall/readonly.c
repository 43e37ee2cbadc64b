/* readonly.c - calls that would change a file system. All of them are read-only here, so each call
 * looks at its arguments as Linux does and then says EROFS: a program that is told ENOSYS believes
 * that the kernel is too old, and a user that the kernel is broken. Which error comes first, that
 * or what is wrong with the path, is Linux's order for a file system mounted read-only.
 */
#include <task/files.h>
#include <uapi/fcntl.h>
#include "file.h"
#include "syscall.h"

/* What creating `upath` would say: -EEXIST, -EROFS, or why there is no place for it. */
static long would_create(int dirfd, const char __user *upath)
{
	return do_open(dirfd, upath, O_CREAT | O_EXCL | O_WRONLY, 0);
}

/* Removing or renaming: the name itself is not even looked up. */
static long would_remove(int dirfd, const char __user *upath)
{
	long ret = would_create(dirfd, upath);

	return ret == -EEXIST ? -EROFS : ret;
}

/* Changing what exists. */
static long would_change(int dirfd, const char __user *upath, bool follow, bool may_be_empty)
{
	struct inode *i = path_inode(dirfd, upath, follow, may_be_empty);

	if (IS_ERR(i))
		return PTR_ERR(i);
	inode_put(i);
	return -EROFS;
}

static long would_change_fd(int fd)
{
	return fd_get_cloexec(fd) < 0 ? -EBADF : -EROFS;
}

long sys_mkdirat(const unsigned long *a)
{
	return would_create((int)a[0], (const char __user *)a[1]);
}

long sys_mknodat(const unsigned long *a)
{
	return would_create((int)a[0], (const char __user *)a[1]);
}

long sys_symlinkat(const unsigned long *a)
{
	return would_create((int)a[1], (const char __user *)a[2]);
}

static long do_link(int olddir, const char __user *old, int newdir, const char __user *new)
{
	long ret = would_change(olddir, old, false, false);

	return ret == -EROFS ? would_create(newdir, new) : ret;
}

long sys_linkat(const unsigned long *a)
{
	return do_link((int)a[0], (const char __user *)a[1], (int)a[2], (const char __user *)a[3]);
}

long sys_unlinkat(const unsigned long *a)
{
	if (a[2] & ~(unsigned long)AT_REMOVEDIR)
		return -EINVAL;
	return would_remove((int)a[0], (const char __user *)a[1]);
}

static long do_rename(int olddir, const char __user *old, int newdir, const char __user *new)
{
	long ret = would_remove(olddir, old);

	return ret == -EROFS ? would_remove(newdir, new) : ret;
}

long sys_renameat(const unsigned long *a)
{
	return do_rename((int)a[0], (const char __user *)a[1], (int)a[2],
			 (const char __user *)a[3]);
}

long sys_renameat2(const unsigned long *a)
{
	return a[4] > 7 ? -EINVAL : sys_renameat(a);
}

long sys_fchmodat(const unsigned long *a)
{
	return would_change((int)a[0], (const char __user *)a[1], true, false);
}

long sys_fchownat(const unsigned long *a)
{
	if (a[4] & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return would_change((int)a[0], (const char __user *)a[1], !(a[4] & AT_SYMLINK_NOFOLLOW),
			    a[4] & AT_EMPTY_PATH);
}

long sys_fchmod(const unsigned long *a)
{
	return would_change_fd((int)a[0]);
}

long sys_fchown(const unsigned long *a)
{
	return would_change_fd((int)a[0]);
}

long sys_utimensat(const unsigned long *a)
{
	if (a[3] & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!a[1])
		return would_change_fd((int)a[0]);
	return would_change((int)a[0], (const char __user *)a[1], !(a[3] & AT_SYMLINK_NOFOLLOW),
			    a[3] & AT_EMPTY_PATH);
}

long sys_truncate(const unsigned long *a)
{
	struct inode *i;
	u32 mode;

	if ((long)a[1] < 0)
		return -EINVAL;
	i = path_inode(AT_FDCWD, (const char __user *)a[0], true, false);
	if (IS_ERR(i))
		return PTR_ERR(i);
	mode = i->mode;
	inode_put(i);
	return S_ISDIR(mode) ? -EISDIR : S_ISREG(mode) ? -EROFS : -EINVAL;
}

/* No file that could be cut can be open for writing. */
long sys_ftruncate(const unsigned long *a)
{
	if ((long)a[1] < 0)
		return -EINVAL;
	return fd_get_cloexec((int)a[0]) < 0 ? -EBADF : -EINVAL;
}

/* Nothing is ever dirty. Pipes and devices have nothing to write back to. */
long sys_fsync(const unsigned long *a)
{
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = f->flags & O_PATH                                    ? -EBADF
	      : S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) ? 0
								   : -EINVAL;
	file_put(f);
	return ret;
}

long sys_fdatasync(const unsigned long *a)
{
	return sys_fsync(a);
}

long sys_sync(const unsigned long *a)
{
	return 0;
}

/* Older names of the same (x86-64). */
long sys_mkdir(const unsigned long *a)
{
	return would_create(AT_FDCWD, (const char __user *)a[0]);
}

long sys_mknod(const unsigned long *a)
{
	return would_create(AT_FDCWD, (const char __user *)a[0]);
}

long sys_symlink(const unsigned long *a)
{
	return would_create(AT_FDCWD, (const char __user *)a[1]);
}

long sys_link(const unsigned long *a)
{
	return do_link(AT_FDCWD, (const char __user *)a[0], AT_FDCWD, (const char __user *)a[1]);
}

long sys_unlink(const unsigned long *a)
{
	return would_remove(AT_FDCWD, (const char __user *)a[0]);
}

long sys_rmdir(const unsigned long *a)
{
	return would_remove(AT_FDCWD, (const char __user *)a[0]);
}

long sys_rename(const unsigned long *a)
{
	return do_rename(AT_FDCWD, (const char __user *)a[0], AT_FDCWD, (const char __user *)a[1]);
}

long sys_chmod(const unsigned long *a)
{
	return would_change(AT_FDCWD, (const char __user *)a[0], true, false);
}

long sys_chown(const unsigned long *a)
{
	return would_change(AT_FDCWD, (const char __user *)a[0], true, false);
}

long sys_lchown(const unsigned long *a)
{
	return would_change(AT_FDCWD, (const char __user *)a[0], false, false);
}
