/* sync/wait.h - wait queues and completions. wake_up and complete: any context but NMI. Waiting:
 * thread context, preemption on. Each wait leaves a record {kind, object} in the black box. */
#ifndef SYNC_WAIT_H
#define SYNC_WAIT_H

#include <lib/atomic.h>
#include <lib/list.h>
#include <sync/park.h>
#include <sync/spinlock.h>

struct thread;
/* Whoever changes what a waiter may wait for wakes the queue afterwards. Waiters are in order of
 * arrival, exclusive ones behind the others. */
struct wait_queue {
	struct spinlock lock;
	struct list_head waiters;
	u32 nr_waiters; /* atomic: changed under the lock, looked at without it */
	struct track_class *class;
};
struct waiter {
	struct list_head link;
	struct thread *thread;
	/* What a wake-up does, with the queue locked; NULL: unparks it and takes it off. */
	void (*wake)(struct waiter *w);
	bool exclusive; /* a wake-up is for the first one of these only */
	bool queued; /* atomic: on the queue. Cleared by the last touch of whoever takes it off */
};
DECLARE_LOCK_CLASS(waitq_class);
/* cls: of kind BB_LK_WAITQ, says what is waited for. */
#define WAIT_QUEUE_INIT(name, cls)                                                                 \
	{                                                                                          \
		.lock = SPINLOCK_INIT(waitq_class), .waiters = LIST_HEAD_INIT((name).waiters),     \
		.class = &(cls)                                                                    \
	}
void waitq_init(struct wait_queue *q, struct track_class *cls);
/* See spin_fini(); pollers count as waiters. */
void waitq_fini(struct wait_queue *q);

/* The queue's lock held. At most `exclusive` of those; returns the number woken. */
unsigned int wake_up_locked(struct wait_queue *q, unsigned int exclusive) REQUIRES(q->lock);
unsigned int wake_up_slow(struct wait_queue *q, unsigned int exclusive);

/* Full barrier, then a load. It pairs with the waiter's in park_prepare(): the waiter queues
 * itself, barrier, looks at the condition; the waker has changed the condition, barrier, looks at
 * the queue. One of the two sees the other. */
static inline bool waitq_has_waiters(const struct wait_queue *q)
{
	smp_mb();
	return atomic_load(&q->nr_waiters) != 0;
}
/* All waiters that are not exclusive, and the first one that is. What one exclusive waiter leaves
 * over it must offer to the next, and so must one that goes without having looked. */
static inline unsigned int wake_up(struct wait_queue *q)
{
	return waitq_has_waiters(q) ? wake_up_slow(q, 1) : 0;
}
static inline unsigned int wake_up_all(struct wait_queue *q)
{
	return waitq_has_waiters(q) ? wake_up_slow(q, ~0u) : 0;
}

/* A waiter's place in the queue, for those that have a wake function of their own. */
void waitq_add(struct wait_queue *q, struct waiter *w);
void waitq_remove(struct wait_queue *q, struct waiter *w);

/* The pieces of wait_event: queue and prepare to sleep, look at the condition, sleep, unqueue.
 * `kind` is enum bb_wait_kind, `arg` goes into the record (see struct bb_wait). wait_sleep returns
 * what park_until() does; wait_unneeded unqueues one who found its condition true before it slept:
 * the wake-up that an exclusive one may have got meanwhile goes to the next. */
void wait_prepare(struct wait_queue *q, struct waiter *w, enum park_mode mode);
void wait_finish(struct wait_queue *q, struct waiter *w);
void wait_unneeded(struct wait_queue *q, struct waiter *w);
int wait_sleep(struct wait_queue *q, enum park_mode mode, u64 deadline, unsigned int kind, u32 arg);

/* Sleeps until cond holds: 0; or, if it does not, until what ends waits of this mode (-ERESTARTSYS)
 * or the deadline (arch_ticks; -ETIMEDOUT). The condition may be evaluated often, without locks,
 * but never again once it was true: it may take what it waits for. */
#define wait_event_until(q, cond, excl, mode, deadline, kind, arg)                                 \
	({                                                                                         \
		int r_ = 0;                                                                        \
		bool true_ = !!(cond);                                                             \
		struct waiter w_ = {.exclusive = (excl)};                                          \
		while (!true_ && !r_) {                                                            \
			wait_prepare((q), &w_, (mode));                                            \
			true_ = !!(cond);                                                          \
			if (true_) {                                                               \
				wait_unneeded((q), &w_);                                           \
			} else {                                                                   \
				r_ = wait_sleep((q), (mode), (deadline), (kind), (arg));           \
				wait_finish((q), &w_);                                             \
				true_ = !!(cond);                                                  \
			}                                                                          \
		}                                                                                  \
		true_ ? 0 : r_;                                                                    \
	})
#define wait_event(q, cond, kind, arg)                                                             \
	((void)wait_event_until(q, cond, false, PARK_KERNEL, PARK_FOREVER, kind, arg))
#define wait_event_killable(q, cond, kind, arg)                                                    \
	wait_event_until(q, cond, false, PARK_KILLABLE, PARK_FOREVER, kind, arg)
/* As wait_event_killable, for waiters of whom one at a time can use what is waited for. */
#define wait_event_exclusive(q, cond, kind, arg)                                                   \
	wait_event_until(q, cond, true, PARK_KILLABLE, PARK_FOREVER, kind, arg)
bool thread_kill_pending(void); /* current thread; sched */

struct completion {
	struct wait_queue queue;
	u32 done;
	u32 ender; /* owner word of who alone completes it, 0 not known */
};
void completion_init(struct completion *c, struct track_class *cls);
void completion_fini(struct completion *c);
/* Says who alone will complete it, for the records of those who wait. The thread's entry in the
 * task table must live as long as anybody waits. */
void completion_ended_by(struct completion *c, const struct thread *t);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
/* As above with the kind of wait named (BB_WAIT_IO, ...). */
void wait_for_completion_kind(struct completion *c, unsigned int kind);

#endif
