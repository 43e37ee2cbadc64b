/* clock.c - time is ticks of the raw counter since the kernel's first instruction. Conversions
 * multiply by a 32.32 fixed-point ratio in 128 bits: no division on a hot path. All values are
 * constant once clock_init() has run, so every function works in any context. */
#include <lib/clock.h>
#include <tracing/box.h>

static u64 boot_ticks, wall_at_boot;
static u64 ns_per_tick_32, ticks_per_ns_32; /* 32.32 fixed point */

u64 ticks_to_ns(u64 ticks)
{
	return (u64)((unsigned __int128)ticks * ns_per_tick_32 >> 32);
}

u64 ns_to_ticks(u64 ns)
{
	return (u64)((unsigned __int128)ns * ticks_per_ns_32 >> 32);
}

u64 time_ns(void)
{
	return ns_per_tick_32 ? ticks_to_ns(arch_ticks() - boot_ticks) : 0;
}

u64 time_wall_ns(void)
{
	return wall_at_boot + time_ns();
}

void clock_init(void)
{
	u64 hz = arch_ticks_hz();

	boot_ticks = box_header()->clock_anchor;
	ns_per_tick_32 = (NSEC_PER_SEC << 32) / hz;
	/* hz << 32 may not fit in 64 bits */
	ticks_per_ns_32 = (hz / NSEC_PER_SEC << 32) + ((hz % NSEC_PER_SEC) << 32) / NSEC_PER_SEC;
	wall_at_boot = arch_wall_ns();
	if (wall_at_boot)
		wall_at_boot -= time_ns();
	box_set_clock(box_header()->clock_kind, hz, boot_ticks, wall_at_boot);
}
