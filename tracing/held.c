/* held.c - who holds what, the long way: acquire and release of a lock that is not on the short way
 * (held.h), owner words, and the places where nothing may be held.
 *
 * Who writes what: see held.h. A lock's owner word belongs to the lock (kernel/sync); here it is
 * only read. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

/* ---- contexts ------------------------------------------------------------------------------ */

/* Full, so nothing fits on it, and of entries that are no lock. Full by its own word: an interrupt
 * may put it here between the look at `max` and the look at `stack`, and it cannot be written. */
static const struct track_stack nowhere = {
	.word = (uint64_t)BB_MAX_HELD << 32,
	.held = {[BB_MAX_HELD - 1] = {.lock = 0}},
};

void track_divert(struct track_context *c, uint32_t until)
{
	c->until = until;
	c->max = 0; /* first: an interrupt's context may be made of it in between */
	c->stack = (struct track_stack *)(uintptr_t)&nowhere;
}

void track_undivert(struct track_context *c)
{
	c->stack = c->real;
	c->max = c->limit;
}

static void context_set(struct track_context *c, struct track_stack *s, uint32_t limit,
			uint32_t owner)
{
	*c = (struct track_context){.owner = owner, .real = s, .limit = limit};
	if (limit && !track_all_locks())
		track_undivert(c);
	else
		track_divert(c, 0);
}

void track_context_task(struct track_context *c, struct bb_task *t, uint32_t slot)
{
	context_set(c, track_task_stack(t), BB_MAX_HELD, slot + 1);
}

void track_context_cpu(struct track_context *c, struct bb_cpu *cpu, int deep)
{
	context_set(c, track_cpu_stack(cpu), deep ? 0 : BB_MAX_IRQ_HELD, BB_OWNER_CPU | cpu->cpu);
}

int track_all_locks(void)
{
	return trace_event_on(EV_lock_acquire) || trace_event_on(EV_lock_release);
}

/* ---- held stacks --------------------------------------------------------------------------- */

static uint32_t count_of(const struct track_stack *s)
{
	return (uint32_t)(GET(s->word) >> 32);
}

static void stack_push(struct track_stack *s, uint32_t limit, const struct bb_held *e)
{
	uint64_t w = GET(s->word);
	uint32_t n = (uint32_t)(w >> 32);

	if (n >= limit) {
		PUT(s->lost, s->lost + 1);
		return;
	}
	__atomic_thread_fence(__ATOMIC_RELEASE);
	put_held(&s->held[n], e);
	__atomic_store_n(&s->word, w + TRACK_PUSHED, __ATOMIC_RELEASE);
}

/* Takes the newest entry of the lock out, wherever it stands; 0 if there is none. */
static int stack_remove(struct track_stack *s, uint64_t lock, struct bb_held *out)
{
	uint32_t *version = track_count(s) - 1;
	uint32_t n = count_of(s), i = n, old;

	while (i > 0 && s->held[i - 1].lock != lock)
		i--;
	if (!i)
		return 0;
	*out = s->held[i - 1];
	if (i == n) {
		PUT(*track_count(s), n - 1);
		return 1;
	}
	old = write_begin(version);
	for (; i < n; i++)
		put_held(&s->held[i - 1], &s->held[i]);
	PUT(*track_count(s), n - 1);
	write_end(version, old);
	return 1;
}

/* ---- classes and locks --------------------------------------------------------------------- */

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

/* So many releases without a wait, and a lock keeps no more statistics. */
#define CALM 64

static int calm(const struct track_lock *l)
{
	return !__atomic_load_n(&l->stats, __ATOMIC_SEQ_CST) ||
	       __atomic_load_n(&l->calm, __ATOMIC_SEQ_CST) >= CALM;
}

/* Opens the short way, unless the lock keeps statistics. Who begins to wait at this moment stores
 * what calm() reads, then closes it: one of the two sees the other. */
static void open_short_way(struct track_lock *l)
{
	uint32_t class = class_index(l);

	if (!class || !calm(l))
		return;
	__atomic_store_n(&l->tag, HELD_TAG(class, BB_HOLD_EXCL), __ATOMIC_SEQ_CST);
	if (!calm(l))
		PUT(l->tag, 0);
}

void track_lock_init(struct track_lock *l, struct track_class *c)
{
	*l = (struct track_lock){.class = c, .magic = TRACK_LIVE};
	if (c->index)
		l->tag = HELD_TAG(c->index, BB_HOLD_EXCL);
}

/* ---- acquire and release ------------------------------------------------------------------- */

static int is_spin(const struct track_lock *l)
{
	return l->magic == TRACK_LIVE && l->class->kind == BB_LK_SPIN;
}

