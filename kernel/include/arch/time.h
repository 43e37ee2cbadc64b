/* arch/time.h - the cycle counter and this CPU's one-shot timer.
 * <asm/time.h> provides, static inline: u64 arch_ticks(void): the raw counter (TSC, CNTVCT). Any
 * context, NMI included, from the first instruction; monotonic on a CPU and comparable between. */
#ifndef ARCH_TIME_H
#define ARCH_TIME_H
#include <lib/types.h>
#include <asm/time.h>

/* Counter frequency in Hz; 0 until arch_time_init(). */
u64 arch_ticks_hz(void);
/* Boot CPU, interrupts masked, after arch_irqchip_init(): finds the frequency. */
void arch_time_init(void);
/* This CPU's timer, interrupts masked; after arch_irqchip_init_cpu(). */
void arch_timer_init_cpu(void);
/* Programs trap_timer() on this CPU at the counter value (a past one fires at once); ~0 disarms.
 * Interrupts masked. */
void arch_timer_set(u64 ticks);
/* Wall clock: ns since 1970 (RTC), 0 if there is none. Thread context, once at boot. */
u64 arch_wall_ns(void);
#endif
