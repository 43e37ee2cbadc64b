/* file.c - system calls of open files and paths: marshalling between registers, user memory, the
 * table of open files and the file system. No locks of its own.
 */
#include <lib/clock.h>
#include <lib/string.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include <uapi/process.h>
#include "file.h"
#include "syscall.h"

#define IO_MAX 0x7ffff000ul /* Linux's MAX_RW_COUNT: results stay positive */

long sys_read(int fd, void __user *buf, size_t n)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_read(f, buf, n);
	file_put(f);
	return ret;
}

long sys_write(int fd, const void __user *buf, size_t n)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_write(f, buf, n);
	file_put(f);
	return ret;
}

long sys_pread64(int fd, void __user *buf, size_t n, loff_t pos)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_pread(f, buf, n, pos);
	file_put(f);
	return ret;
}

/* All pieces in order until one comes back short. What was done before an error counts. */
static long vector_io(struct file *f, const struct user_iovec *iov, size_t n, bool write)
{
	long done = 0;

	for (size_t i = 0; i < n; i++) {
		long ret;

		if (iov[i].len == 0)
			continue;
		ret = write ? file_write(f, (const void __user *)iov[i].base, iov[i].len)
			    : file_read(f, (void __user *)iov[i].base, iov[i].len);
		if (ret < 0)
			return done ? done : ret;
		done += ret;
		if ((u64)ret < iov[i].len)
			break;
	}
	return done;
}

static long readv_writev(int fd, const void __user *uiov, size_t n, bool write)
{
	size_t total = 0;
	struct user_iovec *iov;
	struct file *f;
	long ret = -EFAULT;

	f = fd_get(fd);
	if (!f)
		return -EBADF;
	if (n > IOV_MAX) {
		file_put(f);
		return -EINVAL;
	}
	iov = kmalloc(n * sizeof(*iov) + 1);
	if (!iov) {
		file_put(f);
		return -ENOMEM;
	}
	if (copy_from_user(iov, uiov, n * sizeof(*iov)))
		goto out;
	for (size_t i = 0; i < n; i++) {
		ret = -EINVAL;
		if ((s64)iov[i].len < 0)
			goto out;
		iov[i].len = MIN(iov[i].len, IO_MAX - total);
		total += iov[i].len;
	}
	ret = vector_io(f, iov, n, write);
out:
	kfree(iov);
	file_put(f);
	return ret;
}

long sys_readv(int fd, const void __user *iov, size_t n)
{
	return readv_writev(fd, iov, n, false);
}

long sys_writev(int fd, const void __user *iov, size_t n)
{
	return readv_writev(fd, iov, n, true);
}

/* ---- paths
 * --------------------------------------------------------------------------------------- */

int path_begin(struct path_arg *p, int dirfd, const char __user *upath, bool may_be_empty)
{
	ssize_t len;
	int err = 0;

	p->dir = NULL;
	p->path = kmalloc(PATH_MAX);
	if (!p->path)
		return -ENOMEM;
	len = strncpy_from_user(p->path, upath, PATH_MAX);
	if (len < 0)
		err = (int)len;
	else if (len == 0 && !may_be_empty)
		err = -ENOENT;
	p->start = current_process()->cwd;
	if (!err && p->path[0] != '/' && dirfd != AT_FDCWD) {
		p->dir = fd_get(dirfd);
		if (!p->dir)
			err = -EBADF;
		else if (!S_ISDIR(p->dir->inode->mode) && len != 0)
			err = -ENOTDIR;
		else
			p->start = p->dir->inode;
	}
	if (err)
		path_end(p);
	return err;
}

void path_end(struct path_arg *p)
{
	if (p->dir)
		file_put(p->dir);
	kfree(p->path);
}

struct inode *path_inode(int dirfd, const char __user *upath, bool follow, bool may_be_empty)
{
	struct path_arg p;
	struct inode *i;
	int err = path_begin(&p, dirfd, upath, may_be_empty);

