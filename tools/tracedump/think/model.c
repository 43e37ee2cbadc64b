/* model.c - builds the graph. Every index and count of the tables is checked here, once; what comes
 * out is safe to walk.
 *
 * A wait counts only while it is in force: a task's wait record counts while the task is off the
 * CPU in SLEEPING or BLOCKED (a woken task still carries its record until it runs), or on it if
 * the wait is for other CPUs' answers. A CPU's wait record belongs to the interrupt handler when
 * one is active, else to the current task.
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

bool td_alive(const struct bb_task *t)
{
	return t->state > BB_ST_NONE && t->state < BB_ST_ZOMBIE;
}

bool td_wait_is_lock(uint32_t kind)
{
	return kind >= BB_WAIT_SPIN && kind <= BB_WAIT_SEM;
}

static int by_lock(const void *a, const void *b)
{
	const struct td_holder *x = a, *y = b;

	if (x->lock != y->lock)
		return x->lock < y->lock ? -1 : 1;
	return x->held.ticks < y->held.ticks ? -1 : x->held.ticks > y->held.ticks;
}

static void add_holders(struct td_model *m, uint32_t node, const struct bb_held *h, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (h[i].lock)
			m->holder[m->nholders++] = (struct td_holder){h[i].lock, node, h[i]};
}

static void newest(struct td_model *m, uint64_t ticks)
{
	/* a hostile or torn stamp far ahead must not age everything else */
	uint64_t hour = m->box->hdr.clock_hz * 3600;

	if (ticks > m->now && ticks - m->now < hour)
		m->now = ticks;
}

static void load_tasks(struct td_model *m)
{
	for (uint32_t i = 0; i < m->ntasks; i++) {
		struct td_task *k = &m->task[i];
		char name[BB_NAME_LEN];

		td_box_entry(m->box, BB_SEC_TASKS, i, &k->t, sizeof(k->t));
		k->torn = m->box->task_torn[i];
		td_clean(name, sizeof(name), k->t.name, sizeof(k->t.name));
		memset(k->t.name, 0, sizeof(k->t.name));
		strcpy(k->t.name, name[0] ? name : "?");
		if (k->t.nheld > BB_MAX_HELD)
			k->t.nheld = BB_MAX_HELD;
		k->used = k->t.state != BB_ST_NONE && k->t.state <= BB_ST_DEAD;
		add_holders(m, i, k->t.held, k->t.nheld);
		if (k->used) {
			newest(m, k->t.since);
			if (k->t.wait.kind)
				newest(m, k->t.wait.ticks);
		}
	}
}

static void load_cpus(struct td_model *m)
{
	for (uint32_t i = 0; i < m->ncpus; i++) {
		struct td_cpu *c = &m->cpu[i];

		td_box_entry(m->box, BB_SEC_CPUS, i, &c->c, sizeof(c->c));
		c->torn = m->box->cpu_torn[i];
		if (c->c.nheld > BB_MAX_IRQ_HELD)
			c->c.nheld = BB_MAX_IRQ_HELD;
		c->current =
			c->c.current && c->c.current <= m->ntasks ? c->c.current - 1 : TD_NOBODY;
		if (!c->c.online)
			continue;
		if (c->current != TD_NOBODY)
			m->task[c->current].current = true;
		/* said once, by the task that runs there */
		if (c->c.mode == BB_MODE_KERNEL && c->current != TD_NOBODY &&
		    m->task[c->current].t.mode == BB_MODE_USER)
			c->c.mode = BB_MODE_USER;
		add_holders(m, m->ntasks + i, c->c.held, c->c.nheld);
		newest(m, c->c.last_tick);
		if (c->c.wait.kind)
			newest(m, c->c.wait.ticks);
	}
}

/* Who waits for other CPUs' answers stays on its own, with preemption off. */
static bool waits_on_cpu(uint32_t kind)
{
	return kind == BB_WAIT_IPI || kind == BB_WAIT_TLB;
}

static bool in_force(const struct td_task *k)
{
	if (k->t.wait.kind >= BB_WAIT_KINDS)
		return false;
	if (waits_on_cpu(k->t.wait.kind))
		return k->current;
	return !k->current && (k->t.state == BB_ST_SLEEPING || k->t.state == BB_ST_BLOCKED);
}

static void load_waits(struct td_model *m)
{
	m->quiet = !m->crashed;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;

		if (!m->task[i].used)
			continue;
		if (in_force(&m->task[i])) {
			m->wait[i] = t->wait;
			m->spins[i] = waits_on_cpu(t->wait.kind);
		}
		if (!(t->flags & BB_TASK_IDLE) &&
		    (t->state == BB_ST_RUNNABLE || t->state == BB_ST_RUNNING))
			m->quiet = false;
	}
	for (uint32_t i = 0; i < m->ncpus; i++) {
		const struct td_cpu *c = &m->cpu[i];
		uint32_t node = m->ntasks + i;

		if (!c->c.online)
			continue;
		if (c->c.mode != BB_MODE_IDLE || c->c.irq_depth)
			m->quiet = false;
		if (!c->c.wait.kind || c->c.wait.kind >= BB_WAIT_KINDS)
			continue;
		/* the record says who spins: an interrupt may be on top at this moment */
		if (c->c.wait.kind == BB_WAIT_SPIN && c->c.wait.arg &&
		    td_model_owner(m, c->c.wait.arg) != TD_NOBODY)
			node = td_model_owner(m, c->c.wait.arg);
		else if (!c->c.irq_depth && c->current != TD_NOBODY)
			node = c->current;
		m->wait[node] = c->c.wait;
		m->spins[node] = true;
	}
}

