/* verdict_waker.c - lost-wakeup, no-waker: a wait that nobody can end any more: for a lock that
 * nobody holds, for a child that has exited or never was, for a timer that is not there. */
#include "verdict.h"

/* Nobody lists the lock, but the waiters saw an owner that is no more. */
static void find_free_locks(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nnodes; i++) {
		const struct bb_wait *w = &m->wait[i];
		uint32_t nh, owner = td_model_owner(m, w->owner);
		struct td_verdict *v;
		bool gone;

		if (a->cause[i] >= 0 || !td_wait_is_lock(w->kind) ||
		    td_model_holders(m, w->object, &nh) || !td_older(m, w->ticks, TD_LOST))
			continue;
		gone = owner != TD_NOBODY && td_is_task(m, owner) &&
		       (!td_alive(&m->task[owner].t) || m->task[owner].t.start_ticks > w->ticks);
		if (!gone &&
		    (m->spins[i] || w->kind == BB_WAIT_SPIN ||
		     (owner != TD_NOBODY && td_is_task(m, owner) && m->task[owner].t.held_lost)))
			continue;
		v = td_add(a, gone ? &td_orphan : &td_free_lock,
			   gone ? BB_V_ORPHAN : BB_V_LOST_WAKEUP,
			   gone ? TD_R_OWNER_GONE : TD_R_FREE_LOCK, gone ? owner : i);
		v->lock = w->object;
		v->class = w->class;
		td_mark_waiters(a, w->object);
	}
}

static void find_no_wakers(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	bool timer = false;

	for (uint32_t c = 0; c < m->ncpus; c++)
		timer |= m->cpu[c].c.online && m->cpu[c].c.next_timer != UINT64_MAX;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		uint32_t kind = BB_V_NO_WAKER, reason = TD_R_NONE;
		struct td_children c;

		if (a->cause[i] >= 0 || !m->wait[i].kind)
			continue;
		if (m->wait[i].kind == BB_WAIT_CHILD && td_older(m, m->wait[i].ticks, TD_SECOND)) {
			td_children(a, m, i, &c);
			if (c.alive || (c.zombies && !td_older(m, c.zombie_since, TD_SECOND)))
				continue;
			reason = c.zombies ? TD_R_ZOMBIE_CHILD : TD_R_NO_CHILD;
			kind = c.zombies ? BB_V_LOST_WAKEUP : BB_V_NO_WAKER;
		} else if (m->wait[i].kind == BB_WAIT_TIMER && !timer && m->quiet) {
			reason = TD_R_NO_TIMER;
		}
		if (!reason)
			continue;
		td_add(a, &td_no_waker, kind, reason, i);
		td_mark(a, i, a->n - 1, true);
	}
}

static void say(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const char *who = td_node_name(m, v->node);
	struct bb_lock l;

	switch (v->reason) {
	case TD_R_NO_CHILD:
		td_line(r, "%s %s waits for a child, but it has none that could exit.", cause, who);
		break;
	case TD_R_ZOMBIE_CHILD:
		td_line(r, "%s %s waits for a child that has already exited: the wake-up was lost.",
			cause, who);
		break;
	case TD_R_NO_TIMER:
		td_line(r, "%s %s waits for time to pass, but no CPU has a timer programmed.",
			cause, who);
		break;
	default: /* TD_R_FREE_LOCK */
		td_line(r, "%s %s waits for lock %s, which nobody holds: the wake-up was lost.",
			cause, who, td_lock_name(m, v));
		if (td_model_lock(m, v->lock, &l) && l.release_site)
			td_line(r, "       released  %s   t=%.3f s", td_site(m, l.release_site, 10),
				td_seconds(m, l.release_ticks));
		break;
	}
	td_say_wait(r, v);
}

const struct td_family td_free_lock = {.find = find_free_locks, .say = say};
const struct td_family td_no_waker = {.find = find_no_wakers, .say = say};
