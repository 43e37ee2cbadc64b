/* ext2_test.c - kernel/fs on the host: real images against the host's own view of the same tree,
 * path rules, pipes, failing disk and memory, broken superblocks. Corruption: ext2_fuzz.c.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fs/vfs.h>
#include <ipc/pipe.h>
#include "ext2_fuzz.h"
#include "ext2_image.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/fs/fs.h"

static struct image im1k, im4k;
static struct shim_disk disk;

static void mount_image(struct image *im)
{
	host_quiet = true;
	shim_disk_init(&disk, im->data, im->size);
	assert_int_equal(image_mount(&disk), 0);
}

static long err_of(const char *path, bool follow)
{
	struct inode *i = vfs_lookup(NULL, path, follow);

	assert_int_equal(host_locks_held(), 0);
	if (IS_ERR(i))
		return PTR_ERR(i);
	inode_put(i);
	return 0;
}

/* ---- the whole tree against the host --------------------------------------------------------- */
struct names {
	char name[400][256];
	u8 type[400];
	unsigned int n;
};

static bool collect(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next)
{
	struct names *l = ctx;

	assert_true(l->n < 400 && len < 256 && ino > 0);
	memcpy(l->name[l->n], name, len);
	l->name[l->n][len] = 0;
	l->type[l->n++] = type;
	return true;
}

static void same_content(const char *host, struct inode *i)
{
	int fd = open(host, O_RDONLY);
	char *a = malloc(i->size + 1), *b = malloc(i->size + 1);
	u64 at = 0;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, a, i->size + 1), i->size);
	for (u64 step = 1; at < i->size; step = step * 3 + 1) {
		ssize_t n = inode_read(i, b + at, step > 100000 ? step = 1 : step, at);

		assert_true(n > 0);
		at += (u64)n;
	}
	assert_int_equal(inode_read(i, b, 10, i->size), 0);
	assert_memory_equal(a, b, i->size);
	free(a);
	free(b);
	close(fd);
}

static unsigned int compare_tree(const char *host, const char *guest)
{
	struct names *l = calloc(1, sizeof(*l));
	struct file *f = vfs_open(NULL, guest, O_RDONLY, 0);
	unsigned int seen = 0, want = 0;
	char h[700], g[700], link[256], hlink[256];
	struct dirent *e;
	DIR *d;

	assert_false(IS_ERR(f));
	assert_int_equal(file_readdir(f, l, collect), 0);
	file_put(f);
	for (unsigned int k = 0; k < l->n; k++) {
		struct inode *i;
		struct kstat ks;
		struct stat st;

		if (!strcmp(l->name[k], "..") || !strcmp(l->name[k], ".") ||
		    !strcmp(l->name[k], "lost+found"))
			continue;
		snprintf(h, sizeof(h), "%s/%s", host, l->name[k]);
		snprintf(g, sizeof(g), "%s/%s", guest, l->name[k]);
		assert_int_equal(lstat(h, &st), 0);
		i = vfs_lookup(NULL, g, false);
		assert_false(IS_ERR(i));
		inode_stat(i, &ks);
		assert_int_equal(ks.mode, st.st_mode);
		assert_int_equal(ks.mode >> 12, l->type[k]);
		assert_int_equal(ks.mtime, st.st_mtime);
		if (!S_ISDIR(ks.mode))
			assert_int_equal(ks.size, st.st_size);
		assert_int_equal(ks.nlink, st.st_nlink);
		if (S_ISLNK(ks.mode)) {
			ssize_t n = inode_readlink(i, link, sizeof(link));

			assert_int_equal(n, readlink(h, hlink, sizeof(hlink)));
			assert_memory_equal(link, hlink, (size_t)n);
		} else if (S_ISDIR(ks.mode)) {
			seen += compare_tree(h, g);
		} else if (ks.size < 10000000) {
			same_content(h, i);
		}
		inode_put(i);
		seen++;
		want--;
	}
	d = opendir(host);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			want++;
	closedir(d);
	assert_int_equal(want, 0);
	free(l);
	return seen;
}

static void test_tree(void **state)
{
	struct image *im = *state;

	mount_image(im);
	assert_true(compare_tree(image_tree("big"), "/") > 350);
	image_unmount();
}

