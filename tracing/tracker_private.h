/* tracker_private.h - what the parts of the tracker share: held.c, waits.c, frames.c, walk.c,
 * lives.c, report.c. Nobody else includes it. */
#ifndef TRACING_TRACKER_PRIVATE_H
#define TRACING_TRACKER_PRIVATE_H

#include <tracing/ring.h>
#include <tracing/tracker.h>

/* Fields that others read while they are written, and the other way round. */
#define PUT(field, v) __atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define GET(field)    __atomic_load_n(&(field), __ATOMIC_RELAXED)

/* A sequence word is odd while its group is being written. A CPU's wait record may be interrupted
 * by a writer of the same record (an interrupt that spins): the inner one finds it odd and leaves
 * it odd, for the outer to end. */
static inline uint32_t write_begin(uint32_t *seq)
{
	uint32_t old = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, (old + 1) | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return old;
}
static inline void write_end(uint32_t *seq, uint32_t old)
{
	uint32_t now = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, old & 1 ? now : now + 1, __ATOMIC_RELEASE);
}

static inline int checks_on(void)
{
	return GET(trace_box.control.checks_on) != 0;
}
/* Also of what may be no lock any more: a freed object is overwritten from its start, so where
 * `magic` is still good, what was read of `class` before is good, too. */
static inline uint32_t class_index(const struct track_lock *l)
{
	const struct track_class *c =
		l ? __atomic_load_n(&l->class, __ATOMIC_ACQUIRE) : (struct track_class *)0;
	uint32_t magic = c ? GET(l->magic) : 0;

	return magic == TRACK_LIVE || magic == TRACK_DEAD ? c->index : 0;
}
/* The lock's row in the table of locks; NULL, too, if it is no lock any more. */
static inline struct bb_lock *row_of(const struct track_lock *l)
{
	struct bb_lock *s = __atomic_load_n(&l->stats, __ATOMIC_ACQUIRE);

	return s && GET(l->magic) == TRACK_LIVE ? s : (struct bb_lock *)0;
}
static inline struct bb_task *owner_task(uint32_t owner)
{
	if (!owner || owner & BB_OWNER_CPU || owner > track_tables.ntasks)
		return (struct bb_task *)0;
	return &track_tables.tasks[owner - 1];
}
static inline uint32_t owner_tid(uint32_t owner)
{
	struct bb_task *t = owner_task(owner);

	return t ? GET(t->tid) : 0;
}

static inline void put_held(struct bb_held *d, const struct bb_held *s)
{
	PUT(d->lock, s->lock);
	PUT(d->site, s->site);
	PUT(d->sp, s->sp);
	PUT(d->ticks, s->ticks);
	PUT(d->event, s->event);
	PUT(*held_tag_word(d), HELD_TAG(s->class, s->mode) | (uint64_t)s->frame << HELD_TAG_FRAME);
	PUT(*held_epoch_word(d), (uint64_t)s->caller << 32 | s->epoch);
}

/* A finding: verdict, check, class, lock, site, site2 and task of `what`. `same`: what makes it the
 * same as another one of that check, apart from the class; 0: its site. Returns 1 if it is new. */
int report(const struct bb_report *what, uint64_t same);
/* held.c: about a lock that the running context holds. */
void report_held(uint32_t verdict, uint32_t check, const struct bb_held *h, uint64_t site2);
static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * 0x9e3779b97f4a7c15ull;
	return x ^ x >> 29;
}

/* lives.c: reports a lock that was never initialised, or is no more. */
void check_live(const struct track_lock *l, uint64_t site);

/* frames.c; own: __builtin_frame_address(0) of the lock function, or of one that it calls. */
void note_frame(struct bb_held *e, const uint64_t *own);
void note_gone(struct bb_task *t, const uint64_t *own);
void note_return(const struct bb_held *e, const uint64_t *own, uint64_t site);

/* waits.c: a living lock's row, by its address; a row for it, `fresh` if it is no living lock's. */
const struct bb_lock *row_find(uint64_t lock);
struct bb_lock *row_claim(uint64_t lock, int fresh);
/* The row goes, if it is (still) this lock's. */
void row_drop(struct bb_lock *s, uint64_t lock);

/* waits.c: one more hold in the history of a lock that was ever waited for. */
void stats_release(struct track_lock *l, const struct bb_held *e, uint32_t self, uint64_t site,
		   uint64_t now);

/* walk.c: the running context is about to wait for l: reports if that can never end. */
void check_wait(const struct track_lock *l, uint64_t site);

#endif
