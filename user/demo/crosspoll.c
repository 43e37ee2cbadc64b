/* crosspoll.c - a hang of two programs: parent and child each poll for what the other is to write
 * first. `crosspoll SECONDS`: with a time limit, after which both go on, write and end well. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Waits for the other's word, then says its own. */
static int talk(int in, int out, int limit_ms)
{
	struct pollfd p = {.fd = in, .events = POLLIN};
	char c = 'x';

	if (poll(&p, 1, limit_ms) < 0 || write(out, &c, 1) != 1)
		return 1;
	return read(in, &c, 1) != 1;
}

int main(int argc, char **argv)
{
	int to_child[2], to_parent[2], limit_ms = argc > 1 ? atoi(argv[1]) * 1000 : -1;
	int bad, status;
	pid_t pid;

	if (pipe(to_child) || pipe(to_parent))
		return 1;
	printf("crosspoll waits\n");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0) {
		close(to_child[1]);
		close(to_parent[0]);
		return talk(to_child[0], to_parent[1], limit_ms);
	}
	close(to_child[0]);
	close(to_parent[1]);
	bad = talk(to_parent[0], to_child[1], limit_ms);
	bad |= wait(&status) != pid || status != 0;
	printf("crosspoll %s\n", bad ? "failed" : "went on");
	return bad;
}
