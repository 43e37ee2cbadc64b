/* explain.c - the report for people: verdict first, owner before waiters, names instead of
 * addresses, at most MAX_LINES lines unless everything is asked for. How a family speaks is in its
 * own file (think/verdict_*.c). */
#include "think/load.h"
#include "think/verdict.h"

#include <inttypes.h>

#define MAX_LINES   25
#define SLOW_DEVICE TD_SECOND
#define BUSY        TD_SECOND /* of CPU time: worth a word */
#define MAX_CROWDS  4

/* Slow is not stuck, but worth a word: the oldest wait for a request that is with the device. */
static void say_busy_devices(struct td_report *r)
{
	const struct td_model *m = r->m;
	struct td_queue q;

	for (uint32_t i = 0; i < td_queues(m); i++) {
		uint64_t age = 0;

		if (!td_queue(m, i, &q) || !q.busy)
			continue;
		for (uint32_t k = 0; k < m->ntasks; k++)
			if (td_waits_for_queue(m, &q, k) && td_model_age(m, m->wait[k].ticks) > age)
				age = td_model_age(m, m->wait[k].ticks);
		if (age >= SLOW_DEVICE)
			td_line(r, "         device %s has been working on a request for %.1f s.",
				q.q.name, (double)age / 1e9);
	}
}

/* Busy is not stuck either; but who does not know by what, does not know what to do. */
static void say_busy_cpus(struct td_report *r)
{
	const struct td_model *m = r->m;
	struct td_load l;
	uint32_t shown = 0;

	td_load(&l, m);
	if (l.tasks > l.cpus)
		td_line(r, "         %u tasks share %u CPU%s:", l.tasks, l.cpus,
			l.cpus == 1 ? "" : "s");
	for (uint32_t i = 0; i < l.ncrowds && (shown < MAX_CROWDS || r->full); i++) {
		const struct td_crowd *c = &l.crowd[i];
		const char *head = l.tasks > l.cpus ? "           " : "         busy: ";
		double had = (double)c->ns / 1e9;

		if (c->ns < BUSY && l.tasks <= l.cpus)
			continue;
		shown++;
		if (c->n == 1)
			td_line(r, "%s%s has had %.1f s of CPU time", head,
				td_node_name(m, c->first), had);
		else if (c->parent == TD_NOBODY)
			td_line(r, "%s%u x %s have had %.1f s of CPU time", head, c->n,
				m->task[c->first].t.name, had);
		else
			td_line(r, "%s%u x %s, children of %s, have had %.1f s of CPU time", head,
				c->n, m->task[c->first].t.name, td_node_name(m, c->parent), had);
	}
	td_load_free(&l);
}

/* 48,211 */
static const char *grouped(uint32_t n)
{
	static char out[16];
	char digits[11];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%u", n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = 0;
	return out;
}

/* Runs, and gets nowhere: no lock and no wait says so, only that the answer is always the same. */
static void say_asks_in_vain(struct td_report *r)
{
	const struct td_model *m = r->m;
	uint32_t n = 0;
	char name[64];

	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;

		if (!td_asks_in_vain(m, i) || (n++ >= MAX_CROWDS && !r->full))
			continue;
		td_call_name(m->names, (uint32_t)t->missing, name, sizeof(name));
		td_line(r,
			"         %s spins in system call %d (%s), which this kernel does not "
			"have: "
			"-ENOSYS %s times, last %.1f ms ago",
			td_node_name(m, i), t->missing, name, grouped(t->missing_count),
			(double)td_model_age(m, t->missing_ticks) / 1e6);
	}
	if (n > MAX_CROWDS && !r->full)
		td_line(r, "         and %u more of that kind", n - MAX_CROWDS);
}

/* A child that has ended stays until its parent asks for it. */
static void say_unreaped(struct td_report *r)
{
	const struct td_model *m = r->m;
	uint32_t n = 0, oldest = 0;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;

		if (!m->task[i].used || t->state != BB_ST_ZOMBIE ||
		    td_model_age(m, t->since) < TD_SECOND)
			continue;
		if (!n++ || t->since < m->task[oldest].t.since)
			oldest = i;
	}
	if (n)
		td_line(r, "         %u unreaped %s: %s of pid %u, ended %.1f s ago.", n,
			n == 1 ? "child" : "children; the oldest", td_node_name(m, oldest),
			m->task[oldest].t.ppid,
			(double)td_model_age(m, m->task[oldest].t.since) / 1e9);
}

static void say_healthy(struct td_report *r)
{
	const struct td_model *m = r->m;
	uint32_t tasks = 0, waiting = 0, by_kind[BB_WAIT_KINDS] = {0};
	char detail[400] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		if (!m->task[i].used || m->task[i].t.flags & BB_TASK_IDLE)
			continue;
		tasks++;
		if (m->wait[i].kind) {
			waiting++;
			by_kind[m->wait[i].kind]++;
		}
	}
	for (uint32_t k = 1; k < BB_WAIT_KINDS; k++)
		if (by_kind[k] && at < sizeof(detail) - 48)
			at += (size_t)snprintf(detail + at, sizeof(detail) - at, "%s%u for %s%s",
					       at ? ", " : "", by_kind[k], td_article(k),
					       k == BB_WAIT_TTY ? "a key" : td_wait_name(m, k));
	td_line(r, "healthy: %u task%s, %u waiting%s%s%s; nothing is stuck.", tasks,
		tasks == 1 ? "" : "s", waiting, at ? " (" : "", detail, at ? ")" : "");
	say_busy_devices(r);
	say_busy_cpus(r);
	say_asks_in_vain(r);
	say_unreaped(r);
}

