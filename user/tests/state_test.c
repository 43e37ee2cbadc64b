/* state_test.c - what a process has and keeps: references at EMFILE, bounds of sleeps, its state
 * across exec, the time of grandchildren, the child's tid word. Started again by itself with
 * `kept`. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "tap.h"

static void nothing(int sig)
{
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* A descriptor that could not be made must not keep what it would have named: when all writing ends
 * are closed the reader sees the end. */
static int emfile(void)
{
	int fd[2], pair[2], last = -1, d;
	char c;

	if (pipe2(fd, O_NONBLOCK) < 0)
		return 1;
	while ((d = dup(fd[1])) >= 0)
		last = d;
	if (errno != EMFILE)
		return 2;
	for (int i = 0; i < 100; i++)
		if (dup(fd[1]) >= 0 || fcntl(fd[1], F_DUPFD, 10) >= 0 || pipe(pair) == 0 ||
		    open("/dev/null", O_RDONLY) >= 0 || errno != EMFILE)
			return 3;
	if (dup2(fd[1], last) != last) /* replaces: the table may be full */
		return 4;
	close(last);
	if (pipe(pair) == 0 || errno != EMFILE) /* room for one: neither */
		return 5;
	d = dup(fd[1]);
	if (d != last)
		return 6;
	for (d = fd[1]; d <= last; d++)
		close(d);
	return read(fd[0], &c, 1) == 0 ? 0 : 7;
}

/* Longer than any counter: still asleep after a while, not back at once. */
static int long_sleep(const struct timespec *t, int flags)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		clock_nanosleep(CLOCK_MONOTONIC, flags, t, NULL);
		_exit(1);
	}
	sleep_ms(100);
	status = waitpid(pid, &status, WNOHANG) == 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}

static void test_sleeps(void)
{
	static const struct timespec ever = {INT64_MAX, 999999999}, years = {9223372036, 854775807},
				     past = {0, 0};

	ok(long_sleep(&ever, 0), "the longest sleep lasts");
	ok(long_sleep(&ever, TIMER_ABSTIME), "so does one to the end of time");
	ok(long_sleep(&years, 0), "and one of 2^63 - 1 ns");
	ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL) == 0,
	   "until a time that is over: at once");
	ok(clock_nanosleep(CLOCK_MONOTONIC, 0, &past, NULL) == 0, "of 0: at once");
}

/* After the exec: 0, or which thing is not as it was. */
static int kept(const char *pgid)
{
	struct sigaction act;
	sigset_t set;
	char cwd[64];

	if (umask(0) != 031)
		return 2;
	if (!getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/dev") != 0)
		return 3;
	sigprocmask(SIG_BLOCK, NULL, &set);
	if (!sigismember(&set, SIGUSR1) || sigismember(&set, SIGUSR2))
		return 4;
	if (sigpending(&set) || !sigismember(&set, SIGUSR1))
		return 5;
	if (sigaction(SIGHUP, NULL, &act) || act.sa_handler != SIG_IGN)
		return 6;
	if (sigaction(SIGUSR2, NULL, &act) || act.sa_handler != SIG_DFL)
		return 7;
	return getpgrp() == atoi(pgid) && getpgrp() == getpid() ? 0 : 8;
}

static int across_exec(void)
{
	char pgid[16];

	setpgid(0, 0);
	snprintf(pgid, sizeof(pgid), "%d", getpgrp());
	umask(031);
	block(SIGUSR1);
	signal(SIGUSR1, nothing);
	raise(SIGUSR1);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, nothing);
	if (chdir("/dev") < 0)
		return 1;
	test_exec(test_path("state_test"), (char *[]){"state_test", "kept", pgid, NULL});
	return 1;
}

static double seconds(const struct rusage *ru)
{
	return (double)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) +
	       (double)(ru->ru_utime.tv_usec + ru->ru_stime.tv_usec) / 1e6;
}

static int works(void)
{
	struct timespec t;

	do {
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	} while (t.tv_sec == 0 && t.tv_nsec < 200000000);
	return 0;
}

static int lets_work(void)
{
	return in_child(works);
}

static void test_times(void)
{
	struct rusage before, after, one;
	pid_t pid;

	getrusage(RUSAGE_CHILDREN, &before);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(lets_work());
	pid = wait4(pid, NULL, 0, &one);
	getrusage(RUSAGE_CHILDREN, &after);
	ok(pid > 0 && seconds(&one) > 0.15, "wait4 counts what a child has waited for: %.3f s",
	   seconds(&one));
	ok(seconds(&after) - seconds(&before) > 0.15, "RUSAGE_CHILDREN too: %.3f s",
	   seconds(&after) - seconds(&before));
}

/* Linux clears the word at exit only for those who still share the memory as a thread does: a
 * process of its own leaves a shared page alone. */
static void test_tid_word(void)
{
	volatile int *word =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t pid;

	if (word == MAP_FAILED)
		return;
#ifdef __x86_64__
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0,
			     NULL, word, 0);
#else
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0,
			     NULL, 0, word);
#endif
	if (pid == 0)
		_exit(*word == (int)syscall(SYS_gettid) ? 0 : 1);
	ok(waitpid(pid, &status, 0) == pid && status == 0, "the child finds its tid in its word");
	ok(*word == pid, "and leaves it there at its end: %d", *word);
}

int main(int argc, char **argv)
{
	int status;

	if (argc == 3 && strcmp(argv[1], "kept") == 0)
		return kept(argv[2]);
	status = in_child(emfile);
	ok(status == 0, "no reference is lost at EMFILE (0x%x)", status);
	test_sleeps();
	status = in_child(across_exec);
	ok(status == 0, "what exec keeps and what it resets (0x%x)", status);
	test_times();
	test_tid_word();
	return tap_end();
}
