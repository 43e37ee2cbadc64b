/* kill_test.c - signals without handlers: default actions, ignoring, blocking, groups, errors. */
#include "tap.h"

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep_ms(60000);
		_exit(0);
	}
	return pid;
}

static pid_t spinner(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (volatile unsigned long i = 0;; i++)
			;
	return pid;
}

static int killed_by(pid_t pid, int sig)
{
	int status;

	if (kill(pid, sig) < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int kill_self(void)
{
	kill(getpid(), SIGTERM);
	return 1; /* never reached */
}

static int survive(void)
{
	sigset_t set, pending;

	signal(SIGTERM, SIG_IGN);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGCHLD);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR1);
	sigpending(&pending);
	return sigismember(&pending, SIGUSR1) == 1 && sigismember(&pending, SIGTERM) == 0 ? 0 : 1;
}

static int unblock(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	kill(getpid(), SIGUSR2);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 1; /* never reached */
}

static int no_zombies(void)
{
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0)
		_exit(3);
	return wait(NULL) == -1 && errno == ECHILD ? 0 : 1;
}

int main(void)
{
	struct sigaction old;
	sigset_t set;
	pid_t a, b;
	int status;

	ok(killed_by(sleeper(), SIGTERM) == SIGTERM, "SIGTERM ends a sleeper");
	ok(killed_by(spinner(), SIGINT) == SIGINT, "SIGINT ends a spinner");
	ok(killed_by(spinner(), SIGKILL) == SIGKILL, "SIGKILL");
	status = in_child(kill_self);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "kill of oneself");
	ok(in_child(survive) == 0, "ignored and blocked signals do not kill");
	status = in_child(unblock);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2, "unblocking delivers");
	ok(in_child(no_zombies) == 0, "SIGCHLD ignored: no zombies");
	a = sleeper();
	ok(kill(a, 0) == 0, "signal 0 finds a process");
	ok(killed_by(a, SIGKILL) == SIGKILL && kill(a, 0) == -1 && errno == ESRCH, "then ESRCH");
	ok(kill(getpid(), 65) == -1 && errno == EINVAL, "signal 65: EINVAL");
	a = sleeper();
	b = sleeper();
	ok(setpgid(a, 0) == 0 && setpgid(b, a) == 0 && getpgid(b) == a, "a group of two");
	ok(kill(-a, SIGTERM) == 0 && waitpid(a, &status, 0) == a && WTERMSIG(status) == SIGTERM &&
		   waitpid(b, &status, 0) == b && WTERMSIG(status) == SIGTERM,
	   "killed together");
	ok(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL,
	   "the default disposition");
	ok(signal(SIGUSR1, SIG_IGN) == SIG_DFL && sigaction(SIGUSR1, NULL, &old) == 0 &&
		   old.sa_handler == SIG_IGN,
	   "it changes");
	errno = 0;
	ok(signal(SIGKILL, SIG_IGN) == SIG_ERR && errno == EINVAL, "not for SIGKILL: EINVAL");
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	ok(sigprocmask(SIG_SETMASK, &set, NULL) == 0 && sigprocmask(SIG_BLOCK, NULL, &set) == 0 &&
		   sigismember(&set, SIGHUP) == 1,
	   "the mask is kept");
	return tap_end();
}
