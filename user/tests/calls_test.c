/* calls_test.c - memory, processes, clocks and facts at their limits: what each call says to a
 * number that is one too many, an address that is not there, a choice that does not exist. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include "tap.h"

#define PAGE 4096ul
#define BAD  ((void *)8)
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* The call fails with this error. */
#define fails(call, error)                                                                         \
	(errno = 0, ok((long)(call) == -1 && errno == (error), "%s: %s", #call, strerror(error)))
#define map(at, len, prot, how, fd, off) (char *)syscall(SYS_mmap, at, len, prot, how, fd, off)

static int on_hindsight(void)
{
	struct utsname u;

	return uname(&u) == 0 && strstr(u.release, "hindsight") != NULL;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void test_mmap(void)
{
	int fd = open(test_path("data"), O_RDONLY), null = open("/dev/null", O_WRONLY);
	char *p = map(NULL, 8 * PAGE, RW, ANON, -1, 0l), *q;
	char all[2 * PAGE];

	ok(p != MAP_FAILED && pread(fd, all, sizeof(all), 0) == (long)sizeof(all), "to begin with");
	fails(map(NULL, 0, RW, ANON, -1, 0l), EINVAL);
	fails(map(NULL, 1ul << 62, RW, ANON, -1, 0l), ENOMEM);
	fails(map(NULL, ~0ul, RW, ANON, -1, 0l), ENOMEM);
	fails(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1l), EINVAL);
	fails(map(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0l), EBADF);
	fails(map(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0l), EINVAL);
	fails(map(NULL, PAGE, RW, MAP_SHARED, fd, 0l), EACCES);
	fails(map(NULL, PAGE, RW, MAP_PRIVATE, null, 0l), EACCES);
	fails(map(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, -(long)PAGE), EOVERFLOW);
	if (!wrapped()) /* qemu-user has its own order */
		fails(map(p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0l), EINVAL);
	fails(map(-16 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0l), ENOMEM);
	if (!wrapped()) {
		fails(map(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0l), EEXIST);
		fails(map(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x800000, fd, 0l),
		      EOPNOTSUPP);
		fails(map(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0l), EINVAL);
	}
	q = map(NULL, PAGE, PROT_READ, wrapped() ? MAP_SHARED : MAP_SHARED_VALIDATE, fd, 0l);
	ok(q != MAP_FAILED && !memcmp(q, all, PAGE), "MAP_SHARED_VALIDATE");
	q = map(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (long)PAGE);
	ok(q != MAP_FAILED && !memcmp(q, all + PAGE, PAGE), "a file from its second page on");
	q = map(NULL, 5, RW, MAP_PRIVATE, fd, 0l);
	ok(q != MAP_FAILED && !memcmp(q, all, PAGE), "5 bytes are a page");
	q[0] = 'X';
	ok(pread(fd, all + PAGE, 1, 0) == 1 && all[PAGE] == all[0],
	   "a private change stays private");
	/* Places: a free hint is taken, rounded down; one in use is not; a fixed place is emptied.
	 */
	ok(munmap(p + 2 * PAGE, 2 * PAGE) == 0, "a hole");
	ok(map(p + 2 * PAGE + 77, PAGE, RW, ANON, -1, 0l) == p + 2 * PAGE, "a hint into it");
	if (!wrapped())
		ok(map(p + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0l) == p + 3 * PAGE,
		   "the rest of it, by force");
	q = map(p, PAGE, RW, ANON, -1, 0l);
	ok(q != MAP_FAILED && q != p, "a hint to what is in use");
	p[5 * PAGE] = 'o';
	ok(map(p + 5 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0l) == p + 5 * PAGE && !p[5 * PAGE],
	   "what was there is gone");
	ok(map(1l, PAGE, RW, ANON, -1, 0l) != MAP_FAILED, "a hint below all that may be mapped");
	ok(map(~0ul, PAGE, RW, ANON, -1, 0l) != MAP_FAILED, "and above");
	close(fd);
	close(null);
}

static void test_ranges(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);
	long brk = syscall(SYS_brk, 0), got;

	fails(munmap(p + 1, PAGE), EINVAL);
	fails(munmap(p, ~0ul), EINVAL);
	fails(syscall(SYS_munmap, -16 * PAGE, PAGE), EINVAL);
	fails(syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL);
	fails(syscall(SYS_mprotect, p, PAGE, 0x70000000), EINVAL);
	ok(wrapped() || syscall(SYS_mprotect, p, 0, PROT_READ) == 0, "mprotect of nothing");
	p[0] = 'w';
	if (!wrapped()) {
		fails(syscall(SYS_mprotect, p, ~0ul & ~(PAGE - 1), PROT_READ), ENOMEM);
		fails(syscall(SYS_mprotect, -16 * PAGE, PAGE, PROT_READ), ENOMEM);
	}
	p[0] = 'w'; /* nothing of it was done */
	ok(munmap(p + PAGE, 1) == 0, "a byte of it is a page");
	fails(syscall(SYS_mprotect, p + PAGE, PAGE, PROT_READ), ENOMEM);
	ok(p[0] == 'w' && p[2 * PAGE] == 0, "its neighbours are there");
	ok(madvise(p, PAGE, MADV_NORMAL) == 0 && madvise(p, PAGE, MADV_WILLNEED) == 0 &&
		   madvise(p, 0, MADV_RANDOM) == 0 && p[0] == 'w',
	   "advice");
	if (!wrapped()) {
		fails(madvise(p + 1, PAGE, MADV_NORMAL), EINVAL);
		fails(madvise(p, PAGE, 9999), EINVAL);
		fails(madvise(p, ~0ul, MADV_NORMAL), EINVAL);
	}
	got = syscall(SYS_brk, brk + 3 * (long)PAGE);
	ok(got == brk + 3 * (long)PAGE && ((char *)brk)[3 * PAGE - 1] == 0, "brk grows");
	ok(syscall(SYS_brk, brk) == brk && syscall(SYS_brk, -1l) == brk, "shrinks, and refuses");
	munmap(p, 4 * PAGE);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void test_signals(void)
{
	unsigned long set = 0, act[8] = {0};
	struct sigaction ign = {.sa_handler = SIG_IGN}, old;

	fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
	fails(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8), EFAULT);
	fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, BAD, 8), EFAULT);
	fails(syscall(SYS_rt_sigaction, 65, NULL, act, 8), EINVAL);
	fails(syscall(SYS_rt_sigaction, 0, NULL, act, 8), EINVAL);
	ok(sigaction(SIGUSR1, &ign, NULL) == 0 && sigaction(SIGUSR1, NULL, &old) == 0 &&
		   old.sa_handler == SIG_IGN,
	   "sigaction tells what was");
	fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16), EINVAL);
	fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8), EFAULT);
	fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8), EFAULT);
	fails(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	fails(syscall(SYS_rt_sigpending, &set, 9), EINVAL);
	if (!wrapped())
		fails(syscall(SYS_rt_sigpending, BAD, 8), EFAULT);
	ok(syscall(SYS_rt_sigpending, &set, 8) == 0 && set == 0, "nothing is pending");
	fails(syscall(SYS_tgkill, 0, getpid(), 0), EINVAL);
	fails(syscall(SYS_tgkill, getpid(), 0, 0), EINVAL);
	fails(syscall(SYS_tkill, -1, 0), EINVAL);
	ok(syscall(SYS_tgkill, getpid(), getpid(), 0) == 0 && syscall(SYS_tkill, getpid(), 0) == 0,
	   "one thread, by both numbers");
	ok(syscall(SYS_gettid) == getpid(), "which are the same");
}

