/* fs/vfs.h - inodes, open files, path lookup. Cwd, root and so on are parameters, not taken from a
 * task. All thread context, may sleep; no spin locks held. */
#ifndef FS_VFS_H
#define FS_VFS_H

#include <lib/errno.h>
#include <lib/rbtree.h>
#include <mm/mm.h>
#include <sync/mutex.h>
#include <sync/wait.h>

struct inode;
struct file;
struct super_block;
struct path_walk;
struct block_device;
struct poll_table;

struct kstat {
	u64 ino, size, blocks, rdev;
	u32 mode, nlink, uid, gid, blksize;
	u64 mtime, atime, ctime; /* s */
	u32 dev;
};
/* Calls emit for each entry from position *pos on, advances *pos; stops when emit returns false. */
typedef bool (*dir_emit_t)(void *ctx, const char *name, size_t len, u64 ino, u8 dtype,
			   u64 next_pos);

struct inode_ops {
	/* Finds `name` in directory dir: inode with a reference, or ERR_PTR(-ENOENT, ...). */
	struct inode *(*lookup)(struct inode *dir, const char *name, size_t len);
	int (*read_page)(struct inode *inode, u64 index, struct page *page);
	/* Fills n consecutive pages at once (read ahead); may be NULL. 0 or -errno for all. */
	int (*read_pages)(struct inode *inode, u64 index, struct page **pages, unsigned int n);
	/* Target without terminator: its full length, of which at most size bytes are written. */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size);
};
#define POLL_QUEUES 2u
struct file_ops {
	int (*open)(struct inode *inode, struct file *f);
	void (*release)(struct file *f);
	/* The inode goes, and what priv points to is freed next; may be NULL. */
	void (*gone)(struct inode *inode);
	/* Kernel buffers never: user pointers go through copy_to_user. Returns bytes or -errno. */
	ssize_t (*read)(struct file *f, void __user *buf, size_t n, loff_t *pos);
	ssize_t (*write)(struct file *f, const void __user *buf, size_t n, loff_t *pos);
	int (*readdir)(struct file *f, void *ctx, dir_emit_t emit);
	long (*ioctl)(struct file *f, unsigned int cmd, unsigned long arg);
	/* What can be done now without waiting: POLLIN | POLLOUT | POLLHUP ... NULL: always ready.
	 * First it calls poll_wait() for each queue that is woken when that changes, POLL_QUEUES at
	 * most; table NULL: nobody will sleep. Does not sleep itself. */
	u32 (*poll)(struct file *f, struct poll_table *table);
	/* The queue whose waits only those can end who have such a file open; may be NULL. */
	const struct wait_queue *(*wakes)(const struct file *f);
	bool any_position; /* a device on which pread and lseek succeed and mean nothing */
};
struct inode {
	u64 ino;
	u32 mode; /* S_IFMT and permissions */
	u32 nlink, uid, gid;
	u64 size, blocks, rdev, mtime, atime, ctime;
	struct super_block *sb;
	const struct inode_ops *ops;
	const struct file_ops *fops;
	u32 refs;                     /* atomic */
	struct list_head hash_link;   /* inode cache, under its lock */
	struct list_head unused_link; /* cached without users, under the same lock */
	struct mutex pages_lock;
	struct rb_root pages; /* page cache, by index, under pages_lock */
	void *priv;
};
struct super_block {
	const char *type;
	struct inode *root;
	struct mutex *root_lock; /* held by path walks and loaders while they read the tree */
	/* Resolves a path with root_lock held around the walk. */
	struct inode *(*lookup)(struct super_block *sb, struct path_walk *w);
	struct block_device *dev;
	u32 dev_id; /* st_dev */
	void *priv;
};
struct file {
	u32 refs;  /* atomic */
	u32 flags; /* O_* */
	struct inode *inode;
	const struct file_ops *ops;
	struct mutex pos_lock;
	loff_t pos;
	void *priv;
};

void vfs_init(void);
/* Mounts dev as root (type "ext2"). 0 or -errno with a message that says what is wrong. */
int vfs_mount_root(const char *dev);
extern struct super_block *vfs_root_sb;

/* Resolves path from root or cwd; follows symlinks (the last one if `follow`). Inode with a
 * reference or ERR_PTR. Takes and releases sb->root_lock. */
struct inode *vfs_lookup(struct inode *cwd, const char *path, bool follow);
/* The same for a caller that holds sb->root_lock. */
struct inode *vfs_lookup_locked(struct inode *cwd, const char *path, bool follow);
void inode_get(struct inode *i);
void inode_put(struct inode *i);
/* Memory is out: drops all cached pages and inodes that nobody uses; returns how many pages. Thread
 * context, takes the locks of page caches. */
unsigned int vfs_cache_shrink(void);

/* flags: Linux O_* of this architecture. Read-only file systems: -EROFS for writing. */
struct file *vfs_open(struct inode *cwd, const char *path, u32 flags, u32 mode);
struct file *file_open_inode(struct inode *inode, u32 flags);
void file_get(struct file *f);
void file_put(struct file *f);
/* Reads into kernel memory through the page cache; short at end of file. */
ssize_t inode_read(struct inode *inode, void *buf, size_t n, u64 pos);
/* Target of a symbolic link, as readlink(2): bytes written, not terminated; -EINVAL. */
ssize_t inode_readlink(struct inode *inode, char *buf, size_t size);
/* Absolute path of a directory with terminator: its length, -ERANGE, -ENOENT. Takes root_lock. */
ssize_t vfs_getcwd(struct inode *dir, char *buf, size_t size);

/* System calls on an open file. They check the access mode (-EBADF), and take pos_lock only where
 * there is a position: a blocked pipe or terminal reader holds nothing. */
ssize_t file_read(struct file *f, void __user *buf, size_t n);
ssize_t file_write(struct file *f, const void __user *buf, size_t n);
ssize_t file_pread(struct file *f, void __user *buf, size_t n, loff_t pos);
loff_t file_lseek(struct file *f, loff_t off, int whence);
/* Emits entries from the file's position on (getdents64). 0, -ENOTDIR, -EIO. */
int file_readdir(struct file *f, void *ctx, dir_emit_t emit);
long file_ioctl(struct file *f, unsigned int cmd, unsigned long arg);
u32 file_poll(struct file *f, struct poll_table *table);
void inode_stat(struct inode *inode, struct kstat *st);

/* An inode that no cache knows (pipes): refs 1, freed at the last put. NULL: no memory. */
struct inode *inode_anonymous(struct super_block *sb, u64 ino) must_check;

/* The operations behind a device number that /dev names; before that, opening it is -ENXIO. At
 * boot, by the room that has the device. */
#define DEV(major, minor) ((u64)(major) << 8 | (minor)) /* Linux' encoding for small numbers */
void devfs_register(u64 rdev, const struct file_ops *ops);

#endif
