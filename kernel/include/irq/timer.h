/* irq/timer.h - one-shot timers and the scheduler's tick. */
#ifndef IRQ_TIMER_H
#define IRQ_TIMER_H

#include <lib/clock.h>
#include <lib/timer.h>

#define TICK_HZ 250u /* scheduler tick while a CPU has work */

void timers_init_cpu(void);

/* fn runs in interrupt context on the CPU that armed it. The owner keeps the memory alive until it
 * fired or timer_cancel() returned. */
void timer_arm(struct timer *t, u64 deadline_ticks, void (*fn)(struct timer *));
/* True if it had not fired; waits for a running fn on another CPU. Not from the timer's own fn. */
bool timer_cancel(struct timer *t);
/* The scheduler's tick on this CPU, TICK_HZ, while it is not idle. Interrupts masked. */
void timer_tick_start(void);
void timer_tick_stop(void);
/* Adds a function that every tick calls, in interrupt context. At boot; two at most. */
void timer_add_tick_hook(void (*fn)(void));

#endif
