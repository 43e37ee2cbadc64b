/* walk.c - from a wait along holder -> wait -> holder: can it ever end?
 *
 * The walks read the tables racily; a conclusion is drawn only if two walks in a row see the same
 * holds and the same waits, each by its own time: see walk(). */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

#define MAX_HOPS 32

/* Each look is ordered before the next one. */
#define LOOK(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

enum hold { HOLD_NO, HOLD_YES, HOLD_LEFT, HOLD_UNSURE };

/* The newest entry of the lock: an older one is what remains of an unlock by somebody else. Of a
 * hold that found no room nothing is known. */
static int newest_of(const struct track_stack *s, uint64_t word, uint32_t max,
		     const struct track_lock *l, uint32_t mode, struct bb_held *e)
{
	uint32_t n = (uint32_t)(word >> 32), i;

	*e = (struct bb_held){0};
	for (i = n < max ? n : max; i > 0; i--) {
		const struct bb_held *h = &s->held[i - 1];

		if (LOOK(h->lock) != (uintptr_t)l || !(LOOK(h->mode) & mode))
			continue;
		e->site = LOOK(h->site);
		e->ticks = LOOK(h->ticks);
		e->epoch = LOOK(h->epoch);
		e->class = LOOK(h->class);
		return 1;
	}
	return 0;
}

/* Does the owner that the lock names have it, and can it still release it? An owner word alone
 * proves nothing: its writer may be just about to clear it, or dead, and the slot another task's.
 * What proves is the entry in a held list that did not change during the look. */
static enum hold task_holds(const struct bb_task *t, const struct track_lock *l, uint16_t mode,
			    struct bb_held *e)
{
	const struct track_stack *s = track_task_stack((struct bb_task *)(uintptr_t)t);
	uint64_t word = LOOK(s->word);
	int found = newest_of(s, word, BB_MAX_HELD, l, mode, e);
	uint32_t state, user_epoch, user;

	state = LOOK(t->state);
	user = LOOK(t->mode) == BB_MODE_USER;
	user_epoch = LOOK(t->user_epoch);
	if (word & 1 || LOOK(s->word) != word)
		return HOLD_UNSURE;
	/* A slot is wiped when its task is gone, the list too. */
	if (state == BB_ST_DEAD || state == BB_ST_ZOMBIE || state == BB_ST_NONE)
		return HOLD_LEFT;
	if (found)
		return user || e->epoch != user_epoch ? HOLD_LEFT : HOLD_YES;
	return LOOK(s->lost) ? HOLD_YES : HOLD_NO;
}

static enum hold cpu_holds(const struct bb_cpu *c, const struct track_lock *l, struct bb_held *e)
{
	const struct track_stack *s = track_cpu_stack((struct bb_cpu *)(uintptr_t)c);
	uint64_t word = LOOK(s->word);
	int found = newest_of(s, word, BB_MAX_IRQ_HELD, l, BB_HOLD_EXCL | BB_HOLD_SHARED, e);

	if (word & 1 || LOOK(s->word) != word)
		return HOLD_UNSURE;
	return found || LOOK(s->lost) ? HOLD_YES : HOLD_NO;
}

static struct bb_cpu *owner_cpu(uint32_t owner)
{
	uint32_t c = owner & ~BB_OWNER_CPU;

	return owner & BB_OWNER_CPU && c < track_tables.ncpus ? &track_tables.cpus[c]
							      : (struct bb_cpu *)0;
}

static enum hold owner_holds(uint32_t owner, const struct track_lock *l, struct bb_held *e)
{
	const struct bb_task *t = owner_task(owner);
	const struct bb_cpu *c = owner_cpu(owner);

	if (t)
		return task_holds(t, l, BB_HOLD_EXCL, e);
	return c ? cpu_holds(c, l, e) : HOLD_UNSURE;
}