/* As many as there are CPUs compute for a while: some of them not on the first. */
static void test_which_cpu(int online)
{
	pid_t pid[8];
	int n = online < 8 ? online : 8, elsewhere = 0, status;

	fflush(stdout);
	for (int i = 0; i < n; i++)
		if ((pid[i] = fork()) == 0) {
			double end = now_s() + 0.3;
			unsigned cpu = 0, most = 0;

			while (now_s() < end)
				if (syscall(SYS_getcpu, &cpu, NULL, NULL) == 0 && cpu > most)
					most = cpu;
			_exit((int)(most < 100 ? most : 100));
		}
	for (int i = 0; i < n; i++) {
		waitpid(pid[i], &status, 0);
		elsewhere += WIFEXITED(status) && status != 0;
	}
	ok(elsewhere > 0 || online == 1, "%d of %d computed elsewhere than on CPU 0", elsewhere, n);
}

static void test_process_facts(void)
{
	struct rlimit64 {
		unsigned long cur, max;
	} lim = {0}, same;
	unsigned long mask[16] = {0};
	unsigned cpu = 99, node = 99;
	cpu_set_t set;
	char name[16];
	long n;
	int online = (int)sysconf(_SC_NPROCESSORS_ONLN);

	fails(syscall(SYS_prlimit64, 0, 16, NULL, &lim), EINVAL);
	fails(syscall(SYS_prlimit64, 1 << 30, RLIMIT_STACK, NULL, &lim), ESRCH);
	fails(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, BAD), EFAULT);
	fails(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, BAD, NULL), EFAULT);
	ok(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &lim) == 0 && lim.cur >= 64 &&
		   lim.max >= lim.cur,
	   "by our own number: %lu files", lim.cur);
	same = lim;
	ok(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &same, &lim) == 0 && same.cur == lim.cur,
	   "to set what is");
	ok(syscall(SYS_prlimit64, 0, 15, NULL, &lim) == 0, "the last limit there is");
	if (on_hindsight()) {
		same.cur--;
		fails(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &same, NULL), EPERM);
		same.cur++;
		same.max++;
		fails(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &same, NULL), EPERM);
		ok(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &lim) == 0 &&
			   lim.cur == 8ul << 20 && lim.max == lim.cur,
		   "8 MiB of stack");
		ok(syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &lim) == 0 && lim.cur == 0,
		   "no core");
		ok(syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &lim) == 0 && lim.cur == ~0ul &&
			   lim.max == ~0ul,
		   "no limit to memory");
		ok(!getuid() && !geteuid() && !getgid() && !getegid(), "all are root");
	}
	fails(syscall(SYS_sched_getaffinity, 0, 7, mask), EINVAL);
	fails(syscall(SYS_sched_getaffinity, 0, 0, mask), EINVAL);
	fails(syscall(SYS_sched_getaffinity, 1 << 30, sizeof(mask), mask), ESRCH);
	fails(syscall(SYS_sched_getaffinity, 0, sizeof(mask), BAD), EFAULT);
	n = syscall(SYS_sched_getaffinity, getpid(), sizeof(mask), mask);
	ok(n > 0 && n % 8 == 0 && mask[0], "affinity of %ld bytes", n);
	ok(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == online,
	   "%d of %d CPUs", CPU_COUNT(&set), online);
	ok(syscall(SYS_getcpu, &cpu, &node, NULL) == 0 && CPU_ISSET(cpu, &set) && node < 64,
	   "we are on one of them: %u", cpu);
	test_which_cpu(online);
	ok(syscall(SYS_getcpu, NULL, NULL, NULL) == 0, "nobody wants to know");
	fails(syscall(SYS_getcpu, BAD, NULL, NULL), EFAULT);
	fails(syscall(SYS_getcpu, NULL, BAD, NULL), EFAULT);
	ok(sched_yield() == 0, "sched_yield");
	ok(syscall(SYS_set_tid_address, &cpu) == getpid(), "set_tid_address tells who we are");
	fails(prctl(9999, 0, 0, 0, 0), EINVAL);
	fails(prctl(PR_SET_NAME, BAD), EFAULT);
	fails(prctl(PR_GET_NAME, BAD), EFAULT);
	memset(name, 'x', sizeof(name));
	ok(prctl(PR_SET_NAME, "abc") == 0 && prctl(PR_GET_NAME, name) == 0 &&
		   !memcmp(name, "abc\0\0\0\0\0\0\0\0\0\0\0\0", 16),
	   "a name is filled up");
