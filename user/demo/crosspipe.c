/* crosspipe.c - a hang of two programs: parent and child each read what the other is to write
 * first. With an argument: a process that waits for the end of a pipe which it has open for writing
 * itself. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int to_child[2], to_parent[2];
	pid_t pid;
	char c;

	(void)argv;
	if (pipe(to_child) || pipe(to_parent))
		return 1;
	printf("crosspipe waits\n");
	fflush(stdout);
	if (argc > 1)
		return read(to_child[0], &c, 1) != 0;
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0) {
		close(to_child[1]);
		close(to_parent[0]);
		if (read(to_child[0], &c, 1) == 1)
			return write(to_parent[1], &c, 1) != 1;
		return 1;
	}
	close(to_child[0]);
	close(to_parent[1]);
	if (read(to_parent[0], &c, 1) == 1)
		return write(to_child[1], &c, 1) != 1;
	return 1;
}
