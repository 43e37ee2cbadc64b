/* tracker.c - records of locks and waits, and the checks over them. Theory in tracker.h.
 *
 * Who writes what. A task's held list and wait record: only that task (never from an interrupt on
 * top of it, which uses the CPU's entry). A CPU's: only code on that CPU with interrupts off or in
 * an interrupt. A lock's owner word: its holder, between acquire and release. The walks read all of
 * it racily; a conclusion is drawn only if two walks in a row see the same. */
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
	PUT(d->epoch, s->epoch);
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
	uint32_t i = __atomic_add_fetch(&used, 1, __ATOMIC_RELAXED);

	if (c->index)
		return;
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

static void stats_wait(struct track_lock *l)
{
	struct bb_lock *s = stats_of(l);
	uint32_t c = class_index(l);

	if (s)
		__atomic_fetch_add(&s->waits, 1, __ATOMIC_RELAXED);
	if (c)
		__atomic_fetch_add(&trace_box.classes[c].contended, 1, __ATOMIC_RELAXED);
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

/* Can the holder of this lock never release it? Looks for the held entry of `lock` in `t`. */
static int holder_left(const struct bb_task *t, uint64_t lock)
{
	uint32_t state = GET(t->state);

	if (state == BB_ST_DEAD || state == BB_ST_ZOMBIE || state == BB_ST_NONE)
		return 1;
	for (uint32_t i = 0; i < GET(t->nheld) && i < BB_MAX_HELD; i++)
		if (GET(t->held[i].lock) == lock)
			return GET(t->held[i].epoch) != GET(t->user_epoch) ||
			       GET(t->mode) == BB_MODE_USER;
	return 0;
}

static int lock_kind(uint32_t kind)
{
	return kind == BB_WAIT_SPIN || kind == BB_WAIT_MUTEX || kind == BB_WAIT_READ ||
	       kind == BB_WAIT_WRITE || kind == BB_WAIT_SEM;
}

/* The lock that the holder itself waits for: its CPU's wait record if it spins there, else its own,
 * also while it still runs: it may be on its way to sleep. */
static const struct track_lock *next_lock(uint32_t owner)
{
	const struct bb_task *t = owner_task(owner);
	const struct bb_wait *w = (const struct bb_wait *)0;

	if (t) {
		uint32_t c = GET(t->cpu);

		w = &t->wait;
		if (GET(t->state) == BB_ST_RUNNING && c < track_tables.ncpus &&
		    GET(track_tables.cpus[c].current) == owner &&
		    lock_kind(GET(track_tables.cpus[c].wait.kind)))
			w = &track_tables.cpus[c].wait;
	} else if (owner & BB_OWNER_CPU && (owner & ~BB_OWNER_CPU) < track_tables.ncpus) {
		w = &track_tables.cpus[owner & ~BB_OWNER_CPU].wait;
	}
	if (!w || !lock_kind(GET(w->kind)))
		return (const struct track_lock *)0;
	return (const struct track_lock *)(uintptr_t)GET(w->object);
}

struct finding {
	uint32_t verdict;
	uint32_t owner; /* whose */
	const struct track_lock *lock;
};

/* From the lock that the running context is about to wait for, along holder -> wait -> holder. */
static struct finding walk(const struct track_lock *l, uint32_t self)
{
	struct finding f = {BB_V_NONE, 0, l};

	for (unsigned hop = 0; hop < MAX_HOPS && f.lock && GET(f.lock->magic) == TRACK_LIVE;
	     hop++) {
		const struct bb_task *t;

		f.owner = GET(f.lock->owner);
		if (!f.owner)
			return f;
		if (f.owner == self) {
			f.verdict = hop ? BB_V_CYCLE : BB_V_SELF;
			f.lock = l;
			return f;
		}
		t = owner_task(f.owner);
		if (t && holder_left(t, (uintptr_t)f.lock)) {
			f.verdict = BB_V_ORPHAN;
			return f;
		}
		if (hop == 0 && t && self & BB_OWNER_CPU &&
		    GET(track_tables.cpus[self & ~BB_OWNER_CPU].current) == f.owner) {
			f.verdict = BB_V_IRQ_SELF;
			return f;
		}
		f.lock = next_lock(f.owner);
	}
	f.verdict = BB_V_NONE;
	return f;
}

static const uint32_t check_of[] = {[BB_V_ORPHAN] = BB_CHK_ORPHAN,
				    [BB_V_CYCLE] = BB_CHK_CYCLE,
				    [BB_V_SELF] = BB_CHK_SELF,
				    [BB_V_IRQ_SELF] = BB_CHK_SELF};

static void check_wait(const struct track_lock *l, uint64_t site)
{
	uint32_t self;
	struct finding a, b;

	if (!checks_on() || !(self = track_self()))
		return;
	/* Two tasks that close a cycle together: each has stored its wait before it reads the
	 * other's, so at least one sees both. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	a = walk(l, self);
	if (a.verdict == BB_V_NONE)
		return;
	b = walk(l, self);
	if (a.verdict != b.verdict || a.owner != b.owner || a.lock != b.lock)
		return;
	track_report(a.verdict, check_of[a.verdict], a.lock, GET(a.lock->taken_site), site,
		     GET(a.lock->owner));
}

void track_scan_waits(uint64_t age)
{
	uint64_t now = port_ticks();

	for (uint32_t i = 0; checks_on() && i < track_tables.ntasks; i++) {
		const struct bb_task *t = &track_tables.tasks[i];
		uint32_t seq = GET(t->wait_seq), state = GET(t->state);
		uint64_t object = GET(t->wait.object), since = GET(t->wait.ticks);
		uint64_t site = GET(t->wait.site);
		const struct track_lock *l = (const struct track_lock *)(uintptr_t)object;
		struct finding a, b;

		if ((state != BB_ST_BLOCKED && state != BB_ST_SLEEPING) || seq & 1 || !object ||
		    !lock_kind(GET(t->wait.kind)) || now < since || now - since < age)
			continue;
		a = walk(l, i + 1);
		b = walk(l, i + 1);
		if (a.verdict != BB_V_NONE && a.verdict == b.verdict && a.owner == b.owner &&
		    a.lock == b.lock && GET(t->wait_seq) == seq)
			track_report(a.verdict, check_of[a.verdict], a.lock,
				     GET(a.lock->taken_site), site, GET(a.lock->owner));
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

	/* An interrupt that spun on top of us has left the CPU's record empty. */
	if (c && c->wait.object != (uintptr_t)l)
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

	if (t) {
		struct bb_wait w = {.object = (uintptr_t)(l ? l : object),
				    .site = site,
				    .ticks = port_ticks(),
				    .event = trace_position(),
				    .kind = kind,
				    .class = class_index(l),
				    .owner = owner,
				    .arg = arg};

		wait_write(&t->wait_seq, &t->wait, &w);
	}
	if (!l) {
		trace(wait_begin, kind, (uintptr_t)object, site);
		return;
	}
	stats_wait(l);
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
	struct bb_lock *stats;
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

		list_push(&list, &e);
	}
	if (mode & BB_HOLD_EXCL) {
		PUT(l->taken_site, site);
		PUT(l->taken_ticks, now);
		PUT(l->owner, track_self());
	}
	stats = GET(l->stats);
	if (__builtin_expect(stats != (struct bb_lock *)0, 0)) {
		PUT(stats->owner, GET(l->owner));
		trace(lock_taken, (uintptr_t)l, class_index(l), site);
	}
	trace(lock_acquire, (uintptr_t)l, class_index(l), site);
}

static void stats_release(struct track_lock *l, const struct bb_held *e, uint64_t site,
			  uint64_t now)
{
	struct bb_lock *s = GET(l->stats);
	/* Readers of an rwlock release side by side: each has a slot of its own. */
	uint32_t i = __atomic_fetch_add(&s->history_next, 1, __ATOMIC_RELAXED) % BB_LOCK_HISTORY;

	PUT(s->history[i].owner, GET(l->owner));
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
		now = port_ticks();
		if (__builtin_expect(GET(l->stats) != (struct bb_lock *)0, 0))
			stats_release(l, &e, site, now);
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
	list_push(&list, &e);
	PUT(l->owner, (uint32_t)(to - track_tables.tasks) + 1);
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
