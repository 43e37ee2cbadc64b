/* limits_test.c - descriptors, files and waiting for them at their limits: the first and the last
 * number, sets of several words, lists that do not fit the stack, buffers that are not there, and
 * that a call which fails keeps nothing. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include "tap.h"

#define PAGE 4096
#define BAD  ((void *)8)

/* The call fails with this error. */
#define fails(call, error)                                                                         \
	(errno = 0, ok((long)(call) == -1 && errno == (error), "%s: %s", #call, strerror(error)))

static int on_hindsight(void)
{
	struct utsname u;

	return uname(&u) == 0 && strstr(u.release, "hindsight") != NULL;
}

/* A page that may only be read, full of `c`. */
static void *read_only(int c)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, c, PAGE);
	mprotect(p, PAGE, PROT_READ);
	return p;
}

/* Has the pipe no writer any more? A reference that a failed call kept would be one. */
static int at_end(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	char c;

	return poll(&p, 1, 0) == 1 && p.revents == POLLHUP && read(fd, &c, 1) == 0;
}

/* ---- poll ------------------------------------------------------------------------------------ */

static void test_poll(void)
{
	struct pollfd many[40], *none = read_only(0);
	struct timespec zero = {0, 0}, before = {-1, 0};
	struct rlimit lim;
	sigset_t mask, now;
	int fd[2], wrong = 0;

	if (pipe(fd) != 0 || getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return;
	for (int n = 15; n <= 40; n++) {
		for (int i = 0; i < n; i++)
			many[i] = (struct pollfd){fd[0], POLLIN, 77};
		many[n - 1] = (struct pollfd){fd[1], POLLOUT, 77};
		wrong += poll(many, (nfds_t)n, -1) != 1 || many[n - 1].revents != POLLOUT;
		for (int i = 0; i < n - 1; i++)
			wrong += many[i].revents != 0;
	}
	ok(wrong == 0, "lists of 15 to 40, the last is ready: %d wrong", wrong);
	many[0] = (struct pollfd){fd[0], POLLIN, 0};
	many[1] = (struct pollfd){-1, POLLIN, 7};
	many[2] = (struct pollfd){fd[1], POLLIN, 7};
	ok(poll(many, 3, 20) == 0 && !many[0].revents && !many[1].revents && !many[2].revents,
	   "nothing of what was asked, for 20 ms");
	if (!wrapped()) /* qemu-user looks at the list first */
		fails(poll(many, lim.rlim_cur + 1, 0), EINVAL);
	fails(poll(BAD, 1, 0), EFAULT);
	fails(poll(BAD, 20, 0), EFAULT);
	if (!wrapped())
		fails(poll(none, 1, 0), EFAULT);
	fails(syscall(SYS_ppoll, many, 1, BAD, NULL, 8), EFAULT);
	fails(syscall(SYS_ppoll, many, 1, &zero, BAD, 8), EFAULT);
	fails(syscall(SYS_ppoll, many, 1, &before, NULL, 8), EINVAL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(!sigismember(&now, SIGUSR1) && syscall(SYS_ppoll, many, 1, &zero, &mask, 8) == 0,
	   "ppoll with a mask and no time");
	sigprocmask(SIG_BLOCK, NULL, &now);
	ok(!sigismember(&now, SIGUSR1), "the mask was for the call only");
	ok(poll(NULL, 0, 0) == 0, "an empty list");
	close(fd[1]);
	many[0].events = 0;
	ok(poll(many, 1, -1) == 1 && many[0].revents == POLLHUP, "an end is told unasked");
	close(fd[0]);
}

/* ---- select ---------------------------------------------------------------------------------- */

#ifdef SYS_select
#define raw_select(n, in, out, ex, tv) syscall(SYS_select, n, in, out, ex, tv)

/* Only x86-64 has it; the C library of the other asks pselect6. */
static void test_old_select(int fd)
{
	struct timeval tv = {100, 0};
	double start = now_s();
	fd_set out, in;

	FD_ZERO(&out);
	FD_ZERO(&in);
	FD_SET(fd, &out);
	FD_SET(fd, &in);
	ok(raw_select(fd + 1, NULL, &out, NULL, &tv) == 1 && tv.tv_sec == 99 && tv.tv_usec > 0 &&
		   tv.tv_usec < 1000000,
	   "select says what is left: %ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
	tv = (struct timeval){0, 30000};
	start = now_s();
	ok(raw_select(0, NULL, NULL, NULL, &tv) == 0 && tv.tv_sec == 0 && tv.tv_usec == 0 &&
		   now_s() - start >= 0.03 && now_s() - start < 20,
	   "and that nothing is");
	tv = (struct timeval){98, 2500000};
	FD_SET(fd, &out);
	ok(raw_select(fd + 1, NULL, &out, NULL, &tv) == 1 && tv.tv_sec == 100,
	   "more than a second of microseconds: %ld", (long)tv.tv_sec);
	tv = (struct timeval){0, -1};
	fails(raw_select(0, NULL, NULL, NULL, &tv), EINVAL);
	fails(raw_select(0, NULL, NULL, NULL, BAD), EFAULT);
}
#else
static void test_old_select(int fd)
{
	(void)fd;
}
#endif

static void test_select(void)
{
	/* of numbers in three words: a pipe's reading end at each, two of them with data */
	static const int at[] = {0, 62, 63, 64, 65, 127, 128, 200, 255};
	struct {
		void *set;
		unsigned long size;
	} mask = {NULL, 7};
	int saved[2] = {dup(0), -1}, with[2], empty[2], n = (int)(sizeof(at) / sizeof(at[0]));
	int right = 0, wrong = 0, got;
	fd_set in, out, ex;
	unsigned long words[16];

	if (pipe(with) != 0 || pipe(empty) != 0 || write(with[1], "x", 1) != 1)
		return;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&ex);
	for (int i = 0; i < n; i++) {
		dup2(i % 2 ? with[0] : empty[0], at[i]);
		FD_SET(at[i], &in);
		FD_SET(at[i], &ex);
		FD_SET(at[i], &out);
	}
	FD_SET(with[1], &out);
	got = select(256, &in, &out, &ex, NULL);
	for (int i = 0; i < 256; i++) {
		int ready = 0;

		for (int k = 1; k < n; k += 2)
			ready |= i == at[k];
		right += ready && FD_ISSET(i, &in);
		wrong += !ready && FD_ISSET(i, &in);
		wrong += FD_ISSET(i, &ex) || FD_ISSET(i, &out) != (i == with[1]);
	}
	ok(got == 5 && right == 4 && wrong == 0, "select: %d, %d right, %d wrong", got, right,
	   wrong);
	/* What lies behind the count is neither looked at nor written. */
	memset(words, 0xff, sizeof(words));
	words[0] = 1ul << 62;
	ok(select(64, (fd_set *)words, NULL, NULL, NULL) == 1 && words[0] == 1ul << 62 &&
		   words[1] == ~0ul,
	   "one word is read and written");
	FD_ZERO(&in);
	FD_SET(64, &in);
	FD_SET(127, &in);
	ok(select(65, &in, NULL, NULL, NULL) == 1 && FD_ISSET(64, &in) && !FD_ISSET(127, &in),
	   "a count of 65: 64 is in it, 127 is not");
	FD_ZERO(&in);
	FD_SET(127, &in);
	ok(select(1000, &in, NULL, NULL, NULL) == 1 && FD_ISSET(127, &in),
	   "a count behind the table");
	for (int i = 1; i < n; i++)
		close(at[i]);
	dup2(saved[0], 0);
	close(saved[0]);
	close(empty[1]);
	close(with[0]);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(empty[0], &in);
	FD_SET(with[1], &out);
	ok(select(with[1] + empty[0] + 1, &in, &out, NULL, NULL) == 2 && FD_ISSET(empty[0], &in) &&
		   FD_ISSET(with[1], &out),
	   "an end is readable, a pipe without a reader writable");
	fails(syscall(SYS_pselect6, 8, BAD, NULL, NULL, NULL, NULL), EFAULT);
	fails(syscall(SYS_pselect6, 8, NULL, BAD, NULL, NULL, NULL), EFAULT);
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, BAD, NULL), EFAULT);
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, BAD), EFAULT);
	mask.set = &mask;
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &mask), EINVAL);
	close(empty[0]);
	close(with[1]);
	if (pipe(with) != 0)
		return;
	test_old_select(with[1]);
	close(with[0]);
	close(with[1]);
}

