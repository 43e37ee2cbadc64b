/* mutex_slow.c - sleeping locks when somebody must wait: one queue with three faces. mutex.c has
 * the theory of the word and says why a release hands over.
 *
 * The queue. A FIFO of waiters on the waiters' own stacks, under a raw guard with interrupts
 * masked. Who must wait sets TRACK_WAITERS and queues, both under the guard. A release under the
 * guard changes the word on the waiter's behalf, sets `granted` and wakes it. A waiter sleeps until
 * granted and then passes once through the guard, so the granter is done with the waiter's stack
 * before it goes away. Lock order: guard, then (in unpark) the run queue's lock.
 *
 * A killed waiter. Whose wait the death of its process has cut short looks, under the guard,
 * whether it was granted in the meantime. If so it is the owner, since nobody else would pass the
 * lock on, and keeps it: the caller learns nothing of the kill and undoes nothing that it need not.
 * If not it leaves the queue, and the last one to leave takes TRACK_WAITERS along, because a word
 * with that bit and nobody in the queue would send every later locker the long way. The other
 * waiters keep their places, and no grant is on its way to who has left: grants are made under the
 * guard, to who stands in the queue. */
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/errno.h>
#include <sync/park.h>
#include <sync/preempt.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/thread.h>
#include "slow.h"

#define SEM_WAITERS 0x80000000u

/* How often to look at the word while its owner runs elsewhere: some ten microseconds. */
#define SPIN_TURNS 2000u

struct queued {
	struct list_head link;
	struct thread *thread;
	u32 owner; /* its number */
	bool writer;
	bool granted; /* atomic */
};

irqflags_t queue_lock(struct lock_queue *q)
{
	irqflags_t f = arch_irq_save();

	preempt_disable();
	while (atomic_load(&q->guard) || atomic_xchg(&q->guard, 1))
		arch_cpu_relax();
	return f;
}

void queue_unlock(struct lock_queue *q, irqflags_t f)
{
	atomic_store_release(&q->guard, 0);
	arch_irq_restore(f);
	preempt_enable();
}

/* Guard held. The waiter goes without the lock; the word keeps its owner. Mutexes only: who waits
 * for an rwlock may have kept others out who could come in now. */
static void leave_queue(struct lock_queue *q, struct queued *w, struct track_lock *l)
{
	list_del(&w->link);
	if (list_empty(&q->waiters))
		atomic_fetch_and(&l->owner, ~TRACK_WAITERS);
}

/* Called with the guard held (and interrupt state f) and the waiters' bit set; returns without it.
 * 0: the lock is granted; -ERESTARTSYS: what may end a wait of this mode has come first. */
static int wait_granted(struct lock_queue *q, irqflags_t f, bool writer, enum park_mode mode,
			struct track_lock *track, u32 kind, unsigned long site)
{
	struct thread *t = arch_current();
	struct queued w = {.thread = t, .owner = t->hold.owner, .writer = writer};
	int err = 0;

	list_add_tail(&w.link, &q->waiters);
	queue_unlock(q, f);
	track_block_begin(track, kind, site);
	while (!err && !atomic_load_acquire(&w.granted)) {
		park_prepare(mode);
		if (!atomic_load_acquire(&w.granted))
			err = park_until(mode, PARK_FOREVER);
		else
			park_cancel();
	}
	f = queue_lock(q);
	if (atomic_load(&w.granted))
		err = 0;
	else
		leave_queue(q, &w, track);
	queue_unlock(q, f);
	track_block_end(track);
	return err;
}

static struct queued *first_waiter(struct lock_queue *q)
{
	return list_empty(&q->waiters) ? NULL : list_first_entry(&q->waiters, struct queued, link);
}

static void grant(struct queued *w)
{
	atomic_store_release(&w->granted, true);
	unpark(w->thread);
}

static void queue_init(struct lock_queue *q)
{
	list_init(&q->waiters);
	q->guard = 0;
}

/* Guard held: the lock is free and ours, or the waiters' bit is set. */
static bool take_or_mark(u32 *word, u32 self)
{
	u32 w = atomic_load(word);

	for (;;) {
		if (!w) {
			if (atomic_try_cmpxchg(word, &w, self))
				return true;
		} else if (w & TRACK_WAITERS || atomic_try_cmpxchg(word, &w, w | TRACK_WAITERS)) {
			return false;
		}
	}
}

/* Before somebody queues: in freed memory there is no queue, only bytes that look like one. */
static void must_live(const struct track_lock *l, unsigned long site)
{
	if (unlikely(!track_lock_alive(l, site)) && track_lock_wiped(l))
		panic("a lock in freed memory was to be taken at %#lx", site);
}

/* While the owner runs on another CPU it may be about to release. Its box entry stays readable,
 * whoever it becomes. */
