/* sync/mutex.h - sleeping locks: mutex, rwlock, counting semaphore. Thread context, preemption on;
 * all may sleep and say so to the tracker. First come, first served: who must wait queues, and a
 * release hands the lock to the longest waiter (mutex.c says why). */
#ifndef SYNC_MUTEX_H
#define SYNC_MUTEX_H

#include <lib/list.h>
#include <sync/spinlock.h>

/* Who waits. Used only while somebody must; the guard is a raw word, a leaf but for the run queue's
 * lock. */
struct lock_queue {
	struct list_head waiters;
	u32 guard; /* atomic */
};

struct CAPABILITY("mutex") mutex {
	struct track_lock track; /* its owner word is the lock */
	struct lock_queue queue;
};
void mutex_init(struct mutex *m, struct track_class *cls);
void mutex_fini(struct mutex *m); /* see spin_fini() */
#define MUTEX_INIT(name, cls)                                                                      \
	{                                                                                          \
		.track = TRACK_LOCK_INIT(cls),                                                     \
		.queue.waiters = LIST_HEAD_INIT((name).queue.waiters)                              \
	}
#define DEFINE_MUTEX(name, cls) struct mutex name = MUTEX_INIT(name, cls)
void mutex_lock(struct mutex *m) ACQUIRE(*m);
/* 0: taken; -ERESTARTSYS: not taken, the caller's process is to die and the lock was not to be had
 * without waiting. For whoever can undo what it has begun. */
int mutex_lock_killable(struct mutex *m) TRY_ACQUIRE(0, *m) must_check;
bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, *m);
void mutex_unlock(struct mutex *m) RELEASE(*m);
bool mutex_is_locked(const struct mutex *m);

struct CAPABILITY("rwlock") rwlock {
	struct track_lock track; /* its owner word is the lock: the writer, or TRACK_SHARED | n */
	struct lock_queue queue;
};
void rw_init(struct rwlock *l, struct track_class *cls);
void rw_fini(struct rwlock *l);
void rw_read_lock(struct rwlock *l) ACQUIRE_SHARED(*l);
void rw_read_unlock(struct rwlock *l) RELEASE_SHARED(*l);
void rw_write_lock(struct rwlock *l) ACQUIRE(*l);
void rw_write_unlock(struct rwlock *l) RELEASE(*l);
u32 rw_readers(const struct rwlock *l); /* inside now */

struct semaphore {
	u32 count; /* atomic: free ones, or SEM_WAITERS */
	struct lock_queue queue;
	struct track_lock track; /* for the wait records */
};
void sem_init(struct semaphore *s, u32 count, struct track_class *cls);
void sem_fini(struct semaphore *s);
void sem_down(struct semaphore *s);
bool sem_try_down(struct semaphore *s);
void sem_up(struct semaphore *s); /* any context but NMI */

/* The guard: interrupts are masked until the unlock. Any context but NMI. */
irqflags_t queue_lock(struct lock_queue *q);
void queue_unlock(struct lock_queue *q, irqflags_t f);

/* Boot option bench=1: prints what each lock costs. Thread context. */
void sync_bench(void);

#endif
