/* preempt_test.c - nobody who computes keeps others from running, and all CPUs are shared fairly.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mman.h>
#include "tap.h"

#define N 8

int main(void)
{
	volatile unsigned long *count =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long least = ~0ul, most = 0;
	int started = 0, done = 0;
	cpu_set_t set;
	pid_t pids[N];
	double start;

	fflush(stdout);
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				count[i]++;
		started += pids[i] > 0;
	}
	ok(started == N, "%d processes that never stop", started);
	start = now_s();
	for (int i = 0; i < 10; i++)
		sleep_ms(20);
	ok(now_s() - start < 30, "ten short sleeps beside them: %.2f s", now_s() - start);
	for (int wait = 0; wait < 500 && done < N; wait++) {
		done = 0;
		for (int i = 0; i < N; i++)
			done += count[i] > 0;
		sleep_ms(20);
	}
	ok(done == N, "every one of them runs");
	sleep_ms(1000);
	for (int i = 0; i < N; i++) {
		least = count[i] < least ? count[i] : least;
		most = count[i] > most ? count[i] : most;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	ok(least > 0 && most / least < 50, "none starves: %lu to %lu rounds", least, most);
	ok(sched_yield() == 0, "sched_yield");
	ok(sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) >= 1, "%d CPUs",
	   CPU_COUNT(&set));
	return tap_end();
}
