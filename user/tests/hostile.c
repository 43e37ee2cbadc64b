/* hostile.c - hostile programs, as the first process: `init=/tests/hostile -- MODE SEED ROUNDS`.
 *   calls   system calls of the table (and some that are not in it) with hostile arguments
 *   insns   random instructions with random registers
 * WORKERS lines of victims run at once. Whatever a victim does to itself is fine; it may only not
 * hurt the kernel. Being pid 1, this program can kill and reap everybody between rounds, and then
 * compares free memory: a round that leaves less behind each time leaks. Ends with "hostile: ok"
 * and waits for a line, so that the host can look at a system that should be healthy.
 *
 * Same seed, same arguments; only the order among processes is free.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS      4
#define VICTIMS      8   /* one after the other, in each worker and round */
#define CALLS        400 /* of one victim */
#define CODE_LIFE_MS 40  /* random code often never ends */
#define CALL_LIFE_MS 1000
#define CHILD_CALLS  12
#define DEPTH_MAX    2
#define REPEATS      3
#define SLACK_KB     256 /* caches of CPUs and slabs may fill a little more */

struct call {
	const char *kinds; /* as syscalls.def: what the arguments should be */
	long nr;
};

static const struct call calls[] = {
	{"fpz", SYS_read},
	{"fpz", SYS_write},
	{"fvd", SYS_readv},
	{"fvd", SYS_writev},
	{"fpzd", SYS_pread64},
	{"fsxo", SYS_openat},
	{"fsxo", SYS_openat},
	{"f", SYS_close},
	{"fdd", SYS_lseek},
	{"fp", SYS_fstat},
	{"fspx", SYS_newfstatat},
	{"fso", SYS_faccessat},
	{"fspz", SYS_readlinkat},
	{"fpz", SYS_getdents64},
	{"f", SYS_dup},
	{"ffx", SYS_dup3},
	{"fdx", SYS_fcntl},
	{"px", SYS_pipe2},
	{"fxp", SYS_ioctl},
	{"pdppz", SYS_ppoll},
	{"dppppp", SYS_pselect6},
	{"pz", SYS_getcwd},
	{"s", SYS_chdir},
	{"f", SYS_fchdir},
	{"o", SYS_umask},
	{"fso", SYS_mkdirat},
	{"sfs", SYS_symlinkat},
	{"fsfsx", SYS_linkat},
	{"fsx", SYS_unlinkat},
	{"fsfsx", SYS_renameat2},
	{"fso", SYS_fchmodat},
	{"fsddx", SYS_fchownat},
	{"fspx", SYS_utimensat},
	{"sd", SYS_truncate},
	{"fd", SYS_ftruncate},
	{"f", SYS_fsync},
	{"pzxxfx", SYS_mmap},
	{"pzxxfx", SYS_mmap},
	{"pz", SYS_munmap},
	{"pzx", SYS_mprotect},
	{"p", SYS_brk},
	{"pzd", SYS_madvise},
	{"xpppp", SYS_clone},
	{"svv", SYS_execve},
	{"dpxp", SYS_wait4},
	{"kd", SYS_kill},
	{"kd", SYS_tkill},
	{"kkd", SYS_tgkill},
	{"dppz", SYS_rt_sigaction},
	{"dppz", SYS_rt_sigprocmask},
	{"pz", SYS_rt_sigpending},
	{"dd", SYS_setpgid},
	{"d", SYS_getpgid},
	{"d", SYS_getsid},
	{"", SYS_setsid},
	{"p", SYS_set_tid_address},
	{"dpxxx", SYS_prctl},
	{"kdpp", SYS_prlimit64},
	{"dp", SYS_getrusage},
	{"p", SYS_times},
	{"", SYS_sched_yield},
	{"dzp", SYS_sched_getaffinity},
	{"ppp", SYS_getcpu},
	{"dp", SYS_clock_gettime},
	{"dp", SYS_clock_getres},
	{"dxpp", SYS_clock_nanosleep},
	{"pp", SYS_nanosleep},
	{"pp", SYS_gettimeofday},
	{"p", SYS_uname},
	{"p", SYS_sysinfo},
	{"pzx", SYS_getrandom},
	{"xxxp", SYS_reboot},
#ifdef SYS_fork
	{"sxo", SYS_open},
	{"sp", SYS_stat},
	{"sp", SYS_lstat},
	{"so", SYS_access},
	{"spz", SYS_readlink},
	{"ff", SYS_dup2},
	{"pdd", SYS_poll},
	{"dpppp", SYS_select},
	{"p", SYS_pipe},
	{"", SYS_fork},
	{"", SYS_vfork},
	{"xp", SYS_arch_prctl},
	{"p", SYS_time},
#endif
};
#define NCALLS (sizeof(calls) / sizeof(calls[0]))