/* ---- the table's ends, and what a failed call keeps -------------------------------------------
 */

static void test_first_number(void)
{
	int saved = dup(0), fd;
	char c[4] = "";

	close(0);
	fd = open(test_path("data"), O_RDONLY);
	ok(fd == 0 && read(fd, c, 3) == 3 && !memcmp(c, "The", 3), "open gives 0: %s", c);
	ok(fcntl(0, F_GETFD) == 0, "which stays open at an exec");
	ok(dup(0) > 0 && close(0) == 0 && dup(saved) == 0, "dup gives 0");
	close(0);
	fd = open(test_path("data"), O_RDONLY | O_CLOEXEC);
	ok(fd == 0 && fcntl(0, F_GETFD) == FD_CLOEXEC, "O_CLOEXEC");
	dup2(saved, 0);
	close(saved);
}

static long free_ram(void)
{
	struct sysinfo s = {0};

	sysinfo(&s);
	return (long)(s.freeram * s.mem_unit);
}

/* All numbers in use but `left`; the highest. */
static int fill_table(int fd, int left)
{
	int last = -1, d;

	while ((d = dup(fd)) >= 0)
		last = d;
	for (int i = 0; i < left; i++)
		close(last - i);
	return last;
}

static int full_table(void)
{
	int p[2], q[2] = {-1, -1}, last;
	struct rlimit lim = {256, 256};
	long before;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur > 256) {
		lim.rlim_cur = 256;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	if (pipe(p) != 0)
		return 1;
	last = fill_table(0, 0);
	for (int i = 0; i < 50; i++)
		if (dup(p[1]) != -1 || errno != EMFILE || fcntl(p[1], F_DUPFD, 3) != -1 ||
		    errno != EMFILE || pipe(q) != -1 || errno != EMFILE)
			return 2;
	close(last);
	if (pipe(q) != -1 || errno != EMFILE || q[0] != -1 || q[1] != -1)
		return 3; /* one number is not enough */
	if (dup(0) != last)
		return 4; /* and it was given back */
	close(p[1]);
	if (dup(0) != p[1])
		return 5;
	if (!at_end(p[0]))
		return 6;
	for (int i = 0; i < 100; i++)
		open(test_path("data"), O_RDONLY);
	before = free_ram();
	for (int i = 0; i < 30000; i++)
		if (open(test_path("data"), O_RDONLY) != -1 || errno != EMFILE)
			return 7;
	return on_hindsight() && free_ram() < before - (1 << 20) ? 8 : 0;
}

