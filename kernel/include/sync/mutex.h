/* sync/mutex.h - sleeping locks: mutex, rwlock (sleeping, writer-preferring), counting semaphore.
 * Thread context, preemption on; all may sleep and say so to the tracker. FIFO hand-off: an unlock
 * passes the lock to the longest waiter. */
#ifndef SYNC_MUTEX_H
#define SYNC_MUTEX_H

#include <lib/list.h>
#include <sync/spinlock.h>

struct CAPABILITY("mutex") mutex {
	struct spinlock guard;
	struct list_head waiters;
	bool locked;
	struct track_lock track;
};
void mutex_init(struct mutex *m, struct track_class *cls);
#define MUTEX_INIT(name, cls)                                                                      \
	{                                                                                          \
		.guard = SPINLOCK_INIT(sync_guard_class),                                          \
		.waiters = LIST_HEAD_INIT((name).waiters), .track = TRACK_LOCK_INIT(cls)           \
	}
#define DEFINE_MUTEX(name, cls) struct mutex name = MUTEX_INIT(name, cls)
DECLARE_LOCK_CLASS(sync_guard_class);
void mutex_lock(struct mutex *m) ACQUIRE(*m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRE(true, *m);
void mutex_unlock(struct mutex *m) RELEASE(*m);
bool mutex_is_locked(const struct mutex *m);

struct CAPABILITY("rwlock") rwlock {
	struct spinlock guard;
	struct list_head waiters;
	s32 readers; /* -1 = a writer */
	u32 waiting_writers;
	struct track_lock track;
};
void rw_init(struct rwlock *l, struct track_class *cls);
void rw_read_lock(struct rwlock *l) ACQUIRE_SHARED(*l);
void rw_read_unlock(struct rwlock *l) RELEASE_SHARED(*l);
void rw_write_lock(struct rwlock *l) ACQUIRE(*l);
void rw_write_unlock(struct rwlock *l) RELEASE(*l);

struct semaphore {
	struct spinlock guard;
	struct list_head waiters;
	u32 count;
	struct track_lock track;
};
void sem_init(struct semaphore *s, u32 count, struct track_class *cls);
void sem_down(struct semaphore *s);
bool sem_try_down(struct semaphore *s);
void sem_up(struct semaphore *s); /* any context but NMI */

#endif
