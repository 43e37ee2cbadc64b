/* tracker.c - records of locks and waits, and the checks over them. Theory in tracker.h.
 *
 * Who writes what. A task's held list and wait record: only that task (never from an interrupt on
 * top of it, which uses the CPU's entry). A CPU's: only code on that CPU with interrupts off or in
 * an interrupt. A lock's owner word: its holder, between acquire and release. The walks read all of
 * it racily; a conclusion is drawn only if two walks in a row see the same holds and the same
 * waits, each by its own time: see walk(). */
#include <tracing/events.h>
#include <tracing/box.h>
#include <tracing/tracker.h>

#define MAX_HOPS    32
#define LOCK_PROBES 16

struct track_tables track_tables;

/* ---- held lists --------------------------------------------------------------------------- */

struct held_list {
	uint32_t *seq, *n, *lost;
	struct bb_held *h;
	uint32_t max, epoch;
};

static void task_list(struct bb_task *t, struct held_list *l)
{
	l->seq = &t->held_seq;
	l->n = &t->nheld;
	l->lost = &t->held_lost;
	l->h = t->held;
	l->max = BB_MAX_HELD;
	l->epoch = t->user_epoch;
}

static int own_list(struct held_list *l)
{
	if (port_in_irq()) {
		struct bb_cpu *c = port_cpu();

		if (!c)
			return 0;
		l->seq = &c->held_seq;
		l->n = &c->nheld;
		l->lost = &c->held_lost;
		l->h = c->held;
		l->max = BB_MAX_IRQ_HELD;
		l->epoch = 0;
		return 1;
	}

	struct bb_task *t = port_task();

	if (!t)
		return 0;
	task_list(t, l);
	return 1;
}

/* Odd while being written. A CPU's wait record may be interrupted by a writer of the same record
 * (an interrupt that spins): the inner one finds it odd and leaves it odd, for the outer to end. */
static uint32_t write_begin(uint32_t *seq)
{
	uint32_t old = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, (old + 1) | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return old;
}
static void write_end(uint32_t *seq, uint32_t old)
{
	uint32_t now = __atomic_load_n(seq, __ATOMIC_RELAXED);

	__atomic_store_n(seq, old & 1 ? now : now + 1, __ATOMIC_RELEASE);
}

#define PUT(field, v) __atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define GET(field)    __atomic_load_n(&(field), __ATOMIC_RELAXED)

static void put_held(struct bb_held *d, const struct bb_held *s)
{
	PUT(d->lock, s->lock);
	PUT(d->site, s->site);
	PUT(d->sp, s->sp);
	PUT(d->ticks, s->ticks);
	PUT(d->event, s->event);
	PUT(d->class, s->class);
	PUT(d->mode, s->mode);
	PUT(d->frame, s->frame);
	PUT(d->epoch, s->epoch);
	PUT(d->caller, s->caller);
}

static void list_push(struct held_list *l, const struct bb_held *e)
{
	uint32_t n = *l->n;

	if (n >= l->max) {
		PUT(*l->lost, *l->lost + 1);
		return;
	}
	uint32_t seq = write_begin(l->seq);

	put_held(&l->h[n], e);
	PUT(*l->n, n + 1);
	write_end(l->seq, seq);
}

/* Takes the newest entry of the lock out; 0 if there is none. */
static int list_pop(struct held_list *l, uint64_t lock, struct bb_held *out)
{
	uint32_t n = *l->n, i = n;

	while (i > 0 && l->h[i - 1].lock != lock)
		i--;
	if (!i)
		return 0;
	*out = l->h[i - 1];

	uint32_t seq = write_begin(l->seq);

	for (; i < n; i++)
		put_held(&l->h[i - 1], &l->h[i]);
	PUT(l->h[n - 1].lock, 0);
	PUT(*l->n, n - 1);
	write_end(l->seq, seq);
	return 1;
}

/* ---- frames -------------------------------------------------------------------------------- */

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

