/* family.c - family affairs for a look from outside, as the first program or from a shell:
 *   adopted   its child has made a grandchild and ended; waits for the grandchild, which lives long
 *   missing   makes a call that this kernel does not have, a hundred times; then waits for a line
 *   zombie    does not wait for its child, which has ended; reads a line, then waits for it
 * Each says on its first line that it is there. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int adopted(void)
{
	pid_t child = fork();

	if (child == 0) {
		if (fork() == 0)
			sleep(1000);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	printf("family: waits for an adopted child\n");
	fflush(stdout);
	return wait(NULL) < 0;
}

static int zombie(void)
{
	pid_t child = fork();

	if (child == 0)
		execl("/bin/true", "ended", NULL);
	sleep(1);
	printf("family: %d has ended\n", child);
	fflush(stdout);
	getchar();
	return waitpid(child, NULL, 0) != child;
}

static int missing(void)
{
	for (int i = 0; i < 100; i++)
		syscall(SYS_add_key, 0, 0, 0, 0, 0);
	printf("family: has made its calls\n");
	fflush(stdout);
	getchar();
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "adopted") == 0)
		return adopted();
	if (strcmp(mode, "zombie") == 0)
		return zombie();
	if (strcmp(mode, "missing") == 0)
		return missing();
	return 2;
}
