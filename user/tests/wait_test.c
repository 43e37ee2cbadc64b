/* wait_test.c - wait4: which child, WNOHANG, status, death by signal, errors, orphans. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include "tap.h"

static void nothing(int sig)
{
}

static pid_t child(int ms, int code)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep_ms(ms);
		_exit(code);
	}
	return pid;
}

static int orphan_maker(void)
{
	int fd[2];
	char c = 0;
	pid_t pid;

	if (pipe(fd) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) { /* its parent dies first */
			pid_t parent = getppid();

			for (int i = 0; i < 400 && getppid() == parent; i++)
				sleep_ms(5);
			c = getppid() != parent;
			_exit(write(fd[1], &c, 1) != 1);
		}
		sleep_ms(20);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return read(fd[0], &c, 1) == 1 && c == 1 ? 0 : 1;
}

/* A child's end is a signal, but not that of a child that was made without one. */
static int child_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGCHLD, nothing);
	if (!wrapped()) { /* qemu-user makes no such children */
		if (syscall(SYS_clone, 0, 0, 0, 0, 0) == 0)
			_exit(0);
		if (wait4(-1, NULL, __WALL, NULL) < 0 || sigpending(&set) ||
		    sigismember(&set, SIGCHLD))
			return 1;
	}
	waitpid(child(1, 0), NULL, 0);
	if (sigpending(&set) || !sigismember(&set, SIGCHLD))
		return 2;
	signal(SIGCHLD, SIG_DFL);
	return sigpending(&set) || sigismember(&set, SIGCHLD) ? 3 : 0;
}

static int crash(void)
{
	volatile int *nowhere = (volatile int *)8;

	return *nowhere;
}

int main(void)
{
	pid_t a, b, pid;
	int status = 0;
	struct rusage ru;

	ok(wait(&status) == -1 && errno == ECHILD, "no children: ECHILD");
	a = child(150, 42);
	ok(waitpid(a, &status, WNOHANG) == 0, "WNOHANG while it runs: 0");
	ok(waitpid(a, &status, 0) == a && WIFEXITED(status) && WEXITSTATUS(status) == 42,
	   "exit status 42");
	ok(waitpid(a, &status, 0) == -1 && errno == ECHILD, "only once");
	a = child(200, 1);
	b = child(1, 2);
	ok(waitpid(a, &status, 0) == a && WEXITSTATUS(status) == 1,
	   "a named child, the slower one");
	ok(wait4(-1, &status, 0, &ru) == b && WEXITSTATUS(status) == 2, "then the other");
	a = child(60000, 0);
	ok(kill(a, SIGKILL) == 0 && waitpid(a, &status, 0) == a && WIFSIGNALED(status) &&
		   WTERMSIG(status) == SIGKILL,
	   "killed while it sleeps");
	status = in_child(crash);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a crash is SIGSEGV");
	ok(waitpid(999999, &status, 0) == -1 && errno == ECHILD, "somebody else's pid: ECHILD");
	ok(waitpid(-1, &status, 0x4000) == -1 && errno == EINVAL, "unknown option: EINVAL");
	pid = child(1, 3);
	ok(waitpid(0, NULL, 0) == pid, "pid 0: my group; status may be NULL");
	ok(in_child(orphan_maker) == 0, "an orphan gets another parent");
	ok(in_child(child_signal) == 0, "SIGCHLD");
	return tap_end();
}
