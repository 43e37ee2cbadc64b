/* lives.c - the end of a lock, and what is no lock (any more).
 *
 * Theory. A lock dies when its destructor says so (track_lock_fini). By then nobody may hold it or
 * wait for it, and the lock itself says whether somebody does: its word, its waiters' bit, and the
 * caller, who knows the queue. So the death of a lock that was well costs a few loads; the tables
 * are searched for names only after that. Of a lock that dies in use a row of the table stays, as
 * an obituary: `dead`, where and when it was freed, who had it. It is found by address and time: an
 * entry or a wait that is older than the obituary is of the dead lock, a younger one of a lock that
 * has the memory now. Obituaries are few (OBITUARIES), for a row that never goes is lost to others.
 *
 * A use afterwards finds the magic number of the dead, or what the allocator wipes freed memory
 * with. That needs the long way, which a dead lock's tag, being 0, leads to. Where wiped memory has
 * no such tag, the short way fails on the lock's word, which is not 0 then.
 *
 * The death of a lock races with nobody who is right. What the search for names sees of others'
 * tables is as racy as in walk.c, and only names are at stake. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

#define OBITUARIES 16u

void check_live(const struct track_lock *l, uint64_t site)
{
	uint32_t magic = GET(l->magic);

	if (__builtin_expect(magic == TRACK_LIVE, 1) || !checks_on())
		return;
	if (magic == TRACK_DEAD)
		track_report(BB_V_CORRUPT_LOCK, BB_CHK_DEAD, l, site, GET(l->release_site),
			     track_self());
	else
		track_report(BB_V_CORRUPT_LOCK, magic == TRACK_WIPED ? BB_CHK_DEAD : BB_CHK_UNINIT,
			     l, site, 0, track_self());
}

int track_lock_alive(const struct track_lock *l, uint64_t site)
{
	check_live(l, site);
	return GET(l->magic) == TRACK_LIVE;
}

/* ---- who uses it ---------------------------------------------------------------------------- */

/* What stays of a lock that dies in use. */
struct death {
	struct bb_report what; /* site and task: whoever is named */
	uint32_t owner;        /* word, 0 nobody alone */
};

static int entry_in(const struct track_stack *s, uint32_t max, uint64_t lock, struct bb_held *e)
{
	uint32_t n = (uint32_t)(__atomic_load_n(&s->word, __ATOMIC_ACQUIRE) >> 32);

	for (n = n < max ? n : max; n > 0; n--)
		if (GET(s->held[n - 1].lock) == lock) {
			*e = s->held[n - 1];
			return 1;
		}
	return 0;
}

static int found_holder(struct death *d, uint32_t owner, const struct bb_held *e)
{
	d->what.check = BB_CHK_FREED;
	d->what.task = owner;
	d->what.site = e->site;
	return 1;
}

/* By the word; if that only counts readers, whoever has an entry. */
static int find_holder(struct death *d)
{
	uint32_t cpu = d->owner & ~BB_OWNER_CPU;
	struct bb_held e;

	if (d->owner & BB_OWNER_CPU)
		return cpu < track_tables.ncpus &&
		       entry_in(track_cpu_stack(&track_tables.cpus[cpu]), BB_MAX_IRQ_HELD,
				d->what.lock, &e) &&
		       found_holder(d, d->owner, &e);
	for (uint32_t i = 0; i < track_tables.ntasks; i++)
		if ((!d->owner || d->owner == i + 1) &&
		    entry_in(track_task_stack(&track_tables.tasks[i]), BB_MAX_HELD, d->what.lock,
			     &e))
			return found_holder(d, i + 1, &e);
	return 0;
}

static int found_waiter(struct death *d, uint32_t who, const struct bb_wait *w)
{
	d->what.check = BB_CHK_FREED_WAIT;
	d->what.task = who;
	d->what.site = GET(w->site);
	if (GET(w->class)) /* of a wait queue the lock's class says nothing */
		d->what.class = GET(w->class);
	return 1;
}

static int find_spinner(struct death *d)
{
	for (uint32_t i = 0; i < track_tables.ncpus; i++) {
		const struct bb_wait *w = &track_tables.cpus[i].wait;

		if (GET(w->object) == d->what.lock && GET(w->kind) == BB_WAIT_SPIN)
			return found_waiter(d, GET(w->arg), w);
	}
	return 0;
}

static int find_sleeper(struct death *d)
{
	for (uint32_t i = 0; i < track_tables.ntasks; i++) {
		const struct bb_wait *w = &track_tables.tasks[i].wait;

		if (GET(w->object) == d->what.lock && GET(w->kind) != BB_WAIT_NONE)
			return found_waiter(d, i + 1, w);
	}
	return 0;
}

/* ---- its death ------------------------------------------------------------------------------ */

static uint32_t obituaries(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < track_tables.nlocks; i++)
		n += GET(track_tables.locks[i].dead);
	return n;
}

static void bury(struct bb_lock *row, const struct death *d)
{
	if (obituaries() >= OBITUARIES) {
		if (row)
			row_drop(row, d->what.lock);
		return;
	}
	if (!row)
		row = row_claim(d->what.lock, 1);
	if (!row)
		return;
	PUT(row->class, d->what.class);
	PUT(row->owner, d->owner);
	PUT(row->release_site, d->what.site2);
	PUT(row->release_ticks, port_ticks());
	__atomic_store_n(&row->dead, 1, __ATOMIC_RELEASE);
}

static void died_in_use(struct bb_lock *row, struct death *d)
{
	bury(row, d);
	trace(lock_died, d->what.lock, d->what.class, owner_tid(d->what.task), d->what.site2);
	if (checks_on())
		report(&d->what, 0);
}

/* Does anybody use it? waited: somebody is known to. A lock whose short way is open has no spinner:
 * who begins to spin closes it. */
static int in_use(struct track_lock *l, int waited, struct death *d)
{
	uint32_t word = GET(l->owner);

	d->owner = track_owner_of(word);
	if (word & ~TRACK_WAITERS && find_holder(d))
		return 1;
	if ((waited || word) && find_sleeper(d))
		return 1;
	if (!GET(l->tag) && find_spinner(d))
		return 1;
	/* Somebody whose record has no room. */
	d->what.check = word & ~TRACK_WAITERS ? BB_CHK_FREED : BB_CHK_FREED_WAIT;
	d->what.task = d->owner;
	return word || waited;
}

void track_lock_fini(struct track_lock *l, int waited, uint64_t site)
{
	struct death d = {.what = {.verdict = BB_V_CORRUPT_LOCK,
				   .lock = (uintptr_t)l,
				   .class = class_index(l),
				   .site2 = site}};
	struct bb_lock *row = row_of(l);

	if (!track_lock_alive(l, site))
		return;
	PUT(l->stats, (struct bb_lock *)0);
	if (__builtin_expect((GET(l->owner) || waited || !GET(l->tag)) && in_use(l, waited, &d), 0))
		died_in_use(row, &d);
	else if (row)
		row_drop(row, (uintptr_t)l);
	PUT(l->tag, 0);
	PUT(l->release_site, site);
	__atomic_store_n(&l->magic, TRACK_DEAD, __ATOMIC_RELEASE);
}

void track_freed(const void *mem, uint64_t size, uint64_t site)
{
	const struct track_context *c = port_context();
	uint32_t n = c && c->limit && checks_on() ? (uint32_t)(GET(c->real->word) >> 32) : 0;

	for (const struct bb_held *h = n ? c->real->held : 0; n; n--, h++)
		if (h->lock - (uintptr_t)mem < size)
			report_held(BB_V_CORRUPT_LOCK, BB_CHK_FREED, h, site);
}