static bool spin_while_owner_runs(u32 *word, u32 self)
{
	for (u32 turns = 0; turns < SPIN_TURNS && !need_resched(); turns++) {
		u32 w = atomic_load(word);
		const struct bb_task *t;

		if (!w) {
			if (atomic_try_cmpxchg(word, &w, self))
				return true;
			continue;
		}
		if (w == self || w > track_tables.ntasks) /* or waiters, readers */
			return false;
		t = &track_tables.tasks[w - 1];
		if (READ_ONCE(t->state) != BB_ST_RUNNING)
			return false;
		arch_cpu_relax();
	}
	return false;
}

/* ---- mutex ---------------------------------------------------------------------------------- */

void mutex_init(struct mutex *m, struct track_class *cls)
{
	queue_init(&m->queue);
	track_lock_init(&m->track, cls);
}

void mutex_fini(struct mutex *m)
{
	track_lock_fini(&m->track, !list_empty(&m->queue.waiters), RET_IP);
}

/* Exclusive: the word is 0 for it, or it queues. As wait_granted(). */
static int enter_exclusive(struct track_lock *l, struct lock_queue *q, enum park_mode mode,
			   u32 kind, unsigned long site)
{
	u32 self = arch_current()->hold.owner;
	irqflags_t f;

	track_might_sleep(site);
	must_live(l, site);
	if (spin_while_owner_runs(&l->owner, self))
		return 0;
	f = queue_lock(q);
	if (!take_or_mark(&l->owner, self))
		return wait_granted(q, f, true, mode, l, kind, site);
	queue_unlock(q, f);
	return 0;
}

void mutex_note(struct mutex *m, unsigned long site)
{
	track_acquired(&m->track, BB_HOLD_EXCL, site, arch_sp());
}

bool mutex_note_tried(struct mutex *m, unsigned long site)
{
	track_acquired(&m->track, BB_HOLD_EXCL, site, arch_sp());
	return true;
}

int mutex_note_killable(struct mutex *m, unsigned long site)
{
	track_acquired(&m->track, BB_HOLD_EXCL, site, arch_sp());
	return 0;
}

void mutex_enter(struct mutex *m, unsigned long site)
{
	enter_exclusive(&m->track, &m->queue, PARK_KERNEL, BB_WAIT_MUTEX, site);
	track_acquired(&m->track, BB_HOLD_EXCL, site, arch_sp());
}

int mutex_enter_killable(struct mutex *m, unsigned long site)
{
	int err = enter_exclusive(&m->track, &m->queue, PARK_KILLABLE, BB_WAIT_MUTEX, site);

	if (!err)
		track_acquired(&m->track, BB_HOLD_EXCL, site, arch_sp());
	return err;
}

void mutex_pass_on(struct mutex *m)
{
	irqflags_t f = queue_lock(&m->queue);
	struct queued *w = first_waiter(&m->queue);

	if (w) {
		list_del(&w->link);
		atomic_store_release(&m->track.owner,
				     w->owner |
					     (list_empty(&m->queue.waiters) ? 0 : TRACK_WAITERS));
		track_granted(&m->track, w->owner);
		grant(w);
	} else {
		atomic_store_release(&m->track.owner, 0);
	}
	queue_unlock(&m->queue, f);
}

void mutex_leave(struct mutex *m, unsigned long site)
{
	track_released(&m->track, BB_HOLD_EXCL, site);
	if (likely(!track_lock_wiped(&m->track))) /* there is no queue, nor is the word ours */
		mutex_pass_on(m);
}

bool mutex_is_locked(const struct mutex *m)
{
	return atomic_load(&m->track.owner) != 0;
}

/* ---- rwlock --------------------------------------------------------------------------------- */

void rw_init(struct rwlock *l, struct track_class *cls)
{
	queue_init(&l->queue);
	track_lock_init(&l->track, cls);
}

void rw_fini(struct rwlock *l)
{
	track_lock_fini(&l->track, !list_empty(&l->queue.waiters), RET_IP);
}

u32 rw_readers(const struct rwlock *l)
{
	u32 w = atomic_load(&l->track.owner);

	return w & TRACK_SHARED ? w & TRACK_COUNT : 0;
}

/* Guard held, somebody queues, and `w` is what holds the lock apart from that: lets in whom it
 * allows, in the order of arrival. */
static void rw_grant(struct rwlock *l, u32 w)
{
	struct queued *q;

	while ((q = first_waiter(&l->queue))) {
		if (q->writer ? w != 0 : w && !(w & TRACK_SHARED))
			break;
		w = q->writer ? q->owner : (w ? w : TRACK_SHARED) + 1;
		list_del(&q->link);
		atomic_store_release(&l->track.owner,
				     w | (list_empty(&l->queue.waiters) ? 0 : TRACK_WAITERS));
		track_granted(&l->track, track_owner_of(w));
		grant(q);
	}
	if (q)
		atomic_store_release(&l->track.owner, w | TRACK_WAITERS);
}