#define MAX_OBITUARIES 64u /* a kernel writes fewer */

static void load_obituaries(struct td_model *m)
{
	struct bb_lock l;

	m->obituary = td_alloc(MAX_OBITUARIES, sizeof(*m->obituary));
	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_LOCKS); i++)
		if (m->nobituaries < MAX_OBITUARIES &&
		    td_box_entry(m->box, BB_SEC_LOCKS, i, &l, sizeof(l)) && l.dead == 1 &&
		    l.lock > BB_LOCK_GONE)
			m->obituary[m->nobituaries++] = l;
}

const struct bb_lock *td_model_obituary(const struct td_model *m, uint64_t lock, uint64_t ticks)
{
	const struct bb_lock *first = NULL;

	for (uint32_t i = 0; i < m->nobituaries; i++) {
		const struct bb_lock *o = &m->obituary[i];

		if (o->lock == lock && ticks <= o->release_ticks &&
		    (!first || o->release_ticks < first->release_ticks))
			first = o;
	}
	return first;
}

/* To the end with the entries for dead locks. */
static void part_ghosts(struct td_model *m)
{
	for (uint32_t i = 0; i < m->nholders;) {
		struct td_holder h = m->holder[i];

		if (!td_model_obituary(m, h.lock, h.held.ticks)) {
			i++;
			continue;
		}
		m->holder[i] = m->holder[--m->nholders];
		m->holder[m->nholders] = h;
		m->nghosts++;
	}
}

void td_model_build(struct td_model *m, const struct td_box *b, const struct td_names *names,
		    const struct td_rings *rings)
{
	*m = (struct td_model){.box = b,
			       .names = names,
			       .rings = rings,
			       .ntasks = td_box_count(b, BB_SEC_TASKS),
			       .ncpus = td_box_count(b, BB_SEC_CPUS)};
	m->nnodes = m->ntasks + m->ncpus;
	m->task = td_alloc(m->ntasks, sizeof(*m->task));
	m->cpu = td_alloc(m->ncpus, sizeof(*m->cpu));
	m->wait = td_alloc(m->nnodes, sizeof(*m->wait));
	m->spins = td_alloc(m->nnodes, sizeof(*m->spins));
	m->holder = td_alloc((size_t)m->ntasks * BB_MAX_HELD + (size_t)m->ncpus * BB_MAX_IRQ_HELD,
			     sizeof(*m->holder));
	m->now = b->hdr.clock_anchor;
	m->crashed = td_box_entry(b, BB_SEC_CRASH, 0, &m->crash, sizeof(m->crash)) &&
		     m->crash.valid == 1;
	newest(m, rings->newest);
	load_tasks(m);
	load_cpus(m);
	load_waits(m);
	load_obituaries(m);
	part_ghosts(m);
	qsort(m->holder, m->nholders, sizeof(*m->holder), by_lock);
}

void td_model_free(struct td_model *m)
{
	free(m->task);
	free(m->cpu);
	free(m->wait);
	free(m->spins);
	free(m->holder);
	free(m->obituary);
	*m = (struct td_model){0};
}

const struct td_holder *td_model_holders(const struct td_model *m, uint64_t lock, uint32_t *count)
{
	uint32_t lo = 0, hi = m->nholders, n = 0;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (m->holder[mid].lock < lock)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < m->nholders && m->holder[lo + n].lock == lock)
		n++;
	*count = n;
	return n ? &m->holder[lo] : NULL;
}

uint32_t td_model_owner(const struct td_model *m, uint32_t word)
{
	if (word & BB_OWNER_CPU) {
		word &= ~BB_OWNER_CPU;
		return word < m->ncpus ? m->ntasks + word : TD_NOBODY;
	}
	return word && word <= m->ntasks ? word - 1 : TD_NOBODY;
}

bool td_model_lock(const struct td_model *m, uint64_t lock, struct bb_lock *out)
{
	/* a linear look: done for the few locks of a verdict only */
	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_LOCKS); i++)
		if (td_box_entry(m->box, BB_SEC_LOCKS, i, out, sizeof(*out)) && out->lock == lock &&
		    !out->dead)
			return true;
	return false;
}

uint64_t td_model_age(const struct td_model *m, uint64_t ticks)
{
	return ticks < m->now ? td_box_span_ns(m->box, m->now - ticks) : 0;
}

const char *td_node_name(const struct td_model *m, uint32_t node)
{
	static char buf[8][96];
	static unsigned turn;
	char *out = buf[turn++ & 7];

	if (node == TD_NOBODY || node >= m->nnodes) {
		snprintf(out, sizeof(buf[0]), "nobody known");
	} else if (!td_is_task(m, node)) {
		snprintf(out, sizeof(buf[0]), "cpu%u's interrupt handler", node - m->ntasks);
	} else {
		const struct bb_task *t = &m->task[node].t;

		if (t->flags & BB_TASK_IDLE)
			snprintf(out, sizeof(buf[0]), "the idle task of cpu%u", t->cpu);
		else if (t->flags & BB_TASK_KTHREAD)
			snprintf(out, sizeof(buf[0]), "%s (kernel thread %u)", t->name, t->tid);
		else if (t->tid != t->pid)
			snprintf(out, sizeof(buf[0]), "%s (pid %u, thread %u)", t->name, t->pid,
				 t->tid);
		else
			snprintf(out, sizeof(buf[0]), "%s (pid %u)", t->name, t->pid);
	}
	return out;
}
