/* fork_test.c - fork copies: memory is private, identity right, many children at once. */
#include <sys/syscall.h>
#include "tap.h"

static int global = 1;

static int child_writes(void)
{
	global = 2;
	return global == 2 ? 7 : 1;
}

static int child_identity(void)
{
	return getpid() != getppid() && syscall(SYS_gettid) == getpid() ? 0 : 1;
}

static int grandchild(void)
{
	return in_child(child_writes) == 7 << 8 ? 0 : 1;
}

int main(void)
{
	int stack = 5, *heap = malloc(sizeof(int)), good = 0, status, sum = 0;
	pid_t me = getpid(), pid, pids[20];

	*heap = 6;
	ok(in_child(child_writes) == 7 << 8, "the child's exit status arrives");
	ok(global == 1, "the child's write to a global stays there");
	pid = fork();
	if (pid == 0) {
		stack = 50;
		*heap = 60;
		_exit(getppid() == me && stack == 50 && *heap == 60 ? 0 : 1);
	}
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "the child sees its parent");
	ok(stack == 5 && *heap == 6, "stack and heap are private");
	ok(in_child(child_identity) == 0, "the child's pid and tid");
	ok(in_child(grandchild) == 0, "a child forks too");
	for (int i = 0; i < 20; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(i);
	}
	for (int i = 19; i >= 0; i--)
		if (pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == i << 8)
			good++;
	ok(good == 20, "20 children at once, waited for in reverse: %d right", good);
	pid = vfork();
	if (pid == 0)
		_exit(9);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 9 << 8, "vfork");
	for (int i = 0; i < 200; i++) {
		pid = fork();
		if (pid == 0)
			_exit(1);
		if (pid > 0 && waitpid(pid, &status, 0) == pid)
			sum += WEXITSTATUS(status);
	}
	ok(sum == 200, "200 children one after the other");
	return tap_end();
}
