/* fast.h - the short way of all locks: inline pieces of spinlock.c and mutex.c. */
#ifndef SYNC_FAST_H
#define SYNC_FAST_H

#include <lib/atomic.h>
#include <arch/context.h>
#include <arch/local.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <tracing/tracker.h>
#include "slow.h"

static __always_inline bool word_give(u32 *word, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
}

#if TRACING
#define MAX_HELD(t) ((t)->hold.max)
/* 0: the long way. */
#define TAG(l) HELD_GET((l)->track.tag)

/* Pushes the record, *at its time; false: go the long way. */
static __always_inline bool push(struct thread *t, struct track_lock *l, u64 tag, u64 epoch,
				 unsigned long sp, u32 max, u64 *at)
{
	struct track_stack *s = t->hold.stack;
	const struct bb_ring *r = t->ring;
	u64 word, now, site;
	u32 ordinal, cpu;
	struct bb_held *h;

	if (unlikely(!track_room(s, max, &word, &h)))
		return false;
	/* The last fetched when the others are stored, two neighbours at a time: with more values
	 * in hand x86 would have to save registers, in another order aarch64 would not store pairs.
	 */
	now = arch_ticks();
	site = arch_leaf_return();
	HELD_PUT(h->lock, (unsigned long)l);
	HELD_PUT(h->site, site);
	HELD_PUT(h->sp, sp);
	HELD_PUT(h->ticks, now);
	HELD_PUT(*held_tag_word(h), tag);
	HELD_PUT(*held_epoch_word(h), epoch);
	ordinal = (u32)HELD_GET(r->head);
	cpu = r->cpu;
	HELD_PUT(held_event_halves(h)[0], ordinal);
	HELD_PUT(held_event_halves(h)[1], cpu);
	arch_local_publish(&s->word, word, TRACK_PUSHED);
	*at = now;
	return true;
}

/* Takes the newest entry off, if it is the lock's and `may` of it holds. */
#define POP(t, l, may)                                                                             \
	({                                                                                         \
		struct track_stack *s_ = (t)->hold.stack;                                          \
		u32 n_ = *track_count(s_);                                                         \
		struct bb_held *h_ = track_newest(s_, n_);                                         \
		bool popped_ = likely(h_->lock == (unsigned long)(l)) && (may);                    \
		if (popped_) {                                                                     \
			HELD_PUT(*track_count(s_), n_ - 1);                                        \
			HELD_PUT((l)->release_site, arch_leaf_return());                           \
		}                                                                                  \
		popped_;                                                                           \
	})

/* Pushes the record with the frame of the entry's caller: fields `frame` and `caller`. */
static __always_inline bool push_framed(struct thread *t, struct track_lock *l, u64 tag, u32 max)
{
	const unsigned long *f = (const unsigned long *)arch_fp_register();
	unsigned long sp = arch_leaf_sp(), up = (unsigned long)f - sp;
	u64 epoch = t->bb->user_epoch, now;

	if (likely(up < 8ul << 16)) {
		tag |= (u64)(up / 8) << HELD_TAG_FRAME;
		epoch |= (u64)f[1] << 32;
	}
	return push(t, l, tag, epoch, sp, max, &now);
}

/* Is the function that took it the one that gives it back, in the same call? If not, the long way
 * finds out whether it has returned. */
static __always_inline bool same_frame(const struct bb_held *h)
{
	const unsigned long *f = (const unsigned long *)arch_fp_register();

	return h->sp + h->frame * 8ul == (unsigned long)f && (u32)f[1] == h->caller;
}

#define POP_FRAMED(t, l) POP(t, &(l)->track, TAG(l) && same_frame(h_))
#else
/* No records: a lock is its word. What only a record needs is not even computed. */
#define MAX_HELD(t) 0u
#define TAG(l)      1
#define push(t, l, tag, epoch, sp, max, at)                                                        \
	((void)(tag), (void)(epoch), (void)(max), *(at) = 0, true)
#define push_framed(t, l, tag, max) ((void)(tag), (void)(max), true)
#define POP(t, l, may)              ((void)(t), true)
#define POP_FRAMED(t, l)            ((void)(t), true)
#endif

#endif
