/* waits.c - who waits for what, and the statistics of locks that were waited for.
 *
 * Who writes what. A task's wait record: only that task. A CPU's: only code on that CPU with
 * interrupts off or in an interrupt. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

#define LOCK_PROBES 16

/* ---- lock instances ------------------------------------------------------------------------ */

static struct bb_lock *stats_of(struct track_lock *l)
{
	uint64_t addr = (uintptr_t)l;
	uint64_t hash = (addr >> 3) * 0x9e3779b97f4a7c15ull >> 32;
	struct bb_lock *s = __atomic_load_n(&l->stats, __ATOMIC_RELAXED);

	if (s || !track_tables.nlocks)
		return s;
	for (unsigned i = 0; i < LOCK_PROBES; i++) {
		uint64_t seen = 0;

		s = &track_tables.locks[(hash + i) & (track_tables.nlocks - 1)];
		if (__atomic_compare_exchange_n(&s->lock, &seen, addr, 0, __ATOMIC_RELAXED,
						__ATOMIC_RELAXED) ||
		    seen == addr) {
			PUT(s->class, class_index(l));
			PUT(s->owner, track_owner_of(GET(l->owner)));
			__atomic_store_n(&l->stats, s, __ATOMIC_SEQ_CST);
			return s;
		}
	}
	return (struct bb_lock *)0;
}

static struct bb_lock *stats_wait(struct track_lock *l)
{
	struct bb_lock *s = stats_of(l);
	uint32_t c = class_index(l);

	/* In this order: see open_short_way(). */
	__atomic_store_n(&l->calm, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&l->tag, 0, __ATOMIC_SEQ_CST);
	if (s)
		__atomic_fetch_add(&s->waits, 1, __ATOMIC_RELAXED);
	if (c)
		__atomic_fetch_add(&trace_box.classes[c].contended, 1, __ATOMIC_RELAXED);
	return s;
}

void stats_release(struct track_lock *l, const struct bb_held *e, uint32_t self, uint64_t site,
		   uint64_t now)
{
	struct bb_lock *s = __atomic_load_n(&l->stats, __ATOMIC_ACQUIRE);
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

	/* An interrupt that spun on top of us has left the CPU's record empty; what we are on top
	 * of has left its own. */
	if (c && (c->wait.object != (uintptr_t)l || c->wait.arg != track_self()))
		spin_record(l, BB_WAIT_SPIN, site);
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

void track_block_begin(struct track_lock *l, const void *object, uint32_t kind, uint32_t arg,
		       uint64_t site)
{
	struct bb_task *t = port_task();
	uint32_t owner = l ? track_owner_of(GET(l->owner)) : 0;
	struct bb_lock *s = l ? stats_wait(l) : (struct bb_lock *)0;

	if (t) {
		struct bb_wait w = {.object = (uintptr_t)(l ? l : object),
				    .site = site,
				    .ticks = port_ticks(),
				    .event = trace_position(),
				    .kind = kind,
				    .class = class_index(l),
				    .owner = owner,
				    .arg = s ? GET(s->history_next) : arg};

		if (__builtin_expect(t->nheld != 0, 0))
			note_gone(t, __builtin_frame_address(0));
		wait_write(&t->wait_seq, &t->wait, &w);
	}
	if (!l) {
		trace(wait_begin, kind, (uintptr_t)object, site);
		return;
	}
	trace(lock_wait, (uintptr_t)l, class_index(l), owner_tid(owner), site);
	check_wait(l, site);
}

void track_block_end(struct track_lock *l, const void *object)
{
	static const struct bb_wait none;
	struct bb_task *t = port_task();
	uint32_t kind = t ? t->wait.kind : 0;

	if (t)
		wait_write(&t->wait_seq, &t->wait, &none);
	if (l)
		trace(lock_waited, (uintptr_t)l, class_index(l));
	else
		trace(wait_end, kind, (uintptr_t)object);
}
