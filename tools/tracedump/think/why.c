/* why.c - the verdicts.
 *
 * Theory. State, not time, decides wherever possible. Three steps:
 *   1. Root causes: a holder that can never release (orphan), a task that waits for itself (self,
 *      irq-self), a closed chain of waits (cycle), a spin lock whose holder is off the CPU, a
 *      runnable task in no queue, a CPU without ticks, a wait that nobody can end, a device whose
 *      interrupt does not come, a waiter whom everybody passes over.
 *   2. Stuck spreads from the causes to whoever needs a stuck node: waiters of its locks, a parent
 *      whose children are all stuck, a task under a stuck interrupt handler. Repeated until nothing
 *      changes; each node has one cause.
 *   3. Order: causes with waiters first, then by certainty (the order of enum bb_verdict).
 * Waiting for a key, a timer, a disk or a child that still runs is never a cause; nor is a lock
 * whose owner runs. What rests on time uses the newest stamp in the box as "now" and generous
 * limits; a live file is looked at twice by the caller (td_analysis_confirm).
 *
 * "Needs" is an AND: a wait for a lock with several shared holders needs each of them; a reader
 * that queues behind a waiting writer needs that writer. A wait for any of several children is an
 * OR and is handled in the spreading step only.
 */
#include "why.h"

#include <stdlib.h>
#include <string.h>

#define MS         1000000ull
#define SECOND     (1000 * MS)
#define CPU_SILENT (2 * SECOND)  /* no tick for so long: dead */
#define STARVED    (10 * SECOND) /* runnable but not run */
#define STRANDED   (100 * MS)
/* On its way off the CPU a task takes and drops spin locks. */
#define SWITCHING        (100 * MS)
#define LOST             (1 * SECOND) /* waits for a free lock */
#define FRAME_MARGIN     256u         /* bytes by which a dead frame must be out of reach */
#define MAX_NEEDS        64u
#define VERSION_WAIT_ARG 0x00010001u /* from here on waits for locks have `arg` */

static struct td_verdict *add(struct td_analysis *a, uint32_t kind, uint32_t reason, uint32_t node)
{
	struct td_verdict *v;

	a->v = td_grow(a->v, a->n, &a->cap, sizeof(*a->v));
	v = &a->v[a->n++];
	*v = (struct td_verdict){.kind = kind, .reason = reason, .node = node, .cpu = TD_NOBODY};
	return v;
}

static void add_member(uint32_t **list, uint32_t *n, uint32_t node)
{
	*list = reallocarray(*list, *n + 1, sizeof(**list));
	if (!*list) {
		fprintf(stderr, "tracedump: not enough memory\n");
		exit(2);
	}
	(*list)[(*n)++] = node;
}

static void mark(struct td_analysis *a, uint32_t node, uint32_t verdict, bool direct)
{
	struct td_verdict *v = &a->v[verdict];

	if (a->cause[node] >= 0)
		return;
	a->cause[node] = (int32_t)verdict;
	add_member(&v->stuck, &v->nstuck, node);
	if (direct)
		v->ndirect++;
}

/* Long ago, or time no longer matters because nothing can move. */
static bool older(const struct td_model *m, uint64_t ticks, uint64_t ns)
{
	return m->quiet || td_model_age(m, ticks) >= ns;
}

static uint32_t waiters_of(const struct td_model *m, uint64_t lock)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nnodes; i++)
		n += td_wait_is_lock(m->wait[i].kind) && m->wait[i].object == lock;
	return n;
}

/* Does anybody wait for it, and has for so long? */
static bool waited_for(const struct td_model *m, uint64_t lock, uint64_t ns)
{
	for (uint32_t i = 0; i < m->nnodes; i++)
		if (td_wait_is_lock(m->wait[i].kind) && m->wait[i].object == lock &&
		    td_model_age(m, m->wait[i].ticks) >= ns)
			return true;
	return false;
}

static bool shared(const struct bb_held *h)
{
	return h->mode & BB_HOLD_SHARED;
}

