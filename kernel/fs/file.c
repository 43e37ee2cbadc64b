/* file.c - open files: creation, references, positions, and reading through the page cache.
 *
 * A file's flags, inode and ops are fixed at open (F_SETFL may change status flags); pos is under
 * pos_lock, which is taken only for files that have a position. Nothing else is held while user
 * memory is copied, so a page fault may take mm.lock and pages_lock.
 */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <mm/vm.h>
#include <uapi/fcntl.h>
#include "fs.h"

DEFINE_LOCK_CLASS(file_pos_class, "file.pos", BB_LK_MUTEX, RANK_FILE_POS);
static struct kmem_cache *file_cache;

const struct file_ops no_file_ops;

void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 16);
	if (!file_cache)
		panic("out of memory for open files");
}

static const struct file_ops *file_choose_ops(struct inode *inode, u32 flags)
{
	if (flags & O_PATH)
		return &no_file_ops;
	if (inode->fops)
		return inode->fops;
	if (S_ISREG(inode->mode))
		return &regular_file_ops;
	return devfs_device_ops(inode->mode, inode->rdev);
}

static void file_free(struct file *f)
{
	mutex_fini(&f->pos_lock);
	kmem_cache_free(file_cache, f);
}

/* Takes its own reference to the inode. -ENXIO: a special file without a device. */
struct file *file_open_inode(struct inode *inode, u32 flags)
{
	const struct file_ops *ops = file_choose_ops(inode, flags);
	struct file *f;
	int err = 0;

	if (!ops)
		return ERR_PTR(-ENXIO);
	f = kmem_cache_alloc(file_cache);
	if (!f)
		return ERR_PTR(-ENOMEM);
	f->refs = 1;
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->ops = ops;
	f->inode = inode;
	mutex_init(&f->pos_lock, &file_pos_class);
	inode_get(inode);
	if (ops->open)
		err = ops->open(inode, f);
	if (!err)
		return f;
	inode_put(inode);
	file_free(f);
	return ERR_PTR(err);
}

void file_get(struct file *f)
{
	atomic_fetch_add(&f->refs, 1u);
}

/* Apart, so that file_put(), which every system call makes, needs no frame. */
static __noinline void file_end(struct file *f)
{
	if (f->ops->release)
		f->ops->release(f);
	inode_put(f->inode);
	file_free(f);
}

void file_put(struct file *f)
{
	if (!atomic_sub_fetch(&f->refs, 1u))
		file_end(f);
}

static bool file_has_position(const struct file *f)
{
	return S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode);
}

static bool file_readable(const struct file *f)
{
	return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool file_writable(const struct file *f)
{
	return !(f->flags & O_PATH) && (f->flags & O_ACCMODE) != O_RDONLY;
}

/* An address that can never be good is refused before anybody waits for data to put there. */
static bool user_range_ok(const void __user *buf, size_t n)
{
	return n <= USER_END && (unsigned long)buf <= USER_END - n;
}

ssize_t file_read(struct file *f, void __user *buf, size_t n)
{
	loff_t none = 0;
	ssize_t ret;

	if (!file_readable(f))
		return -EBADF;
	if (!user_range_ok(buf, n))
		return -EFAULT;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!f->ops->read)
		return -EINVAL;
	n = MIN(n, (size_t)0x7ffff000); /* as Linux: a count always fits the result */
	if (!file_has_position(f))
		return f->ops->read(f, buf, n, &none);
	ret = mutex_lock_killable(&f->pos_lock);
	if (ret)
		return ret;
	ret = f->ops->read(f, buf, n, &f->pos);
	mutex_unlock(&f->pos_lock);
	return ret;
}

ssize_t file_write(struct file *f, const void __user *buf, size_t n)
{
	loff_t none = 0;

	if (!file_writable(f))
		return -EBADF;
	if (!user_range_ok(buf, n))
		return -EFAULT;
	if (!f->ops->write)
		return -EINVAL;
	n = MIN(n, (size_t)0x7ffff000);
	return f->ops->write(f, buf, n, &none);
}

ssize_t file_pread(struct file *f, void __user *buf, size_t n, loff_t pos)
{
	if (!file_readable(f))
		return -EBADF;
	if (S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!file_has_position(f) && !f->ops->any_position)
		return -ESPIPE;
	if (pos < 0 || !f->ops->read)
		return -EINVAL;
	if (!user_range_ok(buf, n))
		return -EFAULT;
	return f->ops->read(f, buf, MIN(n, (size_t)0x7ffff000), &pos);
}

loff_t file_lseek(struct file *f, loff_t off, int whence)
{
	loff_t base, to;
	int err;

	if (f->flags & O_PATH)
		return -EBADF;
	if (f->ops->any_position)
		return 0;
	if (!file_has_position(f))
		return -ESPIPE;
	err = mutex_lock_killable(&f->pos_lock);
	if (err)
		return err;
	base = whence == SEEK_CUR ? f->pos : whence == SEEK_END ? (loff_t)f->inode->size : 0;
	if (whence < SEEK_SET || whence > SEEK_END || __builtin_add_overflow(base, off, &to) ||
	    to < 0)
		to = -EINVAL;
	else
		f->pos = to;
	mutex_unlock(&f->pos_lock);
	return to;
}

int file_readdir(struct file *f, void *ctx, dir_emit_t emit)
{
	int err;

	if (f->flags & O_PATH)
		return -EBADF;
	if (!S_ISDIR(f->inode->mode) || !f->ops->readdir)
		return -ENOTDIR;
	err = mutex_lock_killable(&f->pos_lock);
	if (err)
		return err;
	err = f->ops->readdir(f, ctx, emit);
	mutex_unlock(&f->pos_lock);
	return err;
}

long file_ioctl(struct file *f, unsigned int cmd, unsigned long arg)
{
	if (f->flags & O_PATH)
		return -EBADF;
	return f->ops->ioctl ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

u32 file_poll(struct file *f, struct poll_table *table)
{
	if (f->flags & O_PATH)
		return POLLNVAL;
	return f->ops->poll ? f->ops->poll(f, table) : POLLIN | POLLOUT;
}

static ssize_t regular_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	struct inode *inode = f->inode;
	size_t done = 0;

	if (*pos < 0)
		return -EINVAL;
	if ((u64)*pos >= inode->size)
		return 0;
	n = MIN((u64)n, inode->size - (u64)*pos);
	while (done < n) {
		size_t off = (size_t)*pos % PAGE_SIZE;
		size_t c = MIN(n - done, PAGE_SIZE - off);
		struct page *p = pagecache_get(inode, (u64)*pos / PAGE_SIZE);
		int err;

		if (IS_ERR(p))
			return done ? (ssize_t)done : PTR_ERR(p);
		err = copy_to_user((char __user *)buf + done, (char *)page_to_virt(p) + off, c);
		page_put(p);
		if (err)
			return done ? (ssize_t)done : err;
		done += c;
		*pos += (loff_t)c;
		if (thread_kill_pending())
			break;
	}
	return (ssize_t)done;
}

const struct file_ops regular_file_ops = {
	.read = regular_read,
};
