/* system.c - clocks, sleeping, and facts about the system. */
#include <lib/clock.h>
#include <lib/string.h>
#include <task/files.h>
#include <arch/cpu.h>
#include <uapi/process.h>
#include "clock.h"
#include "syscall.h"

/* -EINVAL for a clock that does not exist here. */
static int clock_ns(int clock, u64 *ns)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns = time_wall_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		*ns = time_ns();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = process_run_ns();
		return 0;
	}
	return -EINVAL;
}

struct user_timespec timespec_of(u64 ns)
{
	return (struct user_timespec){(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC)};
}

int timespec_get(const void __user *from, u64 *ns)
{
	struct user_timespec ts;

	if (copy_from_user(&ts, from, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	if ((u64)ts.sec > INT64_MAX / NSEC_PER_SEC - 1)
		*ns = INT64_MAX;
	else
		*ns = (u64)ts.sec * NSEC_PER_SEC + (u64)ts.nsec;
	return 0;
}

long sys_clock_gettime(const unsigned long *a)
{
	struct user_timespec ts;
	u64 ns;
	int err = clock_ns((int)a[0], &ns);

	if (err)
		return err;
	ts = timespec_of(ns);
	return copy_to_user((void __user *)a[1], &ts, sizeof(ts));
}

long sys_clock_getres(const unsigned long *a)
{
	struct user_timespec ts = {0, 1};
	u64 ns;
	int err = clock_ns((int)a[0], &ns);

	if (err || !a[1])
		return err;
	return copy_to_user((void __user *)a[1], &ts, sizeof(ts));
}

/* Longest single sleep: far below what ns_to_ticks can hold. */
#define SLEEP_MAX (3600 * NSEC_PER_SEC)

/* Sleeps until `until` of the clock. 0 or -EINTR. */
static int sleep_until(int clock, u64 until)
{
	for (;;) {
		u64 now;
		int err = clock_ns(clock, &now);

		if (err || now >= until)
			return err;
		err = thread_sleep_ns(MIN(until - now, SLEEP_MAX), true);
		if (err)
			return err;
	}
}

/* The remaining time is written only if the sleep was cut short, which here only death does. */
long sys_nanosleep(const unsigned long *a)
{
	u64 ns;
	int err = timespec_get((const void __user *)a[0], &ns);

	return err ? err : sleep_until(CLOCK_MONOTONIC, time_ns() + ns);
}

long sys_clock_nanosleep(const unsigned long *a)
{
	int clock = (int)a[0], err;
	u64 ns, now;

	if (clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EINVAL;
	err = clock_ns(clock, &now);
	if (!err)
		err = timespec_get((const void __user *)a[2], &ns);
	if (err)
		return err;
	return sleep_until(clock, (int)a[1] & TIMER_ABSTIME ? ns : now + ns);
}

long sys_gettimeofday(const unsigned long *a)
{
	u64 ns = time_wall_ns();
	struct user_timeval tv = {(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / 1000)};
	static const u32 utc[2];

	if (a[0] && copy_to_user((void __user *)a[0], &tv, sizeof(tv)))
		return -EFAULT;
	if (a[1] && copy_to_user((void __user *)a[1], utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

/* Programs look at sysname and release to choose what to call: they speak of the ABI. */
long sys_uname(const unsigned long *a)
{
	struct user_utsname u = {
		.sysname = "Linux",
		.nodename = "hindsight",
		.release = "6.1.0-hindsight",
		.version = HS_RELEASE,
		.domainname = "(none)",
	};

	strscpy(u.machine, arch_name, sizeof(u.machine));
	return copy_to_user((void __user *)a[0], &u, sizeof(u));
}

long sys_sysinfo(const unsigned long *a)
{
	struct user_sysinfo s = {0};
	u64 total, free;

	mm_stats(&total, &free);
	s.uptime = (s64)(time_ns() / NSEC_PER_SEC);
	s.totalram = total * PAGE_SIZE;
	s.freeram = free * PAGE_SIZE;
	s.procs = (u16)MIN(process_count(), 65535u);
	s.mem_unit = 1;
	return copy_to_user((void __user *)a[0], &s, sizeof(s));
}

#define GRND_MASK 7ul /* NONBLOCK, RANDOM, INSECURE: one source, always ready */

long sys_getrandom(const unsigned long *a)
{
	loff_t pos = 0;

	if (a[2] & ~GRND_MASK)
		return -EINVAL;
	if (a[1] == 0)
		return 0;
	return task_random->ops->read(task_random, (void __user *)a[0], MIN(a[1], 0x2000000ul),
				      &pos);
}

long sys_reboot(const unsigned long *a)
{
	if ((u32)a[0] != REBOOT_MAGIC1 || (u32)a[1] != REBOOT_MAGIC2)
		return -EINVAL;
	if ((u32)a[2] == REBOOT_POWER_OFF || (u32)a[2] == REBOOT_HALT)
		arch_poweroff(true);
	return -EINVAL;
}