static void test_tree_memory_short(void **state)
{
	mount_image(&im1k);
	shim_memory_short = true;
	assert_true(compare_tree(image_tree("big"), "/") > 350);
	assert_true(shim_pages < 400); /* the cache gave pages back while it ran */
	shim_memory_short = false;
	image_unmount();
}

static void test_sparse(void **state)
{
	struct image *im = *state;
	bool small = im == &im1k;
	struct inode *i;
	char host[300];
	u64 at = small ? SPARSE_AT_1K : SPARSE_AT_4K;
	u8 buf[6000], want[6000] = {0};
	int fd;

	mount_image(im);
	snprintf(host, sizeof(host), "%s/%s", image_tree("big"), small ? "sparse1k" : "sparse4k");
	i = vfs_lookup(NULL, small ? "/sparse1k" : "/sparse4k", true);
	assert_false(IS_ERR(i));
	assert_int_equal(i->size, at + 5000);
	fd = open(host, O_RDONLY);
	assert_int_equal(pread(fd, want, 6000, (off_t)at - 500), 5500);
	close(fd);
	assert_int_equal(inode_read(i, buf, 6000, at - 500), 5500);
	assert_memory_equal(buf, want, 5500);
	memset(want, 0, sizeof(want));
	for (u64 hole = 0; hole < at - 6000; hole += at / 97) {
		assert_int_equal(inode_read(i, buf, 6000, hole), 6000);
		assert_memory_equal(buf, want, 6000);
	}
	assert_true(IS_ERR(pagecache_get(i, (i->size + 4095) / 4096)));
	inode_put(i);
	image_unmount();
}

/* The tail of the last page reads as zero, as a mapping shows it. */
static void test_tail_is_zero(void **state)
{
	struct inode *i;
	struct page *p;
	u8 *v;

	mount_image(&im4k);
	i = vfs_lookup(NULL, "/hello", true);
	p = pagecache_get(i, 0);
	assert_false(IS_ERR(p));
	v = page_to_virt(p);
	for (unsigned int k = 6; k < 4096; k++)
		assert_int_equal(v[k], 0);
	page_put(p);
	inode_put(i);
	image_unmount();
}

static void test_read_ahead_merges(void **state)
{
	struct inode *i;
	char buf[100];
	unsigned long before;

	mount_image(&im4k);
	i = vfs_lookup(NULL, "/megabytes", true);
	before = disk.requests;
	for (u64 at = 0; at < 32768; at += 100)
		assert_int_equal(inode_read(i, buf, 100, at), 100);
	assert_true(disk.requests - before <= 4); /* 9 pages, an indirect block */
	inode_put(i);
	image_unmount();
}

/* ---- names ----------------------------------------------------------------------------------- */
static void test_paths(void **state)
{
	struct path_rule {
		const char *path;
		bool follow;
		long want;
	} rules[] = {
		{"/", 1, 0},
		{"//", 1, 0},
		{"/.", 1, 0},
		{"/..", 1, 0},
		{"hello", 1, 0},
		{"/hello", 1, 0},
		{"/hello/", 1, -ENOTDIR},
		{"/hello/.", 1, -ENOTDIR},
		{"/dir/", 1, 0},
		{"/dir//sub///deep/", 1, 0},
		{"/dir/sub/../..", 1, 0},
		{"", 1, -ENOENT},
		{"/x", 1, -ENOENT},
		{"/x/y", 1, -ENOENT},
		{"/hello/y", 1, -ENOTDIR},
		{"/fast/deep/file", 1, 0},
		{"/fast/", 0, 0},
		{"/fast", 0, 0},
		{"/absolute", 1, 0},
		{"/absolute/", 1, -ENOTDIR},
		{"/up", 1, 0},
		{"/slow", 1, 0},
		{"/dangling", 1, -ENOENT},
		{"/dangling", 0, 0},
		{"/loop-a", 1, -ELOOP},
		{"/loop-a", 0, 0},
		{"/loop-a/x", 0, -ELOOP},
		{"/chain-39", 1, 0},
		{"/chain-40", 1, -ELOOP},
		{"/dev", 1, 0},
		{"/dev/", 1, 0},
		{"/dev/null", 1, 0},
		{"/dev/null/", 1, -ENOTDIR},
		{"/dev/x", 1, -ENOENT},
		{"/dev/../hello", 1, 0},
		{"/dev/./console", 1, 0},
		{"/to-dev", 1, 0},
		{"/dir/../to-dev", 1, 0},
	};
	char *name = malloc(PATH_MAX + 1);

	mount_image(&im1k);
	for (unsigned int k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
		long got = err_of(rules[k].path, rules[k].follow);

		if (got != rules[k].want)
			fail_msg("%s: %ld, not %ld", rules[k].path, got, rules[k].want);
	}
	memset(name, 'n', PATH_MAX);
	name[0] = '/';
	name[256] = 0;
	assert_int_equal(err_of(name, true), 0); /* 255 letters exist */
	name[256] = 'n';
	name[257] = 0;
	assert_int_equal(err_of(name, true), -ENAMETOOLONG);
	for (unsigned int k = 0; k < PATH_MAX; k += 2)
		memcpy(name + k, "/.", 2);
	name[PATH_MAX] = 0;
	assert_int_equal(err_of(name, true), -ENAMETOOLONG);
	name[PATH_MAX - 1] = 0;
	assert_int_equal(err_of(name, true), 0);
	free(name);
	image_unmount();
}