/* Calls on a pipe's writing end that fail, or that do not need it any longer. */
static void test_references(void)
{
	int p[2], *none = read_only(0), low, status;
	struct iovec iov = {BAD, 8};
	char c = 0;

	status = in_child(full_table);
	ok(status == 0, "a full table: status 0x%x", (unsigned)status);
	if (pipe(p) != 0)
		return;
	for (int i = 0; i < 50; i++) {
		struct pollfd q[2] = {{p[1], POLLIN, 0}, {p[0], POLLIN, 0}};

		(void)!write(p[1], BAD, 1);
		(void)!read(p[1], &c, 1);
		(void)!pread(p[1], &c, 1, 0);
		(void)!readv(p[1], &iov, 1);
		(void)!writev(p[1], &iov, 1);
		(void)!writev(p[1], &iov, 2000);
		(void)!writev(p[1], (void *)BAD, 2);
		iov.iov_len = (size_t)-1;
		(void)!writev(p[1], &iov, 1);
		iov.iov_len = 8;
		lseek(p[1], 0, SEEK_SET);
		syscall(SYS_fstat, p[1], BAD);
		fchdir(p[1]);
		fsync(p[1]);
		fcntl(p[1], F_SETFL, 0);
		syscall(SYS_ioctl, p[1], 0x1234, 0);
		syscall(SYS_getdents64, p[1], &c, 1);
		(void)!openat(p[1], "x", O_RDONLY);
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[1], 0);
		mmap(NULL, 0, PROT_READ, MAP_PRIVATE, p[1], 0);
		poll(q, 2, 1);
	}
	low = dup(0);
	close(low);
	for (int i = 0; i < 4; i++)
		if (!wrapped())
			(void)!syscall(SYS_pipe2, i % 2 ? (void *)none : BAD, 0);
	ok(dup(0) == low, "pipes whose numbers cannot be told are closed again");
	close(low);
	close(p[1]);
	ok(at_end(p[0]), "the writing end's last reference is gone");
	close(p[0]);
	munmap(none, PAGE);
}

