/* ext2_damage_test.c - damage behind the superblock: it is refused with the reason, and hides
 * nothing that is whole. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ext2_test.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/ext2/ext2.h"

static u8 *damaged; /* copy of a small image with 1 KiB blocks, one group */

static struct ext2_inode *disk_inode(u32 ino)
{
	const struct ext2_super *s = (const void *)(damaged + 1024);
	const struct ext2_group *g = (const void *)(damaged + 2048);

	return (void *)(damaged + (u64)g->inode_table * 1024 + (u64)(ino - 1) * s->inode_size);
}

/* The n-th entry of a directory's first block. */
static struct ext2_dirent *disk_entry(u32 dir, unsigned int n)
{
	u8 *at = damaged + (u64)disk_inode(dir)->block[0] * 1024;

	while (n--)
		at += ((struct ext2_dirent *)at)->rec_len;
	return (void *)at;
}

static bool ignore_entry(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next)
{
	volatile char c = name[len - 1]; /* ASan looks */

	(void)c;
	return true;
}

/* What a listing ends with. */
static long list_error(const char *path)
{
	struct file *f = vfs_open(NULL, path, O_RDONLY, 0);
	loff_t before;
	long err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	do {
		before = f->pos;
		err = file_readdir(f, NULL, ignore_entry);
	} while (!err && f->pos != before);
	file_put(f);
	return err;
}

static long read_error(const char *path, u64 pos)
{
	struct inode *i = vfs_lookup(NULL, path, true);
	char c;
	long n;

	if (IS_ERR(i))
		return PTR_ERR(i);
	n = inode_read(i, &c, 1, pos);
	inode_put(i);
	return n;
}

enum damage {
	REC_ZERO,
	REC_ODD,
	REC_LONG,
	REC_PAST_PAGE,
	NAME_ZERO,
	NAME_LONG,
	NAME_SLASH,
	NAME_NUL,
	ENTRY_INODE,
	DIR_SIZE,
	DIR_HUGE,
	ROOT_NO_DIR,
	INO_MODE,
	INO_LINKS,
	INO_FLAGS,
	INO_SIZE,
	INO_BLOCK,
	INO_INDIRECT,
	INDIRECT_SLOT,
	LINK_EMPTY,
	LINK_LONG,
	LINK_BLOCK,
	GROUP_TABLE,
	DAMAGES
};

static u32 inode_number(const char *path)
{
	struct inode *i = vfs_lookup(NULL, path, false);
	u32 ino = (u32)i->ino;

	inode_put(i);
	return ino;
}

