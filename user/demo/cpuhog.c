/* cpuhog.c - computes without a system call: `cpuhog [seconds] [processes]`. A system with some of
 * these is busy, not hung. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void burn(double seconds)
{
	struct timespec start, now;
	volatile unsigned long x = 1;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (int i = 0; i < 5000000; i++)
			x = x * 6364136223846793005ul + 1;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
		 seconds);
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 5;
	int n = argc > 2 ? atoi(argv[2]) : 1, bad = 0, status;

	for (int i = 0; i < n; i++)
		if (fork() == 0) {
			burn(seconds);
			_exit(0);
		}
	for (int i = 0; i < n; i++)
		bad |= wait(&status) < 0 || status != 0;
	printf("cpuhog: %d processes for %.1f s\n", n, seconds);
	return bad;
}