static uint64_t state;
static char *area; /* three pages, of which the middle one is not accessible */
static int depth;

static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dull >> 8;
}

static uint64_t below(uint64_t n)
{
	return rnd() % n;
}

static long pick_pointer(void)
{
	static const uint64_t fixed[] = {
		0,
		1,
		0xfff,
		0x10000,
		0x400000,
		0x00007ffffffff000ul,
		0x00007ffffffff001ul,
		0x0000800000000000ul,
		0xffff000000000000ul,
		0xffff800000000000ul,
		0xffff888000000000ul,
		0xffffffff80000000ul,
		0xffffffff80200000ul,
		0xfffffffffffff000ul,
		~0ul,
		0x0000600000000000ul,
	};
	static char data[65536];

	switch (below(8)) {
	case 0:
		return (long)fixed[below(sizeof(fixed) / sizeof(fixed[0]))];
	case 1:
		return (long)(area + 4096 - below(64)); /* runs into the closed page */
	case 2:
		return (long)(area + 4096 + below(4096));
	case 3:
		return (long)(area + 8192 + below(4096));
	case 4:
		return (long)__builtin_frame_address(0) - (long)below(1 << 20);
	case 5:
		return (long)((uintptr_t)data & ~4095ul) + (long)(4096 * below(20));
	case 6:
		return (long)(rnd() << below(40));
	}
	return (long)(data + below(sizeof(data)));
}

static long pick_size(void)
{
	static const uint64_t fixed[] = {0,         1,         7,         8,          16,
					 128,       4095,      4096,      4097,       65536,
					 1 << 20,   1 << 25,   1u << 31,  0x7ffff000, 0xffffffff,
					 1ul << 32, 1ul << 46, 1ul << 47, 1ul << 63,  ~0ul};

	return (long)fixed[below(sizeof(fixed) / sizeof(fixed[0]))] + (below(8) ? 0 : -1);
}

static long pick_number(void)
{
	static const int64_t fixed[] = {0,         1,         2,         3,         8,
					-1,        -100,      17,        255,       1000,
					1ll << 31, INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX};

	return below(2) ? (long)below(20) : fixed[below(sizeof(fixed) / sizeof(fixed[0]))];
}

static long pick_flags(void)
{
	switch (below(4)) {
	case 0:
		return (long)below(8);
	case 1:
		return 1l << below(34);
	case 2:
		return (long)(rnd() & rnd() & rnd() & 0xffffffff);
	}
	return 0x22; /* MAP_PRIVATE | MAP_ANONYMOUS, O_RDWR */
}

static long pick_path(void)
{
	static const char *const paths[] = {
		"/",
		"/tests/data",
		"/tests/many",
		"/tests/../dev/./zero",
		"/dev/null",
		"/dev/urandom",
		"/dev/full",
		"/dev",
		".",
		"..",
		"/tests/loop",
		"/tests/link",
		"",
		"/tests/script",
		"/tests/script_loop",
		"/no/such",
		"/tests/exit42",
		"/bin/busybox",
		"/tests/text",
		"/tests/fuzz/000-ph0-offset",
		"/dev/tty",
		"data",
		"/tests/bad/magic",
		"/tests/empty/x",
	};
	static char longest[5000];

	if (below(16) == 0) {
		memset(longest, "a/."[below(3)], sizeof(longest) - 1);
		return (long)longest;
	}
	return below(8) ? (long)paths[below(sizeof(paths) / sizeof(paths[0]))] : pick_pointer();
}

