/* clock.c - time is ticks of the raw counter since the kernel's first instruction. Conversions
 * multiply by a 32.32 fixed-point ratio in 128 bits: no division on a hot path. All values are
 * constant once clock_init() has run, so every function works in any context. */
#include <lib/clock.h>
#include <tracing/box.h>

static struct clock_facts facts;
static u64 ticks_per_ns_32; /* 32.32 fixed point */

u64 ticks_to_ns(u64 ticks)
{
	return clock_ticks_to_ns(&facts, ticks);
}

u64 ns_to_ticks(u64 ns)
{
	return (u64)((unsigned __int128)ns * ticks_per_ns_32 >> 32);
}

u64 time_ns(void)
{
	return facts.ns_per_tick_32 ? ticks_to_ns(arch_ticks() - facts.boot_ticks) : 0;
}

u64 time_wall_ns(void)
{
	return facts.wall_at_boot + time_ns();
}

const struct clock_facts *clock_facts(void)
{
	return &facts;
}

void clock_init(void)
{
	u64 hz = arch_ticks_hz();

	facts.boot_ticks = box_header()->clock_anchor;
	facts.ns_per_tick_32 = (NSEC_PER_SEC << 32) / hz;
	/* hz << 32 may not fit in 64 bits */
	ticks_per_ns_32 = (hz / NSEC_PER_SEC << 32) + ((hz % NSEC_PER_SEC) << 32) / NSEC_PER_SEC;
	facts.wall_at_boot = arch_wall_ns();
	if (facts.wall_at_boot)
		facts.wall_at_boot -= time_ns();
	box_set_clock(box_header()->clock_kind, hz, facts.boot_ticks, facts.wall_at_boot);
}
