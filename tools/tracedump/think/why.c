/* why.c - the verdicts: in what order they are looked for, what they draw in, which comes first.
 *
 * Theory. State, not time, decides wherever possible. Three steps:
 *   1. Root causes, a family a file (verdict_*.c): a lock that was destroyed in use, a holder that
 *      can never release (orphan), a task
 *      that waits for itself (self, irq-self), a closed chain of waits (cycle), a spin lock whose
 *      holder is off the CPU, a runnable task in no queue, a CPU without ticks, a wait that nobody
 *      can end, a device whose interrupt does not come, a waiter whom everybody passes over.
 *   2. Stuck spreads from the causes to whoever needs a stuck node (needs.c): waiters of its
 *      locks, a parent whose children are all stuck, a reader of a pipe whose writers all are, a
 *      task under a stuck interrupt handler.
 *      Repeated until nothing changes; each node has one cause.
 *   3. Order: causes with waiters first, then by certainty (the order of enum bb_verdict).
 * Waiting for a key, a timer, a disk or a child that still runs is never a cause; nor is a lock
 * whose owner runs. What rests on time uses the newest stamp in the box as "now" and generous
 * limits; a live file is looked at twice by the caller (td_analysis_confirm).
 */
#include "verdict.h"

#include <stdlib.h>

#define MAX_NEEDS 64u

/* In the order in which they look: a node that hangs for a better reason is no cause of another
 * kind. NULL: here stuck spreads, so that what follows sees everybody who is drawn in. */
static const struct td_family *const families[] = {
	&td_freed,    &td_orphan, &td_cycle,    &td_owner,   &td_free_lock, &td_stranded, NULL,
	&td_cpu_dead, &td_device, &td_no_waker, &td_starved, NULL,          &td_corrupt,
};

static bool spread_once(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	uint32_t out[MAX_NEEDS];
	bool changed = false;

	for (uint32_t i = 0; i < m->nnodes; i++) {
		struct td_children c;
		uint32_t n;

		if (a->cause[i] >= 0)
			continue;
		n = td_needs(m, i, out, MAX_NEEDS);
		for (uint32_t k = 0; k < n; k++)
			if (a->cause[out[k]] >= 0) {
				td_mark(a, i, (uint32_t)a->cause[out[k]], false);
				changed = true;
				break;
			}
		if (a->cause[i] < 0 && (n = td_wakers(m, i, out, MAX_NEEDS))) {
			uint32_t stuck = 0, others = 0, last = i;

			for (uint32_t k = 0; k < n; k++) {
				if (out[k] == i)
					continue;
				others++;
				if (a->cause[out[k]] >= 0) {
					stuck++;
					last = out[k];
				}
			}
			if (others && stuck == others) {
				td_mark(a, i, (uint32_t)a->cause[last], false);
				changed = true;
			}
		}
		if (a->cause[i] >= 0 || m->wait[i].kind != BB_WAIT_CHILD || !td_is_task(m, i))
			continue;
		td_children(a, m, i, &c);
		if (c.alive && c.stuck == c.alive && !c.zombies) {
			td_mark(a, i, (uint32_t)a->cause[c.first], false);
			changed = true;
		}
	}
	return changed;
}

/* Waiters of what a later-found verdict holds were marked by an earlier one at most once. */
static int by_certainty(const void *x, const void *y)
{
	const struct td_verdict *p = x, *q = y;

	if (!p->nstuck != !q->nstuck)
		return p->nstuck ? -1 : 1;
	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	if (p->nstuck != q->nstuck)
		return p->nstuck > q->nstuck ? -1 : 1;
	return p->held.ticks < q->held.ticks ? -1 : p->held.ticks > q->held.ticks;
}

static void recount(struct td_analysis *a)
{
	for (uint32_t i = 0; i < a->m->nnodes; i++)
		a->cause[i] = -1;
	for (uint32_t k = 0; k < a->n; k++)
		for (uint32_t i = 0; i < a->v[k].nstuck; i++)
			a->cause[a->v[k].stuck[i]] = (int32_t)k;
}

void td_analyse(struct td_analysis *a, const struct td_model *m)
{
	*a = (struct td_analysis){.m = m, .cause = td_alloc(m->nnodes, sizeof(*a->cause))};
	for (uint32_t i = 0; i < m->nnodes; i++)
		a->cause[i] = -1;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (families[i])
			families[i]->find(a);
		else
			while (spread_once(a))
				;
	}
	td_use_reports(a);
	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_certainty);
	recount(a);
}

static void free_verdict(struct td_verdict *v)
{
	free(v->ring);
	free(v->stuck);
}

void td_analysis_free(struct td_analysis *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		free_verdict(&a->v[i]);
	free(a->v);
	free(a->cause);
	*a = (struct td_analysis){0};
}

/* Of a verdict about one task's wait: is it that wait still, and not the next one for the same? */
static bool same_wait(const struct td_analysis *now, const struct td_analysis *before,
		      const struct td_verdict *v)
{
	if ((v->kind != BB_V_LOST_WAKEUP && v->kind != BB_V_NO_WAKER && v->kind != BB_V_STARVED) ||
	    v->node >= now->m->nnodes || v->node >= before->m->nnodes)
		return true;
	return now->m->wait[v->node].ticks == before->m->wait[v->node].ticks;
}

void td_analysis_confirm(struct td_analysis *now, const struct td_analysis *before)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < now->n; i++) {
		const struct td_verdict *v = &now->v[i];
		bool same = false;

		for (uint32_t k = 0; k < before->n && !same; k++) {
			const struct td_verdict *o = &before->v[k];

			same = o->kind == v->kind && o->lock == v->lock && o->cpu == v->cpu &&
			       (o->node == v->node || o->kind == BB_V_CYCLE) &&
			       o->held.ticks == v->held.ticks && same_wait(now, before, v);
		}
		if (same)
			now->v[kept++] = *v;
		else
			free_verdict(&now->v[i]);
	}
	now->n = kept;
	recount(now);
}
