/* waits.c - who waits for what, and the statistics of locks that were waited for.
 *
 * Who writes what. A task's wait record: only that task. A CPU's: only code on that CPU with
 * interrupts off or in an interrupt. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

#define LOCK_PROBES 16

/* ---- lock instances ------------------------------------------------------------------------ */

static struct bb_lock *probe(uint64_t lock, unsigned i)
{
	uint64_t hash = (lock >> 3) * 0x9e3779b97f4a7c15ull >> 32;

	return &track_tables.locks[(hash + i) & (track_tables.nlocks - 1)];
}

const struct bb_lock *row_find(uint64_t lock)
{
	for (unsigned i = 0; track_tables.nlocks && i < LOCK_PROBES; i++) {
		const struct bb_lock *s = probe(lock, i);
		uint64_t seen = __atomic_load_n(&s->lock, __ATOMIC_ACQUIRE);

		if (seen == lock && !GET(s->dead))
			return s;
		if (!seen)
			break;
	}
	return (struct bb_lock *)0;
}

struct bb_lock *row_claim(uint64_t lock, int fresh)
{
	for (unsigned i = 0; track_tables.nlocks && i < LOCK_PROBES; i++) {
		struct bb_lock *s = probe(lock, i);
		uint64_t seen = GET(s->lock);

		if ((!seen || seen == BB_LOCK_GONE) &&
		    __atomic_compare_exchange_n(&s->lock, &seen, lock, 0, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED))
			return s;
		if (seen == lock && !fresh && !GET(s->dead))
			return s;
	}
	return (struct bb_lock *)0;
}

