/* sync/poll.h - one thread waits on many queues at once: what poll and select sleep on.
 *
 *	poll_init(&t, entries, n);
 *	register on each queue (poll_wait) before looking at what it stands for;
 *	while (nothing is ready && !err) {
 *		err = poll_sleep(&t, mode, deadline);
 *		look again (with no table: the entries stay);
 *	}
 *	poll_finish(&t);
 *
 * Thread context. What a queue lies in must live until poll_finish(). */
#ifndef SYNC_POLL_H
#define SYNC_POLL_H

#include <sync/wait.h>

struct poll_entry {
	struct waiter waiter;
	struct wait_queue *queue;
	struct poll_table *table;
};
struct poll_table {
	struct thread *thread;
	bool woken; /* atomic: a queue was woken since the last look */
	unsigned int used, max;
	struct poll_entry *entries;
};
void poll_init(struct poll_table *t, struct poll_entry *entries, unsigned int max);
/* For the operations that are polled: be woken with this queue. Without a table nobody sleeps. */
void poll_wait(struct poll_table *t, struct wait_queue *q);
/* Sleeps unless a queue was woken since the last call, or since it was registered. As park_until().
 * The record says BB_WAIT_POLL, the first queue, how many there are and whether time can end it. */
int poll_sleep(struct poll_table *t, enum park_mode mode, u64 deadline);
void poll_finish(struct poll_table *t);

#endif