#ifdef SYS_arch_prctl
	ok(syscall(SYS_arch_prctl, 0x1003, &mask[0]) == 0 && mask[0] == *(unsigned long *)mask[0],
	   "ARCH_GET_FS: the thread's own block begins with its address");
	ok(syscall(SYS_arch_prctl, 0x1002, mask[0]) == 0 && errno >= 0, "ARCH_SET_FS");
	fails(syscall(SYS_arch_prctl, 0x1002, 1ul << 47), EPERM);
	fails(syscall(SYS_arch_prctl, 0x1003, BAD), EFAULT);
	fails(syscall(SYS_arch_prctl, 0x7777, 0), EINVAL);
#endif
}

/* ---- time and the rest ----------------------------------------------------------------------- */

static int burn_100ms(void)
{
	struct timespec t;
	double end = now_s() + 20;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	while (t.tv_sec == 0 && t.tv_nsec < 100000000 && now_s() < end);
	return now_s() >= end;
}

static void test_used_time(void)
{
	struct rusage a, b;
	struct tms s, t;
	clock_t from, to;
	double cpu;

	fails(getrusage(7, &a), EINVAL);
	fails(getrusage(-2, &a), EINVAL);
	fails(syscall(SYS_getrusage, RUSAGE_SELF, BAD), EFAULT);
	ok(getrusage(RUSAGE_THREAD, &a) == 0 && getrusage(RUSAGE_SELF, &b) == 0 &&
		   a.ru_utime.tv_usec < 1000000 && b.ru_utime.tv_usec < 1000000,
	   "of the thread and of the process");
	from = times(&s);
	getrusage(RUSAGE_CHILDREN, &a);
	ok(in_child(burn_100ms) == 0, "a child computes");
	getrusage(RUSAGE_CHILDREN, &b);
	to = times(&t);
	cpu = (double)(b.ru_utime.tv_sec + b.ru_stime.tv_sec - a.ru_utime.tv_sec -
		       a.ru_stime.tv_sec) +
	      (double)(b.ru_utime.tv_usec + b.ru_stime.tv_usec - a.ru_utime.tv_usec -
		       a.ru_stime.tv_usec) /
		      1e6;
	ok(cpu >= 0.08 && cpu < 5, "its time counts when it was waited for: %.3f s", cpu);
	cpu = (double)(t.tms_cutime + t.tms_cstime - s.tms_cutime - s.tms_cstime) / 100;
	ok(cpu >= 0.07 && cpu < 5, "in hundredths, too: %.2f", cpu);
	ok(to - from >= 7 && to - from < 3000, "which went by: %ld", (long)(to - from));
	ok(t.tms_utime + t.tms_stime - s.tms_utime - s.tms_stime < 100, "ours is apart");
	fails(syscall(SYS_times, BAD), EFAULT);
	ok(syscall(SYS_times, NULL) > 0, "times without a place");
}

