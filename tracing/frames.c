/* frames.c - which function took a lock, and has it returned? Only a running task's own stack is
 * walked, by that task, so nothing moves meanwhile. */
#include "tracker_private.h"

/* A frame record: the caller's record, and the address at which the function goes on when it
 * returns. Two activations of functions have the same place only if the first has returned; then
 * they also return to the same address only if the same call was made again. */
#define FRAME_REACH 0x10000u /* no frame is larger */

static const uint64_t *frame_above(const uint64_t *fp)
{
	uint64_t up = fp[0] - (uintptr_t)fp;

	return up && up < FRAME_REACH && up % 8 == 0 ? (const uint64_t *)(uintptr_t)fp[0]
						     : (const uint64_t *)0;
}

/* The frame of the function that called the lock function. The lock function is our caller, or has
 * become one with it; `site` is where it returns to. `own` is our own frame. */
static const uint64_t *frame_of_caller(const uint64_t *own, uint64_t site)
{
	if (own[1] != site)
		own = frame_above(own);
	return own && own[1] == site ? frame_above(own) : (const uint64_t *)0;
}

void note_frame(struct bb_held *e, const uint64_t *own)
{
	const uint64_t *f = frame_of_caller(own, e->site);
	uint64_t up = f ? (uintptr_t)f - e->sp : 0;

	if (!f || up % 8 || up / 8 > 0xffff)
		return;
	e->frame = (uint16_t)(up / 8);
	e->caller = (uint32_t)f[1];
}

/* Before a task waits: which of its locks did functions take that have returned since? */
void note_gone(struct bb_task *t, const uint64_t *own)
{
	for (uint32_t i = 0; i < t->nheld; i++) {
		struct bb_held *h = &t->held[i];
		const uint64_t *want = (const uint64_t *)(uintptr_t)(h->sp + h->frame * 8ull);
		const uint64_t *f = h->frame ? own : (const uint64_t *)0;
		uint32_t mode = h->mode & ~(uint32_t)BB_HOLD_RETURNED;

		while (f && f < want)
			f = frame_above(f);
		if (f && (f != want || (uint32_t)f[1] != h->caller))
			mode |= BB_HOLD_RETURNED;
		if (mode != h->mode) {
			uint32_t seq = write_begin(&t->held_seq);

			PUT(h->mode, (uint16_t)mode);
			write_end(&t->held_seq, seq);
		}
	}
}

/* Counts, for its class, a lock whose acquiring function had returned before the release: where
 * that happens rightly, a returned function says nothing. */
void note_return(const struct bb_held *e, const uint64_t *own, uint64_t site)
{
	const uint64_t *f = frame_of_caller(own, site);
	const uint64_t *want = (const uint64_t *)(uintptr_t)(e->sp + e->frame * 8ull);

	while (f && f < want)
		f = frame_above(f);
	if (e->class && (f != want || (uint32_t)f[1] != e->caller))
		__atomic_fetch_add(&trace_box.classes[e->class].returned, 1, __ATOMIC_RELAXED);
}
