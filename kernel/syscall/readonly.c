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

long sys_mkdirat(int dirfd, const char __user *path, u32 mode)
{
	return would_create(dirfd, path);
}

long sys_mknodat(int dirfd, const char __user *path, u32 mode, unsigned int dev)
{
	return would_create(dirfd, path);
}

long sys_symlinkat(const char __user *target, int dirfd, const char __user *path)
{
	return would_create(dirfd, path);
}

static long do_link(int olddir, const char __user *old, int newdir, const char __user *new)
{
	long ret = would_change(olddir, old, false, false);

	return ret == -EROFS ? would_create(newdir, new) : ret;
}

long sys_linkat(int olddir, const char __user *old, int newdir, const char __user *new,
		unsigned int flags)
{
	return do_link(olddir, old, newdir, new);
}

long sys_unlinkat(int dirfd, const char __user *path, unsigned int flags)
{
	if (flags & ~(unsigned long)AT_REMOVEDIR)
		return -EINVAL;
	return would_remove(dirfd, path);
}

static long do_rename(int olddir, const char __user *old, int newdir, const char __user *new)
{
	long ret = would_remove(olddir, old);

	return ret == -EROFS ? would_remove(newdir, new) : ret;
}

long sys_renameat(int olddir, const char __user *old, int newdir, const char __user *new)
{
	return do_rename(olddir, old, newdir, new);
}

long sys_renameat2(int olddir, const char __user *old, int newdir, const char __user *new,
		   unsigned int flags)
{
	return flags > 7 ? -EINVAL : do_rename(olddir, old, newdir, new);
}

long sys_fchmodat(int dirfd, const char __user *path, u32 mode)
{
	return would_change(dirfd, path, true, false);
}

long sys_fchownat(int dirfd, const char __user *path, unsigned int uid, unsigned int gid,
		  unsigned int flags)
{
	if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return would_change(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH);
}

long sys_fchmod(int fd, u32 mode)
{
	return would_change_fd(fd);
}

long sys_fchown(int fd, unsigned int uid, unsigned int gid)
{
	return would_change_fd(fd);
}

long sys_utimensat(int dirfd, const char __user *path, const void __user *times, unsigned int flags)
{
	if (flags & ~(unsigned long)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!path)
		return would_change_fd(dirfd);
	return would_change(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH);
}

long sys_truncate(const char __user *path, loff_t size)
{
	struct inode *i;
	u32 mode;

	if (size < 0)
		return -EINVAL;
	i = path_inode(AT_FDCWD, path, true, false);
	if (IS_ERR(i))
		return PTR_ERR(i);
	mode = i->mode;
	inode_put(i);
	return S_ISDIR(mode) ? -EISDIR : S_ISREG(mode) ? -EROFS : -EINVAL;
}

/* No file that could be cut can be open for writing. */
long sys_ftruncate(int fd, loff_t size)
{
	if (size < 0)
		return -EINVAL;
	return fd_get_cloexec(fd) < 0 ? -EBADF : -EINVAL;
}

/* Nothing is ever dirty. Pipes and devices have nothing to write back to. */
long sys_fsync(int fd)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = f->flags & O_PATH                                    ? -EBADF
	      : S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) ? 0
								   : -EINVAL;
	file_put(f);
	return ret;
}

long sys_fdatasync(int fd)
{
	return sys_fsync(fd);
}

long sys_sync(void)
{
	return 0;
}

/* Older names of the same (x86-64). */
long sys_mkdir(const char __user *path, u32 mode)
{
	return would_create(AT_FDCWD, path);
}

long sys_mknod(const char __user *path, u32 mode, unsigned int dev)
{
	return would_create(AT_FDCWD, path);
}

long sys_symlink(const char __user *target, const char __user *path)
{
	return would_create(AT_FDCWD, path);
}

long sys_link(const char __user *old, const char __user *new)
{
	return do_link(AT_FDCWD, old, AT_FDCWD, new);
}

long sys_unlink(const char __user *path)
{
	return would_remove(AT_FDCWD, path);
}

long sys_rmdir(const char __user *path)
{
	return would_remove(AT_FDCWD, path);
}

long sys_rename(const char __user *old, const char __user *new)
{
	return do_rename(AT_FDCWD, old, AT_FDCWD, new);
}

long sys_chmod(const char __user *path, u32 mode)
{
	return would_change(AT_FDCWD, path, true, false);
}

long sys_chown(const char __user *path, unsigned int uid, unsigned int gid)
{
	return would_change(AT_FDCWD, path, true, false);
}

long sys_lchown(const char __user *path, unsigned int uid, unsigned int gid)
{
	return would_change(AT_FDCWD, path, false, false);
}