static int lock_kind(uint32_t kind)
{
	return kind == BB_WAIT_SPIN || kind == BB_WAIT_MUTEX || kind == BB_WAIT_READ ||
	       kind == BB_WAIT_WRITE || kind == BB_WAIT_SEM;
}

struct finding {
	uint32_t verdict;
	uint32_t owner; /* whose */
	const struct track_lock *lock;
	uint64_t site;   /* where the owner took it, 0 unknown */
	int moving;      /* met a record that was being written */
	uint64_t digest; /* of every hold and every wait on the way, each with its time */
};

static void digest(struct finding *f, uint64_t fact)
{
	f->digest = (f->digest ^ fact) * 0x9e3779b97f4a7c15ull;
}

/* The lock of a wait record, NULL if it is none or being written. */
static const struct track_lock *waits_for(struct finding *f, const uint32_t *seq,
					  const struct bb_wait *w, uint32_t *who)
{
	uint32_t before = LOOK(*seq), kind = LOOK(w->kind);
	uint64_t object = LOOK(w->object);

	*who = LOOK(w->arg);
	digest(f, (uintptr_t)w);
	digest(f, before);
	if (before & 1 || LOOK(*seq) != before)
		f->moving = 1;
	if (f->moving || !lock_kind(kind))
		return (const struct track_lock *)0;
	return (const struct track_lock *)(uintptr_t)object;
}

/* The lock that the holder itself waits for. An interrupt: what its CPU spins for, if it is the
 * interrupt that spins and not what it interrupted. A task: what it spins for, or an interrupt on
 * top of it, for it cannot go on before; else its own record, also while it still runs: it may be
 * on its way to sleep. Not so the holder of a spin lock: on its way it holds the run queue's, and
 * lets go of it. (If it sleeps with another, that is reported as such.) */
static const struct track_lock *next_lock(struct finding *f, const struct bb_held *held)
{
	const struct bb_task *t = owner_task(f->owner);
	const struct bb_cpu *c = owner_cpu(f->owner);
	const struct track_lock *l;
	uint32_t who;

	if (c) {
		l = waits_for(f, &c->wait_seq, &c->wait, &who);
		return who == f->owner ? l : (const struct track_lock *)0;
	}
	if (!t)
		return (const struct track_lock *)0;

	uint32_t n = LOOK(t->cpu);

	if (LOOK(t->state) == BB_ST_RUNNING && n < track_tables.ncpus &&
	    LOOK(track_tables.cpus[n].current) == f->owner) {
		c = &track_tables.cpus[n];
		l = waits_for(f, &c->wait_seq, &c->wait, &who);
		if (l && (who == f->owner || who == (BB_OWNER_CPU | n)))
			return l;
	}
	/* By the entry: the lock itself may be gone by now. */
	if (held->class < BOX_CLASSES && trace_box.classes[held->class].kind == BB_LK_SPIN)
		return (const struct track_lock *)0;
	return waits_for(f, &t->wait_seq, &t->wait, &who);
}

/* From the lock that `self` is about to wait for, along holder -> wait -> holder.
 *
 * The tables change meanwhile, so one walk can string together what never was at one time. The
 * digest has each hold by the time it was taken and each wait by its sequence number. If two walks
 * give the same one, all of that lasted from the end of the first to the start of the second: it
 * was so at that instant, and a closed chain, once there, stays. */
static struct finding walk(const struct track_lock *l, uint32_t self)
{
	const struct bb_task *me = owner_task(self);
	struct finding f = {.lock = l};
	struct bb_held entry;
	uint64_t first_site = 0;
	uint32_t first = 0;

