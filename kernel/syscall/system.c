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

long sys_clock_gettime(int clock, void __user *uts)
{
	struct user_timespec ts;
	u64 ns;
	int err = clock_ns(clock, &ns);

	if (err)
		return err;
	ts = timespec_of(ns);
	return copy_to_user(uts, &ts, sizeof(ts));
}

long sys_clock_getres(int clock, void __user *uts)
{
	struct user_timespec ts = {0, 1};
	u64 ns;
	int err = clock_ns(clock, &ns);

	if (err || !uts)
		return err;
	return copy_to_user(uts, &ts, sizeof(ts));
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
long sys_nanosleep(const void __user *ts, void __user *left)
{
	u64 ns;
	int err = timespec_get(ts, &ns);

	return err ? err : sleep_until(CLOCK_MONOTONIC, time_ns() + ns);
}

long sys_clock_nanosleep(int clock, unsigned int flags, const void __user *ts, void __user *left)
{
	u64 ns, now;
	int err;

	if (clock == CLOCK_THREAD_CPUTIME_ID || clock == CLOCK_PROCESS_CPUTIME_ID)
		return -EOPNOTSUPP;
	err = clock_ns(clock, &now);
	if (!err)
		err = timespec_get(ts, &ns);
	if (err)
		return err;
	return sleep_until(clock, flags & TIMER_ABSTIME ? ns : now + ns);
}

long sys_gettimeofday(void __user *utv, void __user *tz)
{
	u64 ns = time_wall_ns();
	struct user_timeval tv = {(s64)(ns / NSEC_PER_SEC), (s64)(ns % NSEC_PER_SEC / 1000)};
	static const u32 utc[2];

	if (utv && copy_to_user(utv, &tv, sizeof(tv)))
		return -EFAULT;
	if (tz && copy_to_user(tz, utc, sizeof(utc)))
		return -EFAULT;
	return 0;
}

/* Programs look at sysname and release to choose what to call: they speak of the ABI. */
long sys_uname(void __user *names)
{
	struct user_utsname u = {
		.sysname = "Linux",
		.nodename = "hindsight",
		.release = "6.1.0-hindsight",
		.version = HS_RELEASE,
		.domainname = "(none)",
	};

	strscpy(u.machine, arch_name, sizeof(u.machine));
	return copy_to_user(names, &u, sizeof(u));
}

long sys_sysinfo(void __user *info)
{
	struct user_sysinfo s = {0};
	u64 total, free;

	mm_stats(&total, &free);
	s.uptime = (s64)(time_ns() / NSEC_PER_SEC);
	s.totalram = total * PAGE_SIZE;
	s.freeram = free * PAGE_SIZE;
	s.procs = (u16)MIN(process_count(), 65535u);
	s.mem_unit = 1;
	return copy_to_user(info, &s, sizeof(s));
}

#define GRND_MASK 7ul /* NONBLOCK, RANDOM, INSECURE: one source, always ready */

long sys_getrandom(void __user *buf, size_t n, unsigned int flags)
{
	loff_t pos = 0;

	if (flags & ~GRND_MASK)
		return -EINVAL;
	if (n == 0)
		return 0;
	return task_random->ops->read(task_random, buf, MIN(n, 0x2000000ul), &pos);
}

long sys_reboot(unsigned int magic1, unsigned int magic2, unsigned int cmd, void __user *arg)
{
	if (magic1 != REBOOT_MAGIC1 || magic2 != REBOOT_MAGIC2)
		return -EINVAL;
	if (cmd == REBOOT_POWER_OFF || cmd == REBOOT_HALT)
		arch_poweroff(true);
	return -EINVAL;
}
