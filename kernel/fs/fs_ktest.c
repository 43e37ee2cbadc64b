/* fs_ktest.c - in-kernel tests of the file system against the mounted root: path rules, the page
 * cache under several CPUs, the block device, the terminal's line discipline positions.
 * What needs user memory (read, write, pipes) is tested by the programs in user/tests.
 */
#include <drivers/block.h>
#include <fs/vfs.h>
#include <ipc/pipe.h>
#include <lib/atomic.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <sched/sched.h>
#include <uapi/fcntl.h>
#include "fs.h"

#define PROGRAM "/sbin/init" /* on every image */

static long lookup_error(struct inode *cwd, const char *path)
{
	struct inode *i = vfs_lookup(cwd, path, true);

	if (IS_ERR(i))
		return PTR_ERR(i);
	inode_put(i);
	return 0;
}

KTEST(fs_path_rules)
{
	char *name = kmalloc(PATH_MAX + 1);

	KT_ASSERT(vfs_root_sb && name);
	if (!vfs_root_sb || !name)
		return;
	KT_EQ(lookup_error(NULL, "/"), 0);
	KT_EQ(lookup_error(NULL, "//."), 0);
	KT_EQ(lookup_error(NULL, "/../.."), 0);
	KT_EQ(lookup_error(NULL, PROGRAM), 0);
	KT_EQ(lookup_error(NULL, "/sbin/../" PROGRAM), 0);
	KT_EQ(lookup_error(NULL, "/sbin/"), 0);
	KT_EQ(lookup_error(NULL, "/dev/../dev/null"), 0);
	KT_EQ(lookup_error(NULL, ""), -ENOENT);
	KT_EQ(lookup_error(NULL, "/no-such"), -ENOENT);
	KT_EQ(lookup_error(NULL, "/no-such/x"), -ENOENT);
	KT_EQ(lookup_error(NULL, "/dev/no-such"), -ENOENT);
	KT_EQ(lookup_error(NULL, PROGRAM "/"), -ENOTDIR);
	KT_EQ(lookup_error(NULL, PROGRAM "/x"), -ENOTDIR);
	KT_EQ(lookup_error(NULL, "/dev/null/x"), -ENOTDIR);
	memset(name, 'a', PATH_MAX);
	name[0] = '/';
	name[1 + NAME_MAX] = 0;
	KT_EQ(lookup_error(NULL, name), -ENOENT);
	name[1 + NAME_MAX] = 'a';
	name[2 + NAME_MAX] = 0;
	KT_EQ(lookup_error(NULL, name), -ENAMETOOLONG);
	name[2 + NAME_MAX] = 'a';
	name[PATH_MAX] = 0;
	KT_EQ(lookup_error(NULL, name), -ENAMETOOLONG);
	kfree(name);
}

KTEST(fs_lookup_keeps_counts)
{
	struct inode *i = vfs_lookup(NULL, PROGRAM, true);
	u32 refs;

	KT_ASSERT(!IS_ERR(i));
	if (IS_ERR(i))
		return;
	refs = atomic_load(&i->refs);
	for (int n = 0; n < 100; n++)
		KT_EQ(lookup_error(NULL, PROGRAM), 0);
	KT_EQ(atomic_load(&i->refs), refs);
	inode_put(i);
}

KTEST(fs_open_rules)
{
	struct file *f = vfs_open(NULL, PROGRAM, O_RDONLY, 0);

	KT_ASSERT(!IS_ERR(f));
	if (IS_ERR(f))
		return;
	KT_EQ(file_lseek(f, 0, SEEK_END), f->inode->size);
	KT_EQ(file_lseek(f, -1, SEEK_CUR), f->inode->size - 1);
	KT_EQ(file_lseek(f, -1, SEEK_SET), -EINVAL);
	KT_EQ(file_lseek(f, 0, 7), -EINVAL);
	KT_EQ(f->pos, f->inode->size - 1);
	KT_EQ(file_readdir(f, NULL, NULL), -ENOTDIR);
	file_put(f);
	KT_EQ(PTR_ERR(vfs_open(NULL, PROGRAM, O_WRONLY, 0)), -EROFS);
	KT_EQ(PTR_ERR(vfs_open(NULL, "/new", O_RDWR | O_CREAT, 0644)), -EROFS);
	KT_EQ(PTR_ERR(vfs_open(NULL, "/no/new", O_RDWR | O_CREAT, 0644)), -ENOENT);
	KT_EQ(PTR_ERR(vfs_open(NULL, PROGRAM, O_CREAT | O_EXCL, 0644)), -EEXIST);
	KT_EQ(PTR_ERR(vfs_open(NULL, "/", O_RDWR, 0)), -EISDIR);
	KT_EQ(PTR_ERR(vfs_open(NULL, PROGRAM, O_DIRECTORY, 0)), -ENOTDIR);
}