static struct td_verdict *add_queue(struct td_analysis *a, uint32_t kind, uint32_t reason,
				    const struct td_queue *q)
{
	struct td_verdict *v = add(a, kind, reason, TD_NOBODY);

	v->lock = q->id;
	v->queue = *q;
	return v;
}

static void mark_slot(struct td_analysis *a, const struct td_queue *q, uint64_t slot)
{
	for (uint32_t i = 0; i < a->m->ntasks; i++)
		if (td_waits_for_slot(a->m, q, i, slot))
			mark(a, i, a->n - 1, true);
}

/* ---- whom a wait needs ---------------------------------------------------------------------- */

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
		exclusive += !shared(&h[i].held);
		if (w->kind != BB_WAIT_READ || !shared(&h[i].held))
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

/* The children that a task waits for: their number, the first one, and how many are stuck. */
static uint32_t children(const struct td_analysis *a, const struct td_model *m, uint32_t node,
			 uint32_t *first, uint32_t *stuck, uint32_t *zombies,
			 uint64_t *zombie_since)
{
	const struct bb_task *p = &m->task[node].t;
	uint32_t want = m->wait[node].arg, n = 0;

	*stuck = *zombies = 0;
	*first = TD_NOBODY;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *c = &m->task[i].t;

		if (!m->task[i].used || c->ppid != p->pid || c->pid == p->pid ||
		    c->flags & BB_TASK_IDLE || c->state == BB_ST_DEAD)
			continue;
		if (want && (int32_t)want > 0 && c->pid != want)
			continue;
		if (c->state == BB_ST_ZOMBIE) {
			(*zombies)++;
			if (zombie_since)
				*zombie_since = c->since;
			continue;
		}
		if (!n++)
			*first = i;
		*stuck += a && a->cause[i] >= 0;
	}
	return n;
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
		uint32_t first, stuck, zombies;

		if (children(NULL, m, node, &first, &stuck, &zombies, NULL) == 1 && !zombies)
			need(out, &count, n, first);
	} else if (w->kind != BB_WAIT_NONE && owner != TD_NOBODY && owner != node &&
		   (!td_is_task(m, owner) || td_alive(&m->task[owner].t))) {
		need(out, &count, n, owner);
	}
	return count;
}

/* ---- root causes ---------------------------------------------------------------------------- */

/* Has the function that took the lock returned without releasing it? The task looks when it goes to
 * sleep (BB_HOLD_RETURNED); a stack that is far shorter than it was shows it too. Some functions
 * take a lock for their caller: a class of which that is known is never accused, and nobody is
 * before somebody has waited for a while. */
static bool frame_gone(const struct td_model *m, const struct td_task *k, const struct td_holder *h)
{
	struct bb_class cls;

	if (k->current || k->torn & (TD_TORN_SCHED | TD_TORN_HELD) ||
	    (k->t.state != BB_ST_SLEEPING && k->t.state != BB_ST_BLOCKED))
		return false;
	if (!(h->held.mode & BB_HOLD_RETURNED) &&
	    (k->t.switch_sp <= k->t.stack_base || k->t.switch_sp >= k->t.stack_top ||
	     h->held.sp <= k->t.stack_base || h->held.sp + FRAME_MARGIN >= k->t.switch_sp))
		return false;
	if (td_box_entry(m->box, BB_SEC_CLASSES, h->held.class, &cls, sizeof(cls)) && cls.returned)
		return false;
	return waited_for(m, h->lock, SECOND);
}

static uint32_t orphan_reason(const struct td_model *m, const struct td_holder *h)
{
	const struct td_task *k;

	if (!td_is_task(m, h->node))
		return TD_R_NONE;
	k = &m->task[h->node];
	if (!k->used || k->t.state >= BB_ST_ZOMBIE) {
		uint32_t n;
		const struct td_holder *all = td_model_holders(m, h->lock, &n);

		/* somebody took it later: the dead one's entry is only a remainder */
		return k->current || (!shared(&h->held) && all[n - 1].held.ticks > h->held.ticks)
			       ? TD_R_NONE
			       : TD_R_DEAD;
	}
	if (k->t.flags & BB_TASK_IDLE) {
		bool idles = k->t.cpu < m->ncpus && m->cpu[k->t.cpu].c.mode == BB_MODE_IDLE &&
			     m->cpu[k->t.cpu].current == h->node;

		return idles && older(m, h->held.ticks, 10 * MS) ? TD_R_IDLE : TD_R_NONE;
	}
	if ((int32_t)(k->t.user_epoch - h->held.epoch) > 0 || k->t.mode == BB_MODE_USER ||
	    h->held.mode & BB_HOLD_LEFT)
		return TD_R_LEFT_KERNEL;
	return frame_gone(m, k, h) ? TD_R_FRAME_GONE : TD_R_NONE;
}