/* Nobody but the victim, its group, and numbers that name nobody. */
static long pick_victim(void)
{
	static const long fixed[] = {0, 1 << 30, -(1 << 30), INT32_MIN, INT32_MAX, 1ll << 32};

	return below(2) ? getpid() : fixed[below(sizeof(fixed) / sizeof(fixed[0]))];
}

/* A vector that serves as iovec and as argv, half of it hostile. */
static long pick_vector(void)
{
	static long vec[64];

	if (below(4) == 0)
		return pick_pointer();
	for (int i = 0; i < 64; i++)
		vec[i] = below(2) ? pick_pointer() : pick_size();
	vec[below(64)] = 0;
	if (below(2))
		vec[2] = 0;
	return (long)vec;
}

static long pick(char kind)
{
	if (below(12) == 0)
		kind = "fpszdxov"[below(8)];
	switch (kind) {
	case 'f':
		return below(4) ? (long)below(16) : pick_number();
	case 'p':
		return pick_pointer();
	case 's':
		return pick_path();
	case 'z':
		return pick_size();
	case 'v':
		return pick_vector();
	case 'k':
		return pick_victim();
	case 'x':
	case 'o':
		return pick_flags();
	}
	return pick_number();
}

static int kills(long nr)
{
	return nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill;
}

static void fuzz_calls(int count)
{
	for (int i = 0; i < count; i++) {
		const struct call *c = &calls[below(NCALLS)];
		pid_t self = getpid();
		long a[6], nr = c->nr;

		if ((nr == SYS_execve || kills(nr)) && below(4))
			continue; /* else most victims would not live for long */
		for (int n = 0; n < 6; n++)
			a[n] = kills(nr) && c->kinds[n] == 'k' ? pick_victim()
			       : n < (int)strlen(c->kinds)     ? pick(c->kinds[n])
							       : pick_pointer();
		if (below(32) == 0)
			nr = kills(nr) ? -1 : (long)(below(2) ? 430 + below(600) : rnd());
		syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		if (getpid() == self)
			continue;
		/* a child of ours, on our stack or on none */
		if (++depth > DEPTH_MAX)
			_exit(0);
		count = i + CHILD_CALLS;
	}
}

static void fuzz_insns(void)
{
	size_t size = 4096;
	uint32_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < size / 4; i++)
		code[i] = (uint32_t)rnd();
#ifdef __aarch64__
	/* system registers, caches, exceptions, atomics: where the kernel is involved */
	static const uint32_t groups[] = {0xd5000000, 0xd4000000, 0x08000000, 0xd61f0000,
					  0x4c000000, 0x1e000000, 0x38000000, 0x14000000};

	for (size_t i = 0; i < size / 4; i += 1 + below(3))
		code[i] = groups[below(8)] | (uint32_t)(rnd() & 0x00ffffff);
	__builtin___clear_cache((char *)code, (char *)code + size);
#else
	static const char *const bytes[] = {
		"\x0f\x05",     "\xcd\x80",     "\x0f\x34",     "\x9d",         "\x0f\x01\xf8",
		"\x0f\x30",     "\x0f\x32",     "\xf4",         "\xfa",         "\xf1",
		"\xcc",         "\x8e\xd8",     "\x8e\xe8",     "\xcf",         "\x48\xcf",
		"\xcb",         "\x0f\xae\x00", "\x0f\xc7\x08", "\x0f\x0b",     "\xe4\x60",
		"\x0f\x01\xd0", "\xf0\x0f\x0b", "\x0f\x22\xc0", "\x0f\x01\xca", "\x81\x0c\x24",
		"\x48\xcb",     "\xcd\x03",     "\xcd\x04",     "\xf7\xf0",
	};

	for (size_t i = 0; i < size - 8; i += 1 + below(12)) {
		const char *b = bytes[below(sizeof(bytes) / sizeof(bytes[0]))];

		memcpy((char *)code + i, b, strlen(b));
	}
	/* popf first: single steps, direction, alignment checks, nested task */
	memcpy(code, "\x68", 1);
	*(uint32_t *)((char *)code + 1) = (uint32_t)(below(2) ? 1u << below(22) : rnd() & 0x3fffff);
	((char *)code)[5] = '\x9d';
