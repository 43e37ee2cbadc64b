/* mmap_test.c - mmap, munmap, mprotect: contents, sharing, protection, places, what a mapping may
 * become, stale translations, errors. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "tap.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static volatile char *target;

static int touch_write(void)
{
	*target = 1;
	return 0;
}
static int touch_read(void)
{
	return *target & 0;
}
static int dies(int (*fn)(void), volatile void *at)
{
	int status;

	target = at;
	status = in_child(fn);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

/* What a mapping may become is decided by how its file was open, and stays with its parts. */
static char *ro_shared;

static int may_not_write(void)
{
	return mprotect(ro_shared, 4096, RW) == -1 && errno == EACCES ? 0 : 1;
}

static void test_may(int fd)
{
	char head[8] = {0}, *two, *priv;
	int null = open("/dev/null", O_WRONLY);

	ro_shared = mmap(NULL, 3 * 4096, PROT_READ, MAP_SHARED, fd, 0);
	ok(ro_shared != MAP_FAILED, "a shared mapping of a read-only descriptor");
	ok(may_not_write() == 0, "cannot be made writable: EACCES");
	ok(mprotect(ro_shared, 4096, PROT_WRITE) == -1 && errno == EACCES,
	   "nor write-only: EACCES");
	ok(pread(fd, head, 8, 0) == 8 && memcmp(head, ro_shared, 8) == 0, "and still reads");
	ok(in_child(may_not_write) == 0, "nor in a child");
	ok(mprotect(ro_shared, 3 * 4096, PROT_NONE) == 0 && may_not_write() == 0 &&
		   mprotect(ro_shared, 3 * 4096, PROT_READ) == 0 && ro_shared[0] == head[0],
	   "nor by way of no access");
	ok(munmap(ro_shared + 4096, 4096) == 0 && may_not_write() == 0 &&
		   mprotect(ro_shared + 2 * 4096, 4096, RW) == -1 && errno == EACCES,
	   "nor either part of what was split");
	two = mmap(ro_shared - 4096, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	if (two != MAP_FAILED)
		ok(mprotect(two, 2 * 4096, RW) == -1 && errno == EACCES,
		   "a range that ends in it: EACCES");
	ok(mprotect(ro_shared, 4096, PROT_READ | PROT_EXEC) == 0, "it may become executable");

	priv = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	ok(priv != MAP_FAILED && priv[0] == head[0] && mprotect(priv, 4096, RW) == 0,
	   "a private one may be made writable");
	if (priv != MAP_FAILED)
		priv[0] ^= 1;
	ok(pread(fd, head, 1, 0) == 1 && priv[0] == (head[0] ^ 1) && ro_shared[0] == head[0],
	   "and the file does not change");
	ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED && errno == EACCES,
	   "a write-only descriptor cannot be mapped: EACCES");
	close(null);
}

