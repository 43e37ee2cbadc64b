/* fs.h - what the files of kernel/fs share. */
#ifndef FS_FS_H
#define FS_FS_H

#include <drivers/block.h>
#include <fs/vfs.h>
#include <lib/rbtree.h>
#include <sync/lock_order.h>

DECLARE_LOCK_CLASS(pages_class);
DECLARE_LOCK_CLASS(meta_pages_class);

/* A path walk: what to resolve, and what vfs_open wants to know of a failure. */
struct path_walk {
	struct inode *cwd;
	const char *path;
	bool follow;       /* follow a symbolic link in the last component */
	bool last_missing; /* out: -ENOENT because only the last component does not exist */
};
/* Resolves w->path component by component. The caller holds the root_lock of the root file system,
 * so that names cannot change under the walk. */
struct inode *vfs_walk(struct path_walk *w);
/* One component, mount points included: inode with a reference or ERR_PTR. */
struct inode *vfs_step(struct inode *dir, const char *name, size_t len);

/* inode cache. inode_cache_get returns the cached inode with a reference, or NULL.
 * inode_cache_add publishes a new one, whose fields are final: it, or the one that another thread
 * published first (the new one is then freed). inode_alloc: refs 1, not cached. */
struct inode *inode_alloc(struct super_block *sb, u64 ino,
			  struct track_class *pages_cls) must_check;
struct inode *inode_cache_get(struct super_block *sb, u64 ino);
struct inode *inode_cache_add(struct inode *i);
void inode_free(struct inode *i);
void inode_cache_init(void);
/* Frees cached inodes that nobody uses, with their pages. Returns how many. */
unsigned int inode_cache_shrink(unsigned int want);

/* The cached inode behind `after` in the cache's order (NULL: the first), with a reference; gives
 * back the one on `after`. NULL at the end. */
struct inode *inode_cache_next(struct inode *after);

/* page cache */
void pagecache_init(void);
struct page *pagecache_get(struct inode *inode, u64 index) must_check;
void pagecache_drop_all(struct inode *inode); /* no other user of the inode */

/* file operations that other files name */
extern const struct file_ops regular_file_ops; /* through the page cache */
extern const struct file_ops no_file_ops;      /* nothing works: sockets on disk, O_PATH */
/* File operations for a device number of a special file, NULL if there is no such device. */
const struct file_ops *devfs_device_ops(u32 mode, u64 rdev);
struct inode *devfs_root(void);
void devfs_init(void);
void file_init(void);

int ext2_mount(struct super_block *sb, struct block_device *dev) must_check;

static inline u8 mode_to_dtype(u32 mode)
{
	return (u8)(mode >> 12 & 15);
}

#endif