static void test_relative_and_cwd(void **state)
{
	struct inode *sub, *i;
	char buf[64];

	mount_image(&im4k);
	sub = vfs_lookup(NULL, "/dir/sub", true);
	i = vfs_lookup(sub, "deep/file", true);
	assert_int_equal(i->size, 1025);
	inode_put(i);
	i = vfs_lookup(sub, "../../hello", true);
	assert_int_equal(i->size, 6);
	inode_put(i);
	assert_int_equal(vfs_getcwd(sub, buf, sizeof(buf)), 9);
	assert_string_equal(buf, "/dir/sub");
	assert_int_equal(vfs_getcwd(sub, buf, 9), 9);
	assert_int_equal(vfs_getcwd(sub, buf, 8), -ERANGE);
	assert_int_equal(vfs_getcwd(sub, buf, 0), -ERANGE);
	assert_int_equal(vfs_getcwd(vfs_root_sb->root, buf, 2), 2);
	assert_string_equal(buf, "/");
	assert_int_equal(vfs_getcwd(devfs_root(), buf, 64), 5);
	assert_string_equal(buf, "/dev");
	inode_put(sub);
	image_unmount();
}

static void test_lookup_locked(void **state)
{
	struct inode *i;

	mount_image(&im4k);
	mutex_lock(vfs_root_sb->root_lock);
	i = vfs_lookup_locked(NULL, "/sbin/init", true);
	assert_false(IS_ERR(i));
	inode_put(i);
	mutex_unlock(vfs_root_sb->root_lock);
	image_unmount();
}

/* ---- open files ------------------------------------------------------------------------------ */
static long open_error(const char *path, u32 flags)
{
	struct file *f = vfs_open(NULL, path, flags, 0644);

	if (IS_ERR(f))
		return PTR_ERR(f);
	file_put(f);
	return 0;
}

static void test_open(void **state)
{
	struct {
		const char *path;
		u32 flags;
		long want;
	} rules[] = {
		{"/hello", O_RDONLY, 0},
		{"/hello", O_WRONLY, -EROFS},
		{"/hello", O_RDWR, -EROFS},
		{"/hello", O_TRUNC, -EROFS},
		{"/hello", O_CREAT, 0},
		{"/hello", O_CREAT | O_EXCL, -EEXIST},
		{"/loop-a", O_CREAT | O_EXCL, -EEXIST},
		{"/new", O_CREAT | O_RDWR, -EROFS},
		{"/no/new", O_CREAT | O_RDWR, -ENOENT},
		{"/dangling", O_CREAT | O_RDWR, -ENOENT},
		{"/fast", O_NOFOLLOW, -ELOOP},
		{"/fast", O_NOFOLLOW | O_PATH, 0},
		{"/hello", O_DIRECTORY, -ENOTDIR},
		{"/dir", O_DIRECTORY, 0},
		{"/dir", O_RDWR, -EISDIR},
		{"/dir", O_CREAT, -EISDIR},
		{"/dev/null", O_RDWR | O_TRUNC, 0},
		{"/dev/null", O_RDWR | O_CREAT, 0},
	};

	mount_image(&im1k);
	for (unsigned int k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
		long got = open_error(rules[k].path, rules[k].flags);

		if (got != rules[k].want)
			fail_msg("%s %#o: %ld, not %ld", rules[k].path, rules[k].flags, got,
				 rules[k].want);
	}
	image_unmount();
}

