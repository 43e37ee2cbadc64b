/* forkstorm.c - many short lives: `forkstorm [total] [at once]`. Every child is waited for. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int total = argc > 1 ? atoi(argv[1]) : 500, width = argc > 2 ? atoi(argv[2]) : 8;
	int started = 0, ended = 0, failed = 0, status;

	while (ended < total) {
		if (started < total && started - ended < width) {
			pid_t pid = fork();

			if (pid == 0)
				_exit(started & 0x3f);
			if (pid > 0) {
				started++;
				continue;
			}
			if (started == ended) {
				perror("forkstorm");
				return 1;
			}
		}
		if (wait(&status) < 0 || !WIFEXITED(status))
			failed++;
		ended++;
	}
	printf("forkstorm: %d processes, %d failed\n", ended, failed);
	return failed != 0;
}