static double seconds(clockid_t c)
{
	struct timespec t = {-1, 0};

	clock_gettime(c, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_clocks(void)
{
	struct timespec past = {0, 999999999}, zero = {0, 0}, bad = {0, 1000000000}, res;
	struct timeval tv;
	int tz[2] = {7, 7};
	double wall, cpu, coarse;

	wall = seconds(CLOCK_REALTIME);
	ok(seconds(CLOCK_REALTIME_COARSE) > wall - 1 && seconds(CLOCK_REALTIME_COARSE) < wall + 20,
	   "two clocks with the date");
	ok(syscall(SYS_gettimeofday, &tv, tz) == 0 && (double)tv.tv_sec >= wall - 1 &&
		   (double)tv.tv_sec < wall + 20 && tv.tv_usec >= 0 && tv.tv_usec < 1000000 &&
		   tz[0] != 7,
	   "gettimeofday has it too");
	ok(syscall(SYS_gettimeofday, NULL, NULL) == 0, "or nothing");
	fails(syscall(SYS_gettimeofday, BAD, NULL), EFAULT);
	fails(syscall(SYS_gettimeofday, NULL, BAD), EFAULT);
	coarse = seconds(CLOCK_MONOTONIC_COARSE);
	ok(coarse > 0 && seconds(CLOCK_MONOTONIC_RAW) > 0 && seconds(CLOCK_BOOTTIME) >= coarse,
	   "clocks since boot");
	cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	ok(cpu > 0 && cpu < now_s() + 1 && seconds(CLOCK_PROCESS_CPUTIME_ID) >= cpu,
	   "a thread's clock: %.3f s", cpu);
	fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD), EFAULT);
	fails(clock_getres(999, &res), EINVAL);
	if (!wrapped()) {
		fails(syscall(SYS_clock_getres, CLOCK_MONOTONIC, BAD), EFAULT);
		fails(syscall(SYS_nanosleep, BAD, NULL), EFAULT);
	}
	ok(clock_getres(CLOCK_MONOTONIC, &res) == 0 && res.tv_sec == 0 && res.tv_nsec > 0 &&
		   clock_getres(CLOCK_REALTIME, NULL) == 0,
	   "a resolution of %ld ns", (long)res.tv_nsec);
	ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) == 0, "until the past");
	ok(syscall(SYS_nanosleep, &zero, NULL) == 0, "for no time");
	ok(clock_nanosleep(CLOCK_MONOTONIC, 0, &bad, NULL) == EINVAL, "10^9 ns");
	ok(clock_nanosleep(999, 0, &zero, NULL) == EINVAL, "a clock that is none");
	fails(syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &zero, NULL), EOPNOTSUPP);
	fails(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL), EFAULT);
	wall = now_s();
	res = (struct timespec){0, 20000000};
	ok(clock_nanosleep(CLOCK_REALTIME, 0, &res, NULL) == 0 && now_s() - wall >= 0.02 &&
		   now_s() - wall < 20,
	   "20 ms by the date's clock");
}