void track_acquired(struct track_lock *l, uint32_t mode, uint64_t site, uint64_t sp)
{
	struct track_context *c = port_context();
	const struct bb_task *t = port_task();
	struct bb_lock *s;

	check_live(l, site);
	if (l->magic == TRACK_LIVE && !GET(l->tag))
		open_short_way(l);
	if (c) {
		struct bb_held e = {.lock = (uintptr_t)l,
				    .site = site,
				    .sp = sp,
				    .ticks = port_ticks(),
				    .event = trace_position(),
				    .class = class_index(l),
				    .mode = (uint16_t)mode,
				    .epoch = c->owner & BB_OWNER_CPU || !t ? 0 : t->user_epoch};

		/* Only who sleeps with a lock is asked later whether its function still runs. */
		if (!is_spin(l))
			note_frame(&e, __builtin_frame_address(0));
		stack_push(c->real, c->limit, &e);
		/* A lock that keeps statistics must be released the long way. */
		if (c->max && (!GET(l->tag) || track_all_locks()))
			track_divert(c, count_of(c->real) - 1);
	}
	s = row_of(l);
	if (__builtin_expect(s != (struct bb_lock *)0, 0)) {
		/* After the word: see note_owner(). */
		__atomic_store_n(&s->owner, track_owner_of(GET(l->owner)), __ATOMIC_RELEASE);
		trace(lock_taken, (uintptr_t)l, class_index(l), site);
	}
	trace(lock_acquire, (uintptr_t)l, class_index(l), site);
}

static uint64_t too_long(void)
{
	return trace_box.header.clock_hz / 100;
}

void track_released(struct track_lock *l, uint32_t mode, uint64_t site)
{
	struct track_context *c = port_context();
	uint32_t self = track_self(), owner = track_owner_of(GET(l->owner));
	struct bb_held e = {0};
	uint64_t limit = too_long(), now;
	int alive = track_lock_alive(l, site);

	if (c && (!c->limit || !stack_remove(c->real, (uintptr_t)l, &e))) {
		if (c->real->lost)
			PUT(c->real->lost, c->real->lost - 1);
		else if (checks_on() && alive)
			track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK, l, site,
				     GET(l->release_site), self);
	}
	if (c && !c->max && count_of(c->real) <= c->until && c->limit && !track_all_locks())
		track_undivert(c);
	if (mode & BB_HOLD_EXCL && alive) { /* else the memory may be another's */
		if (__builtin_expect(owner && owner != self, 0) && checks_on())
			track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK, l, site, 0, owner);
		PUT(l->release_site, site);
	}
	if (e.lock) {
		if (e.frame)
			note_return(&e, __builtin_frame_address(0), site);
		now = port_ticks();
		stats_release(l, &e, self, site, now);
		if (alive && GET(l->calm) < CALM)
			PUT(l->calm, GET(l->calm) + 1);
		if (__builtin_expect(limit && now - e.ticks > limit, 0))
			trace(lock_long_hold, (uintptr_t)l, class_index(l), e.site, now - e.ticks);
	}
	trace(lock_release, (uintptr_t)l, class_index(l), site);
}

void track_tick(struct track_context *c)
{
	const struct track_stack *s = c->real;
	uint64_t limit = too_long();

	/* The oldest says it: entries are in the order of acquiring. */
	if (limit && count_of(s) && port_ticks() - s->held[0].ticks > limit)
		track_divert(c, 0);
}

void track_granted(struct track_lock *l, uint32_t owner)
{
	struct bb_lock *s = row_of(l);

	if (s)
		__atomic_store_n(&s->owner, owner, __ATOMIC_RELEASE);
}

void track_hand_over(struct track_lock *l, struct bb_task *from, struct bb_task *to)
{
	struct track_stack *s = track_task_stack(from);
	const struct bb_held *newest = track_newest(s, count_of(s));
	struct bb_held e;

	if (__builtin_expect(newest->lock == (uintptr_t)l, 1)) {
		e = *newest;
		PUT(*track_count(s), count_of(s) - 1);
	} else if (!stack_remove(s, (uintptr_t)l, &e)) {
		return;
	}
	e.epoch = to->user_epoch;
	e.sp = 0; /* of another stack */
	e.frame = 0;
	e.caller = 0;
	stack_push(track_task_stack(to), BB_MAX_HELD, &e);
}

/* ---- places where nothing may be held ------------------------------------------------------ */

/* By the entry: the lock itself may have been freed. */
void report_held(uint32_t verdict, uint32_t check, const struct bb_held *h, uint64_t site2)
{
	const struct bb_report what = {.verdict = verdict,
				       .check = check,
				       .class = h->class,
				       .lock = h->lock,
				       .site = h->site,
				       .site2 = site2,
				       .task = track_self()};

	report(&what, 0);
}

void track_leaving(uint64_t site)
{
	struct bb_task *t = port_task();

	for (uint32_t i = 0; t && i < t->nheld; i++) {
		struct bb_held *h = &t->held[i];

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
			report_held(BB_V_ORPHAN, BB_CHK_LEAVE, h, site);
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
		report_held(BB_V_ORPHAN, BB_CHK_EXIT, &t->held[i], site);
}

void track_sleeps(uint64_t site)
{
	struct bb_task *t = port_task();

	if (!t || !checks_on())
		return;
	for (uint32_t i = 0; i < t->nheld; i++) {
		uint32_t c = t->held[i].class;

		if (c && trace_box.classes[c].kind == BB_LK_SPIN)
			report_held(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP, &t->held[i], site);
	}
	if (track_self() & BB_OWNER_CPU || port_irqs_disabled())
		track_report(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP, (struct track_lock *)0, site, 0,
			     track_self());
}