static void say_crash(struct td_report *r)
{
	const struct bb_crash *c = &r->m->crash;
	char reason[sizeof(c->reason)];
	uint32_t n = c->nframes < BB_CRASH_FRAMES ? c->nframes : BB_CRASH_FRAMES;

	td_clean(reason, sizeof(reason), c->reason, sizeof(c->reason));
	td_line(r, "CRASHED: %s", reason);
	td_line(r, "       on cpu%u in %s   t=%.3f s", c->cpu,
		td_node_name(r->m, td_model_owner(r->m, c->task)), td_seconds(r->m, c->ticks));
	if (c->pc)
		td_line(r, "       at %s", td_site(r->m, c->pc + 1, 0));
	for (uint32_t i = 0; i < n && (r->full || i < 6); i++)
		td_line(r, "       from %s", td_site(r->m, c->frames[i], 0));
}

static void say_evidence(struct td_report *r)
{
	const struct td_model *m = r->m;

	td_line(r, "%s", "");
	td_line(r, "Locks held:");
	for (uint32_t i = 0; i < m->nholders + m->nghosts; i++) {
		const struct td_holder *h = &m->holder[i];

		td_line(r,
			"  %-20s 0x%" PRIx64 "%s  by %s  at %s  t=%.6f s  sp=0x%" PRIx64
			" epoch=%u",
			td_class_name(m->names, h->held.class), h->lock,
			i < m->nholders ? "" : " (freed)", td_node_name(m, h->node),
			td_site(m, h->held.site, 0), td_seconds(m, h->held.ticks), h->held.sp,
			h->held.epoch);
	}
	td_line(r, "Waits:");
	for (uint32_t i = 0; i < m->nnodes; i++)
		if (m->wait[i].kind)
			td_line(r, "  %s: %s 0x%" PRIx64 "  at %s  since t=%.6f s%s",
				td_node_name(m, i), td_what_waited(m, &m->wait[i]),
				m->wait[i].object, td_site(m, m->wait[i].site, 0),
				td_seconds(m, m->wait[i].ticks),
				r->a->cause[i] >= 0 ? "  - stuck" : "");
	td_line(r, "Reports of the run-time checks:");
	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_REPORTS); i++) {
		struct bb_report b;
		const char *verdict;

		td_box_entry(m->box, BB_SEC_REPORTS, i, &b, sizeof(b));
		if (!b.seq)
			continue;
		verdict = td_enum_name(m->names, BB_TAB_VERDICT, b.verdict);
		td_line(r, "  t=%.6f s  %s  %s by %s  at %s, %s  (%" PRIu64 " times)",
			td_seconds(m, b.ticks), verdict ? verdict : "?",
			td_class_name(m->names, b.class),
			td_node_name(m, td_model_owner(m, b.task)), td_site(m, b.site, 0),
			td_site(m, b.site2, 0), b.count);
	}
}

int td_explain(const struct td_analysis *a, FILE *f, bool full, const char *elf_warning)
{
	struct td_report r = {.a = a, .m = a->m, .f = f, .left = MAX_LINES, .full = full};
	uint32_t tasks = 0, handlers = 0;

	for (uint32_t i = 0; i < a->m->nnodes; i++) {
		if (a->cause[i] < 0)
			continue;
		if (!td_is_task(a->m, i))
			handlers++;
		else if (!(a->m->task[i].t.flags & BB_TASK_IDLE))
			tasks++;
	}
	if (elf_warning && *elf_warning)
		td_line(&r, "warning: %s", elf_warning);
	if (a->m->crashed)
		say_crash(&r);
	if (tasks && a->v[0].kind == BB_V_STARVED)
		td_line(&r, "HUNG: %u task%s make%s no progress.", tasks, tasks == 1 ? "" : "s",
			tasks == 1 ? "s" : "");
	else if (tasks)
		td_line(&r, "HUNG: %u task%s can never run again.", tasks, tasks == 1 ? "" : "s");
	else if (handlers)
		td_line(&r, "HUNG: %u interrupt handler%s can never go on.", handlers,
			handlers == 1 ? "" : "s");
	else if (a->n && a->v[0].kind == BB_V_CPU_DEAD)
		td_line(&r, "HUNG: cpu%u does nothing any more.", a->v[0].cpu);
	else if (a->n)
		td_line(&r, "BUG: nothing hangs yet, but it will.");
	else if (!a->m->crashed)
		say_healthy(&r);
	for (uint32_t i = 0; i < a->n; i++) {
		if (i == 3 && !full) {
			td_line(&r, "And %u more; see --full.", a->n - i);
			break;
		}
		a->v[i].family->say(&r, &a->v[i], i ? "And:  " : "Cause:");
	}
	if (full)
		say_evidence(&r);
	return a->n || a->m->crashed;
}
