/* poll.c - poll tables.
 *
 * Theory. An entry stays on its queue from poll_wait() to poll_finish(); a wake-up marks the table
 * and unparks the thread, under the queue's lock. The sleeper clears the mark before it looks at
 * its files and sleeps only if it finds the mark still clear after park_prepare(): whatever changed
 * after the look has marked the table, and whatever changed before is seen by the look, because the
 * entry was queued first. poll_finish() takes each entry out under its queue's lock, so no waker is
 * at it afterwards. Lock order: queue lock, then run queue lock. */
#include <lib/bug.h>
#include <lib/percpu.h>
#include <sync/poll.h>

void poll_init(struct poll_table *t, struct poll_entry *entries, unsigned int max)
{
	*t = (struct poll_table){.thread = arch_current(), .entries = entries, .max = max};
}

static void poll_wake(struct waiter *w)
{
	struct poll_table *t = container_of(w, struct poll_entry, waiter)->table;

	atomic_store_release(&t->woken, true);
	unpark(t->thread);
}

void poll_wait(struct poll_table *t, struct wait_queue *q)
{
	struct poll_entry *e;

	if (!t)
		return;
	BUG_ON(t->used == t->max);
	e = &t->entries[t->used++];
	*e = (struct poll_entry){
		.waiter = {.thread = t->thread, .wake = poll_wake}, .queue = q, .table = t};
	waitq_add(q, &e->waiter);
}

int poll_sleep(struct poll_table *t, enum park_mode mode, u64 deadline)
{
	struct wait_queue *first = t->used ? t->entries[0].queue : NULL;
	struct track_wait w = {.object = first ? (const void *)first : t,
			       .class = first ? first->class : NULL,
			       .kind = BB_WAIT_POLL,
			       .arg = t->used | (deadline == PARK_FOREVER ? BB_POLL_FOREVER : 0)};
	int err = 0;

	track_might_sleep(RET_IP);
	park_prepare(mode);
	if (atomic_load_acquire(&t->woken)) {
		park_cancel();
	} else {
		track_wait_begin(&w, RET_IP);
		err = park_until(mode, deadline);
		track_wait_end();
	}
	atomic_xchg(&t->woken, false); /* before the look that follows */
	smp_mb();
	return err;
}

void poll_finish(struct poll_table *t)
{
	while (t->used) {
		struct poll_entry *e = &t->entries[--t->used];

		waitq_remove(e->queue, &e->waiter);
	}
}
