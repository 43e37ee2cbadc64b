/* mutex.c - mutex, rwlock, semaphore: three faces of one queue of waiters.
 *
 * Theory. Each has a spin lock `guard` over its state and a FIFO of waiters on the waiters' stacks.
 * Release decides who is next and grants: it changes the state on the waiter's behalf, sets
 * `granted` and wakes it, all under the guard. A waiter sleeps until granted and then passes once
 * through the guard, so the granter is done with the waiter's stack before it goes away.
 * Lock order: guard, then (in unpark) the run queue's lock. */
#include <lib/atomic.h>
#include <lib/percpu.h>
#include <sync/lock_order.h>
#include <sync/mutex.h>
#include <sync/park.h>
#include <arch/context.h>

DEFINE_LOCK_CLASS(sync_guard_class, "sync.guard", BB_LK_SPIN, RANK_SYNC_GUARD);

struct queued {
	struct list_head link;
	struct thread *thread;
	bool writer;
	bool granted;
};

/* Called with the guard held (and interrupt state f); returns without it, the lock granted. */
static void wait_granted(struct spinlock *guard, irqflags_t f, struct list_head *waiters,
			 bool writer, struct track_lock *track, u32 kind, unsigned long site) NO_TSA
{
	struct queued w = {.thread = arch_current(), .writer = writer};

	list_add_tail(&w.link, waiters);
	spin_unlock_irqrestore(guard, f);
	track_block_begin(track, NULL, kind, 0, site);
	while (!atomic_load_acquire(&w.granted)) {
		park_prepare(PARK_KERNEL);
		if (!atomic_load_acquire(&w.granted))
			park_until(PARK_KERNEL, PARK_FOREVER);
		else
			park_cancel();
	}
	f = spin_lock_irqsave(guard);
	spin_unlock_irqrestore(guard, f);
	track_block_end(track, NULL);
}

static void grant(struct queued *w)
{
	list_del(&w->link);
	atomic_store_release(&w->granted, true);
	unpark(w->thread);
}

static struct queued *first_waiter(struct list_head *waiters)
{
	return list_empty(waiters) ? NULL : list_first_entry(waiters, struct queued, link);
}

void mutex_init(struct mutex *m, struct track_class *cls)
{
	spin_init(&m->guard, &sync_guard_class);
	list_init(&m->waiters);
	m->locked = false;
	track_lock_init(&m->track, cls);
}

void mutex_lock(struct mutex *m) NO_TSA
{
	irqflags_t f;

	track_might_sleep(RET_IP);
	f = spin_lock_irqsave(&m->guard);
	if (!m->locked) {
		m->locked = true;
		spin_unlock_irqrestore(&m->guard, f);
	} else {
		wait_granted(&m->guard, f, &m->waiters, true, &m->track, BB_WAIT_MUTEX, RET_IP);
	}
	track_acquired(&m->track, BB_HOLD_EXCL, RET_IP, arch_sp());
}

bool mutex_trylock(struct mutex *m) NO_TSA
{
	irqflags_t f = spin_lock_irqsave(&m->guard);
	bool got = !m->locked;

	m->locked = true;
	spin_unlock_irqrestore(&m->guard, f);
	if (got)
		track_acquired(&m->track, BB_HOLD_EXCL, RET_IP, arch_sp());
	return got;
}

void mutex_unlock(struct mutex *m) NO_TSA
{
	struct queued *w;
	irqflags_t f;

	track_released(&m->track, BB_HOLD_EXCL, RET_IP);
	f = spin_lock_irqsave(&m->guard);
	w = first_waiter(&m->waiters);
	if (w)
		grant(w);
	else
		m->locked = false;
	spin_unlock_irqrestore(&m->guard, f);
}

bool mutex_is_locked(const struct mutex *m)
{
	return atomic_load(&m->locked);
}

void rw_init(struct rwlock *l, struct track_class *cls)
{
	spin_init(&l->guard, &sync_guard_class);
	list_init(&l->waiters);
	l->readers = 0;
	l->waiting_writers = 0;
	track_lock_init(&l->track, cls);
}

/* Guard held: lets in whom the state allows, in order of arrival. */
static void rw_grant(struct rwlock *l)
{
	struct queued *w;

	while ((w = first_waiter(&l->waiters))) {
		if (w->writer ? l->readers != 0 : l->readers < 0)
			return;
		if (w->writer) {
			l->readers = -1;
			l->waiting_writers--;
		} else {
			l->readers++;
		}
		grant(w);
	}
}

void rw_read_lock(struct rwlock *l) NO_TSA
{
	irqflags_t f;

	track_might_sleep(RET_IP);
	f = spin_lock_irqsave(&l->guard);
	if (l->readers >= 0 && list_empty(&l->waiters)) {
		l->readers++;
		spin_unlock_irqrestore(&l->guard, f);
	} else {
		wait_granted(&l->guard, f, &l->waiters, false, &l->track, BB_WAIT_READ, RET_IP);
	}
	track_acquired(&l->track, BB_HOLD_SHARED, RET_IP, arch_sp());
}

void rw_read_unlock(struct rwlock *l) NO_TSA
{
	irqflags_t f;

	track_released(&l->track, BB_HOLD_SHARED, RET_IP);
	f = spin_lock_irqsave(&l->guard);
	l->readers--;
	rw_grant(l);
	spin_unlock_irqrestore(&l->guard, f);
}

void rw_write_lock(struct rwlock *l) NO_TSA
{
	irqflags_t f;

	track_might_sleep(RET_IP);
	f = spin_lock_irqsave(&l->guard);
	if (l->readers == 0 && list_empty(&l->waiters)) {
		l->readers = -1;
		spin_unlock_irqrestore(&l->guard, f);
	} else {
		l->waiting_writers++;
		wait_granted(&l->guard, f, &l->waiters, true, &l->track, BB_WAIT_WRITE, RET_IP);
	}
	track_acquired(&l->track, BB_HOLD_EXCL, RET_IP, arch_sp());
}

void rw_write_unlock(struct rwlock *l) NO_TSA
{
	irqflags_t f;

	track_released(&l->track, BB_HOLD_EXCL, RET_IP);
	f = spin_lock_irqsave(&l->guard);
	l->readers = 0;
	rw_grant(l);
	spin_unlock_irqrestore(&l->guard, f);
}

void sem_init(struct semaphore *s, u32 count, struct track_class *cls)
{
	spin_init(&s->guard, &sync_guard_class);
	list_init(&s->waiters);
	s->count = count;
	track_lock_init(&s->track, cls);
}

void sem_down(struct semaphore *s) NO_TSA
{
	irqflags_t f;

	track_might_sleep(RET_IP);
	f = spin_lock_irqsave(&s->guard);
	if (s->count && list_empty(&s->waiters)) {
		s->count--;
		spin_unlock_irqrestore(&s->guard, f);
	} else {
		wait_granted(&s->guard, f, &s->waiters, true, &s->track, BB_WAIT_SEM, RET_IP);
	}
}

bool sem_try_down(struct semaphore *s)
{
	irqflags_t f = spin_lock_irqsave(&s->guard);
	bool got = s->count && list_empty(&s->waiters);

	if (got)
		s->count--;
	spin_unlock_irqrestore(&s->guard, f);
	return got;
}

void sem_up(struct semaphore *s)
{
	irqflags_t f = spin_lock_irqsave(&s->guard);
	struct queued *w = first_waiter(&s->waiters);

	if (w)
		grant(w);
	else
		s->count++;
	spin_unlock_irqrestore(&s->guard, f);
}