static struct td_verdict *add_held(struct td_analysis *a, uint32_t kind, uint32_t reason,
				   const struct td_holder *h)
{
	struct td_verdict *v = add(a, kind, reason, h->node);

	v->lock = h->lock;
	v->class = h->held.class;
	v->held = h->held;
	v->has_held = true;
	return v;
}

static void mark_waiters(struct td_analysis *a, uint64_t lock)
{
	for (uint32_t i = 0; i < a->m->nnodes; i++)
		if (td_wait_is_lock(a->m->wait[i].kind) && a->m->wait[i].object == lock)
			mark(a, i, a->n - 1, true);
}

static void find_orphans(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nholders; i++) {
		uint32_t reason = orphan_reason(m, &m->holder[i]);

		if (!reason)
			continue;
		add_held(a, BB_V_ORPHAN, reason, &m->holder[i]);
		mark_waiters(a, m->holder[i].lock);
	}
}

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
		    td_model_holders(m, w->object, &nh) || !older(m, w->ticks, LOST))
			continue;
		gone = owner != TD_NOBODY && td_is_task(m, owner) &&
		       (!td_alive(&m->task[owner].t) || m->task[owner].t.start_ticks > w->ticks);
		if (!gone &&
		    (m->spins[i] || w->kind == BB_WAIT_SPIN ||
		     (owner != TD_NOBODY && td_is_task(m, owner) && m->task[owner].t.held_lost)))
			continue;
		v = add(a, gone ? BB_V_ORPHAN : BB_V_LOST_WAKEUP,
			gone ? TD_R_OWNER_GONE : TD_R_FREE_LOCK, gone ? owner : i);
		v->lock = w->object;
		v->class = w->class;
		mark_waiters(a, w->object);
	}
}

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
			if (w->kind == BB_WAIT_READ && shared(&h[k].held))
				continue;
			if (h[k].node != i && h[k].node != interrupted)
				continue;
			add_held(a, h[k].node == i ? BB_V_SELF : BB_V_IRQ_SELF, TD_R_NONE, &h[k]);
			a->v[a->n - 1].cpu = td_is_task(m, i) ? TD_NOBODY : i - m->ntasks;
			mark(a, i, a->n - 1, true);
			mark_waiters(a, w->object);
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
				v = add(a, BB_V_CYCLE, TD_R_NONE, to);
				for (uint32_t k = from; k <= depth; k++) {
					add_member(&v->ring, &v->nring, path[k]);
					mark(a, path[k], a->n - 1, true);
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

static bool spin_class(const struct td_model *m, uint32_t class)
{
	struct bb_class c;

	return class && td_box_entry(m->box, BB_SEC_CLASSES, class, &c, sizeof(c)) &&
	       c.kind == BB_LK_SPIN;
}

static bool cpu_silent(const struct td_model *m, uint32_t cpu)
{
	const struct bb_cpu *c = &m->cpu[cpu].c;

	return c->online && c->mode != BB_MODE_IDLE && !m->crashed &&
	       td_model_age(m, c->last_tick ? c->last_tick : m->box->hdr.clock_anchor) >=
		       CPU_SILENT;
}

/* Holders that are off the CPU although somebody needs them on it. */
static void find_bad_owners(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nholders; i++) {
		const struct td_holder *h = &m->holder[i];
		const struct td_task *k;
		uint32_t reason = TD_R_NONE, kind = BB_V_OWNER_NOT_RUNNING, cpu;

		if (!td_is_task(m, h->node) || a->cause[h->node] >= 0)
			continue;
		k = &m->task[h->node];
		cpu = k->t.cpu;
		if (!td_alive(&k->t) || k->t.flags & BB_TASK_IDLE || cpu >= m->ncpus ||
		    orphan_reason(m, h))
			continue;
		if (spin_class(m, h->held.class) && !k->current && !k->torn &&
		    (k->t.state == BB_ST_SLEEPING || k->t.state == BB_ST_BLOCKED) &&
		    td_model_age(m, k->t.since) >= SWITCHING) {
			kind = BB_V_OWNER_SLEEPING;
			reason = TD_R_REPORT;
		} else if (!waiters_of(m, h->lock)) {
			continue;
		} else if (!m->cpu[cpu].c.online && !k->current) {
			reason = TD_R_CPU_OFFLINE;
		} else if (k->current && cpu_silent(m, cpu)) {
			reason = TD_R_CPU_DEAD;
		} else if (k->t.state == BB_ST_STOPPED) {
			reason = TD_R_STOPPED;
		} else if (k->t.state == BB_ST_RUNNABLE && !k->current) {
			uint32_t cur = m->cpu[cpu].current;

			if (cur != TD_NOBODY && m->spins[cur] && m->wait[cur].object == h->lock &&
			    (m->task[cur].t.preempt_count || m->cpu[cpu].c.irqs_off_since))
				reason = TD_R_PREEMPTED;
			else if (k->t.on_queue && td_model_age(m, k->t.since) >= STARVED)
				reason = TD_R_STARVED;
		}
		if (!reason)
			continue;
		add_held(a, kind, reason, h)->cpu = cpu;
		mark_waiters(a, h->lock);
	}
}

