/* devfs.c - /dev: a fixed directory of character devices, shown over the root's "dev".
 *
 * Everything is static and made once; the directory's own reference to each inode never goes away,
 * so no inode here is ever freed. Nodes on disk with the same device numbers work as well.
 *
 * /dev/random and /dev/urandom are a mixing function over the cycle counter and a counter: good
 * enough for hash seeds and temporary names, not for keys.
 */
#include <lib/atomic.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <arch/time.h>
#include <uapi/fcntl.h>
#include "fs.h"

static ssize_t null_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	return 0;
}

static ssize_t null_write(struct file *f, const void __user *buf, size_t n, loff_t *pos)
{
	return (ssize_t)n;
}

static ssize_t full_write(struct file *f, const void __user *buf, size_t n, loff_t *pos)
{
	return -ENOSPC;
}

static ssize_t zero_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	size_t done = 0;

	while (done < n && !thread_kill_pending()) {
		size_t c = MIN(n - done, (size_t)65536); /* a kill is seen between pieces */

		if (clear_user((char __user *)buf + done, c))
			return done ? (ssize_t)done : -EFAULT;
		done += c;
	}
	return (ssize_t)done;
}

static u64 random_word(void)
{
	static u64 counter;
	u64 x = atomic_add_fetch(&counter, 0x9e3779b97f4a7c15ull) ^ arch_ticks();

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static ssize_t random_read(struct file *f, void __user *buf, size_t n, loff_t *pos)
{
	u64 words[32];
	size_t done = 0;

	while (done < n && !thread_kill_pending()) {
		size_t c = MIN(n - done, sizeof(words));

		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = random_word();
		if (copy_to_user((char __user *)buf + done, words, c))
			return done ? (ssize_t)done : -EFAULT;
		done += c;
	}
	return (ssize_t)done;
}

static const struct file_ops null_ops = {
	.read = null_read, .write = null_write, .any_position = true};
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .any_position = true};
static const struct file_ops full_ops = {
	.read = zero_read, .write = full_write, .any_position = true};
static const struct file_ops random_ops = {
	.read = random_read, .write = null_write, .any_position = true};

static struct {
	const char *name;
	u64 rdev;
	u32 perm;
	const struct file_ops *ops; /* NULL until devfs_register() */
} devices[] = {
	{"console", DEV(5, 1), 0600, NULL},        {"tty", DEV(5, 0), 0666, NULL},
	{"null", DEV(1, 3), 0666, &null_ops},      {"zero", DEV(1, 5), 0666, &zero_ops},
	{"full", DEV(1, 7), 0666, &full_ops},      {"random", DEV(1, 8), 0666, &random_ops},
	{"urandom", DEV(1, 9), 0666, &random_ops},
};

static struct super_block devfs_sb = {.type = "devfs", .dev_id = 5};
static struct inode root;
static struct inode nodes[ARRAY_SIZE(devices)];

static struct inode *devfs_lookup(struct inode *dir, const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (strlen(devices[i].name) == len && memcmp(devices[i].name, name, len) == 0) {
			inode_get(&nodes[i]);
			return &nodes[i];
		}
	}
	return ERR_PTR(-ENOENT);
}

/* Position: 0 ".", 1 "..", 2 + n device n. */
static int devfs_readdir(struct file *f, void *ctx, dir_emit_t emit)
{
	while (f->pos >= 0 && f->pos < (loff_t)(2 + ARRAY_SIZE(devices))) {
		u64 next = (u64)f->pos + 1;
		bool more;

		if (f->pos < 2)
			more = emit(ctx, "..", (size_t)next, root.ino, DT_DIR, next);
		else
			more = emit(ctx, devices[f->pos - 2].name, strlen(devices[f->pos - 2].name),
				    nodes[f->pos - 2].ino, DT_CHR, next);
		if (!more)
			break;
		f->pos = (loff_t)next;
	}
	return 0;
}

static const struct inode_ops dir_ops = {.lookup = devfs_lookup};
static const struct file_ops dir_file_ops = {.readdir = devfs_readdir};

const struct file_ops *devfs_device_ops(u32 mode, u64 rdev)
{
	if (S_ISCHR(mode))
		for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
			if (devices[i].rdev == rdev)
				return devices[i].ops;
	return NULL;
}

void devfs_register(u64 rdev, const struct file_ops *ops)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].rdev == rdev) {
			devices[i].ops = ops;
			nodes[i].fops = ops;
		}
	}
}

struct inode *devfs_root(void)
{
	return &root;
}

static void devfs_inode_init(struct inode *i, u64 ino, u32 mode)
{
	i->sb = &devfs_sb;
	i->ino = ino;
	i->mode = mode;
	i->nlink = 1;
	i->refs = 1;
	list_init(&i->hash_link);
	list_init(&i->unused_link);
	mutex_init(&i->pages_lock, &pages_class);
}

void devfs_init(void)
{
	devfs_inode_init(&root, 1, S_IFDIR | 0755);
	root.nlink = 2;
	root.ops = &dir_ops;
	root.fops = &dir_file_ops;
	devfs_sb.root = &root;
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		devfs_inode_init(&nodes[i], 2 + i, S_IFCHR | devices[i].perm);
		nodes[i].rdev = devices[i].rdev;
		nodes[i].fops = devices[i].ops;
	}
}
