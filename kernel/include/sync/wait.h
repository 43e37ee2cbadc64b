/* sync/wait.h - wait queues and completions. wake_up and complete: any context but NMI. Waiting:
 * thread context, preemption on. Each wait leaves a record {kind, object} in the black box. */
#ifndef SYNC_WAIT_H
#define SYNC_WAIT_H

#include <lib/list.h>
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

/* The pieces of wait_event: queue, set the state, look at the condition, sleep, unqueue. `kind` is
 * enum bb_wait_kind, `arg` goes into the record (see struct bb_wait). */
void wait_prepare(struct wait_queue *q, struct waiter *w, bool interruptible);
void wait_finish(struct wait_queue *q, struct waiter *w);
void wait_sleep(struct wait_queue *q, unsigned int kind, u32 arg);

/* Sleeps until cond holds. The condition may be evaluated often, without locks. */
#define wait_event(q, cond, kind, arg)                                                             \
	do {                                                                                       \
		struct waiter w_;                                                                  \
		while (!(cond)) {                                                                  \
			wait_prepare((q), &w_, false);                                             \
			if (!(cond))                                                               \
				wait_sleep((q), (kind), (arg));                                    \
			wait_finish((q), &w_);                                                     \
		}                                                                                  \
	} while (0)
/* As wait_event, but a kill ends it: returns 0 or -EINTR. */
#define wait_event_killable(q, cond, kind, arg)                                                    \
	({                                                                                         \
		int r_ = 0;                                                                        \
		struct waiter w_;                                                                  \
		while (!(cond)) {                                                                  \
			if (thread_kill_pending()) {                                               \
				r_ = -4;                                                           \
				break;                                                             \
			}                                                                          \
			wait_prepare((q), &w_, true);                                              \
			if (!(cond) && !thread_kill_pending())                                     \
				wait_sleep((q), (kind), (arg));                                    \
			wait_finish((q), &w_);                                                     \
		}                                                                                  \
		r_;                                                                                \
	})
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