/* Every call that takes a descriptor, for one that is not open and for numbers that cannot be. */
static void test_no_descriptor(void)
{
	static const int none[] = {-1, 250, 1 << 20, INT_MIN};
	struct iovec v = {"x", 1};
	struct stat st;
	char buf[300];

	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		const int fd = none[i];
		const long got[] = {
			read(fd, buf, 1),
			write(fd, buf, 1),
			pread(fd, buf, 1, 0),
			readv(fd, &v, 1),
			writev(fd, &v, 1),
			lseek(fd, 0, SEEK_SET),
			syscall(SYS_fstat, fd, &st),
			syscall(SYS_getdents64, fd, buf, sizeof(buf)),
			fcntl(fd, F_GETFL),
			fcntl(fd, F_SETFL, 0),
			fcntl(fd, F_GETFD),
			fcntl(fd, F_SETFD, 0),
			fcntl(fd, F_DUPFD, 0),
			fcntl(fd, F_DUPFD_CLOEXEC, 0),
			syscall(SYS_ioctl, fd, 0x5413, buf),
			fsync(fd),
			fdatasync(fd),
			fchdir(fd),
			fchmod(fd, 0600),
			fchown(fd, 0, 0),
			ftruncate(fd, 0),
			dup(fd),
			syscall(SYS_dup3, fd, 20, 0),
			close(fd),
			(long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0),
			openat(fd, "data", O_RDONLY),
			fstatat(fd, "data", &st, 0),
			faccessat(fd, "data", R_OK, 0),
			readlinkat(fd, "link", buf, 10),
		};
		int wrong = -1;

		for (unsigned k = 0; k < sizeof(got) / sizeof(got[0]); k++)
			if (got[k] != -1)
				wrong = (int)k;
		ok(wrong < 0 && errno == EBADF, "descriptor %d is refused by all, wrong: %d", fd,
		   wrong);
	}
	fails(fcntl(250, F_GETFL), EBADF);
	fails(fcntl(250, F_SETFL, 0), EBADF);
	fails(syscall(SYS_ioctl, 250, 0x5413, buf), EBADF);
	fails(fsync(250), EBADF);
	fails(syscall(SYS_fstat, 250, &st), EBADF);
	fails(pread(250, buf, 1, 0), EBADF);
	fails(lseek(250, 0, SEEK_SET), EBADF);
	fails(dup(250), EBADF);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_vectors(void)
{
	int fd = open(test_path("data"), O_RDONLY), p[2];
	char a[16] = "", b[16] = "", all[32] = "";
	struct iovec v[4] = {{a, 3}, {NULL, 0}, {b, 8}, {all, 4}}, big[2];
	static struct iovec full[1024];
	static char room[PAGE * 8];

	if (pipe(p) != 0)
		return;
	ok(write(p[1], "abcdefgh", 8) == 8 && readv(p[0], v, 4) == 8 && !memcmp(a, "abc", 3) &&
		   !memcmp(b, "defgh", 5) && all[0] == 0,
	   "readv fills one after the other, and stops where one is not full");
	ok(writev(p[1], v, 3) == 11 && read(p[0], all, 32) == 11 && !memcmp(all, "abcdefgh", 8),
	   "writev: all pieces in order");
	for (int i = 0; i < 1024; i++)
		full[i] = (struct iovec){a, 1};
	ok(readv(fd, full, 1024) == 1024, "1024 pieces");
	lseek(fd, 0, SEEK_SET);
	big[0] = (struct iovec){room, 0x7fffffff};
	big[1] = (struct iovec){room, 0x7fffffff};
	if (!wrapped())
		ok(readv(fd, big, 2) == 20000, "more than a call may move: cut, not refused");
	fails(readv(fd, BAD, 1), EFAULT);
	fails(writev(fd, v, 3), EBADF);
	v[2].iov_base = BAD;
	if (!wrapped()) {
		v[0].iov_base = BAD;
		fails(writev(p[1], v, 3), EFAULT);
	}
	close(p[0]);
	close(p[1]);
	close(fd);
}

