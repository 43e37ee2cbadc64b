/* verdict_cycle.c - cycle: a closed chain of waits; self: a task waits for what it holds itself;
 * irq-self: an interrupt handler waits for what the task it interrupted holds. */
#include "verdict.h"

#include <stdlib.h>

#define MAX_NEEDS 64u

static void find_self(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nnodes; i++) {
		const struct bb_wait *w = &m->wait[i];
		uint32_t nh = 0, interrupted = TD_NOBODY;
		const struct td_holder *h;

		if (a->cause[i] >= 0 || !td_wait_is_lock(w->kind))
			continue;
		if (!td_is_task(m, i))
			interrupted = m->cpu[i - m->ntasks].current;
		h = td_model_holders(m, w->object, &nh);
		for (uint32_t k = 0; k < nh; k++) {
			if (w->kind == BB_WAIT_READ && td_shared(&h[k].held))
				continue;
			if (h[k].node != i && h[k].node != interrupted)
				continue;
			td_add_held(a, &td_cycle, h[k].node == i ? BB_V_SELF : BB_V_IRQ_SELF,
				    TD_R_NONE, &h[k]);
			a->v[a->n - 1].cpu = td_is_task(m, i) ? TD_NOBODY : i - m->ntasks;
			td_mark(a, i, a->n - 1, true);
			td_mark_waiters(a, w->object);
			break;
		}
	}
}

/* Depth-first with colours; a grey neighbour closes a cycle. Iterative: chains can be long. */
static void find_cycles(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	uint8_t *colour = td_alloc(m->nnodes, 1);
	uint32_t *path = td_alloc(m->nnodes + 1ull, sizeof(*path));
	uint32_t *next = td_alloc(m->nnodes + 1ull, sizeof(*next));
	uint32_t out[MAX_NEEDS];

	for (uint32_t root = 0; root < m->nnodes; root++) {
		uint32_t depth = 0;

		if (colour[root])
			continue;
		path[0] = root;
		next[0] = 0;
		colour[root] = 1;
		for (;;) {
			uint32_t at = path[depth], n = td_needs(m, at, out, MAX_NEEDS), to;

			if (next[depth] >= n) {
				colour[at] = 2;
				if (!depth--)
					break;
				continue;
			}
			to = out[next[depth]++];
			if (colour[to] == 1 && to != at && a->cause[to] < 0) {
				struct td_verdict *v;
				uint32_t from = depth;
				bool known = a->cause[at] >= 0;

				while (path[from] != to)
					known |= a->cause[path[--from]] >= 0;
				if (known) /* part of it hangs for a better reason */
					continue;
				v = td_add(a, &td_cycle, BB_V_CYCLE, TD_R_NONE, to);
				for (uint32_t k = from; k <= depth; k++) {
					td_add_member(&v->ring, &v->nring, path[k]);
					td_mark(a, path[k], a->n - 1, true);
				}
				v->lock = m->wait[path[depth]].object;
				v->class = m->wait[path[depth]].class;
			} else if (!colour[to]) {
				colour[to] = 1;
				path[++depth] = to;
				next[depth] = 0;
			}
		}
	}
	free(colour);
	free(path);
	free(next);
}

/* ---- knots ----------------------------------------------------------------------------------- */

/* A wait for a pipe or a child can be ended by any of several. Those who cannot move are found from
 * the other side: all who wait for known others are taken to be stuck, then whoever could be moved
 * by one who moves is let go, until nothing changes. What stays is a knot, or behind one. */

/* Whoever left a rest in the pipe for the next reader may be on the way to wake it: not yet stuck.
 */
static bool may_be_stuck(const struct td_model *m, uint32_t i)
{
	const struct bb_wait *w = &m->wait[i];
	uint32_t out[MAX_NEEDS];

	if (w->kind == BB_WAIT_CHILD)
		return td_is_task(m, i);
	if (td_waits_at_one_queue(w))
		return td_wakers(m, i, out, MAX_NEEDS) && td_older(m, w->ticks, TD_LOST);
	return w->kind && td_needs(m, i, out, MAX_NEEDS);
}

/* `still` marks (cause 0) who is taken to be stuck. */
static bool can_move(const struct td_analysis *still, uint32_t i)
{
	const struct td_model *m = still->m;
	uint32_t out[MAX_NEEDS], n, stuck = 0;
	struct td_children c;

	if (m->wait[i].kind == BB_WAIT_CHILD) {
		td_children(still, m, i, &c);
		return c.zombies || c.stuck < c.alive || !c.alive;
	}
	n = td_wakers(m, i, out, MAX_NEEDS);
	if (n) {
		for (uint32_t k = 0; k < n; k++)
			stuck += still->cause[out[k]] >= 0;
		return stuck < n;
	}
	n = td_needs(m, i, out, MAX_NEEDS); /* all of them */
	for (uint32_t k = 0; k < n; k++)
		stuck += still->cause[out[k]] >= 0;
	return !stuck;
}

