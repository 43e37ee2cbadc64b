/* clock_test.c - clocks move forward and sleeping takes its time. */
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include "tap.h"

static double clock_s(clockid_t clock)
{
	struct timespec t = {0};

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* User and system time so far. */
static double cpu_s(void)
{
	struct rusage ru;

	if (getrusage(RUSAGE_SELF, &ru))
		return -1;
	return (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	       (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

/* Sleeps until 30 ms from now. Taken for a duration, that would be the time since boot, or since
 * 1970. */
static void absolute_sleep(clockid_t clock, const char *name)
{
	struct timespec t;
	double until, late;

	clock_gettime(clock, &t);
	t.tv_nsec += 30000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	until = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	ok(clock_nanosleep(clock, TIMER_ABSTIME, &t, NULL) == 0, "an absolute sleep, %s", name);
	late = clock_s(clock) - until;
	ok(late > -1e-6 && late < 20, "ends in time: %.6f s late", late);
}

int main(void)
{
	struct timespec a, b, t;
	struct timeval tv;
	struct sysinfo si;
	struct tms tms;
	double start, cpu, cpu_clock;
	int back = 0;
	volatile unsigned long x = 0;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 10000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &b);
		back += b.tv_sec < a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec < a.tv_nsec);
		a = b;
	}
	ok(back == 0, "CLOCK_MONOTONIC never goes back");
	start = now_s();
	sleep_ms(50);
	ok(now_s() - start >= 0.05 && now_s() - start < 20, "50 ms of sleep: %.3f s",
	   now_s() - start);
	absolute_sleep(CLOCK_MONOTONIC, "monotonic");
	absolute_sleep(CLOCK_REALTIME, "by the date");
	t = (struct timespec){0, 1000000000};
	ok(nanosleep(&t, NULL) == -1 && errno == EINVAL, "10^9 ns: EINVAL");
	t = (struct timespec){-1, 0};
	ok(nanosleep(&t, NULL) == -1 && errno == EINVAL, "negative: EINVAL");
	ok(clock_gettime(999, &t) == -1 && errno == EINVAL, "an unknown clock: EINVAL");
	ok(gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1500000000 && tv.tv_usec < 1000000,
	   "the date is after 2017");
	cpu = cpu_s();
	for (start = now_s(); now_s() - start < 0.3;)
		for (int i = 0; i < 100000; i++)
			x += (unsigned long)i;
	cpu = cpu_s() - cpu;
	start = now_s() - start;
	ok(cpu > 0.001 && cpu < start + 0.05, "computing for %.3f s took %.3f s of CPU time", start,
	   cpu);
	cpu_clock = clock_s(CLOCK_PROCESS_CPUTIME_ID);
	ok(cpu_clock > cpu_s() - 0.05 && cpu_clock < cpu_s() + 0.05, "its clock says %.3f s",
	   cpu_clock);
	ok(times(&tms) != (clock_t)-1, "times");
	ok(sysinfo(&si) == 0 && si.totalram > 0 && si.freeram <= si.totalram && si.procs > 0,
	   "sysinfo");
	return tap_end();
}
