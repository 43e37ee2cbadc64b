/* mutex.c - mutex and read-write lock: the short way. mutex_slow.c has the queue.
 *
 * Theory. The owner word is the lock: 0 free; the number of the task that holds it; for a rwlock
 * also TRACK_SHARED | number of readers. TRACK_WAITERS beside it says that somebody queues. Without
 * that bit the word is changed by compare-and-swap alone, from 0 and back to 0; with it only under
 * the queue's guard. A lock with waiters is never free: the word 0 means that nobody queues.
 *
 * A release hands over. While somebody queues, the releaser makes the longest waiter the owner and
 * wakes it; nobody who comes by in between can take the lock. Illumos lets in whoever comes,
 * because handing over has a price: the lock is taken while its new owner is only on its way to a
 * CPU, so under load each section costs a switch (a convoy). We pay it, for two reasons. Waits are
 * bounded: who queues gets the lock after those in front of it, so a task that waits while the lock
 * changes hands is not in that queue by this code's doing, which is what the verdict `starved`
 * says. And the word always names somebody: with a free lock and a woken waiter there is a time in
 * which a hang has no owner to blame. The price is kept small where it is avoidable: who comes
 * while the owner runs on another CPU, and nobody queues yet, looks at the word for a while before
 * it queues.
 *
 * The record of holding is pushed after the word is taken and off before it is given back. Between
 * grant and wake-up the owner word names the new owner, its held stack does not yet.
 *
 * Frameless leaves, like spinlock.c. */
#include "fast.h"

/* May this context sleep? And is the lock's short way open? */
static __always_inline bool short_way(struct thread *t, u64 tag)
{
	return !TRACING || likely(tag && *preempt_count_of(t) == 0 && !arch_irqs_disabled());
}

void mutex_lock(struct mutex *m) NO_TSA
{
	struct thread *t = arch_current();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(m);

	if (unlikely(!short_way(t, tag) || !arch_take_word(&m->track.owner, self)))
		mutex_enter(m, arch_leaf_return());
	else if (unlikely(!push_framed(t, &m->track, tag, max)))
		mutex_note(m, arch_leaf_return());
}

int mutex_lock_killable(struct mutex *m) NO_TSA
{
	struct thread *t = arch_current();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(m);

	if (unlikely(!short_way(t, tag) || !arch_take_word(&m->track.owner, self)))
		return mutex_enter_killable(m, arch_leaf_return());
	if (unlikely(!push_framed(t, &m->track, tag, max)))
		return mutex_note_killable(m, arch_leaf_return());
	return 0;
}

bool mutex_trylock(struct mutex *m) NO_TSA
{
	struct thread *t = arch_current();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(m);

	if (!arch_take_word(&m->track.owner, self))
		return false;
	if (unlikely(!tag || !push_framed(t, &m->track, tag, max)))
		return mutex_note_tried(m, arch_leaf_return());
	return true;
}

void mutex_unlock(struct mutex *m) NO_TSA
{
	struct thread *t = arch_current();

	if (unlikely(!POP_FRAMED(t, m)))
		mutex_leave(m, arch_leaf_return());
	else if (unlikely(!word_give(&m->track.owner, t->hold.owner, 0)))
		mutex_pass_on(m);
}

#define ONE_READER (TRACK_SHARED | 1)

/* Readers come in while readers are inside and nobody queues. */
static __always_inline bool reader_in(u32 *word)
{
	u32 w;

	if (likely(arch_take_word(word, ONE_READER)))
		return true;
	w = atomic_load(word);
	while (!w || (w & (TRACK_SHARED | TRACK_WAITERS)) == TRACK_SHARED)
		if (__atomic_compare_exchange_n(word, &w, w ? w + 1 : ONE_READER, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static __always_inline bool reader_out(u32 *word)
{
	u32 w;

	if (likely(word_give(word, ONE_READER, 0)))
		return true;
	w = atomic_load(word);
	while ((w & (TRACK_SHARED | TRACK_WAITERS)) == TRACK_SHARED)
		if (__atomic_compare_exchange_n(word, &w, w == ONE_READER ? 0 : w - 1, false,
						__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	return false;
}

void rw_read_lock(struct rwlock *l) NO_TSA
{
	struct thread *t = arch_current();
	u32 max = MAX_HELD(t);
	u64 tag = TAG(l);

	if (unlikely(!short_way(t, tag) || !reader_in(&l->track.owner)))
		rw_read_enter(l, arch_leaf_return());
	else if (unlikely(!push_framed(t, &l->track, HELD_TAG((u32)tag, BB_HOLD_SHARED), max)))
		rw_read_note(l, arch_leaf_return());
}

void rw_read_unlock(struct rwlock *l) NO_TSA
{
	struct thread *t = arch_current();

	if (unlikely(!POP_FRAMED(t, l)))
		rw_read_leave(l, arch_leaf_return());
	else if (unlikely(!reader_out(&l->track.owner)))
		rw_pass_on(l);
}

void rw_write_lock(struct rwlock *l) NO_TSA
{
	struct thread *t = arch_current();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(l);

	if (unlikely(!short_way(t, tag) || !arch_take_word(&l->track.owner, self)))
		rw_write_enter(l, arch_leaf_return());
	else if (unlikely(!push_framed(t, &l->track, tag, max)))
		rw_write_note(l, arch_leaf_return());
}

void rw_write_unlock(struct rwlock *l) NO_TSA
{
	struct thread *t = arch_current();

	if (unlikely(!POP_FRAMED(t, l)))
		rw_write_leave(l, arch_leaf_return());
	else if (unlikely(!word_give(&l->track.owner, t->hold.owner, 0)))
		rw_pass_on(l);
}
