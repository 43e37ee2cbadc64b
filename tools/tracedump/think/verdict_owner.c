/* verdict_owner.c - owner-not-running, owner-sleeping: the holder of a lock is off the CPU although
 * somebody needs it on one. */
#include "verdict.h"

/* On its way off the CPU a task takes and drops spin locks. */
#define SWITCHING (100 * TD_MS)

static uint32_t waiters_of(const struct td_model *m, uint64_t lock)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->nnodes; i++)
		n += td_wait_is_lock(m->wait[i].kind) && m->wait[i].object == lock;
	return n;
}

static bool spin_class(const struct td_model *m, uint32_t class)
{
	struct bb_class c;

	return class && td_box_entry(m->box, BB_SEC_CLASSES, class, &c, sizeof(c)) &&
	       c.kind == BB_LK_SPIN;
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
		    td_orphan_reason(m, h))
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
		} else if (k->current && td_cpu_silent(m, cpu)) {
			reason = TD_R_CPU_DEAD;
		} else if (k->t.state == BB_ST_STOPPED) {
			reason = TD_R_STOPPED;
		} else if (k->t.state == BB_ST_RUNNABLE && !k->current) {
			uint32_t cur = m->cpu[cpu].current;

			if (cur != TD_NOBODY && m->spins[cur] && m->wait[cur].object == h->lock &&
			    (m->task[cur].t.preempt_count || m->cpu[cpu].c.irqs_off_since))
				reason = TD_R_PREEMPTED;
			else if (k->t.on_queue && td_model_age(m, k->t.since) >= TD_STARVED)
				reason = TD_R_STARVED;
		}
		if (!reason)
			continue;
		td_add_held(a, &td_owner, kind, reason, h)->cpu = cpu;
		td_mark_waiters(a, h->lock);
	}
}

static void say_owner(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_task *t =
		v->node != TD_NOBODY && td_is_task(m, v->node) ? &m->task[v->node].t : NULL;
	const char *name = td_lock_name(m, v), *who = td_node_name(m, v->node);
	uint32_t cur = v->cpu < m->ncpus ? m->cpu[v->cpu].current : TD_NOBODY;

	switch (v->reason) {
	case TD_R_CPU_OFFLINE:
		td_line(r, "%s lock %s is held by %s, whose cpu%u is offline.", cause, name, who,
			v->cpu);
		break;
	case TD_R_CPU_DEAD:
		td_line(r,
			"%s lock %s is held by %s on cpu%u, which has had no timer tick for %.1f "
			"s.",
			cause, name, who, v->cpu,
			(double)td_model_age(m, m->cpu[v->cpu].c.last_tick) / 1e9);
		break;
	case TD_R_PREEMPTED:
		td_line(r, "%s lock %s is held by %s, which was preempted on cpu%u by %s;", cause,
			name, who, v->cpu, td_node_name(m, cur));
		td_line(r, "       that one spins for the lock and never lets it back in.");
		break;
	case TD_R_STARVED:
		td_line(r,
			"%s lock %s is held by %s, which is runnable but has not run for %.1f s;",
			cause, name, who, t ? (double)td_model_age(m, t->since) / 1e9 : 0.0);
		td_line(r, "       cpu%u runs %s instead.", v->cpu, td_node_name(m, cur));
		break;
	case TD_R_STOPPED:
		td_line(r, "%s lock %s is held by %s, which is stopped.", cause, name, who);
		break;
	default:
		td_line(r, "%s spin lock %s is held by %s, which went to sleep with it.", cause,
			name, who);
		break;
	}
	if (v->has_held)
		td_say_taken(r, &v->held, 10);
	else if (v->has_report)
		td_line(r, "       taken at  %s", td_site(m, v->report.site, 10));
	if (v->kind == BB_V_OWNER_SLEEPING && t && t->wait.kind)
		td_line(r, "       sleeps at %s   t=%.3f s", td_site(m, t->wait.site, 10),
			td_seconds(m, t->wait.ticks));
	else if (v->kind == BB_V_OWNER_SLEEPING && v->has_report)
		td_line(r, "       sleeps at %s", td_site(m, v->report.site2, 10));
	if (v->reason == TD_R_CPU_DEAD)
		td_say_silent(r, v->cpu);
	td_say_waiters(r, v, 0, v->ndirect, "Waiting:");
	td_say_behind(r, v);
	if (v->kind == BB_V_OWNER_SLEEPING)
		td_line(r,
			"Fix hint: release %s before anything that can sleep, or make it a mutex.",
			name);
	else if (v->reason == TD_R_PREEMPTED)
		td_line(r, "Fix hint: hold %s with preemption off.", name);
}

const struct td_family td_owner = {.find = find_bad_owners, .say = say_owner};
