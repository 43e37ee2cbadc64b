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
#include "ext2_test.h"
#include "kernel/arch/host/host.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/fs/fs.h"

static struct image im1k, im4k;
struct shim_disk disk;

void mount_image(struct image *im)
{
	host_quiet = true;
	shim_disk_init(&disk, im->data, im->size);
	assert_int_equal(image_mount(&disk), 0);
}

long err_of(const char *path, bool follow)
{
	struct inode *i = vfs_lookup(NULL, path, follow);

	assert_int_equal(host_locks_held(), 0);
	if (IS_ERR(i))
		return PTR_ERR(i);
	inode_put(i);
	return 0;
}

/* ---- the whole tree against the host --------------------------------------------------------- */
bool collect(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next)
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

u64 disk_block(const char *path, u64 at)
{
	struct inode *i = vfs_lookup(NULL, path, true);
	u32 *map = ((struct ext2_info *)i->priv)->block;
	u64 n = at / ext2_fs(i->sb)->block_size;

	assert_true(n < EXT2_NDIRECT);
	n = map[n];
	inode_put(i);
	return n;
}

/* The tail of the last page reads as zero, as a mapping shows it, whatever the disk has there. */
static void test_tail_is_zero(void **state)
{
	struct inode *i;
	struct page *p;
	u8 *v, *block, content[6];

	mount_image(&im4k);
	block = im4k.data + disk_block("/hello", 0) * 4096;
	image_unmount();
	memcpy(content, block, 6);
	memset(block + 6, 0xee, 4096 - 6);
	mount_image(&im4k);
	i = vfs_lookup(NULL, "/hello", true);
	p = pagecache_get(i, 0);
	assert_false(IS_ERR(p));
	v = page_to_virt(p);
	assert_memory_equal(v, content, 6);
	for (unsigned int k = 6; k < 4096; k++)
		assert_int_equal(v[k], 0);
	page_put(p);
	inode_put(i);
	image_unmount();
	memset(block + 6, 0, 4096 - 6);
}

/* One bad block hurts those who want it and nobody else, though it lies among blocks that are read
 * ahead in one request; what came before it is not lost. */
static void test_bad_block_in_read_ahead(void **state)
{
	struct inode *i;
	struct file *f;
	u64 bad;
	char c, *buf = malloc(40000);

	mount_image(&im4k);
	bad = disk_block("/megabytes", 3 * 4096);
	image_unmount();
	mount_image(&im4k);
	disk.bad_sector = bad * 8 + 5;
	i = vfs_lookup(NULL, "/megabytes", true);
	for (u64 page = 0; page < 10; page++)
		assert_int_equal(inode_read(i, &c, 1, page * 4096), page == 3 ? -EIO : 1);
	assert_int_equal(inode_read(i, buf, 40000, 0), 3 * 4096); /* and then the error */
	assert_int_equal(inode_read(i, buf, 1000, 3 * 4096), -EIO);
	inode_put(i);
	f = vfs_open(NULL, "/megabytes", O_RDONLY, 0);
	assert_int_equal(file_read(f, USER(buf), 40000), 3 * 4096);
	assert_int_equal(file_read(f, USER(buf), 40000), -EIO);
	assert_int_equal(file_lseek(f, 0, SEEK_CUR), 3 * 4096);
	disk.bad_sector = 0;
	assert_int_equal(file_read(f, USER(buf), 4096), 4096); /* it is tried again */
	file_put(f);
	free(buf);
	image_unmount();
}

/* A device whose size is no multiple of a page: its last blocks are there, and zeroes behind them.
 */
static void test_odd_device(void **state)
{
	struct image im = image_make("small", "-b 1024 -I 128 -N 128", 1023);
	struct page *p;
	u64 last = im.size / 4096;

	assert_true(im.size % 4096 != 0);
	memset(im.data + im.size - 1024, 0xcc, 1024);
	mount_image(&im);
	p = pagecache_get(ext2_fs(vfs_root_sb)->meta, last);
	assert_false(IS_ERR(p));
	assert_memory_equal(page_to_virt(p), im.data + last * 4096, im.size % 4096);
	for (u64 k = im.size % 4096; k < 4096; k++)
		assert_int_equal(((u8 *)page_to_virt(p))[k], 0);
	page_put(p);
	assert_true(IS_ERR(pagecache_get(ext2_fs(vfs_root_sb)->meta, last + 1)));
	fuzz_visit_all();
	image_unmount();
	image_free(&im);
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
		cmocka_unit_test(test_bad_block_in_read_ahead),
		cmocka_unit_test(test_odd_device),
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
		cmocka_unit_test(test_damage_hides_nothing),
		cmocka_unit_test(test_rare_fields),
		cmocka_unit_test(test_no_filetype),
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_fuzz),
	};

	return cmocka_run_group_tests_name("ext2", tests, setup, teardown);
}
