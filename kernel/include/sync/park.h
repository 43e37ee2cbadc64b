/* sync/park.h - the one way to sleep: what locks and waits ask of the scheduler. A table, declared
 *on sync's floor and filled by sched in sched_init_early(), before the first lock is taken.
 *
 *	park_prepare(mode);             from here on a wake-up is not lost
 *	if (what I wait for is there)
 *		park_cancel();
 *	else
 *		err = park_until(mode, deadline);
 *
 * A waker makes the condition true and then calls unpark(). Prepare and unpark are full barriers,
 *so either the waiter sees the condition or the waker finds it prepared. A wake-up may be for
 *another reason than hoped for: look again, and at the condition before the result, so that what
 *came together with a time-out or a kill is not lost. */
#ifndef SYNC_PARK_H
#define SYNC_PARK_H

#include <lib/types.h>

struct thread;

enum park_mode {
	PARK_NONE,          /* does not sleep */
	PARK_KERNEL,        /* only a wake-up ends it (BB_ST_BLOCKED) */
	PARK_KILLABLE,      /* the death of its process does, too (BB_ST_SLEEPING) */
	PARK_INTERRUPTIBLE, /* every signal does that is not blocked (BB_ST_SLEEPING) */
};
#define PARK_FOREVER (~0ull)

struct park_ops {
	void (*prepare)(enum park_mode mode);
	int (*until)(enum park_mode mode, u64 deadline);
	void (*cancel)(void);
	void (*unpark)(struct thread *t);
	void (*preempt)(void); /* switch if that was asked for; interrupts masked */
};
extern const struct park_ops *park_ops;

/* Marks the current thread as about to sleep; a wake from now on is not lost. Full barrier. Any
 * lock may be held. */
static inline void park_prepare(enum park_mode mode)
{
	park_ops->prepare(mode);
}
/* Sleeps unless woken since park_prepare(). 0: woken; -ERESTARTSYS: what may end a wait of this
 * mode has come, also when it was there before; -ETIMEDOUT: the counter (arch_ticks) has reached
 * the deadline. Thread context, no spin lock, interrupts on. */
static inline int park_until(enum park_mode mode, u64 deadline)
{
	return park_ops->until(mode, deadline);
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
