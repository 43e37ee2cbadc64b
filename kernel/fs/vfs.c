/* vfs.c - the root file system: mounting it, looking names up, opening files. The walk itself is
 * namei.c's; what holds for all file systems while it goes on is the root_lock of the root. */
#define LOG_TAG "vfs"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <sync/spinlock.h>
#include <tracing/events.h>
#include <uapi/fcntl.h>
#include "fs.h"

struct super_block *vfs_root_sb;
static struct super_block root_sb;

static struct inode *vfs_resolve(struct path_walk *w)
{
	if (!vfs_root_sb)
		return ERR_PTR(-ENOENT);
	return vfs_root_sb->lookup(vfs_root_sb, w);
}

struct inode *vfs_lookup(struct inode *cwd, const char *path, bool follow)
{
	struct path_walk w = {.cwd = cwd, .path = path, .follow = follow};

	return vfs_resolve(&w);
}

struct inode *vfs_lookup_locked(struct inode *cwd, const char *path, bool follow)
{
	struct path_walk w = {.cwd = cwd, .path = path, .follow = follow};

	if (!vfs_root_sb)
		return ERR_PTR(-ENOENT);
	return vfs_walk(&w);
}

/* What open(2) checks once it has the inode; devices and pipes may be written on any file system.
 */
static int vfs_may_open(struct inode *inode, u32 flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (S_ISLNK(inode->mode))
		return flags & O_PATH ? 0 : -ELOOP; /* only O_NOFOLLOW leaves a link here */
	if ((flags & O_DIRECTORY) && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	if (S_ISDIR(inode->mode))
		return write || (flags & (O_CREAT | O_TRUNC)) ? -EISDIR : 0;
	if (S_ISREG(inode->mode))
		return write || (flags & O_TRUNC) ? -EROFS : 0;
	return 0;
}

struct file *vfs_open(struct inode *cwd, const char *path, u32 flags, u32 mode)
{
	bool nofollow = (flags & O_NOFOLLOW) || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	struct path_walk w = {.cwd = cwd, .path = path, .follow = !nofollow};
	struct inode *inode = vfs_resolve(&w);
	struct file *f;
	int err;

	if (IS_ERR(inode)) {
		err = (int)PTR_ERR(inode);
		if (err == -ENOENT && w.last_missing && (flags & O_CREAT))
			err = -EROFS;
		trace(fs_open, 0, (s64)err);
		return ERR_PTR(err);
	}
	err = vfs_may_open(inode, flags);
	f = err ? ERR_PTR(err) : file_open_inode(inode, flags);
	trace(fs_open, inode->ino, (s64)(IS_ERR(f) ? PTR_ERR(f) : 0));
	inode_put(inode);
	return f;
}

int vfs_mount_root(const char *dev)
{
	struct block_device *bd = block_find(dev);
	int err;

	if (vfs_root_sb)
		return -EBUSY;
	if (!bd) {
		pr_err("no block device \"%s\" for the root file system", dev);
		return -ENODEV;
	}
	err = ext2_mount(&root_sb, bd);
	if (err) {
		pr_err("cannot mount %s as root: error %d", dev, err);
		return err;
	}
	vfs_root_sb = &root_sb;
	return 0;
}

void vfs_init(void)
{
	inode_cache_init();
	pagecache_init();
	file_init();
	devfs_init();
	vm_file_page = pagecache_get;
	vm_inode_get = inode_get;
	vm_inode_put = inode_put;
}