#define USER(p) ((void __user *)(unsigned long)(p))

static void test_read_seek(void **state)
{
	struct file *f, *d;
	u8 whole[9000], buf[9000];

	mount_image(&im1k);
	f = vfs_open(NULL, "/sbin/init", O_RDONLY, 0);
	assert_int_equal(file_read(f, USER(whole), 20000), 9000);
	assert_int_equal(file_read(f, USER(buf), 1), 0);
	assert_int_equal(file_lseek(f, 4090, SEEK_SET), 4090);
	assert_int_equal(file_read(f, USER(buf), 10), 10);
	assert_memory_equal(buf, whole + 4090, 10);
	assert_int_equal(file_lseek(f, 0, SEEK_CUR), 4100);
	assert_int_equal(file_pread(f, USER(buf), 100, 8950), 50);
	assert_memory_equal(buf, whole + 8950, 50);
	assert_int_equal(file_lseek(f, 0, SEEK_CUR), 4100);
	assert_int_equal(file_pread(f, USER(buf), 1, -1), -EINVAL);
	assert_int_equal(file_lseek(f, 10, SEEK_END), 9010);
	assert_int_equal(file_read(f, USER(buf), 1), 0);
	assert_int_equal(file_lseek(f, -9001, SEEK_END), -EINVAL);
	assert_int_equal(file_lseek(f, INT64_MAX, SEEK_CUR), -EINVAL);
	assert_int_equal(file_write(f, USER(buf), 1), -EBADF);
	assert_int_equal(file_ioctl(f, 0x5401, 0), -ENOTTY);
	file_put(f);
	d = vfs_open(NULL, "/dir", O_RDONLY, 0);
	assert_int_equal(file_read(d, USER(buf), 1), -EISDIR);
	file_put(d);
	f = vfs_open(NULL, "/dev/zero", O_RDONLY, 0);
	assert_int_equal(file_read(f, USER(buf), 9000), 9000);
	assert_int_equal(buf[0] | buf[8999], 0);
	assert_int_equal(file_lseek(f, 77, SEEK_SET), 0); /* any position, as on Linux: none */
	assert_int_equal(file_pread(f, USER(buf), 9, 77), 9);
	file_put(f);
	f = vfs_open(NULL, "/dev/urandom", O_RDONLY, 0);
	assert_int_equal(file_read(f, USER(buf), 1000), 1000);
	assert_int_equal(file_read(f, USER(whole), 1000), 1000);
	assert_memory_not_equal(buf, whole, 1000);
	file_put(f);
	image_unmount();
}

static bool emit_three(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next)
{
	struct names *l = ctx;

	if (l->n % 3 == 0 && l->type[0]) {
		l->type[0] = 0; /* "buffer full" before each third entry */
		return false;
	}
	l->type[0] = 1;
	memcpy(l->name[l->n], name, len);
	l->name[l->n++][len] = 0;
	return true;
}

