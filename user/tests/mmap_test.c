/* mmap_test.c - mmap, munmap, mprotect: contents, sharing, protection, errors. */
#include <fcntl.h>
#include <sys/mman.h>
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
	return tap_end();
}