static void find_stranded(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct td_task *k = &m->task[i];
		uint32_t reason = TD_R_NONE;

		if (!k->used || k->t.state != BB_ST_RUNNABLE || k->current || k->torn ||
		    k->t.flags & BB_TASK_IDLE || m->crashed)
			continue;
		if (!k->t.on_queue && td_model_age(m, k->t.since) >= STRANDED)
			reason = TD_R_NO_QUEUE;
		else if (k->t.on_queue && k->t.cpu < m->ncpus && m->cpu[k->t.cpu].c.online &&
			 m->cpu[k->t.cpu].c.mode == BB_MODE_IDLE && !m->cpu[k->t.cpu].c.irq_depth &&
			 td_model_age(m, k->t.since) >= SECOND)
			reason = TD_R_IDLE_CPU;
		if (!reason)
			continue;
		add(a, BB_V_STRANDED, reason, i)->cpu = k->t.cpu;
		mark(a, i, a->n - 1, true);
	}
}

static void find_dead_cpus(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t c = 0; c < m->ncpus; c++) {
		uint32_t cur = m->cpu[c].current;

		/* a CPU that spins for a lock is dead because of that lock */
		if (!cpu_silent(m, c) || a->cause[m->ntasks + c] >= 0 ||
		    (cur != TD_NOBODY && a->cause[cur] >= 0))
			continue;
		add(a, BB_V_CPU_DEAD, TD_R_NONE, cur)->cpu = c;
		if (cur != TD_NOBODY && !(m->task[cur].t.flags & BB_TASK_IDLE))
			mark(a, cur, a->n - 1, true);
		for (uint32_t i = 0; i < m->ntasks; i++)
			if (m->task[i].used && m->task[i].t.state == BB_ST_RUNNABLE &&
			    m->task[i].t.cpu == c && m->task[i].t.on_queue)
				mark(a, i, a->n - 1, false);
	}
}

static void find_no_wakers(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	bool timer = false;

	for (uint32_t c = 0; c < m->ncpus; c++)
		timer |= m->cpu[c].c.online && m->cpu[c].c.next_timer != UINT64_MAX;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		uint32_t first, stuck, zombies, kind = BB_V_NO_WAKER, reason = TD_R_NONE;
		uint64_t since = 0;

		if (a->cause[i] >= 0 || !m->wait[i].kind)
			continue;
		if (m->wait[i].kind == BB_WAIT_CHILD && older(m, m->wait[i].ticks, SECOND) &&
		    !children(a, m, i, &first, &stuck, &zombies, &since)) {
			reason = zombies ? TD_R_ZOMBIE_CHILD : TD_R_NO_CHILD;
			kind = zombies ? BB_V_LOST_WAKEUP : BB_V_NO_WAKER;
			if (zombies && !older(m, since, SECOND))
				continue;
		} else if (m->wait[i].kind == BB_WAIT_TIMER && !timer && m->quiet) {
			reason = TD_R_NO_TIMER;
		}
		if (!reason)
			continue;
		add(a, kind, reason, i);
		mark(a, i, a->n - 1, true);
	}
}