KTEST(fs_getcwd)
{
	struct inode *i = vfs_lookup(NULL, "/sbin", true);
	char buf[32];

	KT_ASSERT(!IS_ERR(i));
	if (IS_ERR(i))
		return;
	KT_EQ(vfs_getcwd(i, buf, sizeof(buf)), 6);
	KT_ASSERT(strcmp(buf, "/sbin") == 0);
	KT_EQ(vfs_getcwd(i, buf, 5), -ERANGE);
	inode_put(i);
	KT_EQ(vfs_getcwd(vfs_root_sb->root, buf, sizeof(buf)), 2);
	KT_EQ(vfs_getcwd(devfs_root(), buf, sizeof(buf)), 5);
}

KTEST(fs_pipe_ends)
{
	struct file *p[2];

	KT_EQ(pipe_create(p, O_NONBLOCK), 0);
	KT_EQ(file_poll(p[0], NULL), 0);
	KT_EQ(file_poll(p[1], NULL), POLLOUT);
	KT_EQ(file_read(p[1], NULL, 1), -EBADF);
	KT_EQ(file_write(p[0], NULL, 1), -EBADF);
	KT_EQ(file_read(p[0], NULL, 1), -EAGAIN);
	KT_EQ(file_lseek(p[0], 0, SEEK_SET), -ESPIPE);
	file_put(p[1]);
	KT_EQ(file_poll(p[0], NULL), POLLHUP);
	KT_EQ(file_read(p[0], NULL, 1), 0);
	file_put(p[0]);
	KT_EQ(pipe_create(p, 0), 0);
	file_put(p[0]);
	KT_EQ(file_poll(p[1], NULL), POLLOUT | POLLERR);
	KT_EQ(file_write(p[1], NULL, 1), -EPIPE);
	file_put(p[1]);
}

/* Sum of a whole file, read in pieces that do not fit pages. */
static u64 file_sum(struct inode *i, bool *ok)
{
	u8 buf[700];
	u64 sum = 0;
	ssize_t n;

	for (u64 pos = 0; pos < i->size; pos += (u64)n) {
		n = inode_read(i, buf, sizeof(buf), pos);
		if (n <= 0) {
			*ok = false;
			break;
		}
		for (ssize_t k = 0; k < n; k++)
			sum = sum * 31 + buf[k];
	}
	return sum;
}

#define READERS 4
struct reader_test {
	u64 want;
	u32 wrong, left; /* atomic */
};

static void reader_main(void *arg)
{
	struct reader_test *t = arg;

	for (int round = 0; round < 4; round++) {
		struct inode *i = vfs_lookup(NULL, PROGRAM, true);
		bool ok = !IS_ERR(i);
		u64 sum = ok ? file_sum(i, &ok) : 0;

		if (!ok || sum != t->want)
			atomic_fetch_add(&t->wrong, 1u);
		if (!IS_ERR(i))
			inode_put(i);
		inode_cache_shrink(1); /* what others cache goes away under their feet */
	}
	atomic_fetch_sub(&t->left, 1u);
}

KTEST(fs_readers_agree)
{
	struct inode *i = vfs_lookup(NULL, PROGRAM, true);
	struct reader_test t = {.left = READERS};
	bool ok = true;

	KT_ASSERT(!IS_ERR(i));
	if (IS_ERR(i))
		return;
	t.want = file_sum(i, &ok);
	inode_put(i);
	KT_ASSERT(ok);
	for (int n = 0; n < READERS; n++)
		if (IS_ERR(kthread_run("fs-reader", reader_main, &t)))
			atomic_fetch_sub(&t.left, 1u);
	while (atomic_load(&t.left))
		thread_sleep_ns(1000000, false);
	KT_EQ(t.wrong, 0);
}

/* Many requests at once, more than the disk has slots: each gets its own sectors. */
struct disk_test {
	struct block_device *dev;
	u32 wrong, left; /* atomic */
};

static void disk_main(void *arg)
{
	struct disk_test *t = arg;
	u8 *one = kmalloc(8 * 512), *many = kmalloc(8 * 512);

	for (u64 sector = 0; one && many && sector < 64; sector += 8) {
		if (t->dev->read(t->dev, sector, many, 8))
			atomic_fetch_add(&t->wrong, 1u);
		for (u32 k = 0; k < 8; k++)
			if (t->dev->read(t->dev, sector + k, one + 512 * k, 1))
				atomic_fetch_add(&t->wrong, 1u);
		if (memcmp(one, many, 8 * 512) != 0)
			atomic_fetch_add(&t->wrong, 1u);
	}
	kfree(one);
	kfree(many);
	atomic_fetch_sub(&t->left, 1u);
}

KTEST(block_many_requests)
{
	struct disk_test t = {.dev = block_find("vda"), .left = 24};

	KT_ASSERT(t.dev != NULL);
	if (!t.dev)
		return;
	KT_EQ(t.dev->read(t.dev, t.dev->sectors, NULL, 1), -EIO);
	KT_EQ(t.dev->read(t.dev, t.dev->sectors - 1, NULL, 2), -EIO);
	KT_EQ(t.dev->read(t.dev, ~0ull, NULL, 1), -EIO);
	for (u32 n = 24; n; n--)
		if (IS_ERR(kthread_run("disk-reader", disk_main, &t)))
			atomic_fetch_sub(&t.left, 1u);
	while (atomic_load(&t.left))
		thread_sleep_ns(1000000, false);
	KT_EQ(t.wrong, 0);
}
