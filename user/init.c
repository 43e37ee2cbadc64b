/* init.c - the first program. Starts a few programs, so that a healthy system has run some, then a
 * shell on the console, again and again.
 *   init -c "commands"   runs the commands in a shell and ends with their status
 *   init test            runs the tests and ends with their status
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "run.h"

/* Waits for pid and meanwhile for everybody whose parent has died. */
static int reap_until(pid_t pid)
{
	int status;
	pid_t got;

	while ((got = wait(&status)) != pid)
		if (got < 0 && errno != EINTR)
			return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_and_reap(char *const argv[])
{
	pid_t pid = run_start(argv, -1, -1);

	return pid < 0 ? 127 : reap_until(pid);
}

int main(int argc, char **argv)
{
	static char *const shell[] = {"/bin/sh", "-i", NULL};
	static char *const tests[] = {"/bin/testall", NULL};

	if (argc >= 3 && strcmp(argv[1], "-c") == 0)
		return run_and_reap((char *const[]){"/bin/sh", "-c", argv[2], NULL});
	if (argc >= 2 && strcmp(argv[1], "test") == 0)
		return run_and_reap(tests);
	if (run_pile() != 0)
		printf("init: a first program failed\n");
	printf("Hindsight ready: type a command, `help` lists them\n");
	fflush(stdout);
	for (;;) {
		int status = run_and_reap(shell);

		if (status >= 126) {
			printf("init: /bin/sh ended with status %d\n", status);
			sleep(1);
		}
	}
}