void row_drop(struct bb_lock *s, uint64_t lock)
{
	PUT(s->owner, 0);
	PUT(s->waits, 0);
	PUT(s->release_site, 0);
	PUT(s->release_ticks, 0);
	PUT(s->history_next, 0);
	for (unsigned i = 0; i < BB_LOCK_HISTORY; i++) {
		PUT(s->history[i].owner, 0);
		PUT(s->history[i].ticks, 0);
		PUT(s->history[i].held, 0);
		PUT(s->history[i].site, 0);
	}
	__atomic_compare_exchange_n(&s->lock, &lock, BB_LOCK_GONE, 0, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
}

/* The row that the lock points to is its row. Two CPUs that make one at a time may each find
 * another free one: the second to say so gives its own back. */
static struct bb_lock *stats_of(struct track_lock *l)
{
	struct bb_lock *s = row_of(l), *seen = (struct bb_lock *)0;

	if (s || GET(l->magic) != TRACK_LIVE)
		return s;
	s = row_claim((uintptr_t)l, 0);
	if (!s)
		return s;
	PUT(s->class, class_index(l));
	if (__atomic_compare_exchange_n(&l->stats, &seen, s, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return s;
	if (seen != s)
		row_drop(s, (uintptr_t)l);
	return seen;
}

/* The owner in the table is what walk.c asks. Who takes the lock from now on changes the word, then
 * this, and so does who grants it; one who waits must not undo it: it looks again until the word is
 * what it has stored. */
static void note_owner(const struct track_lock *l, struct bb_lock *s)
{
	uint32_t owner, now = track_owner_of(GET(l->owner));

	do {
		owner = now;
		__atomic_store_n(&s->owner, owner, __ATOMIC_SEQ_CST);
		now = track_owner_of(__atomic_load_n(&l->owner, __ATOMIC_SEQ_CST));
	} while (now != owner);
}

static struct bb_lock *stats_wait(struct track_lock *l)
{
	struct bb_lock *s = stats_of(l);
	uint32_t c = class_index(l);

	if (GET(l->magic) != TRACK_LIVE) /* its memory may be another's */
		return (struct bb_lock *)0;
	/* In this order: see open_short_way(). */
	__atomic_store_n(&l->calm, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&l->tag, 0, __ATOMIC_SEQ_CST);
	if (s) {
		__atomic_fetch_add(&s->waits, 1, __ATOMIC_RELAXED);
		note_owner(l, s);
	}
	if (c)
		__atomic_fetch_add(&trace_box.classes[c].contended, 1, __ATOMIC_RELAXED);
	return s;
}

void stats_release(struct track_lock *l, const struct bb_held *e, uint32_t self, uint64_t site,
		   uint64_t now)
{
	struct bb_lock *s = row_of(l);
	uint32_t i;

	if (__builtin_expect(!s, 1))
		return;
	/* Readers of an rwlock release side by side: each has a slot of its own. */
	i = __atomic_fetch_add(&s->history_next, 1, __ATOMIC_RELAXED) % BB_LOCK_HISTORY;

	PUT(s->history[i].owner, self);
	PUT(s->history[i].site, e->site);
	PUT(s->history[i].ticks, e->ticks);
	PUT(s->history[i].held, now - e->ticks);
	PUT(s->owner, 0);
	PUT(s->release_site, site);
	PUT(s->release_ticks, now);
	trace(lock_freed, (uintptr_t)l, class_index(l), site, now - e->ticks);
}

/* ---- waits --------------------------------------------------------------------------------- */

static void wait_write(uint32_t *seq, struct bb_wait *w, const struct bb_wait *v)
{
	uint32_t old = write_begin(seq);

	PUT(w->object, v->object);
	PUT(w->site, v->site);
	PUT(w->ticks, v->ticks);
	PUT(w->event, v->event);
	PUT(w->kind, v->kind);
	PUT(w->class, v->class);
	PUT(w->owner, v->owner);
	PUT(w->arg, v->arg);
	write_end(seq, old);
}

static void spin_record(struct track_lock *l, uint32_t kind, uint64_t site)
{
	struct bb_cpu *c = port_cpu();

	if (c) {
		struct bb_wait w = {.object = (uintptr_t)l,
				    .site = site,
				    .ticks = port_ticks(),
				    .event = trace_position(),
				    .kind = kind,
				    .class = class_index(l),
				    .owner = track_owner_of(GET(l->owner)),
				    .arg = track_self()};

		wait_write(&c->wait_seq, &c->wait, &w);
	}
}

void track_spin_begin(struct track_lock *l, uint32_t kind, uint64_t site)
{
	uint32_t owner = track_owner_of(GET(l->owner));

	struct bb_cpu *c = port_cpu();

	check_live(l, site);
	/* An interrupt on top of a spinner leaves its record alone; track_spin_still() writes ours
	 * should we spin for long. */
	if (!c || !(track_self() & BB_OWNER_CPU) || GET(c->wait.kind) == BB_WAIT_NONE)
		spin_record(l, kind, site);
	stats_wait(l);
	trace(lock_wait, (uintptr_t)l, class_index(l), owner_tid(owner), site);
	/* Only what needs no second look: the rest waits for the threshold. */
	if (owner && owner == track_self())
		check_wait(l, site);
}

void track_spin_still(struct track_lock *l, uint64_t site)
{
	struct bb_cpu *c = port_cpu();
	struct bb_lock *s = row_of(l);

	/* An interrupt that spun on top of us has left the CPU's record empty; what we are on top
	 * of has left its own. */
	if (c && (c->wait.object != (uintptr_t)l || c->wait.arg != track_self()))
		spin_record(l, BB_WAIT_SPIN, site);
	if (s)
		note_owner(l, s);
	check_wait(l, site);
}

void track_spin_end(struct track_lock *l)
{
	static const struct bb_wait none;
	struct bb_cpu *c = port_cpu();

	if (c && GET(c->wait.object) == (uintptr_t)l)
		wait_write(&c->wait_seq, &c->wait, &none);
	trace(lock_waited, (uintptr_t)l, class_index(l));
}

static struct bb_end *end_of(struct bb_task *t, uint64_t object)
{
	for (uint32_t i = 0; i < BB_MAX_ENDS; i++)
		if (t->ends[i].object == object)
			return &t->ends[i];
	return (struct bb_end *)0;
}

void track_end_opened(struct bb_task *t, const void *object)
{
	struct bb_end *e = end_of(t, (uintptr_t)object), *unused = e ? e : end_of(t, 0);

	if (!unused) {
		PUT(t->ends_lost, t->ends_lost + 1);
		return;
	}
	PUT(unused->count, e ? e->count + 1 : 1);
	__atomic_store_n(&unused->object, (uintptr_t)object, __ATOMIC_RELEASE);
}

void track_end_closed(struct bb_task *t, const void *object)
{
	struct bb_end *e = end_of(t, (uintptr_t)object);

	if (!e)
		PUT(t->ends_lost, t->ends_lost - !!t->ends_lost);
	else if (e->count > 1)
		PUT(e->count, e->count - 1);
	else
		PUT(e->object, 0);
}

static void block_write(const struct bb_wait *w)
{
	struct bb_task *t = port_task();

	if (!t)
		return;
	if (__builtin_expect(t->nheld != 0, 0))
		note_gone(t, __builtin_frame_address(0));
	wait_write(&t->wait_seq, &t->wait, w);
}

void track_wait_begin(const struct track_wait *w, uint64_t site)
{
	struct bb_wait v = {.object = (uintptr_t)w->object,
			    .site = site,
			    .ticks = port_ticks(),
			    .event = trace_position(),
			    .kind = w->kind,
			    .class = w->class ? w->class->index : 0,
			    .owner = w->owner,
			    .arg = w->arg};

	block_write(&v);
	trace(wait_begin, w->kind, (uintptr_t)w->object, site);
}

void track_wait_end(void)
{
	static const struct bb_wait none;
	struct bb_task *t = port_task();

	if (!t)
		return;
	trace(wait_end, t->wait.kind, t->wait.object);
	wait_write(&t->wait_seq, &t->wait, &none);
}

void track_wait_needs(uint32_t owner, uint32_t arg)
{
	struct bb_task *t = port_task();
	uint32_t old;

	if (!t)
		return;
	old = write_begin(&t->wait_seq);
	PUT(t->wait.owner, owner);
	PUT(t->wait.arg, arg);
	write_end(&t->wait_seq, old);
}

void track_block_begin(struct track_lock *l, uint32_t kind, uint64_t site)
{
	uint32_t owner = track_owner_of(GET(l->owner));
	struct bb_lock *s = stats_wait(l);
	struct bb_wait w = {.object = (uintptr_t)l,
			    .site = site,
			    .ticks = port_ticks(),
			    .event = trace_position(),
			    .kind = kind,
			    .class = class_index(l),
			    .owner = owner,
			    .arg = s ? GET(s->history_next) : 0};

	block_write(&w);
	trace(lock_wait, (uintptr_t)l, class_index(l), owner_tid(owner), site);
	check_wait(l, site);
}

void track_block_end(struct track_lock *l)
{
	static const struct bb_wait none;
	struct bb_task *t = port_task();

	if (t)
		wait_write(&t->wait_seq, &t->wait, &none);
	trace(lock_waited, (uintptr_t)l, class_index(l));
}