/* One holder less, whatever it was; its record is off. */
void rw_pass_on(struct rwlock *l)
{
	irqflags_t f = queue_lock(&l->queue);
	u32 w = atomic_load(&l->track.owner), rest;

	do {
		rest = w & ~TRACK_WAITERS;
		rest = rest & TRACK_SHARED && rest != (TRACK_SHARED | 1) ? rest - 1 : 0;
	} while (!(w & TRACK_WAITERS) && !atomic_try_cmpxchg(&l->track.owner, &w, rest));
	if (w & TRACK_WAITERS)
		rw_grant(l, rest);
	queue_unlock(&l->queue, f);
}

void rw_read_note(struct rwlock *l, unsigned long site)
{
	track_acquired(&l->track, BB_HOLD_SHARED, site, arch_sp());
}

void rw_read_enter(struct rwlock *l, unsigned long site)
{
	irqflags_t f;
	u32 w, more;

	track_might_sleep(site);
	must_live(&l->track, site);
	f = queue_lock(&l->queue);
	w = atomic_load(&l->track.owner);
	do {
		if (w & TRACK_WAITERS)
			break;
		more = !w ? TRACK_SHARED | 1 : w & TRACK_SHARED ? w + 1 : w | TRACK_WAITERS;
	} while (!atomic_try_cmpxchg(&l->track.owner, &w, more));
	if (!(w & TRACK_WAITERS) && (!w || w & TRACK_SHARED))
		queue_unlock(&l->queue, f);
	else
		wait_granted(&l->queue, f, false, PARK_KERNEL, &l->track, BB_WAIT_READ, site);
	track_acquired(&l->track, BB_HOLD_SHARED, site, arch_sp());
}

void rw_read_leave(struct rwlock *l, unsigned long site)
{
	track_released(&l->track, BB_HOLD_SHARED, site);
	if (likely(!track_lock_wiped(&l->track)))
		rw_pass_on(l);
}

void rw_write_note(struct rwlock *l, unsigned long site)
{
	track_acquired(&l->track, BB_HOLD_EXCL, site, arch_sp());
}

void rw_write_enter(struct rwlock *l, unsigned long site)
{
	enter_exclusive(&l->track, &l->queue, PARK_KERNEL, BB_WAIT_WRITE, site);
	track_acquired(&l->track, BB_HOLD_EXCL, site, arch_sp());
}

void rw_write_leave(struct rwlock *l, unsigned long site)
{
	track_released(&l->track, BB_HOLD_EXCL, site);
	if (likely(!track_lock_wiped(&l->track)))
		rw_pass_on(l);
}

/* ---- semaphore ------------------------------------------------------------------------------ */

void sem_init(struct semaphore *s, u32 count, struct track_class *cls)
{
	queue_init(&s->queue);
	s->count = count;
	track_lock_init(&s->track, cls);
}

void sem_fini(struct semaphore *s)
{
	track_lock_fini(&s->track, !list_empty(&s->queue.waiters), RET_IP);
}

/* While somebody queues nothing is free. */
bool sem_try_down(struct semaphore *s)
{
	u32 n = atomic_load(&s->count);

	while (n && n != SEM_WAITERS)
		if (atomic_try_cmpxchg(&s->count, &n, n - 1))
			return true;
	return false;
}

void sem_down(struct semaphore *s)
{
	irqflags_t f;
	u32 none = 0;

	track_might_sleep(RET_IP);
	must_live(&s->track, RET_IP);
	while (!sem_try_down(s)) {
		f = queue_lock(&s->queue);
		none = 0;
		if (atomic_load(&s->count) == SEM_WAITERS ||
		    atomic_try_cmpxchg(&s->count, &none, SEM_WAITERS)) {
			wait_granted(&s->queue, f, true, PARK_KERNEL, &s->track, BB_WAIT_SEM,
				     RET_IP);
			return;
		}
		queue_unlock(&s->queue, f);
	}
}

void sem_up(struct semaphore *s)
{
	u32 n = atomic_load(&s->count);
	struct queued *w;
	irqflags_t f;

	while (n != SEM_WAITERS)
		if (atomic_try_cmpxchg(&s->count, &n, n + 1))
			return;
	f = queue_lock(&s->queue);
	w = first_waiter(&s->queue);
	if (w) {
		list_del(&w->link);
		if (list_empty(&s->queue.waiters))
			atomic_store(&s->count, 0);
		grant(w);
	} else {
		atomic_fetch_add(&s->count, 1);
	}
	queue_unlock(&s->queue, f);
}
