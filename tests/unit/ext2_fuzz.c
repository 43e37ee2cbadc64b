/* ext2_fuzz.c - corrupts images in thousands of ways and looks at all of each: never a crash (ASan,
 * UBSan), never a hang (alarm), never a leak or a lock left held (image_unmount).
 *
 * Changes are aimed: superblock, group descriptors, inode tables, directory and indirect blocks are
 * found from the intact image, since random bytes would mostly hit free space. Failing seeds are
 * printed; FUZZ_SEED repeats them.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <fs/vfs.h>
#include <uapi/fcntl.h>
#include "ext2_fuzz.h"
#include "ext2_image.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/fs/fs.h"

#define DEPTH       6
#define READ_MAX    (256u << 10)
#define SECONDS_MAX 60 /* an image; most take a millisecond */

/* ---- visiting -------------------------------------------------------------------------------- */
#define ENTRIES 80
struct listing {
	char name[ENTRIES][256];
	unsigned int n;
};
static unsigned int budget; /* inodes to look at, since directories may form circles */

static bool take_entry(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next)
{
	struct listing *l = ctx;

	assert_true(len > 0 && len < 256);
	if (l->n == ENTRIES)
		return false;
	memcpy(l->name[l->n], name, len);
	l->name[l->n++][len] = 0;
	return true;
}

static void visit(struct inode *i, unsigned int depth);

static void visit_dir(struct inode *dir, unsigned int depth)
{
	struct listing *l = calloc(1, sizeof(*l));
	struct file *f = file_open_inode(dir, O_RDONLY);
	char cwd[512];

	vfs_getcwd(dir, cwd, sizeof(cwd));
	if (!IS_ERR(f)) {
		file_readdir(f, l, take_entry);
		file_lseek(f, 20, SEEK_SET);
		file_readdir(f, l, take_entry);
		file_put(f);
	}
	for (unsigned int k = 0; k < l->n && budget; k++) {
		for (int follow = 0; follow < 2; follow++) {
			struct inode *i = vfs_lookup(dir, l->name[k], follow);

			if (IS_ERR(i))
				continue;
			visit(i, depth + 1);
			inode_put(i);
		}
	}
	free(l);
}

static void visit(struct inode *i, unsigned int depth)
{
	static char buf[5000];
	u64 step = MAX(i->size / 16, sizeof(buf));
	struct kstat st;

	if (!budget || depth > DEPTH)
		return;
	budget--;
	inode_stat(i, &st);
	inode_readlink(i, buf, sizeof(buf));
	inode_readlink(i, buf, 3);
	if (S_ISDIR(i->mode)) {
		visit_dir(i, depth);
		return;
	}
	for (u64 at = 0; at < MIN(i->size, READ_MAX); at += sizeof(buf))
		inode_read(i, buf, sizeof(buf), at);
	for (u64 at = 0, n = 0; at < i->size && n < 20; at += step, n++)
		inode_read(i, buf, sizeof(buf), at);
}

void fuzz_visit_all(void)
{
	static const char *const paths[] = {
		"/sbin/init", "/fast/deep/file", "/absolute",           "/slow",
		"/loop-a",    "/chain-20",       "/dir/sub/../sub/deep"};
	struct inode *root = vfs_lookup(NULL, "/", true);

	budget = 150;
	if (!IS_ERR(root)) {
		visit(root, 0);
		inode_put(root);
	}
	for (size_t k = 0; k < ARRAY_SIZE(paths); k++) {
		struct inode *i = vfs_lookup(NULL, paths[k], true);

		if (!IS_ERR(i))
			inode_put(i);
	}
}

/* ---- corrupting ------------------------------------------------------------------------------ */
static u64 rng;

static u32 rnd(u32 below)
{
	rng = rng * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(rng >> 33) % below;
}

static u32 nasty(void)
{
	static const u32 values[] = {
		0,      1,      2,      3,       4,          7,          8,          11,
		12,     13,     255,    256,     1023,       1024,       4095,       4096,
		0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};

	return rnd(3) ? values[rnd(ARRAY_SIZE(values))]
		      : (u32)(rnd(1u << 16) << 16 | rnd(1u << 16));
}

/* Areas of metadata of the intact image: where changes matter. */
struct area {
	u64 at;
	u32 len, unit;
};
static struct area areas[256];
static unsigned int nareas;

