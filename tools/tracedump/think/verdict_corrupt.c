/* verdict_corrupt.c - corrupt-lock: two owners at once, released by another, never initialised,
 * used after its end. What was destroyed in use: verdict_freed.c. */
#include "verdict.h"

/* What a dead task has left behind is a remainder: an orphan, or nothing once the lock was taken by
 * the next one. */
static bool remainder(const struct td_model *m, const struct td_holder *h)
{
	return td_is_task(m, h->node) && !td_alive(&m->task[h->node].t);
}

static void find_two_owners(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i + 1 < m->nholders; i++) {
		const struct td_holder *x = &m->holder[i], *y = x + 1;

		if (x->lock != y->lock || td_shared(&x->held) || td_shared(&y->held) ||
		    x->node == y->node || td_orphan_reason(m, x) || td_orphan_reason(m, y))
			continue;
		if (remainder(m, x) || remainder(m, y))
			continue;
		td_add_held(a, &td_corrupt, BB_V_CORRUPT_LOCK, TD_R_TWO_OWNERS, x);
		td_add_member(&a->v[a->n - 1].ring, &a->v[a->n - 1].nring, x->node);
		td_add_member(&a->v[a->n - 1].ring, &a->v[a->n - 1].nring, y->node);
	}
}

static void say_corrupt(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;

	if (v->reason == TD_R_TWO_OWNERS) {
		td_line(r, "%s lock %s has two owners at once: %s and %s.", cause,
			td_lock_name(m, v), td_node_name(m, v->ring[0]),
			td_node_name(m, v->ring[1]));
		td_say_taken(r, &v->held, 10);
	} else if (v->has_report && v->report.check == BB_CHK_UNINIT) {
		td_line(r, "%s a lock that was never initialised was used by %s.", cause,
			td_node_name(m, v->node));
	} else if (v->has_report && v->report.check == BB_CHK_DEAD) {
		td_line(r, "%s lock %s was used by %s after it was destroyed.", cause,
			td_lock_name(m, v), td_node_name(m, v->node));
	} else {
		td_line(r, "%s lock %s was released by %s, which did not hold it.", cause,
			td_lock_name(m, v), td_node_name(m, v->node));
	}
	if (v->has_report) {
		td_line(r, "       seen at   %s   t=%.3f s, %llu time%s",
			td_site(m, v->report.site, 10), td_seconds(m, v->report.ticks),
			(unsigned long long)v->report.count, v->report.count == 1 ? "" : "s");
		if (v->report.site2)
			td_line(r, "       %s %s",
				v->report.check == BB_CHK_DEAD ? "destroyed" : "before at",
				td_site(m, v->report.site2, 10));
	}
}

const struct td_family td_corrupt = {
	.find = find_two_owners, .say = say_corrupt, .json = td_json_ring};