static void note_frame(struct bb_held *e, const uint64_t *own)
{
	const uint64_t *f = frame_of_caller(own, e->site);
	uint64_t up = f ? (uintptr_t)f - e->sp : 0;

	if (!f || up % 8 || up / 8 > 0xffff)
		return;
	e->frame = (uint16_t)(up / 8);
	e->caller = (uint32_t)f[1];
}

/* Before a task waits: which of its locks did functions take that have returned since? */
static void note_gone(struct bb_task *t, const uint64_t *own)
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
static void note_return(const struct bb_held *e, const uint64_t *own, uint64_t site)
{
	const uint64_t *f = frame_of_caller(own, site);
	const uint64_t *want = (const uint64_t *)(uintptr_t)(e->sp + e->frame * 8ull);

	while (f && f < want)
		f = frame_above(f);
	if (e->class && (f != want || (uint32_t)f[1] != e->caller))
		__atomic_fetch_add(&trace_box.classes[e->class].returned, 1, __ATOMIC_RELAXED);
}

/* ---- identities ---------------------------------------------------------------------------- */

uint32_t track_self(void)
{
	if (port_in_irq()) {
		struct bb_cpu *c = port_cpu();

		return c ? BB_OWNER_CPU | c->cpu : 0;
	}

	struct bb_task *t = port_task();

	return t ? (uint32_t)(t - track_tables.tasks) + 1 : 0;
}

static struct bb_task *owner_task(uint32_t owner)
{
	if (!owner || owner & BB_OWNER_CPU || owner > track_tables.ntasks)
		return (struct bb_task *)0;
	return &track_tables.tasks[owner - 1];
}

static uint32_t owner_tid(uint32_t owner)
{
	struct bb_task *t = owner_task(owner);

	return t ? GET(t->tid) : 0;
}

static uint32_t class_index(const struct track_lock *l)
{
	return l && l->class ? l->class->index : 0;
}

void track_class_add(struct track_class *c)
{
	static uint32_t used;
	uint32_t i;

	if (c->index)
		return;
	i = __atomic_add_fetch(&used, 1, __ATOMIC_RELAXED);
	if (i >= BOX_CLASSES) {
		__atomic_fetch_sub(&used, 1, __ATOMIC_RELAXED);
		return;
	}

	struct bb_class *b = &trace_box.classes[i];

	for (unsigned k = 0; k < BB_NAME_LEN - 1 && c->name[k]; k++)
		b->name[k] = c->name[k];
	b->kind = c->kind;
	b->rank = c->rank;
	__atomic_store_n(&c->index, i, __ATOMIC_RELEASE);
}

void track_lock_init(struct track_lock *l, struct track_class *c)
{
	*l = (struct track_lock){.class = c, .magic = TRACK_LIVE};
}

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
			PUT(s->owner, GET(l->owner));
			__atomic_store_n(&l->stats, s, __ATOMIC_RELEASE);
			return s;
		}
	}
	return (struct bb_lock *)0;
}

static struct bb_lock *stats_wait(struct track_lock *l)
{
	struct bb_lock *s = stats_of(l);
	uint32_t c = class_index(l);

	if (s)
		__atomic_fetch_add(&s->waits, 1, __ATOMIC_RELAXED);
	if (c)
		__atomic_fetch_add(&trace_box.classes[c].contended, 1, __ATOMIC_RELAXED);
	return s;
}

/* ---- reports ------------------------------------------------------------------------------- */

