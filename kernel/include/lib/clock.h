/* lib/clock.h - time since boot: ticks of the raw counter and nanoseconds. Any context. */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <lib/clock_facts.h>
#include <arch/time.h>

u64 time_ns(void);          /* ns since the first instruction, 0 before clock_init; any context */
u64 time_wall_ns(void);     /* ns since 1970 */
u64 ticks_to_ns(u64 ticks); /* a duration */
u64 ns_to_ticks(u64 ns);
const struct clock_facts *clock_facts(void);
void clock_init(void); /* boot CPU, after arch_time_init and the black box */

#endif
