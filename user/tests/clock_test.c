/* clock_test.c - clocks move forward and sleeping takes its time. */
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include "tap.h"

int main(void)
{
	struct timespec a, b, t;
	struct timeval tv;
	struct rusage ru;
	struct sysinfo si;
	struct tms tms;
	double start;
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
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 30000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	ok(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0, "an absolute sleep");
	clock_gettime(CLOCK_MONOTONIC, &b);
	ok(b.tv_sec > t.tv_sec || (b.tv_sec == t.tv_sec && b.tv_nsec >= t.tv_nsec),
	   "not too short");
	t = (struct timespec){0, 1000000000};
	ok(nanosleep(&t, NULL) == -1 && errno == EINVAL, "10^9 ns: EINVAL");
	t = (struct timespec){-1, 0};
	ok(nanosleep(&t, NULL) == -1 && errno == EINVAL, "negative: EINVAL");
	ok(clock_gettime(999, &t) == -1 && errno == EINVAL, "an unknown clock: EINVAL");
	ok(gettimeofday(&tv, NULL) == 0 && tv.tv_sec > 1500000000 && tv.tv_usec < 1000000,
	   "the date is after 2017");
	for (int i = 0; i < 30000000; i++)
		x += (unsigned long)i;
	ok(getrusage(RUSAGE_SELF, &ru) == 0 &&
		   ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec > 1000,
	   "computing took %ld us", (long)(ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec));
	ok(times(&tms) != (clock_t)-1, "times");
	ok(sysinfo(&si) == 0 && si.totalram > 0 && si.freeram <= si.totalram && si.procs > 0,
	   "sysinfo");
	return tap_end();
}
