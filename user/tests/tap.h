/* tap.h - checks that print TAP lines. A program ends with `return tap_end();`: 0 only if there
 * were checks and all of them held. Children that check use exit codes, not ok(). */
#ifndef USER_TAP_H
#define USER_TAP_H

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static int tap_count, tap_failed;

__attribute__((format(printf, 4, 5), unused)) static int tap_ok(int good, const char *file,
								int line, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("#   at %s:%d, errno %d\n", file, line, errno);
	}
	fflush(stdout);
	return good;
}
#define ok(cond, ...) tap_ok(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

__attribute__((unused)) static int tap_end(void)
{
	printf("1..%d\n", tap_count);
	fflush(stdout);
	return tap_count == 0 || tap_failed != 0;
}

/* Where the tests and their data are. */
__attribute__((unused)) static const char *test_path(const char *name)
{
	static char path[4][256];
	static int next;
	const char *dir = getenv("TESTDIR");
	char *p = path[next++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir ? dir : "/tests", name);
	return p;
}

/* Under qemu-user a program cannot be executed directly: EXEC_WRAPPER names what runs it. */
__attribute__((unused)) static int wrapped(void)
{
	return getenv("EXEC_WRAPPER") != NULL;
}

__attribute__((unused)) static void test_exec(const char *path, char *const argv[])
{
	char *list[16] = {"/usr/bin/env", getenv("EXEC_WRAPPER"), "-0", argv[0], (char *)path};
	int n = 5;

	if (!wrapped()) {
		execve(path, argv, environ);
		return;
	}
	for (int i = 1; argv[i - 1] && argv[i] && n < 15; i++)
		list[n++] = argv[i];
	execve(list[0], list, environ);
}

/* fork + run fn in the child; its wait status. */
__attribute__((unused)) static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

__attribute__((unused)) static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

__attribute__((unused)) static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* Waits for pid at most this long, then kills it. Wait status, -1 if it had to be killed. */
__attribute__((unused)) static int wait_limit(pid_t pid, double seconds)
{
	double end = now_s() + seconds;
	int status;

	while (now_s() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_ms(5);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

#endif
