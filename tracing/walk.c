/* walk.c - from a wait along holder -> wait -> holder: can it ever end?
 *
 * Theory. A lock may be freed while a walk passes by, so the walk reads no lock: it goes by the
 * records of the box, which never goes away, and knows a lock by its address. Only at the first
 * step, for a context that is itself about to wait, is the lock's own word read: who may wait for a
 * lock may look at it.
 *
 *   who has it      a hint: the table's owner for this address, or what the waiter saw when it
 * began to wait. It may be out of date. it has it       the proof: an entry of that address in its
 * held stack it waits        its wait record
 *
 * An entry or a wait record that stands says that the lock lived: to destroy a lock that is held or
 * waited for is a bug of its own, reported when it happens (lives.c). So of an entry and a wait
 * that stood at one instant, both with the same address, the lock is the same. A hint that is wrong
 * finds no entry and ends the walk; the next look is a second later at most. What has no entry -
 * the list was full, or its task has died and was wiped - is believed at the first step only, where
 * the word itself said it.
 *
 * The walks read the tables racily; a conclusion is drawn only if two walks in a row see the same
 * holds and the same waits, each by its own time: see walk(). Rejected: asking the lock whether it
 * is alive. Between the question and the next read it may be gone, and its memory another's. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

#define MAX_HOPS 32

/* Each look is ordered before the next one. */
#define LOOK(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

enum hold { HOLD_NO, HOLD_YES, HOLD_LEFT, HOLD_UNSEEN, HOLD_WIPED, HOLD_UNSURE };

/* The newest entry of the lock: an older one is what remains of an unlock by somebody else. Of a
 * hold that found no room nothing is known. */
static int newest_of(const struct track_stack *s, uint64_t word, uint32_t max, uint64_t lock,
		     uint32_t mode, struct bb_held *e)
{
	uint32_t n = (uint32_t)(word >> 32), i;

	*e = (struct bb_held){0};
	for (i = n < max ? n : max; i > 0; i--) {
		const struct bb_held *h = &s->held[i - 1];

		if (LOOK(h->lock) != lock || !(LOOK(h->mode) & mode))
			continue;
		e->site = LOOK(h->site);
		e->ticks = LOOK(h->ticks);
		e->epoch = LOOK(h->epoch);
		e->class = LOOK(h->class);
		return 1;
	}
	return 0;
}

/* Does the owner that was named have it, and can it still release it? An owner word alone proves
 * nothing: its writer may be just about to clear it, or dead, and the slot another task's. What
 * proves is the entry in a held list that did not change during the look. UNSEEN: it may be one of
 * those that found no room. WIPED: the task is gone, and its list with it. */
static enum hold task_holds(const struct bb_task *t, uint64_t lock, uint16_t mode,
			    struct bb_held *e)
{
	const struct track_stack *s = track_task_stack((struct bb_task *)(uintptr_t)t);
	uint64_t word = LOOK(s->word);
	int found = newest_of(s, word, BB_MAX_HELD, lock, mode, e);
	uint32_t state, user_epoch, user;

	state = LOOK(t->state);
	user = LOOK(t->mode) == BB_MODE_USER;
	user_epoch = LOOK(t->user_epoch);
	if (word & 1 || LOOK(s->word) != word)
		return HOLD_UNSURE;
	if (state == BB_ST_DEAD || state == BB_ST_ZOMBIE || state == BB_ST_NONE)
		return found ? HOLD_LEFT : HOLD_WIPED;
	if (found)
		return user || e->epoch != user_epoch ? HOLD_LEFT : HOLD_YES;
	return LOOK(s->lost) ? HOLD_UNSEEN : HOLD_NO;
}

static enum hold cpu_holds(const struct bb_cpu *c, uint64_t lock, struct bb_held *e)
{
	const struct track_stack *s = track_cpu_stack((struct bb_cpu *)(uintptr_t)c);
	uint64_t word = LOOK(s->word);
	int found = newest_of(s, word, BB_MAX_IRQ_HELD, lock, BB_HOLD_EXCL | BB_HOLD_SHARED, e);

	if (word & 1 || LOOK(s->word) != word)
		return HOLD_UNSURE;
	return found ? HOLD_YES : LOOK(s->lost) ? HOLD_UNSEEN : HOLD_NO;
}

static struct bb_cpu *owner_cpu(uint32_t owner)
{
	uint32_t c = owner & ~BB_OWNER_CPU;

	return owner & BB_OWNER_CPU && c < track_tables.ncpus ? &track_tables.cpus[c]
							      : (struct bb_cpu *)0;
}

static enum hold owner_holds(uint32_t owner, uint64_t lock, struct bb_held *e)
{
	const struct bb_task *t = owner_task(owner);
	const struct bb_cpu *c = owner_cpu(owner);

