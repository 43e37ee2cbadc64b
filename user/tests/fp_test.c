/* fp_test.c - floating-point and vector registers belong to one thread: several processes hold
 * different values in registers while they are preempted and forked. */
#include "tap.h"

/* Values live in registers over the inner loop: the compiler keeps eight accumulators there. */
static int grind(double seed, double seconds)
{
	double end = now_s() + seconds;
	int rounds = 0;

	do {
		double a = seed, b = seed * 2, c = seed * 3, d = seed * 4;
		double e = seed * 5, f = seed * 6, g = seed * 7, h = seed * 8;

		for (int i = 0; i < 200000; i++) {
			a += 1;
			b += 1;
			c += 1;
			d += 1;
			e += 1;
			f += 1;
			g += 1;
			h += 1;
			__asm__ volatile("" ::: "memory");
		}
		if (a != seed + 200000 || b != seed * 2 + 200000 || c != seed * 3 + 200000 ||
		    d != seed * 4 + 200000 || e != seed * 5 + 200000 || f != seed * 6 + 200000 ||
		    g != seed * 7 + 200000 || h != seed * 8 + 200000)
			return 1;
		rounds++;
	} while (now_s() < end);
	return rounds > 0 ? 0 : 2;
}

static double over_fork(double x)
{
	double y = x * 3;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(y == x * 3 && x * 2 == y - x ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? y : -1;
}

int main(void)
{
	volatile double third = 1.0, parts = 3.0;
	int bad = 0, status;
	pid_t pids[8];
	char text[64];

	ok(third / parts * parts == 1.0 && (int)(2.5 * parts) == 7, "arithmetic");
	snprintf(text, sizeof(text), "%.3f %.2e", 3.14159, 12345.678);
	ok(strcmp(text, "3.142 1.23e+04") == 0, "printing: %s", text);
	fflush(stdout);
	for (int i = 0; i < 8; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(grind(i * 1000 + 0.5, 1.0));
	}
	for (int i = 0; i < 8; i++)
		bad += pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0;
	ok(bad == 0, "eight processes with values of their own, %d disturbed", bad);
	ok(over_fork(1.25) == 3.75, "values survive fork on both sides");
	return tap_end();
}
