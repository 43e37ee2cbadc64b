/* sync/park.h - what locks and waits ask of the scheduler: a table, declared on sync's floor and
 * filled by sched in sched_init_early(), before the first lock is taken. */
#ifndef SYNC_PARK_H
#define SYNC_PARK_H

#include <lib/types.h>

struct thread;

struct park_ops {
	void (*prepare)(u32 state);
	void (*park)(void);
	void (*cancel)(void);
	void (*unpark)(struct thread *t);
	void (*preempt)(void); /* switch if that was asked for; interrupts masked */
};
extern const struct park_ops *park_ops;

/* Marks the current thread as about to sleep; a wake from now on is not lost. Full barrier.
 * state: BB_ST_BLOCKED or BB_ST_SLEEPING. Any lock may be held. */
static inline void park_prepare(u32 state)
{
	park_ops->prepare(state);
}
/* Sleeps unless woken since park_prepare(). Thread context, no spin lock, interrupts on. */
static inline void park(void)
{
	park_ops->park();
}
/* Takes back park_prepare() without sleeping. */
static inline void park_cancel(void)
{
	park_ops->cancel();
}
/* Wakes it if it sleeps or is about to. Any context but NMI. */
static inline void unpark(struct thread *t)
{
	park_ops->unpark(t);
}

#endif