/* One whom a stuck node waits for, rather another than itself. */
static uint32_t next_stuck(const struct td_analysis *still, uint32_t i)
{
	const struct td_model *m = still->m;
	uint32_t out[MAX_NEEDS], n;
	struct td_children c;

	if (m->wait[i].kind == BB_WAIT_CHILD) {
		td_children(still, m, i, &c);
		return c.first;
	}
	n = td_wakers(m, i, out, MAX_NEEDS);
	if (!n)
		n = td_needs(m, i, out, MAX_NEEDS);
	for (uint32_t k = 0; k < n; k++)
		if (out[k] != i && still->cause[out[k]] >= 0)
			return out[k];
	return i;
}

static void add_knot(struct td_analysis *a, const struct td_analysis *still, uint32_t from)
{
	const struct td_model *m = a->m;
	uint32_t at = from, first;
	struct td_verdict *v;

	for (uint32_t i = 0; i < m->nnodes; i++) /* into the ring */
		at = next_stuck(still, at);
	first = at;
	do {
		if (a->cause[at] >= 0) /* hangs for a better reason */
			return;
		at = next_stuck(still, at);
	} while (at != first);
	v = td_add(a, &td_cycle, next_stuck(still, at) == at ? BB_V_SELF : BB_V_CYCLE, TD_R_NONE,
		   at);
	v->lock = m->wait[at].object;
	v->class = m->wait[at].class;
	do {
		if (v->kind == BB_V_CYCLE)
			td_add_member(&v->ring, &v->nring, at);
		td_mark(a, at, a->n - 1, true);
		at = next_stuck(still, at);
	} while (at != first);
}

static void find_knots(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	struct td_analysis still = {.m = m, .cause = td_alloc(m->nnodes, sizeof(*still.cause))};
	bool changed = true;

	for (uint32_t i = 0; i < m->nnodes; i++)
		still.cause[i] = may_be_stuck(m, i) ? 0 : -1;
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < m->nnodes; i++)
			if (still.cause[i] >= 0 && can_move(&still, i)) {
				still.cause[i] = -1;
				changed = true;
			}
	}
	for (uint32_t i = 0; i < m->ntasks; i++)
		if (still.cause[i] >= 0 && a->cause[i] < 0 && td_waits_at_one_queue(&m->wait[i]))
			add_knot(a, &still, i);
	free(still.cause);
}

static void find(struct td_analysis *a)
{
	find_self(a);
	find_cycles(a);
	find_knots(a);
}

/* The entry by which `node` holds something that waiter `who` needs. */
static const struct td_holder *held_by(const struct td_model *m, uint32_t node, uint32_t who)
{
	uint32_t n;
	const struct td_holder *h = td_model_holders(m, m->wait[who].object, &n);

	for (uint32_t i = 0; i < n; i++)
		if (h[i].node == node)
			return &h[i];
	return NULL;
}

/* "take a, b and c in one order everywhere", if locks are all that the circle is made of. */
static void order_hint(struct td_report *r, const struct td_verdict *v)
{
	const struct td_model *m = r->m;
	char names[160] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < v->nring; i++)
		if (td_waits_at_one_queue(&m->wait[v->ring[i]])) {
			td_line(r, "Fix hint: close the ends of pipes that a process does not use, "
				   "and do not let both sides wait for the other to begin.");
			return;
		}
	for (uint32_t i = 0; i < v->nring; i++) {
		const struct bb_wait *w = &m->wait[v->ring[i]];
		const char *before = !i ? "" : i + 1 == v->nring ? " and " : ", ";

		if (!td_wait_is_lock(w->kind) || !w->class || len >= sizeof(names) - 48) {
			td_line(r,
				"Fix hint: do not wait while holding what the other side needs.");
			return;
		}
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", before,
					td_class_name(m->names, w->class));
	}
	td_line(r, "Fix hint: take %s in one order everywhere.", names);
}

