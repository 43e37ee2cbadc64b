/* lib/timer.h - the memory of a one-shot timer; irq/timer.h offers the calls. It stands on the
 * ground floor because every thread has one (arch/thread.h). */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include <lib/rbtree.h>

struct timer {
	struct rb_node node;
	u64 deadline; /* ticks */
	void (*fn)(struct timer *);
	u32 cpu;
	bool armed;
};

#endif
