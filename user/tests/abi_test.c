/* abi_test.c - corners of the Linux interface that programs rely on: what is counted when a buffer
 * ends half way, which of two errors comes first, what a page behind a file's end is. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include "tap.h"

#define PAGE 4096
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The call fails with this error. */
#define fails(call, error)                                                                         \
	(errno = 0, ok((long)(call) == -1 && errno == (error), "%s: %s", #call, strerror(error)))

static volatile char *target;

static int read_target(void)
{
	return *target & 0;
}
static int write_target(void)
{
	*target = 1;
	return 0;
}
/* Signal that ends a child which touches `at`; 0: none. */
static int signal_of(int (*fn)(void), volatile void *at)
{
	int status;

	target = at;
	status = in_child(fn);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int on_hindsight(void)
{
	struct utsname u;

	return uname(&u) == 0 && strstr(u.release, "hindsight") != NULL;
}

static void test_mappings(void)
{
	int fd = open(test_path("data"), O_RDONLY); /* 20000 bytes: the fifth page ends early */
	char *f = mmap(NULL, 8 * PAGE, RW, MAP_PRIVATE, fd, 0), *p;
	const char *s = mmap(NULL, 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	int tail = 1;

	ok(f != MAP_FAILED && s != MAP_FAILED, "mappings longer than their file");
	for (int i = 20000; i < 5 * PAGE; i++)
		tail &= f[i] == 0 && s[i] == 0;
	ok(tail, "zeroes up to the end of the last page");
	ok(signal_of(read_target, f + 4 * PAGE) == 0, "which is there");
	ok(signal_of(read_target, f + 5 * PAGE) == SIGBUS, "private, behind it: SIGBUS");
	ok(signal_of(write_target, f + 6 * PAGE) == SIGBUS, "written to: SIGBUS");
	ok(signal_of(read_target, (volatile char *)s + 7 * PAGE) == SIGBUS, "shared: SIGBUS");
	ok(signal_of(write_target, (volatile char *)s) == SIGSEGV, "not writable: SIGSEGV");
	munmap(f, 8 * PAGE);
	close(fd);

	p = mmap(NULL, 16 * PAGE, RW, ANON, -1, 0);
	for (int i = 0; i < 16; i++)
		p[i * PAGE] = (char)('a' + i);
	ok(mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ) == 0 &&
		   mprotect(p + 6 * PAGE, 4 * PAGE, PROT_NONE) == 0 &&
		   signal_of(write_target, p + 4 * PAGE) == SIGSEGV &&
		   signal_of(read_target, p + 6 * PAGE) == SIGSEGV && p[5 * PAGE] == 'f' &&
		   p[10 * PAGE] == 'k',
	   "overlapping mprotects");
	ok(munmap(p + 2 * PAGE, PAGE) == 0 && munmap(p + 5 * PAGE, 3 * PAGE) == 0, "two holes");
	fails(mprotect(p, 16 * PAGE, RW), ENOMEM);
	ok(munmap(p + PAGE, 9 * PAGE) == 0 && munmap(p + PAGE, 9 * PAGE) == 0,
	   "munmap over holes, and of nothing at all");
	ok(p[0] == 'a' && p[10 * PAGE] == 'k' && p[15 * PAGE] == 'p', "the rest is untouched");
	fails(munmap(p, 0), EINVAL);
	fails(syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL); /* musl would round */
	ok(munmap(p, 16 * PAGE) == 0, "all of it");
}

/* `len` bytes at the end of a page that another one without access follows. */
static char *edge(size_t len)
{
	static char *two;

	if (!two) {
		two = mmap(NULL, 2 * PAGE, RW, ANON, -1, 0);
		mprotect(two + PAGE, PAGE, PROT_NONE);
		memset(two, 'e', PAGE);
	}
	return two + PAGE - len;
}

static void test_partial(void)
{
	int fd = open(test_path("data"), O_RDONLY), p[2];
	struct iovec good_bad[2] = {{edge(16), 16}, {(void *)8, 16}}, many[3] = {{0}};
	char buf[64];

	if (pipe2(p, O_NONBLOCK) != 0)
		return;
	if (!wrapped()) { /* qemu-user looks at the whole buffer first */
		ok(write(p[1], edge(PAGE), 2 * PAGE) == PAGE,
		   "a pipe takes the page that is there");
		ok(read(p[0], edge(PAGE), PAGE) == PAGE && read(p[0], buf, 1) == -1 &&
			   errno == EAGAIN,
		   "and gives no more than that");
		ok(read(fd, edge(PAGE), 2 * PAGE) == PAGE && lseek(fd, 0, SEEK_CUR) == PAGE,
		   "a file fills the page that is there");
		ok(readv(fd, good_bad, 2) == 16, "readv: what was read before the bad piece");
		fails(readv(-1, many, 1025), EBADF);
	}
	ok(write(p[1], (void *)8, 0) == 0, "nothing from nowhere");
	ok(readv(fd, many, 3) == 0 && readv(fd, many, 0) == 0, "readv of nothing");
	fails(readv(fd, many, 1025), EINVAL);
	many[1] = (struct iovec){buf, (size_t)-1};
	fails(readv(fd, many, 3), EINVAL);
	ok(pread(fd, buf, 64, 19990) == 10 && pread(fd, buf, 64, 20000) == 0 &&
		   pread(fd, buf, 64, 1 << 30) == 0,
	   "reads end at the end");
	fails(pread(fd, buf, 64, -1), EINVAL);
	fails(pread(p[0], buf, 64, 0), ESPIPE);
	fails(read(p[1], buf, 1), EBADF);
	ok(lseek(fd, 1 << 20, SEEK_SET) == 1 << 20 && read(fd, buf, 1) == 0, "behind the end");
	fails(lseek(fd, INT64_MAX, SEEK_CUR), EINVAL);
	close(fd);
	fd = open("/dev/zero", O_RDWR);
	buf[0] = 1;
	ok(pread(fd, buf, 8, 100) == 8 && buf[0] == 0, "pread of a device");
	ok(lseek(fd, 5, SEEK_SET) >= 0, "lseek of a device");
	close(fd);
	fails(read(p[0], (void *)-4096l, 10), EFAULT);
	close(p[0]);
	close(p[1]);
}

static int broken_pipe_end(void)
{
	struct pollfd ps[3] = {{0}};
	int p[2], q[2];

	if (pipe(p) != 0 || pipe(q) != 0)
		return 1;
	close(p[1]);
	close(q[0]);
	ps[0] = (struct pollfd){p[0], POLLIN, 0};
	ps[1] = (struct pollfd){q[1], POLLOUT, 0};
	ps[2] = (struct pollfd){-1, POLLIN, 7};
	if (poll(ps, 3, 0) != 2 || ps[0].revents != POLLHUP ||
	    ps[1].revents != (POLLOUT | POLLERR) || ps[2].revents != 0)
		return 2;
	ps[0] = (struct pollfd){250, POLLIN, 0};
	return poll(ps, 1, -1) == 1 && ps[0].revents == POLLNVAL ? 0 : 3;
}

static void test_descriptors(void)
{
	int fd = open(test_path("data"), O_RDONLY), p[2], max;
	struct rlimit lim;
	char c;

	getrlimit(RLIMIT_NOFILE, &lim);
	max = (int)lim.rlim_cur;
	if (pipe2(p, O_CLOEXEC) != 0)
		return;
	ok(dup2(fd, p[1]) == p[1] && fcntl(p[1], F_GETFD) == 0, "dup2 drops FD_CLOEXEC");
	ok(read(p[0], &c, 1) == 0, "and what was there is closed: end of file");
	ok(dup3(fd, p[0], O_CLOEXEC) == p[0] && fcntl(p[0], F_GETFD) == FD_CLOEXEC,
	   "dup3 with O_CLOEXEC");
	fails(syscall(SYS_dup3, fd, p[0], O_NONBLOCK), EINVAL);
	fails(dup3(-1, p[0], 0), EBADF);
	fails(syscall(SYS_dup3, fd, max, 0), EBADF);
	fails(dup2(-1, -1), EBADF);
	fails(fcntl(fd, F_DUPFD, max), EINVAL);
	fails(fcntl(fd, F_DUPFD, -1), EINVAL);
	fails(fcntl(-1, F_DUPFD, 0), EBADF);
	fails(fcntl(fd, 9999), EINVAL);
	ok((c = (char)fcntl(fd, F_DUPFD_CLOEXEC, 60)) == 60 && fcntl(60, F_GETFD) == FD_CLOEXEC,
	   "F_DUPFD_CLOEXEC");
	ok(fcntl(60, F_SETFL, O_NONBLOCK) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK),
	   "status flags are the open file's, not the descriptor's");
	fails(close(max), EBADF);
	fails(pipe2(p, O_RDWR), EINVAL);
	ok(in_child(broken_pipe_end) == 0, "poll: POLLHUP, POLLERR, POLLNVAL, and -1 is nobody");
	close(fd);
	close(60);
	close(p[0]);
	close(p[1]);
}

/* What Linux says on a file system that is mounted read-only. */
static void test_read_only(int dir, const char *path)
{
	struct timespec now[2] = {{1, 0}, {1, 0}};
	int fd = open(path, O_RDONLY);

	fails(mkdirat(dir, "new", 0755), EROFS);
	fails(mkdirat(dir, "data", 0755), EEXIST);
	fails(mkdirat(dir, "no/new", 0755), ENOENT);
	fails(mkdirat(dir, "data/new", 0755), ENOTDIR);
	fails(mkdir(test_path("new/"), 0755), EROFS);
	fails(symlinkat("x", dir, "new"), EROFS);
	fails(symlink("x", test_path("link")), EEXIST);
	fails(linkat(dir, "data", dir, "new", 0), EROFS);
	fails(linkat(dir, "no", dir, "new", 0), ENOENT);
	fails(link(path, path), EEXIST);
	fails(unlink(path), EROFS);
	fails(rmdir(test_path("many")), EROFS);
	fails(unlinkat(dir, "data", 77), EINVAL);
	fails(rename(path, test_path("new")), EROFS);
	fails(rename(path, test_path("no/new")), ENOENT);
	fails(chmod(path, 0600), EROFS);
	fails(chmod(test_path("no"), 0600), ENOENT);
	fails(fchmod(fd, 0600), EROFS);
	fails(lchown(test_path("link"), 1, 1), EROFS);
	fails(fchown(-1, 1, 1), EBADF);
	fails(utimensat(dir, "data", now, 0), EROFS);
	fails(futimens(fd, now), EROFS);
	fails(truncate(path, 0), EROFS);
	fails(truncate(test_path(""), 0), EISDIR);
	fails(ftruncate(fd, 0), EINVAL);
	ok(fsync(fd) == 0 && fdatasync(dir) == 0, "fsync has nothing to do");
	close(fd);
}

static void test_paths(void)
{
	static char longest[5000];
	char buf[64], end[512], *path = strdup(test_path("data"));
	int dir = open(test_path(""), O_RDONLY | O_DIRECTORY), fd;

	snprintf(end, sizeof(end), "%s/", path);
	memset(longest, 'a', sizeof(longest) - 1);
	fails(open("", O_RDONLY), ENOENT);
	fails(open(end, O_RDONLY), ENOTDIR);
	fails(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
	fails(open(test_path("link"), O_RDONLY | O_NOFOLLOW), ELOOP);
	fails(open(test_path("loop"), O_RDONLY), ELOOP);
	fails(open(path, O_CREAT | O_EXCL, 0600), EEXIST);
	fails(open(test_path("link"), O_CREAT | O_EXCL, 0600), EEXIST);
	fails(open(test_path(""), O_WRONLY), EISDIR);
	fails(open(longest, O_RDONLY), ENAMETOOLONG);
	longest[256] = '\0';
	fails(open(longest, O_RDONLY), ENAMETOOLONG);
	fails(openat(-1, "data", O_RDONLY), EBADF);
	ok((fd = openat(-1, path, O_RDONLY)) >= 0, "an absolute path does not look at dirfd");
	fails(openat(fd, "data", O_RDONLY), ENOTDIR);
	close(fd);
	fd = open(path, O_PATH);
	fails(read(fd, buf, 1), EBADF);
	fails(lseek(fd, 0, SEEK_SET), EBADF);
	fails(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
	close(fd);
	ok(readlink(test_path("link"), buf, 2) == 2 && memcmp(buf, "da", 2) == 0,
	   "readlink cuts what does not fit");
	fails(readlink(path, buf, 10), EINVAL);
	fails(syscall(SYS_readlinkat, AT_FDCWD, test_path("link"), buf, 0), EINVAL);
	fails(access(path, X_OK), EACCES);
	fails(syscall(SYS_faccessat, AT_FDCWD, path, 8), EINVAL);
	fails(pread(dir, buf, 1, 0), EISDIR);
	fails(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
	if (on_hindsight() || (access(path, W_OK) == -1 && errno == EROFS)) {
		fails(open(path, O_WRONLY), EROFS);
		fails(open(path, O_RDONLY | O_TRUNC), EROFS);
		fails(openat(dir, "new", O_RDWR | O_CREAT, 0600), EROFS);
		fails(openat(dir, "no/new", O_RDWR | O_CREAT, 0600), ENOENT);
		fails(access(path, W_OK), EROFS);
		test_read_only(dir, path);
	}
	close(dir);
	free(path);
}

/* Every entry can be found again from the offset that the one before it gave. */
static void test_directory_offsets(void)
{
	int fd = open(test_path("many"), O_RDONLY | O_DIRECTORY), n = 0, wrong = 0;
	static char all[40000];
	char one[300];
	long got, len = 0, off = 0;

	while ((got = syscall(SYS_getdents64, fd, all + len, 1000)) > 0)
		len += got;
	ok(got == 0 && len > 10000, "all entries: %ld bytes", len);
	for (long at = 0; at < len; n++) {
		const struct dirent *e = (const void *)(all + at);

		lseek(fd, off, SEEK_SET);
		if (syscall(SYS_getdents64, fd, one, sizeof(one)) <= 0 ||
		    strcmp(((const struct dirent *)(const void *)one)->d_name, e->d_name) != 0)
			wrong++;
		off = e->d_off;
		at += e->d_reclen;
	}
	ok(n == 302 && wrong == 0, "%d entries by their offsets, %d wrong", n, wrong);
	lseek(fd, 0, SEEK_SET);
	fails(syscall(SYS_getdents64, fd, one, 8), EINVAL);
	close(fd);
	fd = open(test_path("data"), O_RDONLY);
	fails(syscall(SYS_getdents64, fd, one, sizeof(one)), ENOTDIR);
	close(fd);
}

static int exit_wide(void)
{
	return 0x1ff;
}

static int burn(void)
{
	volatile unsigned long x = 0;

	for (unsigned long i = 0; i < 20000000; i++)
		x += i;
	return 0;
}

static int reaped_by_itself(void)
{
	pid_t pid;
	int status;

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		_exit(3);
	return waitpid(pid, &status, 0) == -1 && errno == ECHILD ? 0 : 1;
}

static int sessions(void)
{
	pid_t self = getpid(), pid;
	int status, p[2];
	char c;

	if (setpgid(0, 0) != 0 || getpgrp() != self || setpgid(0, self) != 0)
		return 1;
	if (setsid() != -1 || errno != EPERM)
		return 2; /* a group's leader */
	if (pipe(p) != 0)
		return 3;
	pid = fork();
	if (pid == 0) {
		close(p[1]);
		if (getpgrp() != self || setsid() != getpid() || getsid(0) != getpid() ||
		    getpgrp() != getpid())
			_exit(1);
		if (setpgid(0, 0) != -1 || errno != EPERM)
			_exit(2); /* a session's leader */
		_exit(read(p[0], &c, 1) != 0);
	}
	while (getsid(pid) != pid)
		sleep_ms(2);
	if (setpgid(pid, pid) != -1 || errno != EPERM)
		return 4; /* another session's */
	if (setpgid(0, pid) != -1 || errno != EPERM)
		return 5;
	if (kill(-pid, 0) != 0 || waitpid(-self, &status, WNOHANG) != -1 || errno != ECHILD)
		return 6; /* it left our group */
	close(p[1]);
	if (waitpid(-pid, &status, 0) != pid || status != 0)
		return 7;
	return kill(-pid, 0) == -1 && errno == ESRCH ? 0 : 8;
}

static int zombies(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(9);
	sleep_ms(100);
	if (kill(pid, 0) != 0 || kill(pid, SIGKILL) != 0)
		return 1; /* dead, but somebody may still ask for it */
	if (waitpid(pid, &status, 0) != pid || status != 9 << 8)
		return 2;
	return kill(pid, 0) == -1 && errno == ESRCH ? 0 : 3;
}

static int masks(void)
{
	sigset_t set, old, pending;
	pid_t pid;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGKILL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, NULL, &old);
	if (!sigismember(&old, SIGTERM) || sigismember(&old, SIGKILL))
		return 1;
	raise(SIGTERM);
	sigpending(&pending);
	if (!sigismember(&pending, SIGTERM))
		return 2;
	pid = fork();
	if (pid == 0) {
		sigpending(&pending);
		sigprocmask(SIG_BLOCK, NULL, &old);
		_exit(sigismember(&pending, SIGTERM) || !sigismember(&old, SIGTERM));
	}
	if (waitpid(pid, &status, 0) != pid || status != 0)
		return 3; /* the mask is inherited, what is pending is not */
	signal(SIGTERM, SIG_IGN);
	sigprocmask(SIG_SETMASK, NULL, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 0; /* alive: ignored while it was pending */
}

static void test_processes(void)
{
	struct rusage ru = {0}, kids = {0};
	char name[16] = {0};
	pid_t pid;
	int status;

	ok(in_child(exit_wide) == 0xff << 8, "an exit status has eight bits");
	pid = fork();
	if (pid == 0)
		_exit(burn());
	ok(wait4(pid, &status, 0, &ru) == pid && ru.ru_utime.tv_sec + ru.ru_utime.tv_usec > 0,
	   "wait4 tells the time that the child took: %ld us", (long)ru.ru_utime.tv_usec);
	ok(getrusage(RUSAGE_CHILDREN, &kids) == 0 &&
		   kids.ru_utime.tv_sec + kids.ru_utime.tv_usec >=
			   ru.ru_utime.tv_sec + ru.ru_utime.tv_usec,
	   "RUSAGE_CHILDREN has it");
	ok(in_child(reaped_by_itself) == 0, "SIGCHLD ignored: children vanish");
	ok(in_child(sessions) == 0, "groups and sessions");
	ok(in_child(zombies) == 0, "a zombie can be signalled until it is waited for");
	ok(in_child(masks) == 0, "blocked, pending, inherited, ignored");
	fails(getpgid(-1), ESRCH);
	fails(getsid(1 << 30), ESRCH);
	fails(setpgid(0, -1), EINVAL);
	fails(setpgid(1 << 30, 0), ESRCH);
	fails(kill(getpid(), 65), EINVAL);
	fails(kill(1 << 30, 0), ESRCH);
	fails(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH);
	fails(syscall(SYS_tkill, 0, 0), EINVAL);
	pid = fork();
	if (pid == 0)
		_exit(5);
	fails(waitpid(pid, (int *)8, 0), EFAULT);
	fails(waitpid(pid, &status, 0), ECHILD); /* it is gone all the same */
	ok(prctl(PR_SET_NAME, "a name that is too long") == 0 && prctl(PR_GET_NAME, name) == 0 &&
		   strcmp(name, "a name that is ") == 0,
	   "PR_SET_NAME cuts: %s", name);
	ok(umask(0123) == 022 && umask(022) == 0123, "umask");
}

int main(void)
{
	umask(022);
	test_mappings();
	test_partial();
	test_descriptors();
	test_paths();
	test_directory_offsets();
	test_processes();
	return tap_end();
}
