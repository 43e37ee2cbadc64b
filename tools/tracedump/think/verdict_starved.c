/* verdict_starved.c - starved: everybody else gets the lock.
 *
 * Locks that sleep are handed to the longest waiter: nobody who was not there already when a wait
 * began gets the lock before it ends. So there are at most as many releases during a wait as there
 * can be others, and a shared release counts as well. Far more, for long, and this waiter is passed
 * over.
 */
#include "verdict.h"

#define VERSION_WAIT_ARG 0x00010001u /* from here on waits for locks have `arg` */

static void find_starved(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_wait *w = &m->wait[i];
		struct td_verdict *v;
		struct bb_lock l;

		if (a->cause[i] >= 0 || w->kind < BB_WAIT_MUTEX || w->kind > BB_WAIT_SEM ||
		    m->spins[i] || m->box->hdr.version < VERSION_WAIT_ARG ||
		    td_model_age(m, w->ticks) < TD_STARVED || !td_model_lock(m, w->object, &l) ||
		    l.history_next - w->arg <= m->nnodes || l.history_next - w->arg > INT32_MAX)
			continue;
		v = td_add(a, &td_starved, BB_V_STARVED, TD_R_PASSED_OVER, i);
		v->lock = w->object;
		v->class = w->class;
		v->passed = l.history_next - w->arg;
		td_mark(a, i, a->n - 1, true);
	}
}

static void say_starved(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_wait *w = &m->wait[v->node];
	struct bb_lock l;
	uint32_t n;
	const struct td_holder *h = td_model_holders(m, v->lock, &n);

	td_line(r,
		"%s %s waits for lock %s for %.1f s, in which others got and released it %u times.",
		cause, td_node_name(m, v->node), td_lock_name(m, v),
		(double)td_model_age(m, w->ticks) / 1e9, v->passed);
	td_line(r, "       waits at  %s   since t=%.3f s", td_site(m, w->site, 10),
		td_seconds(m, w->ticks));
	if (h)
		td_line(r, "       taken at  %s   by %s", td_site(m, h->held.site, 10),
			td_node_name(m, h->node));
	if (td_model_lock(m, v->lock, &l) && l.history_next) {
		uint32_t last = (l.history_next - 1) % BB_LOCK_HISTORY;

		td_line(r, "       before at %s   t=%.3f s", td_site(m, l.history[last].site, 10),
			td_seconds(m, l.history[last].ticks));
	}
	td_say_behind(r, v);
	td_line(r, "Fix hint: new takers of %s must not pass those who wait.", td_lock_name(m, v));
}

static void json(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	(void)m;
	fprintf(f, ",\n    \"released_meanwhile\":%u", v->passed);
}

const struct td_family td_starved = {.find = find_starved, .say = say_starved, .json = json};