/* Reading a directory in pieces shows each entry once. */
static void test_readdir_pieces(void **state)
{
	struct names *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct file *f;
	unsigned int calls = 0, last;

	mount_image(&im1k);
	f = vfs_open(NULL, "/many", O_RDONLY, 0);
	assert_int_equal(file_readdir(f, a, collect), 0);
	assert_int_equal(a->n, 302);
	assert_int_equal(file_lseek(f, 0, SEEK_SET), 0);
	do {
		last = b->n;
		assert_int_equal(file_readdir(f, b, emit_three), 0);
		calls++;
	} while (b->n > last || calls < 3);
	assert_int_equal(b->n, a->n);
	for (unsigned int k = 0; k < a->n; k++)
		assert_string_equal(a->name[k], b->name[k]);
	/* a position inside an entry: goes on at the next one, without harm */
	assert_int_equal(file_lseek(f, 13, SEEK_SET), 13);
	a->n = 0;
	assert_int_equal(file_readdir(f, a, collect), 0);
	assert_int_equal(a->n, 300);
	assert_int_equal(file_lseek(f, 1ll << 40, SEEK_SET), 1ll << 40);
	a->n = 0;
	assert_int_equal(file_readdir(f, a, collect), 0);
	assert_int_equal(a->n, 0);
	file_put(f);
	f = vfs_open(NULL, "/dev", O_RDONLY, 0);
	assert_int_equal(file_readdir(f, a, collect), 0);
	assert_int_equal(a->n, 9);
	assert_string_equal(a->name[2], "console");
	file_put(f);
	free(a);
	free(b);
	image_unmount();
}

static void test_pipe(void **state)
{
	static u8 in[200000], out[200000];
	struct file *p[2];
	ssize_t w = 0, r = 0, n;

	mount_image(&im1k);
	for (unsigned int k = 0; k < sizeof(in); k++)
		in[k] = (u8)(k * 7 >> 3);
	assert_int_equal(pipe_create(p, O_NONBLOCK), 0);
	assert_int_equal(file_read(p[0], USER(out), 5), -EAGAIN);
	while (r < (ssize_t)sizeof(in)) {
		n = file_write(p[1], USER(in + w), MIN(sizeof(in) - (size_t)w, 30011u));
		assert_true(n >= 0 || n == -EAGAIN);
		if (n > 0)
			w += n;
		n = file_read(p[0], USER(out + r), 17001);
		assert_true(n > 0);
		r += n;
	}
	assert_memory_equal(in, out, sizeof(in));
	/* up to PIPE_BUF: all or nothing */
	for (w = 0; (n = file_write(p[1], USER(in), 4096)) > 0; w += n)
		;
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(w, 65536);
	assert_int_equal(file_read(p[0], USER(out), 4000), 4000);
	assert_int_equal(file_write(p[1], USER(in), 4096), -EAGAIN);
	assert_int_equal(file_write(p[1], USER(in), 4097), 4000);
	file_put(p[1]);
	assert_int_equal(file_read(p[0], USER(out), 100000), 65536);
	assert_int_equal(file_read(p[0], USER(out), 1), 0);
	file_put(p[0]);
	assert_int_equal(pipe_create(p, 0), 0);
	file_put(p[0]);
	assert_int_equal(file_write(p[1], USER(in), 1), -EPIPE);
	file_put(p[1]);
	image_unmount();
}

/* What a program asks of a file system, from mount to unmount, with nothing left over. */
static void use_all(void)
{
	struct file *p[2];

	if (image_mount(&disk) != 0)
		return;
	fuzz_visit_all();
	if (pipe_create(p, 0) == 0) {
		file_put(p[0]);
		file_put(p[1]);
	}
	image_unmount();
}

/* Runs use_all() with the n-th allocation or read failing, alone (once) or with all that follow.
 * False: it has fewer than n. */
static bool use_all_without(bool reads, bool once, long n)
{
	long *left = reads ? &disk.reads_left : &shim_allocs_left;
	bool reached;

	host_quiet = true;
	shim_disk_init(&disk, im1k.data, im1k.size);
	*left = n;
	shim_fail_once = once;
	use_all();
	reached = shim_failed;
	shim_allocs_left = -1;
	shim_fail_once = shim_failed = false;
	return reached;
}

/* Every allocation, and every disk read, fails with all that come after it, and a sample of them
 * alone; nothing leaks and no lock stays held. With FUZZ above its default all of them fail alone,
 * too; below it both are samples. How many of how many is said. */