static void say_cycle(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	uint32_t hint = 0, worst = 0, tasks = 0;

	for (uint32_t i = 0; i < v->nring; i++)
		tasks += td_is_task(m, v->ring[i]);
	td_line(r, "%s %u %s wait for each other in a circle.", cause, v->nring,
		tasks == v->nring ? "tasks" : "tasks and interrupts");
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t me = v->ring[i], next = v->ring[(i + 1) % v->nring];
		const struct bb_wait *w = &m->wait[me];
		const struct td_holder *h = held_by(m, next, me);

		if (!w->kind) {
			td_line(r, "       %s is interrupted by %s", td_node_name(m, me),
				td_node_name(m, next));
			continue;
		}
		td_line(r, "       %s waits for %s, %s %s", td_node_name(m, me),
			td_what_waited(m, w),
			h                          ? "held by"
			: w->kind == BB_WAIT_READ  ? "behind"
			: td_waits_at_one_queue(w) ? "whose other end is open in"
						   : "which needs",
			td_node_name(m, next));
		td_line(r, "         waits at %s   since t=%.3f s", td_site(m, w->site, 0),
			td_seconds(m, w->ticks));
		if (h)
			td_line(r, "         taken at %s   t=%.3f s  (event %u:%u)",
				td_site(m, h->held.site, 0), td_seconds(m, h->held.ticks),
				(uint32_t)(h->held.event >> 32), (uint32_t)h->held.event);
	}
	if (v->nstuck > v->nring)
		td_say_behind(r, v);
	/* the edge that goes against the declared order, if classes have ranks */
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t me = v->ring[i], prev = v->ring[(i + v->nring - 1) % v->nring];
		const struct td_holder *h = held_by(m, me, prev);
		struct bb_class have, want;

		if (!h || !m->wait[me].class || !h->held.class ||
		    !td_box_entry(m->box, BB_SEC_CLASSES, h->held.class, &have, sizeof(have)) ||
		    !td_box_entry(m->box, BB_SEC_CLASSES, m->wait[me].class, &want, sizeof(want)))
			continue;
		if (have.rank && want.rank && have.rank >= want.rank &&
		    have.rank - want.rank >= worst) {
			worst = have.rank - want.rank;
			hint = i + 1;
		}
	}
	if (hint) {
		uint32_t me = v->ring[hint - 1];
		const struct td_holder *h =
			held_by(m, me, v->ring[(hint - 2 + v->nring) % v->nring]);

		td_line(r, "Fix hint: %s takes %s while holding %s, against the declared order.",
			td_site_func(m, m->wait[me].site),
			td_class_name(m->names, m->wait[me].class),
			td_class_name(m->names, h->held.class));
	} else {
		order_hint(r, v);
	}
}

static void say_self(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	uint32_t waiter = v->nstuck ? v->stuck[0] : v->node;
	const char *name = td_lock_name(m, v);

	if (!v->has_held) {
		td_line(r, "%s %s waits for %s, whose other end only it has open itself.", cause,
			td_node_name(m, v->node), td_what_waited(m, &m->wait[v->node]));
		td_say_wait(r, v);
		td_line(r, "Fix hint: %s must close the end of the pipe that it does not use.",
			td_node_name(m, v->node));
		return;
	}
	if (v->kind == BB_V_IRQ_SELF)
		td_line(r,
			"%s an interrupt on cpu%u waits for lock %s, which the task it interrupted "
			"holds: %s.",
			cause, v->cpu, name, td_node_name(m, v->node));
	else
		td_line(r, "%s %s waits for lock %s, which it holds itself.", cause,
			td_node_name(m, v->node), name);
	td_say_taken(r, &v->held, 10);
	td_line(r, "       again at  %s   t=%.3f s", td_site(m, m->wait[waiter].site, 10),
		td_seconds(m, m->wait[waiter].ticks));
	if (v->ndirect > 1)
		td_say_waiters(r, v, 1, v->ndirect, "Waiting:");
	td_say_behind(r, v);
	if (v->kind == BB_V_IRQ_SELF)
		td_line(r,
			"Fix hint: %s must take %s with interrupts off, because an interrupt "
			"handler takes it too.",
			td_site_func(m, v->held.site), name);
	else
		td_line(r,
			"Fix hint: %s is reached with %s held; release it first or use a variant "
			"for callers that hold it.",
			td_site_func(m, m->wait[waiter].site), name);
}

static void say(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	if (v->kind == BB_V_CYCLE)
		say_cycle(r, v, cause);
	else
		say_self(r, v, cause);
}

/* The held entries that close a cycle, in its order. */
static void held_in_cycle(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	bool first = true;

	fputs(",\n    \"held_in_cycle\":[", f);
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t n, next = v->ring[(i + 1) % v->nring];
		const struct td_holder *h = td_model_holders(m, m->wait[v->ring[i]].object, &n);

		for (uint32_t k = 0; k < n; k++)
			if (h[k].node == next) {
				fputs(first ? "\n      " : ",\n      ", f);
				td_json_held(m, f, &h[k].held);
				first = false;
				break;
			}
	}
	fputs("]", f);
}

void td_json_ring(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	if (!v->nring)
		return;
	td_json_nodes(m, f, "cycle", v->ring, v->nring);
	held_in_cycle(m, f, v);
}

const struct td_family td_cycle = {.find = find, .say = say, .json = td_json_ring};