	for (unsigned hop = 0; hop < MAX_HOPS && f.lock && LOOK(f.lock->magic) == TRACK_LIVE;
	     hop++) {
		enum hold held;

		f.owner = track_owner_of(LOOK(f.lock->owner));
		f.site = 0;
		digest(&f, (uintptr_t)f.lock);
		digest(&f, f.owner);
		if (!f.owner) {
			/* Shared, and one of the holders wants it again: nobody lets it in. */
			if (!hop && me && task_holds(me, l, BB_HOLD_SHARED, &entry) == HOLD_YES) {
				f.verdict = BB_V_SELF;
				f.owner = self;
				f.site = entry.site;
			}
			return f;
		}
		if (!hop) {
			first = f.owner;
			/* What we interrupted stands still, whatever it was writing. */
			if (owner_cpu(self) && LOOK(owner_cpu(self)->current) == f.owner) {
				f.verdict = BB_V_IRQ_SELF;
				owner_holds(f.owner, f.lock, &entry);
				f.site = entry.site;
				return f;
			}
		}
		held = owner_holds(f.owner, f.lock, &entry);
		f.site = entry.site;
		digest(&f, entry.ticks);
		if (!hop)
			first_site = entry.site;
		f.moving |= held == HOLD_UNSURE || track_owner_of(LOOK(f.lock->owner)) != f.owner;
		if (f.moving || held == HOLD_NO)
			return f;
		if (held == HOLD_LEFT) {
			f.verdict = BB_V_ORPHAN;
			return f;
		}
		if (f.owner == self) {
			f.verdict = hop ? BB_V_CYCLE : BB_V_SELF;
			f.lock = l;
			f.owner = first;
			f.site = first_site;
			return f;
		}
		f.lock = next_lock(&f, &entry);
	}
	return f;
}

/* A finding that two walks agree on, or verdict NONE. The other side may be changing its records on
 * its way to sleep: a few tries. */
#define WALK_TRIES 4

static struct finding certain(const struct track_lock *l, uint32_t self)
{
	struct finding a, b = walk(l, self);

	for (unsigned i = 0; i < WALK_TRIES && (b.verdict != BB_V_NONE || b.moving); i++) {
		a = b;
		b = walk(l, self);
		if (a.verdict == b.verdict && a.digest == b.digest && !b.moving)
			return b;
	}
	b.verdict = BB_V_NONE;
	return b;
}

static const uint32_t check_of[] = {[BB_V_ORPHAN] = BB_CHK_ORPHAN,
				    [BB_V_CYCLE] = BB_CHK_CYCLE,
				    [BB_V_SELF] = BB_CHK_SELF,
				    [BB_V_IRQ_SELF] = BB_CHK_SELF};

void check_wait(const struct track_lock *l, uint64_t site)
{
	uint32_t self;
	struct finding f;

	if (!checks_on() || !(self = track_self()))
		return;
	/* Two tasks that close a cycle together: each has stored its wait before it reads the
	 * other's, so at least one sees both. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	f = certain(l, self);
	if (f.verdict != BB_V_NONE)
		track_report(f.verdict, check_of[f.verdict], f.lock, f.site, site, f.owner);
}

void track_scan_waits(uint64_t age)
{
	uint64_t now = port_ticks();

	for (uint32_t i = 0; checks_on() && i < track_tables.ntasks; i++) {
		const struct bb_task *t = &track_tables.tasks[i];
		uint32_t seq = LOOK(t->wait_seq), state = LOOK(t->state);
		uint64_t object = LOOK(t->wait.object), since = LOOK(t->wait.ticks);
		uint64_t site = LOOK(t->wait.site);
		const struct track_lock *l = (const struct track_lock *)(uintptr_t)object;
		struct finding f;

		if ((state != BB_ST_BLOCKED && state != BB_ST_SLEEPING) || seq & 1 || !object ||
		    !lock_kind(LOOK(t->wait.kind)) || now < since || now - since < age ||
		    LOOK(t->wait_seq) != seq)
			continue;
		f = certain(l, i + 1);
		if (f.verdict != BB_V_NONE && LOOK(t->wait_seq) == seq)
			track_report(f.verdict, check_of[f.verdict], f.lock, f.site, site, f.owner);
	}
}
