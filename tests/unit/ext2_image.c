/* ext2_image.c - builds trees and images in a work directory; mounts them through the real VFS. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fs/vfs.h>
#include "ext2_image.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/fs/fs.h"

static char work[64];
static char path[256];

static void run(const char *cmd)
{
	if (system(cmd) != 0) {
		fprintf(stderr, "failed: %s\n", cmd);
		exit(1);
	}
}

const char *image_tree(const char *which)
{
	snprintf(path, sizeof(path), "%s/%s", work, which);
	return path;
}

static void put_file(const char *dir, const char *name, off_t at, size_t n)
{
	char p[512];
	int fd;

	snprintf(p, sizeof(p), "%s/%s/%s", work, dir, name);
	fd = open(p, O_CREAT | O_WRONLY, 0644);
	assert(fd >= 0);
	for (size_t i = 0; i < n; i += 512) {
		unsigned char buf[512];
		size_t c = n - i < 512 ? n - i : 512;

		for (size_t k = 0; k < c; k++)
			buf[k] = (unsigned char)((i + k) * 2654435761u >> 16 ^ n);
		assert(pwrite(fd, buf, c, at + (off_t)i) == (ssize_t)c);
	}
	close(fd);
}

static void put_link(const char *dir, const char *name, const char *target)
{
	char p[512];

	snprintf(p, sizeof(p), "%s/%s/%s", work, dir, name);
	assert(symlink(target, p) == 0);
}

static void put_dir(const char *dir, const char *name)
{
	char p[512];

	snprintf(p, sizeof(p), "%s/%s/%s", work, dir, name);
	assert(mkdir(p, 0755) == 0);
}

static void make_tree(const char *t, unsigned int many)
{
	char name[300], target[120];

	put_dir(".", t);
	put_dir(t, "sbin");
	put_dir(t, "dir");
	put_dir(t, "dir/sub");
	put_dir(t, "dir/sub/deep");
	put_dir(t, "many");
	put_file(t, "empty", 0, 0);
	put_file(t, "hello", 0, 6);
	put_file(t, "sbin/init", 0, 9000);
	put_file(t, "dir/sub/deep/file", 0, 1025);
	put_file(t, "indirect", 0, 40000);
	for (unsigned int i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "many/entry-with-a-name-%u", i);
		put_file(t, name, 0, i % 7);
	}
	memset(name, 'n', 255);
	name[255] = 0;
	put_file(t, name, 0, 3);
	put_link(t, "fast", "dir/sub");
	put_link(t, "absolute", "/dir/sub/deep/file");
	put_link(t, "up", "dir/../dir/sub/../../hello");
	put_link(t, "dangling", "no/where");
	put_link(t, "loop-a", "loop-b");
	put_link(t, "loop-b", "loop-a");
	put_link(t, "to-dev", "dev/null");
	memset(target, 0, sizeof(target));
	for (int i = 0; i < 20; i++)
		strcat(target, "./");
	strcat(target, "././././././././././././hello"); /* 69 bytes: a slow link */
	put_link(t, "slow", target);
	for (int i = 57; i <= 66; i++) { /* up to 59 bytes stand in the inode */
		memset(target, 'l', (size_t)i);
		target[i] = 0;
		snprintf(name, sizeof(name), "link-%d", i);
		put_link(t, name, target);
	}
	put_link(t, "chain-0", "hello");
	for (int i = 1; i <= 40; i++) {
		snprintf(name, sizeof(name), "chain-%d", i);
		snprintf(target, sizeof(target), "chain-%d", i - 1);
		put_link(t, name, target);
	}
}

void image_setup(void)
{
	strcpy(work, "/tmp/ext2-test-XXXXXX");
	assert(mkdtemp(work));
	make_tree("big", 300);
	make_tree("small", 20);
	put_file("big", "megabytes", 0, 3000001);
	put_file("big", "sparse1k", SPARSE_AT_1K, 5000);
	put_file("big", "sparse4k", SPARSE_AT_4K, 5000);
}

void image_teardown(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", work);
	run(cmd);
}

struct image image_make(const char *which, const char *args, unsigned int kib)
{
	struct image im = {.size = (u64)kib * 1024};
	char cmd[512];
	int fd;

	snprintf(cmd, sizeof(cmd),
		 "PATH=$PATH:/sbin:/usr/sbin; cd %s && rm -f img && mke2fs -q -F -t ext2 %s -d %s "
		 "img %uk >mke2fs.log 2>&1",
		 work, args, which, kib);
	run(cmd);
	snprintf(cmd, sizeof(cmd), "%s/img", work);
	fd = open(cmd, O_RDONLY);
	assert(fd >= 0);
	im.data = mmap(NULL, im.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	assert(im.data != MAP_FAILED);
	close(fd);
	return im;
}

void image_free(struct image *im)
{
	munmap(im->data, im->size);
}

static struct shim_disk *mounted;
static struct block_device slot; /* what the registry holds: it keeps a device for ever */

int image_mount(struct shim_disk *d)
{
	static bool once;
	int err;

	if (!once) {
		slot.name = "vda";
		assert(block_register(&slot) == 0);
		inode_cache_init();
		pagecache_init();
		file_init();
		devfs_init();
		once = true;
	}
	slot.sectors = d->dev.sectors;
	slot.read = d->dev.read;
	slot.readv = d->dev.readv;
	slot.priv = d;
	mounted = d;
	err = vfs_mount_root("vda");
	if (err) {
		assert(!vfs_root_sb);
		assert(host_locks_held() == 0 && shim_pages == 0 && shim_objects == 0);
	}
	return err;
}

void image_unmount(void)
{
	struct super_block *sb = vfs_root_sb;
	struct ext2_fs *fs = sb->priv;

	mounted->reads_left = shim_allocs_left = -1;
	assert(host_locks_held() == 0);
	assert(sb->root->refs == 1);
	assert(fs->meta->refs == 1);
	assert(devfs_root()->refs == 1);
	inode_put(sb->root);
	inode_cache_shrink(~0u);
	inode_put(fs->meta);
	kfree(fs);
	vfs_root_sb = NULL;
	if (shim_pages || shim_objects) {
		fprintf(stderr, "left: %lu pages, %lu objects\n", shim_pages, shim_objects);
		abort();
	}
}