/* Devices. The queue's two rings and the driver's marks say with whom each request is; what is with
 * the device is never a cause, however long it takes. A request that the driver has queued without
 * calling the device matters only once its submitter, who would call, sleeps. In a live box the
 * queues are copied a little before the tasks: what rests on both asks for a wait much longer than
 * that. */
static void find_queues(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	struct td_queue q;

	for (uint32_t i = 0; i < td_queues(m); i++) {
		bool called;

		if (!td_queue(m, i, &q))
			continue;
		if (td_queue_missed(&q)) {
			if (td_queue_interrupted(&q))
				add_queue(a, BB_V_LOST_WAKEUP, TD_R_NOT_TAKEN, &q);
			else
				add_queue(a, BB_V_MISSING_IRQ, TD_R_UNSEEN, &q);
			for (uint16_t n = 0; n < q.done; n++)
				mark_slot(a, &q, td_queue_done_slot(m, &q, n));
		}
		called = true;
		for (uint16_t n = 0; n < q.unannounced; n++) {
			uint64_t slot = td_queue_unannounced_slot(m, &q, n);

			for (uint32_t k = 0; k < m->ntasks; k++) {
				if (a->cause[k] >= 0 || !td_waits_for_slot(m, &q, k, slot) ||
				    td_model_age(m, m->wait[k].ticks) < LOST)
					continue;
				if (called)
					add_queue(a, BB_V_NO_WAKER, TD_R_NOT_ANNOUNCED, &q)->node =
						k;
				called = false;
				mark(a, k, a->n - 1, true);
			}
		}
		if (q.done || q.busy || q.unannounced ||
		    (q.q.cpu < m->ncpus && m->cpu[q.q.cpu].c.irq_depth))
			continue;
		for (uint32_t k = 0; k < m->ntasks; k++) {
			if (a->cause[k] >= 0 || !td_waits_for_queue(m, &q, k) ||
			    td_model_age(m, m->wait[k].ticks) < LOST)
				continue;
			add_queue(a, BB_V_LOST_WAKEUP, TD_R_IO_DONE, &q)->node = k;
			mark(a, k, a->n - 1, true);
		}
	}
}

/* Locks that sleep are handed to the longest waiter: nobody who was not there already when a wait
 * began gets the lock before it ends. So there are at most as many releases during a wait as there
 * can be others, and a shared release counts as well. Far more, for long, and this waiter is passed
 * over. */
static void find_starved(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_wait *w = &m->wait[i];
		struct td_verdict *v;
		struct bb_lock l;

		if (a->cause[i] >= 0 || w->kind < BB_WAIT_MUTEX || w->kind > BB_WAIT_SEM ||
		    m->spins[i] || m->box->hdr.version < VERSION_WAIT_ARG ||
		    td_model_age(m, w->ticks) < STARVED || !td_model_lock(m, w->object, &l) ||
		    l.history_next - w->arg <= m->nnodes || l.history_next - w->arg > INT32_MAX)
			continue;
		v = add(a, BB_V_STARVED, TD_R_PASSED_OVER, i);
		v->lock = w->object;
		v->class = w->class;
		v->passed = l.history_next - w->arg;
		mark(a, i, a->n - 1, true);
	}
}