static void test_facts(void)
{
	struct sysinfo a = {0}, b = {0};
	struct utsname u;
	unsigned char r[64] = {0}, s[64] = {0};
	double up = seconds(CLOCK_BOOTTIME);
	pid_t pid;
	int p[2];
	char c;

	ok(sysinfo(&a) == 0 && (double)a.uptime >= up - 1 && (double)a.uptime <= up + 20 &&
		   a.mem_unit >= 1 && a.totalram * a.mem_unit >= 8ul << 20 && a.freeram > 0 &&
		   a.freeram < a.totalram,
	   "up for %ld s, %lu MiB", a.uptime, a.totalram * a.mem_unit >> 20);
	fails(syscall(SYS_sysinfo, BAD), EFAULT);
	if (on_hindsight() && pipe(p) == 0) {
		pid = fork();
		if (pid == 0) {
			close(p[1]);
			_exit(read(p[0], &c, 1) != 0);
		}
		sysinfo(&b);
		close(p[1]);
		waitpid(pid, NULL, 0);
		ok(b.procs == a.procs + 1, "a child is one more: %d, %d", a.procs, b.procs);
		sysinfo(&b);
		ok(b.procs == a.procs, "and one less");
		ok(uname(&u) == 0 && !strcmp(u.sysname, "Linux") &&
			   !strcmp(u.nodename, "hindsight") && strstr(u.version, "Hindsight") &&
			   !strcmp(u.domainname, "(none)") &&
			   (!strcmp(u.machine, "x86_64") || !strcmp(u.machine, "aarch64")),
		   "uname: %s %s", u.version, u.machine);
		fails(syscall(SYS_reboot, 1, 2, 3, NULL), EINVAL);
		fails(syscall(SYS_reboot, 0xfee1dead, 1, 0x4321fedc, NULL), EINVAL);
		fails(syscall(SYS_reboot, 1, 672274793, 0x4321fedc, NULL), EINVAL);
		fails(syscall(SYS_reboot, 0xfee1dead, 672274793, 7, NULL), EINVAL);
	}
	fails(syscall(SYS_uname, BAD), EFAULT);
	ok(getrandom(r, 64, 0) == 64 && getrandom(s, 64, GRND_NONBLOCK | GRND_RANDOM) > 0 &&
		   memcmp(r, s, 8),
	   "getrandom");
	ok(getrandom(r, 0, 0) == 0, "no bytes of it");
	fails(getrandom(r, 1, 8), EINVAL);
	fails(getrandom(BAD, 16, 0), EFAULT);
	fails(syscall(9999), ENOSYS);
}

int main(void)
{
	test_mmap();
	test_ranges();
	test_signals();
	test_process_facts();
	test_used_time();
	test_clocks();
	test_facts();
	return tap_end();
}
