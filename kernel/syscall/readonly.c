/* readonly.c - calls that would change a file system. All of them are read-only here, so each call
 * looks at its arguments as Linux does and then says EROFS: a program that is told ENOSYS believes
 * that the kernel is too old, and a user that the kernel is broken. Which error comes first, that
 * or what is wrong with the arguments, is Linux's order for a file system mounted read-only, found
 * by running user/tests/readonly_test.c on both. (One answer differs: mode and owner of a pipe,
 * which Linux changes, are EROFS, too.)
 */
#include <lib/string.h>
#include <mm/vm.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include "file.h"
#include "syscall.h"

int path_parent_begin(struct path_parent *p, int dirfd, const char __user *upath)
{
	int err = path_begin(&p->arg, dirfd, upath, false);
	char *path = p->arg.path, *name;
	const char *prefix = "/";
	size_t end;

	if (err)
		return err;
	for (end = strlen(path); end && path[end - 1] == '/';)
		end--;
	p->slash = path[end] == '/';
	path[end] = '\0';
	for (name = path + end; name > path && name[-1] != '/';)
		name--;
	p->name = name;
	p->last = !*name                ? LAST_ROOT
		  : !strcmp(name, ".")  ? LAST_DOT
		  : !strcmp(name, "..") ? LAST_DOTDOT
					: LAST_NAME;
	if (name == path && p->last != LAST_ROOT) {
		prefix = ".";
	} else if (name > path + 1) {
		name[-1] = '\0';
		prefix = path;
	}
	p->dir = vfs_lookup(p->arg.start, prefix, true);
	err = IS_ERR(p->dir) ? (int)PTR_ERR(p->dir) : 0;
	if (!err && !S_ISDIR(p->dir->mode)) {
		inode_put(p->dir);
		err = -ENOTDIR;
	}
	if (err)
		path_end(&p->arg);
	return err;
}

void path_parent_end(struct path_parent *p)
{
	inode_put(p->dir);
	path_end(&p->arg);
}

/* What creating `upath` would say: -EEXIST, -EROFS, or why there is no place for it. */
static long would_create(int dirfd, const char __user *upath, bool is_dir)
{
	struct path_parent p;
	struct inode *i;
	long ret = path_parent_begin(&p, dirfd, upath);

	if (ret)
		return ret;
	i = p.last == LAST_NAME ? vfs_lookup(p.dir, p.name, false) : NULL;
	if (!IS_ERR(i)) {
		if (i)
			inode_put(i);
		ret = -EEXIST;
	} else {
		ret = PTR_ERR(i);
		if (ret == -ENOENT && (is_dir || !p.slash))
			ret = -EROFS;
	}
	path_parent_end(&p);
	return ret;
}

/* The name itself is not even looked up. */
static long would_remove(int dirfd, const char __user *upath, bool is_dir)
{
	static const int rmdir_of[] = {[LAST_NAME] = -EROFS,
				       [LAST_DOT] = -EINVAL,
				       [LAST_DOTDOT] = -ENOTEMPTY,
				       [LAST_ROOT] = -EBUSY};
	struct path_parent p;
	long ret = path_parent_begin(&p, dirfd, upath);

	if (ret)
		return ret;
	ret = is_dir ? rmdir_of[p.last] : p.last == LAST_NAME ? -EROFS : -EISDIR;
	path_parent_end(&p);
	return ret;
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

/* `ret`, or -EBADF if fd is not a file that one can do something with. */
static long of_open_file(int fd, long ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (f->flags & O_PATH)
		ret = -EBADF;
	file_put(f);
	return ret;
}

long sys_mkdirat(int dirfd, const char __user *path, u32 mode)
{
	return would_create(dirfd, path, true);
}

long sys_mknodat(int dirfd, const char __user *path, u32 mode, unsigned int dev)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return would_create(dirfd, path, false);
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

long sys_symlinkat(const char __user *target, int dirfd, const char __user *path)
{
	struct path_arg text;
	int err = path_begin(&text, AT_FDCWD, target, false);

	if (err)
		return err;
	path_end(&text);
	return would_create(dirfd, path, false);
}

long sys_linkat(int olddir, const char __user *old, int newdir, const char __user *new,
		unsigned int flags)
{
	long ret;

	if (flags & ~(unsigned int)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = would_change(olddir, old, flags & AT_SYMLINK_FOLLOW, flags & AT_EMPTY_PATH);
	return ret == -EROFS ? would_create(newdir, new, false) : ret;
}

long sys_unlinkat(int dirfd, const char __user *path, unsigned int flags)
{
	if (flags & ~(unsigned long)AT_REMOVEDIR)
		return -EINVAL;
	return would_remove(dirfd, path, flags & AT_REMOVEDIR);
}

long sys_renameat2(int olddir, const char __user *old, int newdir, const char __user *new,
		   unsigned int flags)
{
	struct path_parent from, to;
	long ret;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && flags != RENAME_EXCHANGE)
		return -EINVAL;
	ret = path_parent_begin(&from, olddir, old);
	if (ret)
		return ret;
	ret = path_parent_begin(&to, newdir, new);
	if (!ret) {
		if (from.dir->sb != to.dir->sb)
			ret = -EXDEV;
		else if (from.last != LAST_NAME)
			ret = -EBUSY;
		else if (to.last != LAST_NAME)
			ret = flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
		else
			ret = -EROFS;
		path_parent_end(&to);
	}
	path_parent_end(&from);
	return ret;
}

long sys_renameat(int olddir, const char __user *old, int newdir, const char __user *new)
{
	return sys_renameat2(olddir, old, newdir, new, 0);
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
	return of_open_file(fd, -EROFS);
}

long sys_fchown(int fd, unsigned int uid, unsigned int gid)
{
	return of_open_file(fd, -EROFS);
}

static bool is_time(s64 ns)
{
	return ns == UTIME_NOW || ns == UTIME_OMIT || (ns >= 0 && ns < 1000000000);
}

long sys_utimensat(int dirfd, const char __user *path, const void __user *times, unsigned int flags)
{
	struct {
		s64 sec, ns;
	} t[2] = {{0}, {0}};
	bool by_fd = !path && dirfd != AT_FDCWD;
	long ret;

	if (times && copy_from_user(t, times, sizeof(t)))
		return -EFAULT;
	if (times && t[0].ns == UTIME_OMIT && t[1].ns == UTIME_OMIT)
		return 0;
	if (by_fd ? flags : flags & ~(unsigned int)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = by_fd ? of_open_file(dirfd, -EROFS)
		    : would_change(dirfd, path, !(flags & AT_SYMLINK_NOFOLLOW),
				   flags & AT_EMPTY_PATH);
	return ret == -EROFS && !(is_time(t[0].ns) && is_time(t[1].ns)) ? -EINVAL : ret;
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
	return of_open_file(fd, -EINVAL);
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
	return would_create(AT_FDCWD, path, true);
}

long sys_mknod(const char __user *path, u32 mode, unsigned int dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long sys_symlink(const char __user *target, const char __user *path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_link(const char __user *old, const char __user *new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

long sys_unlink(const char __user *path)
{
	return would_remove(AT_FDCWD, path, false);
}

long sys_rmdir(const char __user *path)
{
	return would_remove(AT_FDCWD, path, true);
}

long sys_rename(const char __user *old, const char __user *new)
{
	return sys_renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
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
