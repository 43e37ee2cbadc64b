/* wait.c - wait queues and completions.
 *
 * Theory. A waiter queues itself and declares that it is about to sleep (park_prepare, a full
 * barrier) under the queue's lock, then looks at the condition; a waker changes the condition,
 * then, behind a full barrier, looks whether anybody is queued, and only if so takes the lock. So
 * one of the two sees the other and no wake-up is lost, and a wake-up that finds nobody costs a
 * load.
 *
 * Waiters live on stacks, and a woken one goes away without a look at the lock if it finds itself
 * off the queue: so a waker unparks it first and takes it off last. The queue must live longer than
 * that: whoever wakes holds what it lies in.
 *
 * Exclusive waiters get one wake-up each: a thing that only one of them can use does not wake all.
 * A wake-up must not end with one that cannot use it: wait_event looks at the condition before it
 * gives up, and one that found the condition true by itself, before it slept, passes on the wake-up
 * that reached it meanwhile: that one was for a second thing.
 *
 * A completion's count changes only under its queue's lock, and its waiter takes the count
 * under the same lock, so a completion on a stack may go away as soon as the wait returns. Lock
 * order: queue lock, then run queue lock. */
#include <lib/atomic.h>
#include <lib/percpu.h>
#include <sync/lock_order.h>
#include <sync/park.h>
#include <sync/wait.h>
#include <arch/thread.h>

DEFINE_LOCK_CLASS(waitq_class, "sync.waitqueue", BB_LK_SPIN, RANK_WAITQUEUE);

void waitq_init(struct wait_queue *q, struct track_class *cls)
{
	spin_init(&q->lock, &waitq_class);
	list_init(&q->waiters);
	q->nr_waiters = 0;
	q->class = cls;
}

/* Records of waits name the queue or the completion, its lock's destructor asks for the lock. */
_Static_assert(offsetof(struct wait_queue, lock.track) == 0 &&
		       offsetof(struct completion, queue) == 0,
	       "a wait queue, a completion and their lock have one address");

static void fini_at(struct wait_queue *q, unsigned long site)
{
	track_lock_fini(&q->lock.track, q->nr_waiters != 0, site);
}

void waitq_fini(struct wait_queue *q)
{
	fini_at(q, RET_IP);
}

/* Exclusive waiters stand behind all others, so that a wake-up can end at the last one it is for.
 */
static void add_locked(struct wait_queue *q, struct waiter *w) REQUIRES(q->lock)
{
	struct list_head *before = &q->waiters;
	struct waiter *other;

	if (!w->exclusive)
		list_for_each_entry (other, &q->waiters, link)
			if (other->exclusive) {
				before = &other->link;
				break;
			}
	list_add_tail(&w->link, before);
	atomic_store(&w->queued, true);
	atomic_store(&q->nr_waiters, q->nr_waiters + 1);
}

static void remove_locked(struct wait_queue *q, struct waiter *w) REQUIRES(q->lock)
{
	list_del(&w->link);
	atomic_store(&q->nr_waiters, q->nr_waiters - 1);
	atomic_store_release(&w->queued, false);
}

unsigned int wake_up_locked(struct wait_queue *q, unsigned int exclusive)
{
	struct waiter *w, *next;
	unsigned int n = 0;

	list_for_each_entry_safe (w, next, &q->waiters, link) {
		if (w->exclusive && exclusive-- == 0)
			break;
		if (w->wake) {
			w->wake(w);
		} else {
			unpark(w->thread);
			remove_locked(q, w);
		}
		n++;
	}
	return n;
}

unsigned int wake_up_slow(struct wait_queue *q, unsigned int exclusive)
{
	irqflags_t f = spin_lock_irqsave(&q->lock);
	unsigned int n = wake_up_locked(q, exclusive);

	spin_unlock_irqrestore(&q->lock, f);
	return n;
}

void waitq_add(struct wait_queue *q, struct waiter *w)
{
	irqflags_t f = spin_lock_irqsave(&q->lock);

	add_locked(q, w);
	spin_unlock_irqrestore(&q->lock, f);
	smp_mb(); /* waitq_has_waiters() */
}