static void test_stat(void)
{
	int fd = open(test_path("data"), O_RDONLY), dir = open(test_path(""), O_RDONLY);
	struct stat st, by_fd;

	ok(fstat(fd, &by_fd) == 0 && fstatat(dir, "data", &st, 0) == 0 &&
		   st.st_ino == by_fd.st_ino && st.st_dev == by_fd.st_dev && st.st_ino > 0 &&
		   st.st_mode == by_fd.st_mode,
	   "a path and a descriptor: one file");
	ok(st.st_nlink >= 1 && st.st_blksize >= 512 && st.st_blocks * 512 >= st.st_size &&
		   st.st_mtime > 0 && st.st_rdev == 0,
	   "its numbers: links %lu, blocks %ld of 512", (unsigned long)st.st_nlink,
	   (long)st.st_blocks);
	ok(fstatat(fd, "", &st, AT_EMPTY_PATH) == 0 && st.st_ino == by_fd.st_ino, "AT_EMPTY_PATH");
	fails(fstatat(fd, "", &st, 0), ENOENT);
	ok(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH) == 0 && S_ISDIR(st.st_mode),
	   "of where we are");
	ok(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode), "of a link");
	ok(fstatat(dir, "link", &st, 0) == 0 && st.st_ino == by_fd.st_ino, "of what it leads to");
	fails(fstatat(dir, "data", &st, 0x10), EINVAL);
	fails(fstatat(dir, "none", &st, 0), ENOENT);
	fails(fstatat(fd, "data", &st, 0), ENOTDIR);
	fails(syscall(SYS_newfstatat, dir, "data", BAD, 0), EFAULT);
	fails(syscall(SYS_newfstatat, dir, BAD, &st, 0), EFAULT);
	ok(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3),
	   "/dev/null is 1:3");
	ok(stat("/dev/zero", &st) == 0 && st.st_rdev == makedev(1, 5), "/dev/zero is 1:5");
	close(fd);
	close(dir);
}

static void test_access(void)
{
	int dir = open(test_path(""), O_RDONLY);

	ok(access(test_path("data"), R_OK) == 0 && access(test_path("data"), F_OK) == 0,
	   "a file may be read");
	ok(access(test_path("hello"), X_OK) == 0 && access(test_path("hello"), R_OK | X_OK) == 0,
	   "a program may be run");
	ok(access(test_path(""), X_OK) == 0, "a directory may be passed");
	ok(access("/dev/null", R_OK | W_OK) == 0, "a device may be written");
	ok(faccessat(dir, "data", R_OK, 0) == 0, "from a directory");
	fails(access(test_path("none"), F_OK), ENOENT);
	fails(access(test_path("data/x"), F_OK), ENOTDIR);
	fails(syscall(SYS_faccessat, AT_FDCWD, BAD, 0), EFAULT);
	close(dir);
}

