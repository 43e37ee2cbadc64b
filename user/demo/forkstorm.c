/* forkstorm.c - many short lives: `forkstorm [total] [at once]`. Every child is waited for; at the
 * end it says how much free memory changed since the first tenth of them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static long free_kb(void)
{
	struct sysinfo si;

	return sysinfo(&si) == 0 ? (long)(si.freeram / 1024) : 0;
}

int main(int argc, char **argv)
{
	int total = argc > 1 ? atoi(argv[1]) : 500, width = argc > 2 ? atoi(argv[2]) : 8;
	int started = 0, ended = 0, failed = 0, status;
	long before = 0;

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
		if (++ended == total / 10)
			before = free_kb();
	}
	printf("forkstorm: %d processes, %d failed, free memory %+ld KiB\n", ended, failed,
	       free_kb() - before);
	return failed != 0;
}
