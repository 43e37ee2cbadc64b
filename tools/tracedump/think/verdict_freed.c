/* verdict_freed.c - corrupt-lock: a lock that was destroyed while somebody held it or waited for
 * it.
 *
 * The guest leaves an obituary of such a lock, checks on or off. Whose entry or wait is older than
 * that means the dead lock. Nobody will be woken for it: who waits hangs, however it is now. */
#include "verdict.h"

static bool waited(const struct td_model *m, uint32_t node, const struct bb_lock *o)
{
	const struct bb_wait *w = &m->wait[node];

	return w->kind && w->object == o->lock && td_model_obituary(m, w->object, w->ticks) == o;
}

static const struct td_holder *held(const struct td_model *m, const struct bb_lock *o)
{
	for (uint32_t i = m->nholders; i < m->nholders + m->nghosts; i++)
		if (m->holder[i].lock == o->lock &&
		    td_model_obituary(m, o->lock, m->holder[i].held.ticks) == o)
			return &m->holder[i];
	return NULL;
}

static void find_freed(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nobituaries; i++) {
		const struct bb_lock *o = &m->obituary[i];
		const struct td_holder *h = held(m, o);
		uint32_t first = 0;
		struct td_verdict *v;

		while (first < m->nnodes && !waited(m, first, o))
			first++;
		if (h)
			v = td_add_held(a, &td_freed, BB_V_CORRUPT_LOCK, TD_R_FREED_HELD, h);
		else if (first < m->nnodes)
			v = td_add(a, &td_freed, BB_V_CORRUPT_LOCK, TD_R_FREED_WAITED, first);
		else
			continue; /* whoever it was has gone on */
		v->lock = o->lock;
		v->class = o->class;
		v->freed_site = o->release_site;
		v->freed_ticks = o->release_ticks;
		for (; first < m->nnodes; first++)
			if (waited(m, first, o))
				td_mark(a, first, a->n - 1, true);
	}
}

/* "mutex demo.item", "lock demo.item": a completion is no lock. */
static const char *kind_of(const struct td_model *m, uint32_t class)
{
	struct bb_class c;

	if (!class || !td_box_entry(m->box, BB_SEC_CLASSES, class, &c, sizeof(c)))
		return "lock";
	return c.kind == BB_LK_COMPLETION ? "completion"
	       : c.kind == BB_LK_WAITQ    ? "wait queue"
					  : "lock";
}

static void say_freed(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_report *b = v->has_report ? &v->report : NULL;
	bool was_held = v->reason == TD_R_FREED_HELD ||
			(v->reason == TD_R_REPORT && b && b->check == BB_CHK_FREED);
	uint64_t freed = v->freed_site ? v->freed_site : b ? b->site2 : 0;
	uint64_t at = v->freed_site ? v->freed_ticks : b ? b->ticks : 0;
	const char *name = td_lock_name(m, v), *kind = kind_of(m, v->class);

	td_line(r,
		was_held ? "%s %s %s was freed while %s held it."
			 : "%s %s %s was freed while %s waited for it.",
		cause, kind, name, td_node_name(m, v->node));
	if (v->has_held)
		td_say_taken(r, &v->held, 10);
	else if (v->reason == TD_R_FREED_WAITED)
		td_line(r, "       waits at  %s   since t=%.3f s",
			td_site(m, m->wait[v->node].site, 10),
			td_seconds(m, m->wait[v->node].ticks));
	else if (b && b->site)
		td_line(r, "       %s  %s", was_held ? "taken at" : "waits at",
			td_site(m, b->site, 10));
	td_line(r, "       freed at  %s   t=%.3f s", td_site(m, freed, 10), td_seconds(m, at));
	td_say_waiters(r, v, 0, v->ndirect, "Waiting:");
	td_say_behind(r, v);
	td_line(r,
		"Fix hint: %s must not free what others still use: who %s %s needs a reference "
		"to what it lies in.",
		td_site_func(m, freed), was_held ? "holds" : "waits for", name);
}

static void json_freed(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	if (!v->freed_site)
		return;
	fputs(",\n    \"freed\":{", f);
	td_json_place(m, f, "site", v->freed_site);
	fprintf(f, ",\"ns\":%llu}", (unsigned long long)td_box_ns(m->box, v->freed_ticks));
}

const struct td_family td_freed = {.find = find_freed, .say = say_freed, .json = json_freed};