static void test_where_we_are(void)
{
	char was[512], now[512], small[4] = "";
	int back = open(".", O_RDONLY), fd;
	long n;

	getcwd(was, sizeof(was));
	fails(chdir(test_path("data")), ENOTDIR);
	fails(chdir(test_path("none")), ENOENT);
	ok(chdir(test_path("many")) == 0 && getcwd(now, sizeof(now)) && strlen(now) > 5 &&
		   !strcmp(now + strlen(now) - 5, "/many"),
	   "chdir: %s", now);
	n = syscall(SYS_getcwd, now, sizeof(now));
	ok(n == (long)strlen(now) + 1, "getcwd's length has the end in it");
	ok(syscall(SYS_getcwd, now, n) == n, "a buffer that is just large enough");
	fails(syscall(SYS_getcwd, now, n - 1), ERANGE);
	fails(syscall(SYS_getcwd, small, 1), ERANGE);
	fails(syscall(SYS_getcwd, BAD, 100), EFAULT);
	ok((fd = open("../data", O_RDONLY)) >= 0, "paths start there");
	fails(fchdir(fd), ENOTDIR);
	fails(fchdir(-1), EBADF);
	for (int i = 0; i < 50; i++)
		if (fchdir(back) != 0 || chdir(test_path("many")) != 0)
			break;
	ok(fchdir(back) == 0 && getcwd(now, sizeof(now)) && !strcmp(now, was), "and back: %s", now);
	close(fd);
	close(back);
	ok(umask(07777) <= 0777 && umask(022) == 0777, "umask has nine bits");
}

static void test_entries(void)
{
	int fd = open(test_path("many"), O_RDONLY | O_DIRECTORY);
	static char buf[40000], again[40000];
	long n = syscall(SYS_getdents64, fd, buf, 2000), m;
	const struct dirent *e = (const void *)buf;
	int odd = 0;

	for (long at = 0; at < n;
	     at += ((const struct dirent *)(const void *)(buf + at))->d_reclen) {
		e = (const void *)(buf + at);
		odd += e->d_reclen % 8 || e->d_reclen < 20 + strlen(e->d_name) || !e->d_ino;
	}
	ok(n > 0 && n <= 2000 && !odd, "entries are whole and aligned: %ld bytes, %d odd", n, odd);
	lseek(fd, 0, SEEK_SET);
	m = wrapped() ? -1 : syscall(SYS_getdents64, fd, read_only('x'), 2000);
	ok(m == -1 && (wrapped() || errno == EFAULT), "a buffer that cannot be written: EFAULT");
	m = syscall(SYS_getdents64, fd, again, 2000);
	ok(m == n && !memcmp(buf, again, (size_t)n), "which loses no entry");
	ok(syscall(SYS_getdents64, fd, again, sizeof(again)) > 0,
	   "a buffer larger than a call uses");
	close(fd);
	fails(syscall(SYS_getdents64, -1, buf, 100), EBADF);
	m = syscall(SYS_readlinkat, AT_FDCWD, test_path("link"), buf, sizeof(buf));
	ok(m == 4 && !memcmp(buf, "data", 4), "readlink: %ld", m);
	fails(syscall(SYS_readlinkat, AT_FDCWD, test_path("link"), BAD, 10), EFAULT);
	if (!wrapped())
		fails(syscall(SYS_readlinkat, AT_FDCWD, test_path("link"), buf, -1), EINVAL);
	fails(readlink(test_path("none"), buf, 10), ENOENT);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	umask(022);
	test_poll();
	test_select();
	test_first_number();
	test_references();
	test_no_descriptor();
	test_vectors();
	test_stat();
	test_access();
	test_where_we_are();
	test_entries();
	return tap_end();
}
