/* time.h - time since boot and timers. */
#ifndef KERNEL_TIME_H
#define KERNEL_TIME_H

#include <kernel/rbtree.h>
#include <arch/time.h>

#define NSEC_PER_SEC 1000000000ull
#define TICK_HZ      250u /* scheduler tick while a CPU has work */

u64 time_ns(void);          /* ns since the first instruction, 0 before clock_init; any context */
u64 time_wall_ns(void);     /* ns since 1970 */
u64 ticks_to_ns(u64 ticks); /* a duration */
u64 ns_to_ticks(u64 ns);
void clock_init(void); /* boot CPU, after arch_time_init and the black box */
void timers_init_cpu(void);

/* One-shot timer; fn runs in interrupt context on the CPU that armed it. The owner keeps the memory
 * alive until it fired or timer_cancel() returned. */
struct timer {
	struct rb_node node;
	u64 deadline; /* ticks */
	void (*fn)(struct timer *);
	u32 cpu;
	bool armed;
};
void timer_arm(struct timer *t, u64 deadline_ticks, void (*fn)(struct timer *));
/* True if it had not fired; waits for a running fn on another CPU. Not from the timer's own fn. */
bool timer_cancel(struct timer *t);
/* The scheduler's tick on this CPU, TICK_HZ, while it is not idle. Interrupts masked. */
void timer_tick_start(void);
void timer_tick_stop(void);
/* Adds a function that every tick calls, in interrupt context. At boot; two at most. */
void timer_add_tick_hook(void (*fn)(void));
/* This CPU's next deadline, ~0 if none. Interrupts masked. */
u64 timers_next(void);

#endif
