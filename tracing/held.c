/* held.c - who holds what: held lists, owner words, acquire and release, and the places where
 * nothing may be held.
 *
 * Who writes what. A task's held list: only that task (never from an interrupt on top of it, which
 * uses the CPU's entry). A CPU's: only code on that CPU in an interrupt. A lock's owner word: its
 * holder, between acquire and release. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

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

void check_live(const struct track_lock *l, uint64_t site)
{
	if (__builtin_expect(l->magic != TRACK_LIVE, 0) && checks_on())
		track_report(BB_V_CORRUPT_LOCK, BB_CHK_UNINIT, l, site, 0, track_self());
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