static void test_failures(void **state)
{
	const char *fuzz = getenv("FUZZ");
	long images = fuzz && atol(fuzz) ? atol(fuzz) : 3000;
	long step_after = images < 3000 ? 23 : 1, step_alone = images > 3000 ? 1 : 23;

	for (int kind = 0; kind < 4; kind++) {
		bool reads = kind & 1, once = kind & 2;
		long step = reads ? 1 : once ? step_alone : step_after, n = 0, tried = 0;

		for (; use_all_without(reads, once, n); n += step)
			tried++;
		print_message("%s: %ld of %ld failed, %s\n", reads ? "disk reads" : "allocations",
			      tried, n, once ? "each alone" : "each with all that follow");
		assert_true(tried * step >= (reads ? 50 : 1000)); /* else nothing was reached */
	}
}

/* ---- superblocks that must be refused with a reason ------------------------------------------ */
static void test_super_messages(void **state)
{
	struct {
		unsigned int offset, size;
		u32 value;
		int want;
		const char *says;
	} rules[] = {
		{56, 2, 0x1234, -EINVAL, "no ext2 file system"},
		{76, 4, 7, -EINVAL, "revision 7"},
		{96, 4, 0x42, -EINVAL, "extents"},
		{96, 4, 0x6, -EINVAL, "journal recovery"},
		{96, 4, 0x80000000, -EINVAL, "unknown"},
		{24, 4, 3, -EINVAL, "block size"},
		{24, 4, 0xffffffff, -EINVAL, "block size"},
		{20, 4, 5, -EIO, "first data block"},
		{4, 4, 0xffffffff, -EIO, "blocks"},
		{4, 4, 0, -EIO, "blocks"},
		{32, 4, 0, -EIO, "blocks"},
		{40, 4, 0, -EIO, "inodes per group"},
		{40, 4, 0x10000, -EIO, "inodes per group"},
		{88, 2, 0, -EIO, "inode size"},
		{88, 2, 200, -EIO, "inode size"},
		{88, 2, 32768, -EIO, "inode size"},
		{0, 4, 0xffffffff, -EIO, "inodes in"},
		{0, 4, 0, -EIO, "inodes in"},
	};
	u8 *copy = malloc(im1k.size);

	for (unsigned int k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
		memcpy(copy, im1k.data, 1 << 20);
		memcpy(copy + 1024 + rules[k].offset, &rules[k].value, rules[k].size);
		shim_disk_init(&disk, copy, im1k.size);
		host_log_clear();
		host_quiet = true;
		if (image_mount(&disk) != rules[k].want || !strstr(host_log, rules[k].says))
			fail_msg("offset %u = %#x: said \"%s\"", rules[k].offset, rules[k].value,
				 host_log);
	}
	shim_disk_init(&disk, copy, 1024); /* no room for a superblock */
	assert_int_equal(image_mount(&disk), -EINVAL);
	shim_disk_init(&disk, copy, 0);
	assert_int_equal(image_mount(&disk), -EINVAL);
	free(copy);
}

/* ---- damage behind the superblock: refused, with the reason ---------------------------------- */
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

static long list_error(const char *path)
{
	struct file *f = vfs_open(NULL, path, O_RDONLY, 0);
	long err;

	if (IS_ERR(f))
		return PTR_ERR(f);
	err = file_readdir(f, NULL, ignore_entry);
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

static void test_damage(void **state)
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

static int setup(void **state)
{
	host_single();
	image_setup();
	im1k = image_make("big", "-b 1024 -I 128", 16384);
	im4k = image_make("big", "-b 4096 -I 256", 32768);
	return 0;
}

static int teardown(void **state)
{
	image_free(&im1k);
	image_free(&im4k);
	image_teardown();
	return 0;
}

int main(void)
{
	alarm(600); /* a hang is a failure */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_tree, &im1k),
		cmocka_unit_test_prestate(test_tree, &im4k),
		cmocka_unit_test(test_tree_memory_short),
		cmocka_unit_test_prestate(test_sparse, &im1k),
		cmocka_unit_test_prestate(test_sparse, &im4k),
		cmocka_unit_test(test_tail_is_zero),
		cmocka_unit_test(test_read_ahead_merges),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_relative_and_cwd),
		cmocka_unit_test(test_lookup_locked),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_read_seek),
		cmocka_unit_test(test_readdir_pieces),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_super_messages),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("ext2", tests, setup, teardown);
}