void test_damage(void **state)
{
	static const struct {
		const char *path, *says;
		u64 at;
		bool list;
	} want[DAMAGES] = {
		[REC_ZERO] = {"/", "record length", 0, true},
		[REC_ODD] = {"/", "record length", 0, true},
		[REC_LONG] = {"/", "crosses its block", 0, true},
		[REC_PAST_PAGE] = {"/many", "crosses its block", 0, true},
		[NAME_ZERO] = {"/", "name length", 0, true},
		[NAME_LONG] = {"/", "name length", 0, true},
		[NAME_SLASH] = {"/", "character", 0, true},
		[NAME_NUL] = {"/", "character", 0, true},
		[ENTRY_INODE] = {"/", "inode number", 0, true},
		[DIR_SIZE] = {"/many", "size", 0, true},
		[DIR_HUGE] = {"/many", "directory of", 0, true},
		[ROOT_NO_DIR] = {NULL, "no directory", 0, false},
		[INO_MODE] = {"/hello", "mode", 0, false},
		[INO_LINKS] = {"/hello", "deleted", 0, false},
		[INO_FLAGS] = {"/hello", "flags", 0, false},
		[INO_SIZE] = {"/hello", "size", 0, false},
		[INO_BLOCK] = {"/hello", "block number", 0, false},
		[INO_INDIRECT] = {"/indirect", "block number", 20000, false},
		[INDIRECT_SLOT] = {"/indirect", "in indirect block", 20000, false},
		[LINK_EMPTY] = {"/slow", "link of", 0, false},
		[LINK_LONG] = {"/slow", "link of", 0, false},
		[LINK_BLOCK] = {"/slow", "block number", 0, false},
		[GROUP_TABLE] = {NULL, "inode table", 0, false},
	};
	struct image im = image_make("small", "-b 1024 -I 128 -N 128", 1024);
	u32 hello, many, indirect, slow;
	struct ext2_inode *d;

	mount_image(&im);
	hello = inode_number("/hello");
	many = inode_number("/many");
	indirect = inode_number("/indirect");
	slow = inode_number("/slow");
	image_unmount();
	damaged = malloc(im.size);
	for (enum damage k = 0; k < DAMAGES; k++) {
		u32 *table;
		int err;

		memcpy(damaged, im.data, im.size);
		d = disk_inode(indirect);
		table = (u32 *)(damaged + (u64)d->block[12] * 1024);
		switch (k) {
		case REC_ZERO:
			disk_entry(2, 3)->rec_len = 0;
			break;
		case REC_ODD:
			disk_entry(2, 3)->rec_len += 2;
			break;
		case REC_LONG:
			disk_entry(2, 3)->rec_len = 1024;
			break;
		case REC_PAST_PAGE:
			disk_entry(many, 2)->rec_len = 0xfffc;
			break;
		case NAME_ZERO:
			disk_entry(2, 3)->name_len = 0;
			break;
		case NAME_LONG:
			disk_entry(2, 3)->name_len = 250;
			break;
		case NAME_SLASH:
			disk_entry(2, 3)->name[1] = '/';
			break;
		case NAME_NUL:
			disk_entry(2, 3)->name[1] = 0;
			break;
		case ENTRY_INODE:
			disk_entry(2, 3)->ino = 129;
			break;
		case DIR_SIZE:
			disk_inode(many)->size += 1;
			break;
		case DIR_HUGE:
			disk_inode(many)->size = 0x80000000;
			break;
		case ROOT_NO_DIR:
			disk_inode(2)->mode = 0100644;
			break;
		case INO_MODE:
			disk_inode(hello)->mode = 0644;
			break;
		case INO_LINKS:
			disk_inode(hello)->links = 0;
			break;
		case INO_FLAGS:
			disk_inode(hello)->flags = EXT2_FL_EXTENTS;
			break;
		case INO_SIZE:
			disk_inode(hello)->size_high = 0x7fffffff;
			break;
		case INO_BLOCK:
			disk_inode(hello)->block[0] = 1024;
			break;
		case INO_INDIRECT:
			d->block[12] = 0xffffffff;
			break;
		case INDIRECT_SLOT:
			table[20000 / 1024 - 12] = 1;
			break;
		case LINK_EMPTY:
			disk_inode(slow)->size = 0;
			break;
		case LINK_LONG:
			disk_inode(slow)->size = 4096;
			break;
		case LINK_BLOCK:
			disk_inode(slow)->block[0] = 0x40000000;
			break;
		default:
			((struct ext2_group *)(damaged + 2048))->inode_table = 1023 * 4;
			break;
		}
		shim_disk_init(&disk, damaged, im.size);
		host_log_clear();
		err = image_mount(&disk);
		if (!err) {
			assert_non_null(want[k].path);
			err = (int)(want[k].list ? list_error(want[k].path)
						 : read_error(want[k].path, want[k].at));
			image_unmount();
		}
		if (err != -EIO || !strstr(host_log, want[k].says))
			fail_msg("damage %d: error %d, said \"%s\"", k, err, host_log);
	}
	free(damaged);
	image_free(&im);
}

/* All of a listing; *err: what came after it, once. */
static void list_whole(const char *path, struct names *l, long *err)
{
	struct file *f = vfs_open(NULL, path, O_RDONLY, 0);
	unsigned int before;

	assert_false(IS_ERR(f));
	l->n = 0;
	do {
		before = l->n;
		*err = file_readdir(f, l, collect);
	} while (!*err && l->n > before);
	before = l->n;
	assert_int_equal(file_readdir(f, l, collect), 0);
	assert_int_equal(l->n, before);
	file_put(f);
}

static bool listed(const struct names *l, const char *name)
{
	for (unsigned int k = 0; k < l->n; k++)
		if (!strcmp(l->name[k], name))
			return true;
	return false;
}

/* /many lists some of `whole` and then -EIO; what it lists is found, and of nothing else it says
 * that it is not there. */
static void compare_many(const struct names *whole, struct names *l)
{
	unsigned int missing = 0;
	char path[300];
	long err;

	list_whole("/many", l, &err);
	assert_int_equal(err, -EIO);
	assert_true(l->n >= 5 && l->n < whole->n);
	for (unsigned int k = 0; k < whole->n; k++) {
		bool gone = !listed(l, whole->name[k]);

		missing += gone;
		if (!strcmp(whole->name[k], ".") || !strcmp(whole->name[k], ".."))
			continue;
		snprintf(path, sizeof(path), "/many/%s", whole->name[k]);
		assert_int_equal(err_of(path, false), gone ? -EIO : 0);
	}
	assert_int_equal(l->n + missing, whole->n);
	assert_int_equal(err_of("/many/none", false), -EIO);
}

