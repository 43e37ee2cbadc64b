/* needs.c - whom a wait needs, as edges between nodes.
 *
 * "Needs" is an AND: a wait for a lock with several shared holders needs each of them; a reader
 * that queues behind a waiting writer needs that writer. A wait for any of several children, or for
 * any of those who have the other end of a pipe open, is an OR: no edge here, it is handled where
 * stuck spreads (why.c) and where a knot is looked for (verdict_cycle.c).
 */
#include "verdict.h"

static void need(uint32_t *out, uint32_t *count, uint32_t n, uint32_t node)
{
	for (uint32_t i = 0; i < *count; i++)
		if (out[i] == node)
			return;
	if (*count < n)
		out[(*count)++] = node;
}

static void needs_lock(const struct td_model *m, uint32_t node, uint32_t *out, uint32_t *count,
		       uint32_t n)
{
	const struct bb_wait *w = &m->wait[node];
	uint32_t nh, exclusive = 0;
	const struct td_holder *h = td_model_holders(m, w->object, &nh);

	for (uint32_t i = 0; i < nh; i++) {
		exclusive += !td_shared(&h[i].held);
		if (w->kind != BB_WAIT_READ || !td_shared(&h[i].held))
			need(out, count, n, h[i].node);
	}
	if (w->kind == BB_WAIT_READ && nh && !exclusive)
		for (uint32_t i = 0; i < m->nnodes; i++)
			if (m->wait[i].kind == BB_WAIT_WRITE && m->wait[i].object == w->object)
				need(out, count, n, i);
	if (!nh) { /* the owner's list was full when it took the lock */
		uint32_t o = td_model_owner(m, w->owner);

		if (o != TD_NOBODY &&
		    (td_is_task(m, o) ? m->task[o].t.held_lost : m->cpu[o - m->ntasks].c.held_lost))
			need(out, count, n, o);
	}
}

void td_children(const struct td_analysis *a, const struct td_model *m, uint32_t node,
		 struct td_children *out)
{
	const struct bb_task *p = &m->task[node].t;
	uint32_t want = m->wait[node].arg;

	*out = (struct td_children){.first = TD_NOBODY};
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *c = &m->task[i].t;

		if (!m->task[i].used || c->ppid != p->pid || c->pid == p->pid ||
		    c->flags & BB_TASK_IDLE || c->state == BB_ST_DEAD)
			continue;
		if (want && (int32_t)want > 0 && c->pid != want)
			continue;
		if (c->state == BB_ST_ZOMBIE) {
			out->zombies++;
			out->zombie_since = c->since;
			continue;
		}
		if (!out->alive++)
			out->first = i;
		out->stuck += a && a->cause[i] >= 0;
	}
}

uint32_t td_wakers(const struct td_model *m, uint32_t node, uint32_t *out, uint32_t n)
{
	const struct bb_wait *w = &m->wait[node];
	uint32_t count = 0;

	if (!td_waits_at_one_queue(w) || !w->object)
		return 0;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;

		if (!m->task[i].used || t->flags & BB_TASK_KTHREAD || t->state >= BB_ST_ZOMBIE)
			continue;
		if (t->ends_lost)
			return 0;
		for (uint32_t k = 0; k < BB_MAX_ENDS; k++)
			if (t->ends[k].object == w->object) {
				if (count == n)
					return 0;
				need(out, &count, n, i);
			}
	}
	return count;
}

uint32_t td_needs(const struct td_model *m, uint32_t node, uint32_t *out, uint32_t n)
{
	const struct bb_wait *w = &m->wait[node];
	uint32_t count = 0, owner = td_model_owner(m, w->owner);

	/* a task under an interrupt handler that waits goes on after the handler */
	if (td_is_task(m, node) && m->task[node].current)
		for (uint32_t c = 0; c < m->ncpus; c++)
			if (m->cpu[c].c.online && m->cpu[c].current == node &&
			    m->wait[m->ntasks + c].kind)
				need(out, &count, n, m->ntasks + c);
	if (td_wait_is_lock(w->kind)) {
		needs_lock(m, node, out, &count, n);
	} else if (w->kind == BB_WAIT_IPI || w->kind == BB_WAIT_TLB) {
		/* the target answers unless it has interrupts off and waits itself */
		if (w->arg < m->ncpus && m->cpu[w->arg].c.online) {
			const struct td_cpu *c = &m->cpu[w->arg];

			if (c->c.irq_depth && m->wait[m->ntasks + w->arg].kind)
				need(out, &count, n, m->ntasks + w->arg);
			else if (c->c.irqs_off_since && c->current != TD_NOBODY &&
				 m->spins[c->current])
				need(out, &count, n, c->current);
		}
	} else if (w->kind == BB_WAIT_CHILD && td_is_task(m, node)) {
		struct td_children c;

		td_children(NULL, m, node, &c);
		if (c.alive == 1 && !c.zombies)
			need(out, &count, n, c.first);
	} else if (w->kind != BB_WAIT_NONE && owner != TD_NOBODY && owner != node &&
		   (!td_is_task(m, owner) || td_alive(&m->task[owner].t))) {
		need(out, &count, n, owner);
	}
	return count;
}