	if (t)
		return task_holds(t, lock, BB_HOLD_EXCL, e);
	return c ? cpu_holds(c, lock, e) : HOLD_UNSURE;
}

static int lock_kind(uint32_t kind)
{
	return kind == BB_WAIT_SPIN || kind == BB_WAIT_MUTEX || kind == BB_WAIT_READ ||
	       kind == BB_WAIT_WRITE || kind == BB_WAIT_SEM;
}

/* A wait for a lock, as its record says: address 0 if it is none. */
struct want {
	uint64_t lock;
	uint32_t class;
	uint32_t owner;                /* seen when the wait began */
	const struct track_lock *live; /* the lock itself, where it may be read; else NULL */
};

struct finding {
	uint32_t verdict;
	uint32_t owner; /* whose */
	struct want want;
	uint64_t site;   /* where the owner took it, 0 unknown */
	int moving;      /* met a record that was being written */
	uint64_t digest; /* of every hold and every wait on the way, each with its time */
	uint64_t places; /* what was taken where, whichever was met first */
};

static void digest(struct finding *f, uint64_t fact)
{
	f->digest = (f->digest ^ fact) * 0x9e3779b97f4a7c15ull;
}

static uint32_t named_owner(const struct want *w)
{
	const struct bb_lock *s;

	if (w->live)
		return track_owner_of(LOOK(w->live->owner));
	s = row_find(w->lock);
	return s ? LOOK(s->owner) : w->owner;
}

/* The lock of a wait record; none, too, if it is being written. */
static struct want waits_for(struct finding *f, const uint32_t *seq, const struct bb_wait *w,
			     uint32_t *who)
{
	uint32_t before = LOOK(*seq), kind = LOOK(w->kind);
	struct want v = {LOOK(w->object), LOOK(w->class), LOOK(w->owner), 0};

	*who = LOOK(w->arg);
	digest(f, (uintptr_t)w);
	digest(f, before);
	if (before & 1 || LOOK(*seq) != before)
		f->moving = 1;
	if (f->moving || !lock_kind(kind))
		v.lock = 0;
	return v;
}

/* The lock that the holder itself waits for. An interrupt: what its CPU spins for, if it is the
 * interrupt that spins and not what it interrupted. A task: what it spins for, or an interrupt on
 * top of it, for it cannot go on before; else its own record, also while it still runs: it may be
 * on its way to sleep. Not so the holder of a spin lock: on its way it holds the run queue's, and
 * lets go of it. (If it sleeps with another, that is reported as such.) */
static struct want next_want(struct finding *f, const struct bb_held *held)
{
	static const struct want none;
	const struct bb_task *t = owner_task(f->owner);
	const struct bb_cpu *c = owner_cpu(f->owner);
	struct want v;
	uint32_t who;

	if (c) {
		v = waits_for(f, &c->wait_seq, &c->wait, &who);
		return who == f->owner ? v : none;
	}
	if (!t)
		return none;

	uint32_t n = LOOK(t->cpu);

	if (LOOK(t->state) == BB_ST_RUNNING && n < track_tables.ncpus &&
	    LOOK(track_tables.cpus[n].current) == f->owner) {
		c = &track_tables.cpus[n];
		v = waits_for(f, &c->wait_seq, &c->wait, &who);
		if (v.lock && (who == f->owner || who == (BB_OWNER_CPU | n)))
			return v;
	}
	if (held->class < BOX_CLASSES && trace_box.classes[held->class].kind == BB_LK_SPIN)
		return none;
	return waits_for(f, &t->wait_seq, &t->wait, &who);
}

/* The first step, if it is the last: nobody has the lock alone, or what we interrupted has it. */
static int ends_at_once(struct finding *f, uint32_t self, struct bb_held *e)
{
	const struct bb_task *me = owner_task(self);

	if (!f->owner) {
		/* Shared, and one of the holders wants it again: nobody lets it in. */
		if (me && task_holds(me, f->want.lock, BB_HOLD_SHARED, e) == HOLD_YES) {
			f->verdict = BB_V_SELF;
			f->owner = self;
			f->site = e->site;
		}
		return 1;
	}
	/* What we interrupted stands still, whatever it was writing. */
	if (!f->want.live || !owner_cpu(self) || LOOK(owner_cpu(self)->current) != f->owner)
		return 0;
	f->verdict = BB_V_IRQ_SELF;
	owner_holds(f->owner, f->want.lock, e);
	f->site = e->site;
	return 1;
}