int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l, uint64_t site,
		 uint64_t site2, uint32_t task)
{
	struct bb_report *slot = (struct bb_report *)0;
	struct bb_cpu *cpu = port_cpu();
	uint32_t class = class_index(l);

	for (unsigned i = 0; i < BOX_REPORTS; i++) {
		struct bb_report *r = &trace_box.reports[i];
		uint32_t seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);

		if (seq && GET(r->check) == check && GET(r->class) == class &&
		    GET(r->site) == site) {
			__atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
			return 0;
		}
		if (!seq && __atomic_compare_exchange_n(&r->seq, &seq, 1, 0, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED)) {
			slot = r;
			break;
		}
	}
	if (!slot) {
		struct bb_counter *full = box_counter("reports_lost");

		if (full)
			__atomic_fetch_add(&full->value, 1, __ATOMIC_RELAXED);
		return 0;
	}
	PUT(slot->verdict, verdict);
	PUT(slot->check, check);
	PUT(slot->class, class);
	PUT(slot->lock, (uintptr_t)l);
	PUT(slot->ticks, port_ticks());
	PUT(slot->event, trace_position());
	PUT(slot->site, site);
	PUT(slot->site2, site2);
	PUT(slot->task, task);
	PUT(slot->cpu, cpu ? cpu->cpu : 0);
	PUT(slot->count, 1);
	__atomic_store_n(&slot->seq, 2, __ATOMIC_RELEASE);
	trace(report, verdict, (uintptr_t)l, class, owner_tid(task));
	port_report(slot);
	return 1;
}

static int checks_on(void)
{
	return GET(trace_box.control.checks_on) != 0;
}

/* ---- the walk ------------------------------------------------------------------------------ */

/* Each look is ordered before the next one. */
#define LOOK(field) __atomic_load_n(&(field), __ATOMIC_ACQUIRE)

enum hold { HOLD_NO, HOLD_YES, HOLD_LEFT, HOLD_UNSURE };

/* Does the owner that the lock names have it, and can it still release it? An owner word alone
 * proves nothing: its writer may be just about to clear it, or dead, and the slot another task's.
 * What proves is the entry in a held list that did not change during the look. */
static enum hold task_holds(const struct bb_task *t, const struct track_lock *l, uint16_t mode)
{
	uint32_t seq = LOOK(t->held_seq), n = LOOK(t->nheld), state, i;
	uint32_t epoch = 0, user_epoch, user;

	n = n < BB_MAX_HELD ? n : BB_MAX_HELD;
	/* The newest: an older one is what remains of an unlock by somebody else. */
	for (i = n; i > 0; i--)
		if (LOOK(t->held[i - 1].lock) == (uintptr_t)l && LOOK(t->held[i - 1].mode) & mode) {
			epoch = LOOK(t->held[i - 1].epoch);
			break;
		}
	state = LOOK(t->state);
	user = LOOK(t->mode) == BB_MODE_USER;
	user_epoch = LOOK(t->user_epoch);
	if (seq & 1 || LOOK(t->held_seq) != seq)
		return HOLD_UNSURE;
	/* A slot is wiped when its task is gone, the list too. */
	if (state == BB_ST_DEAD || state == BB_ST_ZOMBIE || state == BB_ST_NONE)
		return HOLD_LEFT;
	if (i)
		return user || epoch != user_epoch ? HOLD_LEFT : HOLD_YES;
	return LOOK(t->held_lost) ? HOLD_YES : HOLD_NO;
}

static enum hold cpu_holds(const struct bb_cpu *c, const struct track_lock *l)
{
	uint32_t seq = LOOK(c->held_seq), n = LOOK(c->nheld), i;

	for (i = n < BB_MAX_IRQ_HELD ? n : BB_MAX_IRQ_HELD; i > 0; i--)
		if (LOOK(c->held[i - 1].lock) == (uintptr_t)l)
			break;
	if (seq & 1 || LOOK(c->held_seq) != seq)
		return HOLD_UNSURE;
	return i || LOOK(c->held_lost) ? HOLD_YES : HOLD_NO;
}

static struct bb_cpu *owner_cpu(uint32_t owner)
{
	uint32_t c = owner & ~BB_OWNER_CPU;

	return owner & BB_OWNER_CPU && c < track_tables.ncpus ? &track_tables.cpus[c]
							      : (struct bb_cpu *)0;
}

static enum hold owner_holds(uint32_t owner, const struct track_lock *l)
{
	const struct bb_task *t = owner_task(owner);
	const struct bb_cpu *c = owner_cpu(owner);

	if (t)
		return task_holds(t, l, BB_HOLD_EXCL);
	return c ? cpu_holds(c, l) : HOLD_UNSURE;
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
static const struct track_lock *next_lock(struct finding *f)
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
	if (f->lock->class && f->lock->class->kind == BB_LK_SPIN)
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
	uint32_t first = 0;