/* Where a mapping goes. */
static void test_place(void)
{
	char *p = mmap(NULL, 3 * 4096, RW, ANON, -1, 0), *q;

	*p = 'x';
	/* qemu-user does not know this flag. */
	ok(wrapped() || (mmap(p, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
			 errno == EEXIST && *p == 'x'),
	   "MAP_FIXED_NOREPLACE over a mapping: EEXIST");
	ok(munmap(p + 4096, 4096) == 0, "a hole");
	ok(wrapped() ||
		   (mmap(p + 4096, 2 * 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
		    errno == EEXIST),
	   "too small for a new mapping: EEXIST");
	q = mmap(p + 4096, 4096, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	ok(q == p + 4096, "in a hole it is that address");
	ok(munmap(q, 4096) == 0 && mmap(q + 123, 4096, RW, ANON, -1, 0) == q,
	   "a hint is followed where it is free");
	q = mmap(p, 4096, RW, ANON, -1, 0);
	ok(q != MAP_FAILED && q != p && *p == 'x', "and not where it is not");
	munmap(p, 3 * 4096);
	munmap(q, 4096);
}

static void test_sizes(int fd)
{
	char *p = mmap(NULL, 4096, RW, ANON, -1, 0);

	ok(mmap(NULL, ~0ul, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM,
	   "mmap of all there is: ENOMEM");
	ok(mmap(NULL, ~0ul - 4096, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM,
	   "and of a page less: ENOMEM");
	ok(munmap(p, ~0ul) == -1 && errno == EINVAL, "munmap of all there is: EINVAL");
	ok(munmap(p, 0) == -1 && errno == EINVAL, "and of nothing: EINVAL");
	ok(mprotect(p, ~0ul - 4096, RW) == -1 && errno == ENOMEM,
	   "mprotect of all there is: ENOMEM");
	ok(wrapped() || mprotect(p, 0, RW) == 0, "and of nothing");
	ok(syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, -4096l) == -1 &&
		   errno == EOVERFLOW,
	   "an offset at the end of all numbers: EOVERFLOW");
	ok(wrapped() || (syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED_VALIDATE | 1 << 25, fd,
				 0l) == -1 &&
			 errno == EOPNOTSUPP),
	   "MAP_SHARED_VALIDATE with a flag that nobody knows: EOPNOTSUPP");
	*p = 1;
	munmap(p, 4096);
}

/* One process, no switch between: what the CPU remembers of an old entry must be gone when the call
 * returns. The kernel's own copies use the same translations. */
static char *warm;

static int warm_then_read_only(void)
{
	*warm = 1;
	if (mprotect(warm, 4096, PROT_READ) != 0)
		return 1;
	*warm = 2;
	return 2;
}

static int warm_then_gone(void)
{
	*warm = 1;
	return munmap(warm, 4096) == 0 ? *(volatile char *)warm & 0 : 1;
}

static void test_stale(void)
{
	int zero = open("/dev/zero", O_RDONLY), p[2], bad_prot = 0, bad_map = 0, bad_new = 0;
	char c;

	if (pipe(p) != 0)
		return;
	for (int i = 0; i < 50; i++) {
		warm = mmap(NULL, 2 * 4096, RW, ANON, -1, 0);
		warm[0] = warm[4096] = 'w';
		bad_prot += mprotect(warm, 4096, PROT_READ) != 0;
		bad_prot += read(zero, warm, 1) != -1 || errno != EFAULT || warm[0] != 'w';
		bad_prot += mprotect(warm, 4096, PROT_NONE) != 0;
		bad_prot += write(p[1], warm, 1) != -1 || errno != EFAULT;
		bad_map += munmap(warm + 4096, 4096) != 0;
		bad_map += write(p[1], warm + 4096, 1) != -1 || errno != EFAULT;
		bad_new += mprotect(warm, 4096, RW) != 0 || warm[0] != 'w';
		bad_new += mmap(warm, 4096, RW, ANON | MAP_FIXED, -1, 0) != warm || warm[0] != 0;
		munmap(warm, 4096);
	}
	ok(bad_prot == 0, "no access is left over after mprotect, %d", bad_prot);
	ok(bad_map == 0, "nor after munmap, %d", bad_map);
	ok(bad_new == 0, "nor the old page under a new mapping, %d", bad_new);
	warm = mmap(NULL, 4096, RW, ANON, -1, 0);
	ok(dies(warm_then_read_only, warm), "a write right after mprotect dies");
	ok(dies(warm_then_gone, warm), "a read right after munmap dies");
	ok(write(p[1], warm, 1) == 1 && read(p[0], &c, 1) == 1, "the pipe still works");
	close(p[0]);
	close(p[1]);
	close(zero);
}

int main(void)
{
	char *p = mmap(NULL, 10 * 4096, RW, ANON, -1, 0), *q, *f;
	int fd, zero = 1, *shared, status;
	char head[16] = {0};

	ok(p != MAP_FAILED, "anonymous memory");
	for (int i = 0; i < 10 * 4096; i++)
		zero &= p[i] == 0;
	ok(zero, "it is zero");
	memset(p, 'a', 10 * 4096);
	ok(munmap(p + 4096, 4096) == 0, "a hole in the middle");
	ok(dies(touch_read, p + 4096) && p[0] == 'a' && p[2 * 4096] == 'a',
	   "only the hole is gone");
	q = mmap(p + 4096, 4096, RW, ANON | MAP_FIXED, -1, 0);
	ok(q == p + 4096 && q[0] == 0 && p[0] == 'a', "MAP_FIXED fills the hole");
	ok(mprotect(p, 4096, PROT_READ) == 0 && p[0] == 'a', "read-only is readable");
	ok(dies(touch_write, p), "and not writable");
	ok(mprotect(p, 4096, PROT_NONE) == 0 && dies(touch_read, p), "PROT_NONE is not readable");
	ok(mprotect(p, 4096, RW) == 0 && p[0] == 'a', "the content survived");
	p[0] = 'b';
	ok(p[0] == 'b', "writable again");
	ok(munmap(p, 10 * 4096) == 0 && dies(touch_read, p), "all gone");

	shared = mmap(NULL, 4096, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok(shared != MAP_FAILED, "shared memory");
	if (fork() == 0) {
		*shared = 77;
		_exit(0);
	}
	wait(&status);
	ok(*shared == 77, "the child's write is seen");

	fd = open(test_path("data"), O_RDONLY);
	f = mmap(NULL, 3 * 4096, RW, MAP_PRIVATE, fd, 4096);
	ok(f != MAP_FAILED && pread(fd, head, 16, 4096) == 16 && memcmp(f, head, 16) == 0,
	   "a private file mapping shows the file");
	if (f != MAP_FAILED)
		f[0] ^= 1;
	ok(f != MAP_FAILED && pread(fd, head, 16, 4096) == 16 && f[0] != head[0],
	   "its writes stay private");
	ok(mmap(NULL, 0, RW, ANON, -1, 0) == MAP_FAILED && errno == EINVAL, "length 0: EINVAL");
	ok(mmap(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL,
	   "no type: EINVAL");
	ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF,
	   "EBADF");
	ok(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 100) == MAP_FAILED && errno == EINVAL,
	   "offset inside a page: EINVAL");
	ok(mmap(NULL, 4096, RW, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES,
	   "shared and writable of a read-only descriptor: EACCES");
	ok(munmap((void *)1, 4096) == -1 && errno == EINVAL, "munmap inside a page: EINVAL");
	ok(mmap(NULL, 1ul << 47, RW, ANON, -1, 0) == MAP_FAILED && errno == ENOMEM,
	   "too big: ENOMEM");
	test_may(fd);
	test_place();
	test_sizes(fd);
	test_stale();
	return tap_end();
}