/* One step: is the named owner a holder? Returns whether to go on from there. */
static int step(struct finding *f, struct bb_held *e)
{
	enum hold held = owner_holds(f->owner, f->want.lock, e);

	f->site = e->site;
	digest(f, e->ticks);
	f->places += mix(e->site + ((uint64_t)f->want.class << 48));
	if ((held == HOLD_UNSEEN || held == HOLD_WIPED) && !f->want.live)
		held = HOLD_NO;
	f->moving |= held == HOLD_UNSURE || named_owner(&f->want) != f->owner;
	if (f->moving || held == HOLD_NO)
		return 0;
	if (held == HOLD_LEFT || held == HOLD_WIPED) {
		f->verdict = BB_V_ORPHAN;
		return 0;
	}
	return 1;
}

/* From the lock that `self` waits for or is about to, along holder -> wait -> holder.
 *
 * The tables change meanwhile, so one walk can string together what never was at one time. The
 * digest has each hold by the time it was taken and each wait by its sequence number. If two walks
 * give the same one, all of that lasted from the end of the first to the start of the second: it
 * was so at that instant, and a closed chain, once there, stays. */
static struct finding walk(const struct want *first, uint32_t self)
{
	struct finding f = {.want = *first}, start = f;
	struct bb_held entry = {0};

	for (unsigned hop = 0; hop < MAX_HOPS && f.want.lock; hop++) {
		f.owner = named_owner(&f.want);
		f.site = 0;
		digest(&f, f.want.lock);
		digest(&f, f.owner);
		if (!hop ? ends_at_once(&f, self, &entry) : !f.owner)
			return f;
		if (!step(&f, &entry))
			return f;
		if (!hop)
			start = f;
		if (f.owner == self) {
			f.verdict = hop ? BB_V_CYCLE : BB_V_SELF;
			f.want = start.want;
			f.owner = start.owner;
			f.site = start.site;
			return f;
		}
		f.want = next_want(&f, &entry);
	}
	return f;
}

/* A finding that two walks agree on, or verdict NONE. The other side may be changing its records on
 * its way to sleep: a few tries. */
#define WALK_TRIES 4

static struct finding certain(const struct want *first, uint32_t self)
{
	struct finding a, b = walk(first, self);

	for (unsigned i = 0; i < WALK_TRIES && (b.verdict != BB_V_NONE || b.moving); i++) {
		a = b;
		b = walk(first, self);
		if (a.verdict == b.verdict && a.digest == b.digest && !b.moving)
			return b;
	}
	b.verdict = BB_V_NONE;
	return b;
}

/* A cycle is found from every wait in it, by whoever looks: the places at which its locks were
 * taken say that it is the same one. */
static void tell(const struct finding *f, uint64_t site)
{
	static const uint32_t check_of[] = {[BB_V_ORPHAN] = BB_CHK_ORPHAN,
					    [BB_V_CYCLE] = BB_CHK_CYCLE,
					    [BB_V_SELF] = BB_CHK_SELF,
					    [BB_V_IRQ_SELF] = BB_CHK_SELF};
	const struct bb_report what = {.verdict = f->verdict,
				       .check = check_of[f->verdict],
				       .class = f->want.class,
				       .lock = f->want.lock,
				       .site = f->site,
				       .site2 = site,
				       .task = f->owner};

	report(&what, f->verdict == BB_V_CYCLE ? f->places : 0);
}

void check_wait(const struct track_lock *l, uint64_t site)
{
	const struct want first = {(uintptr_t)l, class_index(l), 0, l};
	uint32_t self;
	struct finding f;

	if (!checks_on() || GET(l->magic) != TRACK_LIVE || !(self = track_self()))
		return;
	/* Two tasks that close a cycle together: each has stored its wait before it reads the
	 * other's, so at least one sees both. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	f = certain(&first, self);
	if (f.verdict != BB_V_NONE)
		tell(&f, site);
}

void track_scan_waits(uint64_t age)
{
	uint64_t now = port_ticks();

	for (uint32_t i = 0; checks_on() && i < track_tables.ntasks; i++) {
		const struct bb_task *t = &track_tables.tasks[i];
		uint32_t seq = LOOK(t->wait_seq), state = LOOK(t->state);
		const struct want first = {LOOK(t->wait.object), LOOK(t->wait.class),
					   LOOK(t->wait.owner), 0};
		uint64_t since = LOOK(t->wait.ticks), site = LOOK(t->wait.site);
		struct finding f;

		if ((state != BB_ST_BLOCKED && state != BB_ST_SLEEPING) || seq & 1 || !first.lock ||
		    !lock_kind(LOOK(t->wait.kind)) || now < since || now - since < age ||
		    LOOK(t->wait_seq) != seq)
			continue;
		f = certain(&first, i + 1);
		if (f.verdict != BB_V_NONE && LOOK(t->wait_seq) == seq)
			tell(&f, site);
	}
}