	for (unsigned hop = 0; hop < MAX_HOPS && f.lock && LOOK(f.lock->magic) == TRACK_LIVE;
	     hop++) {
		enum hold held;

		f.owner = LOOK(f.lock->owner);
		digest(&f, (uintptr_t)f.lock);
		digest(&f, f.owner);
		digest(&f, LOOK(f.lock->taken_ticks));
		if (!f.owner) {
			/* Shared, and one of the holders wants it again: nobody lets it in. */
			if (!hop && me && task_holds(me, l, BB_HOLD_SHARED) == HOLD_YES) {
				f.verdict = BB_V_SELF;
				f.owner = self;
			}
			return f;
		}
		if (!hop) {
			first = f.owner;
			/* What we interrupted stands still, whatever it was writing. */
			if (owner_cpu(self) && LOOK(owner_cpu(self)->current) == f.owner) {
				f.verdict = BB_V_IRQ_SELF;
				return f;
			}
		}
		held = owner_holds(f.owner, f.lock);
		f.moving |= held == HOLD_UNSURE || LOOK(f.lock->owner) != f.owner;
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
			return f;
		}
		f.lock = next_lock(&f);
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

static void check_wait(const struct track_lock *l, uint64_t site)
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
		track_report(f.verdict, check_of[f.verdict], f.lock, GET(f.lock->taken_site), site,
			     f.owner);
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
			track_report(f.verdict, check_of[f.verdict], f.lock,
				     GET(f.lock->taken_site), site, f.owner);
	}
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

static void check_live(const struct track_lock *l, uint64_t site)
{
	if (__builtin_expect(l->magic != TRACK_LIVE, 0) && checks_on())
		track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNINIT, l, site, 0, track_self());
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
				    .owner = GET(l->owner),
				    .arg = track_self()};

		wait_write(&c->wait_seq, &c->wait, &w);
	}
}

void track_spin_begin(struct track_lock *l, uint32_t kind, uint64_t site)
{
	uint32_t owner = GET(l->owner);

	struct bb_cpu *c = port_cpu();

	check_live(l, site);
	/* An interrupt on top of a spinner leaves its record alone; track_spin_still() writes ours
	 * should we spin for long. */
	if (!c || !port_in_irq() || GET(c->wait.kind) == BB_WAIT_NONE)
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

void track_block_begin(struct track_lock *l, const void *object, uint32_t kind, uint32_t arg,
		       uint64_t site)
{
	struct bb_task *t = port_task();
	uint32_t owner = l ? GET(l->owner) : 0;
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

/* ---- acquire and release ------------------------------------------------------------------- */

void track_acquired(struct track_lock *l, uint32_t mode, uint64_t site, uint64_t sp)
{
	struct held_list list;
	struct bb_lock *s;
	uint64_t now = port_ticks();

	check_live(l, site);
	if (own_list(&list)) {
		struct bb_held e = {.lock = (uintptr_t)l,
				    .site = site,
				    .sp = sp,
				    .ticks = now,
				    .event = trace_position(),
				    .class = class_index(l),
				    .mode = (uint16_t)mode,
				    .epoch = list.epoch};

		note_frame(&e, __builtin_frame_address(0));
		list_push(&list, &e);
	}
	/* The word last: whoever reads it finds entry and time of the same acquire. */
	if (mode & BB_HOLD_EXCL) {
		PUT(l->taken_site, site);
		PUT(l->taken_ticks, now);
		__atomic_store_n(&l->owner, track_self(), __ATOMIC_RELEASE);
	}
	s = __atomic_load_n(&l->stats, __ATOMIC_ACQUIRE);
	if (__builtin_expect(s != (struct bb_lock *)0, 0)) {
		PUT(s->owner, GET(l->owner));
		trace(lock_taken, (uintptr_t)l, class_index(l), site);
	}
	trace(lock_acquire, (uintptr_t)l, class_index(l), site);
}

static void stats_release(struct track_lock *l, const struct bb_held *e, uint32_t self,
			  uint64_t site, uint64_t now)
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

void track_released(struct track_lock *l, uint32_t mode, uint64_t site)
{
	uint32_t self = track_self(), owner = GET(l->owner);
	struct held_list list;
	struct bb_held e = {0};
	uint64_t hz = trace_box.header.clock_hz, now;

	check_live(l, site);
	if (own_list(&list) && !list_pop(&list, (uintptr_t)l, &e)) {
		if (*list.lost)
			PUT(*list.lost, *list.lost - 1);
		else if (checks_on())
			track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK, l, site,
				     GET(l->release_site), self);
	}
	if (mode & BB_HOLD_EXCL) {
		if (__builtin_expect(owner && owner != self, 0) && checks_on())
			track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK, l, site, GET(l->taken_site),
				     owner);
		PUT(l->release_site, site);
	}
	if (e.lock) {
		if (e.frame)
			note_return(&e, __builtin_frame_address(0), site);
		now = port_ticks();
		stats_release(l, &e, self, site, now);
		if (__builtin_expect(hz && now - e.ticks > hz / 100, 0))
			trace(lock_long_hold, (uintptr_t)l, class_index(l), e.site, now - e.ticks);
	}
	trace(lock_release, (uintptr_t)l, class_index(l), site);
	if (mode & BB_HOLD_EXCL)
		PUT(l->owner, 0);
}