/* False: a wake-up had taken it off. */
static bool take_off(struct wait_queue *q, struct waiter *w)
{
	irqflags_t f;
	bool was;

	if (!atomic_load_acquire(&w->queued))
		return false;
	f = spin_lock_irqsave(&q->lock);
	was = atomic_load(&w->queued);
	if (was)
		remove_locked(q, w);
	spin_unlock_irqrestore(&q->lock, f);
	return was;
}

void waitq_remove(struct wait_queue *q, struct waiter *w)
{
	take_off(q, w);
}

void wait_prepare(struct wait_queue *q, struct waiter *w, enum park_mode mode)
{
	irqflags_t f = spin_lock_irqsave(&q->lock);

	w->thread = arch_current();
	add_locked(q, w);
	/* Under the lock: a waker that finds us queued must find us prepared, or its wake is lost.
	 */
	park_prepare(mode);
	spin_unlock_irqrestore(&q->lock, f);
}

void wait_finish(struct wait_queue *q, struct waiter *w)
{
	park_cancel();
	take_off(q, w);
}

void wait_unneeded(struct wait_queue *q, struct waiter *w)
{
	park_cancel();
	if (!take_off(q, w) && w->exclusive)
		wake_up(q);
}

static int sleep_at(const struct track_wait *w, enum park_mode mode, u64 deadline,
		    unsigned long site)
{
	int err;

	track_might_sleep(site);
	track_wait_begin(w, site);
	err = park_until(mode, deadline);
	track_wait_end();
	return err;
}

int wait_sleep(struct wait_queue *q, enum park_mode mode, u64 deadline, unsigned int kind, u32 arg)
{
	struct track_wait w = {.object = q, .class = q->class, .kind = kind, .arg = arg};

	return sleep_at(&w, mode, deadline, RET_IP);
}

void completion_init(struct completion *c, struct track_class *cls)
{
	waitq_init(&c->queue, cls);
	c->done = 0;
	c->ender = 0;
}

void completion_fini(struct completion *c)
{
	fini_at(&c->queue, RET_IP);
}

void completion_ended_by(struct completion *c, const struct thread *t)
{
	c->ender = t->slot + 1;
}

#define DONE_FOR_ALL 0x80000000u

static void finish(struct completion *c, u32 add, unsigned int wakes)
{
	irqflags_t f = spin_lock_irqsave(&c->queue.lock);

	/* A waiter looks without the lock whether to sleep. */
	atomic_store(&c->done, add == DONE_FOR_ALL ? DONE_FOR_ALL : c->done + add);
	wake_up_locked(&c->queue, wakes);
	spin_unlock_irqrestore(&c->queue.lock, f);
}

void complete(struct completion *c)
{
	finish(c, 1, 1);
}

void complete_all(struct completion *c)
{
	finish(c, DONE_FOR_ALL, ~0u);
}

static bool take_done(struct completion *c)
{
	irqflags_t f = spin_lock_irqsave(&c->queue.lock);
	bool done = c->done != 0;

	if (done && !(c->done & DONE_FOR_ALL))
		atomic_store(&c->done, c->done - 1);
	spin_unlock_irqrestore(&c->queue.lock, f);
	return done;
}

static void wait_at(struct completion *c, unsigned int kind, unsigned long site)
{
	struct track_wait what = {
		.object = c, .class = c->queue.class, .kind = kind, .owner = c->ender};
	struct waiter w = {.exclusive = true};

	while (!take_done(c)) {
		wait_prepare(&c->queue, &w, PARK_KERNEL);
		if (!atomic_load(&c->done))
			sleep_at(&what, PARK_KERNEL, PARK_FOREVER, site);
		wait_finish(&c->queue, &w);
	}
}

void wait_for_completion(struct completion *c)
{
	wait_at(c, BB_WAIT_COMPLETION, RET_IP);
}

void wait_for_completion_kind(struct completion *c, unsigned int kind)
{
	wait_at(c, kind, RET_IP);
}