	if (err)
		return ERR_PTR(err);
	if (p.path[0]) {
		i = vfs_lookup(p.start, p.path, follow);
	} else {
		i = p.start;
		inode_get(i);
	}
	path_end(&p);
	return i;
}

/* What Linux says of O_CREAT when a slash follows: a name is refused before it is looked up, and
 * what is no name ("./") is a directory, which is there. */
static long open_creates_directory(int dirfd, const char __user *upath, u32 flags)
{
	struct path_parent p;
	long ret = path_parent_begin(&p, dirfd, upath);

	if (ret)
		return ret;
	ret = p.last != LAST_NAME && (flags & O_EXCL) ? -EEXIST : -EISDIR;
	path_parent_end(&p);
	return ret;
}

long do_open(int dirfd, const char __user *upath, u32 flags, u32 mode)
{
	struct path_arg p;
	struct file *f;
	int fd;

	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	fd = path_begin(&p, dirfd, upath, false);
	if (fd)
		return fd;
	if ((flags & O_CREAT) && p.path[strlen(p.path) - 1] == '/') {
		path_end(&p);
		return open_creates_directory(dirfd, upath, flags);
	}
	f = vfs_open(p.start, p.path, flags, mode & ~current_process()->umask & 07777);
	path_end(&p);
	if (IS_ERR(f))
		return PTR_ERR(f);
	fd = fd_install(f, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(f);
	return fd;
}

long sys_openat(int dirfd, const char __user *path, unsigned int flags, u32 mode)
{
	return do_open(dirfd, path, flags, mode);
}

long sys_close(int fd)
{
	return fd_close(fd);
}

long sys_lseek(int fd, loff_t offset, int whence)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_lseek(f, offset, whence);
	file_put(f);
	return ret;
}

static long stat_to_user(struct inode *i, void __user *to)
{
	struct arch_stat st = {0};
	struct kstat k = {0};

	inode_stat(i, &k);
	st.st_dev = k.dev;
	st.st_ino = k.ino;
	st.st_mode = k.mode;
	st.st_nlink = k.nlink;
	st.st_uid = k.uid;
	st.st_gid = k.gid;
	st.st_rdev = k.rdev;
	st.st_size = (s64)k.size;
	st.st_blksize = (__typeof__(st.st_blksize))k.blksize;
	st.st_blocks = (s64)k.blocks;
	st.st_atime = (__typeof__(st.st_atime))k.atime;
	st.st_mtime = (__typeof__(st.st_mtime))k.mtime;
	st.st_ctime = (__typeof__(st.st_ctime))k.ctime;
	return copy_to_user(to, &st, sizeof(st));
}

long sys_fstat(int fd, void __user *stat)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = stat_to_user(f->inode, stat);
	file_put(f);
	return ret;
}

long do_stat(int dirfd, const char __user *upath, void __user *to, u32 flags)
{
	struct inode *i;
	long ret;

	if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	i = path_inode(dirfd, upath, !(flags & AT_SYMLINK_NOFOLLOW), flags & AT_EMPTY_PATH);
	if (IS_ERR(i))
		return PTR_ERR(i);
	ret = stat_to_user(i, to);
	inode_put(i);
	return ret;
}

long sys_newfstatat(int dirfd, const char __user *path, void __user *stat, unsigned int flags)
{
	return do_stat(dirfd, path, stat, flags);
}

#define R_OK 4u
#define W_OK 2u
#define X_OK 1u

/* As root: reading is always allowed, executing needs one x bit, file systems are read-only. */
long do_access(int dirfd, const char __user *upath, u32 mode)
{
	struct inode *i;
	long ret = 0;

	if (mode & ~(R_OK | W_OK | X_OK))
		return -EINVAL;
	i = path_inode(dirfd, upath, true, false);
	if (IS_ERR(i))
		return PTR_ERR(i);
	if ((mode & W_OK) && (S_ISREG(i->mode) || S_ISDIR(i->mode)))
		ret = -EROFS;
	else if ((mode & X_OK) && S_ISREG(i->mode) && !(i->mode & 0111))
		ret = -EACCES;
	inode_put(i);
	return ret;
}

