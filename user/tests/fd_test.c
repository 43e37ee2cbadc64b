/* fd_test.c - descriptors: dup, fcntl, lseek, errors, the limit. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include "tap.h"

int main(void)
{
	int fd = open(test_path("data"), O_RDONLY), d, n = 0, last = -1;
	char a[8], b[8];
	struct iovec v[2] = {{a, 3}, {b, 5}};
	struct rlimit lim;
	struct stat st;

	ok(fd >= 0, "open");
	d = dup(fd);
	ok(d > fd && read(fd, a, 4) == 4 && lseek(d, 0, SEEK_CUR) == 4, "dup shares the position");
	ok(lseek(d, -3, SEEK_END) > 0 && read(fd, a, 8) == 3, "SEEK_END");
	ok(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL, "before the start: EINVAL");
	ok(lseek(fd, 0, 77) == -1 && errno == EINVAL, "unknown whence: EINVAL");
	ok(lseek(fd, 0, SEEK_SET) == 0 && readv(fd, v, 2) == 8, "readv");
	ok(pread(fd, a, 3, 0) == 3 && memcmp(a, "The", 3) == 0 && lseek(fd, 0, SEEK_CUR) == 8,
	   "pread leaves the position alone");
	ok(fcntl(fd, F_DUPFD, 50) == 50 && fcntl(fd, F_DUPFD, 50) == 51, "F_DUPFD: lowest from 50");
	ok(fcntl(50, F_GETFD) == 0 && fcntl(50, F_SETFD, FD_CLOEXEC) == 0 &&
		   fcntl(50, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFD) == 0,
	   "FD_CLOEXEC is one descriptor's");
	ok((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY, "F_GETFL");
	d = open("/dev/null", O_RDWR | O_APPEND);
	ok(fcntl(d, F_SETFL, O_WRONLY | O_NONBLOCK) == 0 &&
		   (fcntl(d, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) ==
			   (O_RDWR | O_NONBLOCK),
	   "F_SETFL changes the status, not the access mode");
	close(d);
	d = open("/", O_PATH);
	ok(fcntl(d, F_GETFL) >= 0 && fcntl(d, F_SETFL, 0) == -1 && errno == EBADF,
	   "F_SETFL of a place: EBADF");
	close(d);
	ok(dup2(fd, 51) == 51 && dup2(fd, fd) == fd, "dup2");
	ok(dup2(200, 201) == -1 && errno == EBADF, "dup2 of nothing: EBADF");
	ok(dup3(fd, fd, 0) == -1 && errno == EINVAL, "dup3 on itself: EINVAL");
	ok(close(50) == 0 && close(51) == 0 && close(51) == -1 && errno == EBADF, "close, once");
	ok(close(-1) == -1 && errno == EBADF && close(1 << 20) == -1 && errno == EBADF,
	   "out of range: EBADF");
	ok(write(fd, "x", 1) == -1 && errno == EBADF, "writing to O_RDONLY: EBADF");
	ok(read(fd, a, 0) == 0, "reading nothing");
	ok(ioctl(fd, TIOCGWINSZ, a) == -1 && errno == ENOTTY, "a file is no terminal: ENOTTY");
	ok(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 20000, "fstat: size %ld",
	   (long)st.st_size);
	ok(getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur >= 64, "RLIMIT_NOFILE");
	while (n < 100000 && (d = dup(fd)) >= 0) {
		last = d;
		n++;
	}
	ok(n < 100000 && errno == EMFILE && last == (int)lim.rlim_cur - 1, "EMFILE after %d", n);
	return tap_end();
}