void track_hand_over(struct track_lock *l, struct bb_task *from, struct bb_task *to)
{
	struct held_list list;
	struct bb_held e;

	task_list(from, &list);
	if (!list_pop(&list, (uintptr_t)l, &e))
		return;
	task_list(to, &list);
	e.epoch = list.epoch;
	e.sp = 0; /* of another stack */
	e.frame = 0;
	e.caller = 0;
	list_push(&list, &e);
	__atomic_store_n(&l->owner, (uint32_t)(to - track_tables.tasks) + 1, __ATOMIC_RELEASE);
}

/* ---- places where nothing may be held ------------------------------------------------------ */

void track_leaving(uint64_t site)
{
	struct bb_task *t = port_task();

	for (uint32_t i = 0; t && i < t->nheld; i++) {
		struct bb_held *h = &t->held[i];
		struct track_lock *l = (struct track_lock *)(uintptr_t)h->lock;

		if (h->mode & BB_HOLD_LEFT)
			continue;

		uint32_t seq = write_begin(&t->held_seq);

		PUT(h->mode, h->mode | BB_HOLD_LEFT);
		write_end(&t->held_seq, seq);
		if (!t->left_site) {
			PUT(t->left_ticks, port_ticks());
			PUT(t->left_event, trace_position());
			PUT(t->left_site, site);
		}
		trace(lock_left_held, h->lock, h->class, h->site, site);
		if (checks_on())
			track_report(BB_V_ORPHAN, BB_CHK_LEAVE, l, h->site, site, track_self());
	}
}

void track_task_exit(uint64_t site)
{
	struct bb_task *t = port_task();

	if (t && t->nheld && !t->left_site) {
		PUT(t->left_ticks, port_ticks());
		PUT(t->left_event, trace_position());
		PUT(t->left_site, site);
	}
	for (uint32_t i = 0; t && checks_on() && i < t->nheld; i++)
		track_report(BB_V_ORPHAN, BB_CHK_EXIT,
			     (struct track_lock *)(uintptr_t)t->held[i].lock, t->held[i].site, site,
			     track_self());
}

void track_might_sleep(uint64_t site)
{
	struct bb_task *t = port_task();

	if (!t || !checks_on())
		return;
	for (uint32_t i = 0; i < t->nheld; i++) {
		uint32_t c = t->held[i].class;

		if (c && trace_box.classes[c].kind == BB_LK_SPIN)
			track_report(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP,
				     (struct track_lock *)(uintptr_t)t->held[i].lock,
				     t->held[i].site, site, track_self());
	}
	if (port_in_irq() || port_irqs_disabled())
		track_report(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP, (struct track_lock *)0, site, 0,
			     track_self());
}
