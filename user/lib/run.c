/* run.c - starting programs: shared by init, sh and the demos. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run.h"

extern char **environ;

void run_exec(char *const argv[])
{
	char path[256];

	if (strchr(argv[0], '/'))
		snprintf(path, sizeof(path), "%s", argv[0]);
	else
		snprintf(path, sizeof(path), "/bin/%s", argv[0]);
	execve(path, argv, environ);
	dprintf(2, "%s: %s\n", argv[0], errno == ENOENT ? "not found" : strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

pid_t run_start(char *const argv[], int in, int out)
{
	const char *base = strrchr(argv[0], '/');
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_NAME, (unsigned long)(base ? base + 1 : argv[0]), 0, 0, 0);
	if (in >= 0) {
		dup2(in, 0);
		close(in);
	}
	if (out >= 0) {
		dup2(out, 1);
		close(out);
	}
	run_exec(argv);
}

int run_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int run_pile(void)
{
	static char *const sh[] = {"sh", "-c", "exit 0", NULL};
	static char *const ls[] = {"ls", "/etc", NULL};
	static char *const cat[] = {"cat", "/etc/motd", NULL};
	char *const *const all[] = {sh, ls, cat};
	pid_t pids[3];
	int bad = 0;

	for (int i = 0; i < 3; i++)
		pids[i] = run_start(all[i], -1, -1);
	for (int i = 0; i < 3; i++)
		bad |= pids[i] < 0 || run_wait(pids[i]) != 0;
	return bad;
}