static void find_two_owners(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i + 1 < m->nholders; i++) {
		const struct td_holder *x = &m->holder[i], *y = x + 1;

		if (x->lock != y->lock || shared(&x->held) || shared(&y->held) ||
		    x->node == y->node || orphan_reason(m, x) || orphan_reason(m, y))
			continue;
		if ((td_is_task(m, x->node) && !m->task[x->node].used) ||
		    (td_is_task(m, y->node) && !m->task[y->node].used))
			continue;
		add_held(a, BB_V_CORRUPT_LOCK, TD_R_TWO_OWNERS, x);
		add_member(&a->v[a->n - 1].ring, &a->v[a->n - 1].nring, x->node);
		add_member(&a->v[a->n - 1].ring, &a->v[a->n - 1].nring, y->node);
	}
}

/* Run-time checks: they corroborate; alone they speak only for what can only be a bug. */
static void use_reports(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_REPORTS); i++) {
		struct bb_report r;
		struct td_verdict *v = NULL;
		uint32_t kind = BB_V_NONE;

		td_box_entry(m->box, BB_SEC_REPORTS, i, &r, sizeof(r));
		if (!r.seq || r.seq & 1)
			continue;
		for (uint32_t k = 0; k < a->n && !v; k++)
			if (r.lock && a->v[k].lock == r.lock && a->v[k].kind == r.verdict)
				v = &a->v[k];
		switch (r.check) {
		case BB_CHK_UNLOCK:
		case BB_CHK_UNINIT:
			kind = BB_V_CORRUPT_LOCK;
			break;
		case BB_CHK_QUEUE: /* only the rings say whether it is still so */
			for (uint32_t k = 0; k < a->n && !v; k++)
				if (a->v[k].kind == BB_V_MISSING_IRQ && a->v[k].lock == r.site)
					v = &a->v[k];
			break;
		case BB_CHK_SLEEP:
			kind = BB_V_OWNER_SLEEPING;
			break;
		case BB_CHK_LEAVE:
		case BB_CHK_EXIT:
			kind = BB_V_ORPHAN;
			break;
		case BB_CHK_WATCHDOG:
			if (r.verdict == BB_V_CPU_DEAD && r.cpu < m->ncpus &&
			    m->cpu[r.cpu].c.last_tick <= r.ticks)
				kind = BB_V_CPU_DEAD;
			break;
		default:
			break;
		}
		for (uint32_t k = 0; k < a->n && !v && kind; k++)
			if (a->v[k].kind == kind &&
			    (kind == BB_V_CPU_DEAD ? a->v[k].cpu == r.cpu : a->v[k].lock == r.lock))
				v = &a->v[k];
		if (!v && kind == BB_V_CPU_DEAD && m->cpu[r.cpu].current != TD_NOBODY &&
		    a->cause[m->cpu[r.cpu].current] >= 0)
			continue;
		if (!v && kind) {
			v = add(a, kind, TD_R_REPORT, td_model_owner(m, r.task));
			v->lock = r.lock;
			v->class = r.class;
			v->cpu = r.cpu;
		}
		if (v && !v->has_report) {
			v->report = r;
			v->has_report = true;
		}
	}
}

/* ---- spreading and order -------------------------------------------------------------------- */

static bool spread_once(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	uint32_t out[MAX_NEEDS];
	bool changed = false;

	for (uint32_t i = 0; i < m->nnodes; i++) {
		uint32_t n, first, stuck, zombies;

		if (a->cause[i] >= 0)
			continue;
		n = td_needs(m, i, out, MAX_NEEDS);
		for (uint32_t k = 0; k < n; k++)
			if (a->cause[out[k]] >= 0) {
				mark(a, i, (uint32_t)a->cause[out[k]], false);
				changed = true;
				break;
			}
		if (a->cause[i] >= 0 || m->wait[i].kind != BB_WAIT_CHILD || !td_is_task(m, i))
			continue;
		n = children(a, m, i, &first, &stuck, &zombies, NULL);
		if (n && stuck == n && !zombies) {
			mark(a, i, (uint32_t)a->cause[first], false);
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
	find_orphans(a);
	find_self(a);
	find_cycles(a);
	find_bad_owners(a);
	find_free_locks(a);
	find_stranded(a);
	while (spread_once(a))
		;
	find_dead_cpus(a);
	find_queues(a);
	find_no_wakers(a);
	find_starved(a);
	while (spread_once(a))
		;
	find_two_owners(a);
	use_reports(a);
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