/* Damage in a directory does not hide what is whole: it is listed, and found; then comes the error.
 */
void test_damage_hides_nothing(void **state)
{
	struct image im = image_make("small", "-b 1024 -I 128 -N 128", 1024);
	struct names *whole = calloc(1, sizeof(*whole)), *l = calloc(1, sizeof(*l));
	struct ext2_dirent *e;
	char bad[256], path[300];
	u64 bad_block;
	u32 many;
	long err;

	mount_image(&im);
	many = inode_number("/many");
	list_whole("/", whole, &err);
	assert_int_equal(err, 0);
	image_unmount();
	damaged = malloc(im.size);

	/* One bad name in the root. */
	memcpy(damaged, im.data, im.size);
	e = disk_entry(2, 3);
	snprintf(bad, sizeof(bad), "%.*s", e->name_len, e->name);
	e->name[0] = '/';
	shim_disk_init(&disk, damaged, im.size);
	host_quiet = true;
	assert_int_equal(image_mount(&disk), 0);
	list_whole("/", l, &err);
	assert_int_equal(err, -EIO);
	assert_int_equal(l->n, whole->n - 1);
	for (unsigned int k = 0; k < whole->n; k++) {
		bool gone = !strcmp(whole->name[k], bad);

		assert_int_equal(listed(l, whole->name[k]), !gone);
		snprintf(path, sizeof(path), "/%s", whole->name[k]);
		err = err_of(path, false);
		assert_int_equal(err, gone ? -EIO : 0);
	}
	image_unmount();

	/* A bad length: the other blocks are whole. */
	mount_image(&im);
	list_whole("/many", whole, &err);
	image_unmount();
	memcpy(damaged, im.data, im.size);
	disk_entry(many, 5)->rec_len = 6;
	shim_disk_init(&disk, damaged, im.size);
	assert_int_equal(image_mount(&disk), 0);
	compare_many(whole, l);
	image_unmount();
	image_free(&im);

	/* A block that cannot be read. */
	im = image_make("big", "-b 4096 -I 256", 32768);
	mount_image(&im);
	list_whole("/many", whole, &err);
	bad_block = disk_block("/many", 4096);
	image_unmount();
	mount_image(&im);
	disk.bad_sector = bad_block * 8 + 1;
	compare_many(whole, l);
	image_unmount();
	free(damaged);
	free(whole);
	free(l);
	image_free(&im);
}

/* Fields that mke2fs leaves at zero, with values. */
void test_rare_fields(void **state)
{
	struct image im = image_make("small", "-b 1024 -I 128 -N 128", 1024);
	struct ext2_inode *d;
	struct inode *i;
	struct kstat st;
	u32 hello;

	mount_image(&im);
	hello = inode_number("/hello");
	image_unmount();
	damaged = im.data;
	d = disk_inode(hello);
	d->uid = 0x1234;
	d->uid_high = 0x5678;
	d->gid = 0x9abc;
	d->gid_high = 0xdef0;
	d->mode = 0060640; /* a block device, in the encoding for large numbers */
	d->size = 0;
	d->block[0] = 0;
	d->block[1] = 0x12345678;
	mount_image(&im);
	i = vfs_lookup(NULL, "/hello", true);
	assert_false(IS_ERR(i));
	inode_stat(i, &st);
	assert_int_equal(st.uid, 0x56781234);
	assert_int_equal(st.gid, 0xdef09abcu);
	assert_int_equal(st.mode, 0060640);
	assert_int_equal(st.rdev, 0x12345678);
	inode_put(i);
	image_unmount();
	d->block[0] = 0x0103; /* the old encoding */
	mount_image(&im);
	i = vfs_lookup(NULL, "/hello", true);
	inode_stat(i, &st);
	assert_int_equal(st.rdev, 0x0103);
	inode_put(i);
	image_unmount();
	image_free(&im);
}

/* A file system whose directories do not say of what kind an entry is. */
void test_no_filetype(void **state)
{
	struct image im = image_make("small", "-b 1024 -I 128 -N 128 -O ^filetype", 1024);
	struct names *l = calloc(1, sizeof(*l));
	long err;

	mount_image(&im);
	list_whole("/", l, &err);
	assert_int_equal(err, 0);
	assert_true(l->n > 10 && listed(l, "hello") && listed(l, "slow"));
	for (unsigned int k = 0; k < l->n; k++)
		assert_int_equal(l->type[k], 0); /* DT_UNKNOWN */
	assert_int_equal(err_of("/dir/sub/deep/file", true), 0);
	image_unmount();
	free(l);
	image_free(&im);
}
