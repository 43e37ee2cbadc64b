/* lib/clock_facts.h - what turns ticks into time; constant once clock_init() has run. The vDSO
 * reads the same structure in user mode. */
#ifndef LIB_CLOCK_FACTS_H
#define LIB_CLOCK_FACTS_H

#include <lib/types.h>

#define NSEC_PER_SEC 1000000000ull

struct clock_facts {
	u64 boot_ticks;     /* counter at the kernel's first instruction */
	u64 ns_per_tick_32; /* 32.32 fixed point; 0 before clock_init() */
	u64 wall_at_boot;   /* ns since 1970 */
};

/* ns of a duration in ticks. */
static inline u64 clock_ticks_to_ns(const struct clock_facts *f, u64 ticks)
{
	return (u64)((unsigned __int128)ticks * f->ns_per_tick_32 >> 32);
}

#endif