long sys_faccessat(int dirfd, const char __user *path, u32 mode)
{
	return do_access(dirfd, path, mode);
}

long do_readlink(int dirfd, const char __user *upath, void __user *to, size_t size)
{
	struct inode *i;
	char *buf;
	long ret;

	if ((s32)size <= 0)
		return -EINVAL;
	i = path_inode(dirfd, upath, false, false);
	if (IS_ERR(i))
		return PTR_ERR(i);
	buf = kmalloc(PATH_MAX);
	ret = buf ? inode_readlink(i, buf, MIN(size, (size_t)PATH_MAX)) : -ENOMEM;
	if (ret > 0 && copy_to_user(to, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	inode_put(i);
	return ret;
}

long sys_readlinkat(int dirfd, const char __user *path, void __user *buf, size_t size)
{
	return do_readlink(dirfd, path, buf, size);
}

/* ---- directories
 * ---------------------------------------------------------------------------------- */

struct dents {
	u8 *buf;
	size_t size, used;
	bool full;
};

static bool dents_emit(void *ctx, const char *name, size_t len, u64 ino, u8 dtype, u64 next_pos)
{
	struct dents *d = ctx;
	size_t head = offsetof(struct user_dirent64, type) + 1;
	size_t rec = ALIGN_UP(head + len + 1, 8ul);
	struct user_dirent64 e = {ino, (s64)next_pos, (u16)rec, dtype};

	if (rec > d->size - d->used) {
		d->full = true;
		return false;
	}
	memset(d->buf + d->used, 0, rec);
	memcpy(d->buf + d->used, &e, head);
	memcpy(d->buf + d->used + head, name, len);
	d->used += rec;
	return true;
}

long sys_getdents64(int fd, void __user *buf, size_t size)
{
	struct dents d = {.size = MIN(size, 32768ul)};
	struct file *f = fd_get(fd);
	loff_t before;
	long ret;

	if (!f)
		return -EBADF;
	d.buf = kmalloc(d.size + 1);
	before = f->pos;
	ret = d.buf ? file_readdir(f, &d, dents_emit) : -ENOMEM;
	if (ret == 0 && d.used == 0 && d.full)
		ret = -EINVAL; /* not even one entry fits */
	if (ret == 0)
		ret = (long)d.used;
	if (ret > 0 && copy_to_user(buf, d.buf, d.used)) {
		file_lseek(f, before, SEEK_SET);
		ret = -EFAULT;
	}
	kfree(d.buf);
	file_put(f);
	return ret;
}

long sys_getcwd(void __user *ubuf, size_t size)
{
	char *buf = kmalloc(PATH_MAX);
	long ret;

	if (!buf)
		return -ENOMEM;
	ret = vfs_getcwd(current_process()->cwd, buf, MIN(size, (unsigned long)PATH_MAX));
	if (ret > 0 && copy_to_user(ubuf, buf, (size_t)ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

/* Takes over the reference to i. */
static long change_dir(struct inode *i)
{
	struct process *p = current_process();
	struct inode *was = p->cwd;

	if (!S_ISDIR(i->mode)) {
		inode_put(i);
		return -ENOTDIR;
	}
	p->cwd = i;
	inode_put(was);
	return 0;
}

long sys_chdir(const char __user *path)
{
	struct inode *i = path_inode(AT_FDCWD, path, true, false);

	return IS_ERR(i) ? PTR_ERR(i) : change_dir(i);
}

long sys_fchdir(int fd)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	inode_get(f->inode);
	ret = change_dir(f->inode);
	file_put(f);
	return ret;
}

long sys_umask(u32 mask)
{
	struct process *p = current_process();
	u32 was = p->umask;

	p->umask = mask & 0777;
	return was;
}
