/* park.h - what sleeping locks ask of the scheduler. Declared on sync's floor, implemented by
 * sched (the arrow points down). */
#ifndef KERNEL_PARK_H
#define KERNEL_PARK_H

#include <kernel/types.h>

struct thread;
/* Marks the current thread as about to sleep; a wake from now on is not lost. Full barrier.
 * state: BB_ST_BLOCKED or BB_ST_SLEEPING. Any lock may be held. */
void park_prepare(u32 state);
/* Sleeps unless woken since park_prepare(). Thread context, no spin lock, interrupts on. */
void park(void);
/* Takes back park_prepare() without sleeping. */
void park_cancel(void);
/* Wakes it if it sleeps or is about to. Any context but NMI. */
void unpark(struct thread *t);

#endif
