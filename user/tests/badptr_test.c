/* badptr_test.c - hostile pointers: every call that takes one gets addresses of the null page, the
 * kernel, nowhere, a page without access, and the one good byte before it. Each must say EFAULT,
 * and the program, like the kernel, goes on. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "tap.h"

#define BAD (-424242l) /* stands for the bad pointer in an argument list */
#define IOV (-424243l) /* an iovec whose base is bad */
#define VEC (-424244l) /* a vector of one bad string */

struct call {
	const char *name;
	long nr, a[6];
};

static const char good_path[] = "/dev/null";
static char buf[4096];
static struct timespec no_time;

int main(void)
{
	int file = open(test_path("data"), O_RDONLY), dir = open(test_path("many"), O_RDONLY), p[2];
	char *none = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t bad[] = {1,
			   0xffff800000000000ul,
			   0xffffffff80200000ul,
			   0x00007ffffffffff8ul,
			   0x0000800000000000ul,
			   0xfffffffffffffff8ul,
			   0x0000600000000000ul,
			   0,
			   0};
	int made = pipe(p);
	struct call calls[] = {
		{"read", SYS_read, {file, BAD, 16}},
		{"write", SYS_write, {p[1], BAD, 16}},
		{"readv", SYS_readv, {file, BAD, 1}},
		{"readv base", SYS_readv, {file, IOV, 1}},
		{"writev", SYS_writev, {p[1], BAD, 1}},
		{"writev base", SYS_writev, {p[1], IOV, 1}},
		{"pread64", SYS_pread64, {file, BAD, 16, 0}},
		{"openat", SYS_openat, {AT_FDCWD, BAD, O_RDONLY}},
		{"fstat", SYS_fstat, {file, BAD}},
		{"newfstatat path", SYS_newfstatat, {AT_FDCWD, BAD, (long)buf, 0}},
		{"newfstatat", SYS_newfstatat, {AT_FDCWD, (long)good_path, BAD, 0}},
		{"faccessat", SYS_faccessat, {AT_FDCWD, BAD, 0}},
		{"readlinkat path", SYS_readlinkat, {AT_FDCWD, BAD, (long)buf, 100}},
		{"getdents64", SYS_getdents64, {dir, BAD, 2000}},
		{"pipe2", SYS_pipe2, {BAD, 0}},
		{"getcwd", SYS_getcwd, {BAD, 4096}},
		{"chdir", SYS_chdir, {BAD}},
		{"execve path", SYS_execve, {BAD, 0, 0}},
		{"execve argv", SYS_execve, {(long)test_path("exit42"), BAD, 0}},
		{"execve string", SYS_execve, {(long)test_path("exit42"), VEC, 0}},
		{"execve envp", SYS_execve, {(long)test_path("exit42"), 0, BAD}},
		{"rt_sigaction", SYS_rt_sigaction, {SIGUSR1, BAD, 0, 8}},
		{"rt_sigaction old", SYS_rt_sigaction, {SIGUSR1, 0, BAD, 8}},
		{"rt_sigprocmask", SYS_rt_sigprocmask, {SIG_BLOCK, BAD, 0, 8}},
		{"rt_sigprocmask old", SYS_rt_sigprocmask, {SIG_BLOCK, 0, BAD, 8}},
		{"rt_sigpending", SYS_rt_sigpending, {BAD, 8}},
		{"prctl set", SYS_prctl, {15, BAD}},
		{"prctl get", SYS_prctl, {16, BAD}},
		{"prlimit64 new", SYS_prlimit64, {0, 7, BAD, 0}},
		{"prlimit64 old", SYS_prlimit64, {0, 7, 0, BAD}},
		{"getrusage", SYS_getrusage, {0, BAD}},
		{"times", SYS_times, {BAD}},
		{"sched_getaffinity", SYS_sched_getaffinity, {0, 128, BAD}},
		{"getcpu", SYS_getcpu, {BAD, 0, 0}},
		{"clock_gettime", SYS_clock_gettime, {CLOCK_MONOTONIC, BAD}},
		{"clock_getres", SYS_clock_getres, {CLOCK_MONOTONIC, BAD}},
		{"clock_nanosleep", SYS_clock_nanosleep, {CLOCK_MONOTONIC, 0, BAD, 0}},
		{"nanosleep", SYS_nanosleep, {BAD, 0}},
		{"gettimeofday", SYS_gettimeofday, {BAD, 0}},
		{"gettimeofday zone", SYS_gettimeofday, {0, BAD}},
		{"uname", SYS_uname, {BAD}},
		{"sysinfo", SYS_sysinfo, {BAD}},
		{"getrandom", SYS_getrandom, {BAD, 16, 0}},
		{"ppoll fds", SYS_ppoll, {BAD, 1, (long)&no_time, 0, 8}},
		{"ppoll time", SYS_ppoll, {(long)buf, 0, BAD, 0, 8}},
		{"ppoll mask", SYS_ppoll, {(long)buf, 0, (long)&no_time, BAD, 8}},
		{"pselect6 in", SYS_pselect6, {8, BAD, 0, 0, (long)&no_time, 0}},
		{"pselect6 out", SYS_pselect6, {8, 0, BAD, 0, (long)&no_time, 0}},
		{"pselect6 time", SYS_pselect6, {0, 0, 0, 0, BAD, 0}},
		{"pselect6 mask", SYS_pselect6, {0, 0, 0, 0, (long)&no_time, BAD}},
	};
	int n = (int)(sizeof(calls) / sizeof(calls[0])), nbad = (int)(sizeof(bad) / sizeof(bad[0]));

	ok(made == 0 && file >= 0 && dir >= 0 && none != MAP_FAILED, "ready");
	mprotect(none + 4096, 4096, PROT_NONE);
	bad[nbad - 2] = (uintptr_t)none + 4096;
	bad[nbad - 1] = (uintptr_t)none + 4095;
	for (int c = 0; c < n; c++) {
		int wrong = 0;

		/* qemu-user answers these two without looking, or with EINVAL. */
		if (wrapped() && (calls[c].nr == SYS_clock_getres || calls[c].nr == SYS_nanosleep))
			continue;
		for (int b = 0; b < nbad; b++) {
			struct iovec iov = {(void *)bad[b], 16};
			long vec[2] = {(long)bad[b], 0}, a[6], ret;

			for (int i = 0; i < 6; i++)
				a[i] = calls[c].a[i] == BAD   ? (long)bad[b]
				       : calls[c].a[i] == IOV ? (long)&iov
				       : calls[c].a[i] == VEC ? (long)vec
							      : calls[c].a[i];
			none[4095] = 'x';
			errno = 0;
			ret = syscall(calls[c].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			if ((ret == -1 && errno == EFAULT) || (b == nbad - 1 && ret == 1))
				continue; /* input and output may end after the one good byte */
			printf("#   %s with 0x%lx: %ld, errno %d\n", calls[c].name,
			       (unsigned long)bad[b], ret, errno);
			wrong++;
		}
		lseek(dir, 0, SEEK_SET);
		ok(!wrong, "%s", calls[c].name);
	}
	return tap_end();
}
