/* vdso.c - time without a system call. Runs in user mode, in every program: position independent,
 * no data of its own, no kernel functions. What it reads is the page before the image, which
 * kernel/task/vdso.c filled: ticks become ns by the same multiplication as in the kernel, so both
 * clocks agree to the ns.
 *
 * Results as of the system calls (clock_gettime(2)); a clock that is not computed here is asked of
 * the kernel. A bad pointer faults in the caller, as on Linux. Names and versions: vdso(7),
 * <asm/vdso.h>. */
#include <lib/clock_facts.h>
#include <uapi/process.h>
#include <asm/vdso.h>

extern const struct clock_facts vdso_data __attribute__((visibility("hidden")));

static __always_inline u64 monotonic_ns(void)
{
	return clock_ticks_to_ns(&vdso_data, vdso_ticks() - vdso_data.boot_ticks);
}

static __always_inline u64 wall_ns(void)
{
	return vdso_data.wall_at_boot + monotonic_ns();
}

static __always_inline bool is_wall(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

static __always_inline bool is_monotonic(int clock)
{
	return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	       clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
}

int VDSO_NAME(clock_gettime)(int clock, struct user_timespec *to)
{
	u64 ns;

	if (is_wall(clock))
		ns = wall_ns();
	else if (is_monotonic(clock))
		ns = monotonic_ns();
	else
		return (int)vdso_syscall2(VDSO_NR_clock_gettime, clock, (long)to);
	to->sec = (s64)(ns / NSEC_PER_SEC);
	to->nsec = (s64)(ns % NSEC_PER_SEC);
	return 0;
}

int VDSO_NAME(clock_getres)(int clock, struct user_timespec *to)
{
	if (!is_wall(clock) && !is_monotonic(clock))
		return (int)vdso_syscall2(VDSO_NR_clock_getres, clock, (long)to);
	if (to)
		*to = (struct user_timespec){0, 1};
	return 0;
}

int VDSO_NAME(gettimeofday)(struct user_timeval *to, void *zone)
{
	u64 ns = wall_ns();

	if (zone)
		return (int)vdso_syscall2(VDSO_NR_gettimeofday, (long)to, (long)zone);
	if (to)
		*to = (struct user_timeval){(s64)(ns / NSEC_PER_SEC),
					    (s64)(ns % NSEC_PER_SEC / 1000)};
	return 0;
}

#ifdef VDSO_HAS_TIME
long VDSO_NAME(time)(long *to)
{
	long s = (long)(wall_ns() / NSEC_PER_SEC);

	if (to)
		*to = s;
	return s;
}
#endif