#endif
	((void (*)(long, long, long, long, long, long))code)(pick_pointer(), pick_size(),
							     pick_pointer(), pick_size(),
							     pick_number(), pick_pointer());
}

static void victim(int insns)
{
	int fds[2];

	setsid();
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	open("/dev/null", O_RDWR);
	open("/tests/data", O_RDONLY);
	open("/tests/many", O_RDONLY | O_DIRECTORY);
	open("/dev/zero", O_RDWR);
	if (pipe(fds) != 0)
		_exit(0);
	area = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(area + 4096, 4096, PROT_NONE);
	if (insns)
		fuzz_insns();
	else
		fuzz_calls(CALLS);
	_exit(0);
}

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

static void worker(uint64_t seed, int insns)
{
	for (uint64_t i = 0; i < VICTIMS; i++) {
		double end = now_s() + (insns ? CODE_LIFE_MS : CALL_LIFE_MS) / 1000.0;
		pid_t pid = fork();

		if (pid == 0) {
			state = (seed * 1000 + i) * 0x9e3779b97f4a7c15ull | 1;
			rnd();
			victim(insns);
		}
		if (pid < 0) {
			sleep_ms(10); /* others eat the memory: that is what they are for */
			continue;
		}
		while (waitpid(pid, NULL, WNOHANG) == 0) {
			if (now_s() > end)
				kill(pid, SIGKILL);
			sleep_ms(2);
		}
	}
	_exit(0);
}

static unsigned long free_kb(void)
{
	struct sysinfo s;

	return sysinfo(&s) == 0 ? s.freeram / 1024 : 0;
}

/* Free memory once it has stopped to rise: what the dead had comes back a little later. */
static unsigned long settled_kb(void)
{
	unsigned long was, now = free_kb();

	do {
		was = now;
		sleep_ms(100);
		now = free_kb();
	} while (now > was);
	return now;
}

static unsigned long run_round(uint64_t seed, int insns)
{
	pid_t pids[WORKERS];

	for (uint64_t w = 0; w < WORKERS; w++) {
		pids[w] = fork();
		if (pids[w] == 0)
			worker(seed * WORKERS + w, insns);
	}
	for (int w = 0; w < WORKERS; w++)
		while (waitpid(pids[w], NULL, 0) < 0 && errno == EINTR)
			;
	kill(-1, SIGKILL); /* those who left their family and group */
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return settled_kb();
}

int main(int argc, char **argv)
{
	int insns = argc > 1 && strcmp(argv[1], "insns") == 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	int rounds = argc > 3 ? atoi(argv[3]) : 3;
	unsigned long before, now;
	char line[8];

	if (getpid() != 1) {
		fprintf(stderr, "hostile: only as the first process: it kills all others\n");
		return 2;
	}
	for (int r = 0; r < rounds; r++) {
		int again = 0;

		/* The first time fills caches; then the same must not take more, and again and
		 * again: who was slow once may have read a file that nobody had in memory. */
		now = run_round(seed + (uint64_t)r, insns);
		do {
			before = now;
			now = run_round(seed + (uint64_t)r, insns);
		} while (now + SLACK_KB < before && ++again < REPEATS);
		printf("hostile: round %d of %d, %lu KiB free, before %lu\n", r + 1, rounds, now,
		       before);
		fflush(stdout);
		if (again == REPEATS) {
			printf("hostile: memory is lost\n");
			return 1;
		}
	}
	printf("hostile: ok\n");
	fflush(stdout);
	return read(0, line, 1) != 1;
}
