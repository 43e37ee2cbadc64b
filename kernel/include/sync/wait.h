/* sync/wait.h - wait queues and completions. wake_up and complete: any context but NMI. Waiting:
 * thread context, preemption on. Each wait leaves a record {kind, object} in the black box. */
#ifndef SYNC_WAIT_H
#define SYNC_WAIT_H

#include <lib/list.h>
#include <sync/park.h>
#include <sync/spinlock.h>

struct thread;
struct wait_queue {
	struct spinlock lock;
	struct list_head waiters;
};
struct waiter {
	struct list_head link;
	struct thread *thread;
};
DECLARE_LOCK_CLASS(waitq_class);
#define WAIT_QUEUE_INIT(name)                                                                      \
	{                                                                                          \
		.lock = SPINLOCK_INIT(waitq_class), .waiters = LIST_HEAD_INIT((name).waiters)      \
	}
void waitq_init(struct wait_queue *q);
/* Returns the number woken. */
unsigned int wake_up_all(struct wait_queue *q);
unsigned int wake_up_one(struct wait_queue *q);

/* The pieces of wait_event: queue and prepare to sleep, look at the condition, sleep, unqueue.
 * `kind` is enum bb_wait_kind, `arg` goes into the record (see struct bb_wait). wait_sleep returns
 * what park_until() does. */
void wait_prepare(struct wait_queue *q, struct waiter *w, enum park_mode mode);
void wait_finish(struct wait_queue *q, struct waiter *w);
int wait_sleep(struct wait_queue *q, enum park_mode mode, u64 deadline, unsigned int kind, u32 arg);

/* Sleeps until cond holds: 0; or, if it does not, until what ends waits of this mode (-ERESTARTSYS)
 * or the deadline (arch_ticks; -ETIMEDOUT). The condition may be evaluated often, without locks. */
#define wait_event_until(q, cond, mode, deadline, kind, arg)                                       \
	({                                                                                         \
		int r_ = 0;                                                                        \
		struct waiter w_;                                                                  \
		for (;;) {                                                                         \
			if (cond) {                                                                \
				r_ = 0;                                                            \
				break;                                                             \
			}                                                                          \
			if (r_)                                                                    \
				break;                                                             \
			wait_prepare((q), &w_, (mode));                                            \
			if (!(cond))                                                               \
				r_ = wait_sleep((q), (mode), (deadline), (kind), (arg));           \
			wait_finish((q), &w_);                                                     \
		}                                                                                  \
		r_;                                                                                \
	})
#define wait_event(q, cond, kind, arg)                                                             \
	((void)wait_event_until(q, cond, PARK_KERNEL, PARK_FOREVER, kind, arg))
#define wait_event_killable(q, cond, kind, arg)                                                    \
	wait_event_until(q, cond, PARK_KILLABLE, PARK_FOREVER, kind, arg)
bool thread_kill_pending(void); /* current thread; sched */

struct completion {
	struct wait_queue queue;
	u32 done;
	struct track_lock track;
};
void completion_init(struct completion *c, struct track_class *cls);
void complete(struct completion *c);
void complete_all(struct completion *c);
void wait_for_completion(struct completion *c);
/* As above with the kind of wait named (BB_WAIT_IO, ...). */
void wait_for_completion_kind(struct completion *c, unsigned int kind);

#endif
