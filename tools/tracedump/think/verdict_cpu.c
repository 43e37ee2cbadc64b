/* verdict_cpu.c - stranded: a runnable task that no CPU picks; cpu-dead: a CPU without ticks. */
#include "verdict.h"

#define CPU_SILENT (2 * TD_SECOND) /* no tick for so long: dead */
#define STRANDED   (100 * TD_MS)

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
			 td_model_age(m, k->t.since) >= TD_SECOND)
			reason = TD_R_IDLE_CPU;
		if (!reason)
			continue;
		td_add(a, &td_stranded, BB_V_STRANDED, reason, i)->cpu = k->t.cpu;
		td_mark(a, i, a->n - 1, true);
	}
}

static void say_stranded(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_task *t = &m->task[v->node].t;
	const char *who = td_node_name(m, v->node);

	if (v->reason == TD_R_NO_QUEUE)
		td_line(r, "%s %s is runnable but in no run queue, since t=%.3f s.", cause, who,
			td_seconds(m, t->since));
	else
		td_line(r, "%s %s is in the run queue of cpu%u since t=%.3f s, but cpu%u idles.",
			cause, who, v->cpu, td_seconds(m, t->since), v->cpu);
	if (td_model_owner(m, t->waker) != TD_NOBODY)
		td_line(r, "       last woken by %s", td_node_name(m, td_model_owner(m, t->waker)));
	if (t->switch_pc)
		td_line(r, "       left its CPU in %s", td_site(m, t->switch_pc, 0));
	td_say_wait(r, v);
}

const struct td_family td_stranded = {.find = find_stranded, .say = say_stranded};

bool td_cpu_silent(const struct td_model *m, uint32_t cpu)
{
	const struct bb_cpu *c = &m->cpu[cpu].c;

	return c->online && c->mode != BB_MODE_IDLE && !m->crashed &&
	       td_model_age(m, c->last_tick ? c->last_tick : m->box->hdr.clock_anchor) >=
		       CPU_SILENT;
}

/* The other end of the same finding: a lock whose holder is on that CPU. */
static int32_t known_dead(const struct td_analysis *a, uint32_t cpu)
{
	for (uint32_t k = 0; k < a->n; k++)
		if (a->v[k].reason == TD_R_CPU_DEAD && a->v[k].cpu == cpu)
			return (int32_t)k;
	return -1;
}

static void find_dead_cpus(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t c = 0; c < m->ncpus; c++) {
		uint32_t cur = m->cpu[c].current, v;
		int32_t known = known_dead(a, c);

		/* a CPU that spins for a lock is dead because of that lock */
		if (!td_cpu_silent(m, c) || a->cause[m->ntasks + c] >= 0 ||
		    (cur != TD_NOBODY && a->cause[cur] >= 0))
			continue;
		if (known < 0)
			td_add(a, &td_cpu_dead, BB_V_CPU_DEAD, TD_R_NONE, cur)->cpu = c;
		v = known < 0 ? a->n - 1 : (uint32_t)known;
		if (cur != TD_NOBODY && !(m->task[cur].t.flags & BB_TASK_IDLE))
			td_mark(a, cur, v, known < 0);
		for (uint32_t i = 0; i < m->ntasks; i++) {
			const struct bb_wait *w = &m->wait[i];

			if ((m->task[i].used && m->task[i].t.state == BB_ST_RUNNABLE &&
			     m->task[i].t.cpu == c && m->task[i].t.on_queue) ||
			    ((w->kind == BB_WAIT_IPI || w->kind == BB_WAIT_TLB) && w->arg == c))
				td_mark(a, i, v, false);
		}
	}
}

void td_say_silent(struct td_report *r, uint32_t cpu)
{
	const struct td_model *m = r->m;
	const struct bb_cpu *c = &m->cpu[cpu].c;

	if (c->irqs_off_since)
		td_line(r, "       interrupts off since t=%.3f s  at %s",
			td_seconds(m, c->irqs_off_since), td_site(m, c->irqs_off_site, 0));
	if (c->nmi_ticks && c->nmi_ticks >= c->last_tick)
		td_line(r, "       seen at   %s   t=%.3f s (by NMI)", td_site(m, c->nmi_pc, 10),
			td_seconds(m, c->nmi_ticks));
}

static void say_cpu(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_cpu *c = &m->cpu[v->cpu].c;

	td_line(r, "%s cpu%u has had no timer tick for %.1f s (last at t=%.3f s) and is not idle.",
		cause, v->cpu, (double)td_model_age(m, c->last_tick) / 1e9,
		td_seconds(m, c->last_tick));
	td_line(r, "       it runs   %s, in %s mode", td_node_name(m, m->cpu[v->cpu].current),
		c->mode == BB_MODE_USER ? "user" : "kernel");
	td_say_silent(r, v->cpu);
	td_say_behind(r, v);
	if (!c->irqs_off_since && (!c->nmi_ticks || c->nmi_ticks < c->last_tick))
		td_line(r,
			"Fix hint: `hs bt cpu%u` in GDB shows where it is; who there masks "
			"interrupts?",
			v->cpu);
	if (c->irqs_off_since)
		td_line(r,
			"Fix hint: %s switched interrupts off; find the path that does not "
			"switch them on again.",
			td_site_func(m, c->irqs_off_site));
}

const struct td_family td_cpu_dead = {.find = find_dead_cpus, .say = say_cpu};