static void area_add(u64 at, u32 len, u32 unit)
{
	if (nareas < ARRAY_SIZE(areas))
		areas[nareas++] = (struct area){at, len, unit};
}

static void find_areas(const struct image *im)
{
	const struct ext2_super *s = (const void *)(im->data + 1024);
	u32 bs = 1024u << s->log_block_size;
	const struct ext2_group *g = (const void *)(im->data + (u64)(s->first_data_block + 1) * bs);

	nareas = 0;
	area_add(1024, 104, 4);
	area_add(1024, 104, 2);
	area_add((u64)(s->first_data_block + 1) * bs, 32, 4);
	for (u32 ino = 1; ino <= s->inodes_count && ino <= s->inodes_per_group; ino++) {
		u64 at = (u64)g->inode_table * bs + (u64)(ino - 1) * s->inode_size;
		const struct ext2_inode *d = (const void *)(im->data + at);

		if (!d->links)
			continue;
		area_add(at, 128, 4);
		if (S_ISDIR(d->mode) || (S_ISLNK(d->mode) && d->blocks))
			area_add((u64)d->block[0] * bs, bs, 4);
		if (!S_ISLNK(d->mode))
			for (int k = 12; k < 15; k++)
				if (d->block[k])
					area_add((u64)d->block[k] * bs, MIN(bs, 256u), 4);
	}
}

static void corrupt(u8 *data, u64 size)
{
	unsigned int n = 1 + rnd(rnd(4) ? 3 : 40);

	while (n--) {
		const struct area *a = &areas[rnd(rnd(8) ? nareas : 3)];
		u32 unit = rnd(4) ? a->unit : 1u << rnd(3);
		u64 at = a->at + (u64)rnd(a->len / unit) * unit;
		u32 value = nasty();

		if (at + 4 > size)
			continue;
		switch (rnd(4)) {
		case 0: /* a flipped bit */
			data[at] ^= (u8)(1u << rnd(8));
			break;
		case 1: /* a copy of another place: plausible and wrong */
			memmove(data + at, data + areas[rnd(nareas)].at, MIN(unit * 4, 16u));
			break;
		case 2: { /* a number near the true one: a neighbour block or inode */
			u32 old;

			memcpy(&old, data + at, unit);
			old += rnd(9) - 4;
			memcpy(data + at, &old, unit);
			break;
		}
		default:
			memcpy(data + at, &value, unit);
		}
	}
}

static unsigned long env_number(const char *name, unsigned long dflt)
{
	const char *v = getenv(name);

	return v && *v ? strtoul(v, NULL, 0) : dflt;
}

void test_fuzz(void **state)
{
	static const struct {
		const char *args;
		unsigned int kib;
	} kinds[] = {{"-b 1024 -I 128 -N 128", 1024},
		     {"-b 4096 -I 256 -N 128", 2048},
		     {"-b 2048 -I 128 -N 128 -O ^filetype", 1024}};
	unsigned long images = env_number("FUZZ", 3000), seed0 = env_number("FUZZ_SEED", 1);
	unsigned long mounted = 0;
	struct shim_disk disk;

	host_quiet = true;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct image im = image_make("small", kinds[k].args, kinds[k].kib);
		u8 *copy = malloc(im.size);

		find_areas(&im);
		for (unsigned long n = k; n < images; n += ARRAY_SIZE(kinds)) {
			memcpy(copy, im.data, im.size);
			rng = seed0 + n;
			rnd(2);
			corrupt(copy, im.size);
			host_log_clear();
			shim_disk_init(&disk, copy, im.size);
			shim_memory_short = rnd(4) == 0;
			printf("seed %lu kind %zu\n", seed0 + n,
			       k); /* the last one is the culprit */
			fflush(stdout);
			alarm(SECONDS_MAX);
			if (image_mount(&disk) == 0) {
				mounted++;
				fuzz_visit_all();
				image_unmount();
			}
			alarm(0);
		}
		free(copy);
		image_free(&im);
	}
	shim_memory_short = false;
	printf("%lu images, %lu could be mounted\n", images, mounted);
	assert_true(images < 30 || mounted > images / 3); /* else the changes miss their aim */
}
