/* explain_json.c - verdicts with all the evidence, so that an independent checker can verify each
 * against the dump: addresses, values and the fields that were compared. */
#include "think/why.h"

#include <inttypes.h>

static void place(const struct td_model *m, FILE *f, const char *key, uint64_t site)
{
	struct td_place p;

	td_place(m->names, site, true, &p);
	fprintf(f, "\"%s\":{\"addr\":\"0x%" PRIx64 "\",\"func\":", key, site);
	td_json_string(f, p.func);
	if (p.line) {
		fputs(",\"file\":", f);
		td_json_string(f, p.file);
		fprintf(f, ",\"line\":%d", p.line);
	}
	fputc('}', f);
}

static void text(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\"%s\":", key);
	td_json_string(f, s);
}

static void held(const struct td_model *m, FILE *f, const struct bb_held *h)
{
	fprintf(f, "{\"lock\":\"0x%" PRIx64 "\",", h->lock);
	text(f, "class", td_class_name(m->names, h->class));
	fprintf(f,
		",\"mode\":%u,\"sp\":\"0x%" PRIx64 "\",\"epoch\":%u,\"ns\":%" PRIu64
		",\"event\":\"%u:%u\",",
		h->mode, h->sp, h->epoch, td_box_ns(m->box, h->ticks), (uint32_t)(h->event >> 32),
		(uint32_t)h->event);
	place(m, f, "site", h->site);
	fputc('}', f);
}

static void node(const struct td_model *m, FILE *f, uint32_t n)
{
	const struct bb_wait *w;

	if (n >= m->nnodes) {
		fputs("null", f);
		return;
	}
	w = &m->wait[n];
	fputc('{', f);
	if (td_is_task(m, n)) {
		const struct bb_task *t = &m->task[n].t;
		const char *state = td_enum_name(m->names, BB_TAB_STATE, t->state);

		fprintf(f, "\"slot\":%u,\"tid\":%u,\"pid\":%u,\"ppid\":%u,", n, t->tid, t->pid,
			t->ppid);
		text(f, "name", t->name);
		fputc(',', f);
		text(f, "state", state ? state : "?");
		fprintf(f,
			",\"cpu\":%u,\"on_queue\":%u,\"current\":%s,\"mode\":%u,"
			"\"user_epoch\":%u,\"switch_sp\":\"0x%" PRIx64 "\","
			"\"stack\":[\"0x%" PRIx64 "\",\"0x%" PRIx64 "\"],\"since_ns\":%" PRIu64,
			t->cpu, t->on_queue, m->task[n].current ? "true" : "false", t->mode,
			t->user_epoch, t->switch_sp, t->stack_base, t->stack_top,
			td_box_ns(m->box, t->since));
		if (t->left_site) {
			fputc(',', f);
			place(m, f, "left", t->left_site);
			fprintf(f, ",\"left_ns\":%" PRIu64, td_box_ns(m->box, t->left_ticks));
		}
	} else {
		const struct bb_cpu *c = &m->cpu[n - m->ntasks].c;

		fprintf(f, "\"interrupt_of_cpu\":%u,\"irq_depth\":%u", n - m->ntasks, c->irq_depth);
	}
	if (w->kind) {
		const char *kind = td_enum_name(m->names, BB_TAB_WAIT, w->kind);

		fputs(",\"wait\":{", f);
		text(f, "kind", kind ? kind : "?");
		fprintf(f, ",\"object\":\"0x%" PRIx64 "\",", w->object);
		text(f, "class", w->class ? td_class_name(m->names, w->class) : "");
		fprintf(f, ",\"owner\":%u,\"arg\":%u,\"spins\":%s,\"since_ns\":%" PRIu64 ",",
			w->owner, w->arg, m->spins[n] ? "true" : "false",
			td_box_ns(m->box, w->ticks));
		place(m, f, "site", w->site);
		fputc('}', f);
	}
	fputc('}', f);
}

static void nodes(const struct td_model *m, FILE *f, const char *key, const uint32_t *list,
		  uint32_t n)
{
	fprintf(f, ",\n    \"%s\":[", key);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? ",\n      " : "\n      ", f);
		node(m, f, list[i]);
	}
	fputs("]", f);
}

/* The held entries that close a cycle, in its order. */
static void cycle_locks(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	bool first = true;

	fputs(",\n    \"held_in_cycle\":[", f);
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t n, next = v->ring[(i + 1) % v->nring];
		const struct td_holder *h = td_model_holders(m, m->wait[v->ring[i]].object, &n);

		for (uint32_t k = 0; k < n; k++)
			if (h[k].node == next) {
				fputs(first ? "\n      " : ",\n      ", f);
				held(m, f, &h[k].held);
				first = false;
				break;
			}
	}
	fputs("]", f);
}

static const char *reason_name(uint32_t reason)
{
	static const char *const names[] = {
		"",           "left-kernel",   "dead",        "idle",
		"frame-gone", "owner-gone",    "cpu-offline", "cpu-dead",
		"preempted",  "starved",       "stopped",     "no-queue",
		"idle-cpu",   "no-child",      "no-timer",    "zombie-child",
		"free-lock",  "two-owners",    "seen",        "unseen",
		"not-taken",  "not-announced", "io-done",     "passed-over",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "";
}

static void verdict(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	const char *kind = td_enum_name(m->names, BB_TAB_VERDICT, v->kind);

	fputs("{", f);
	text(f, "verdict", kind ? kind : "?");
	fputs(",", f);
	text(f, "reason", reason_name(v->reason));
	fprintf(f, ",\"lock\":\"0x%" PRIx64 "\",", v->lock);
	text(f, "class", v->class ? td_class_name(m->names, v->class) : "");
	if (v->cpu != TD_NOBODY && v->cpu < m->ncpus) {
		const struct bb_cpu *c = &m->cpu[v->cpu].c;

		fprintf(f,
			",\n    \"cpu\":{\"cpu\":%u,\"online\":%u,\"mode\":%u,\"irq_depth\":%u,"
			"\"last_tick_ns\":%" PRIu64 ",\"irqs_off_since_ns\":%" PRIu64 ",",
			v->cpu, c->online, c->mode, c->irq_depth, td_box_ns(m->box, c->last_tick),
			c->irqs_off_since ? td_box_ns(m->box, c->irqs_off_since) : 0);
		place(m, f, "irqs_off_site", c->irqs_off_site);
		fputs("}", f);
	}
	fputs(",\n    \"owner\":", f);
	node(m, f, v->node);
	if (v->has_held) {
		fputs(",\n    \"held\":", f);
		held(m, f, &v->held);
	}
	if (v->nring) {
		nodes(m, f, "cycle", v->ring, v->nring);
		cycle_locks(m, f, v);
	}
	nodes(m, f, "waiters", v->stuck, v->ndirect);
	nodes(m, f, "stuck_behind", v->nstuck ? v->stuck + v->ndirect : NULL,
	      v->nstuck - v->ndirect);
	if (v->queue.id) {
		const struct bb_queue *q = &v->queue.q;

		fputs(",\n    \"queue\":{", f);
		text(f, "device", q->name);
		fprintf(f,
			",\"done\":%u,\"busy\":%u,\"unannounced\":%u,\"seen\":%u,\"kicked\":%u,"
			"\"looks\":%u,\"looked\":%u,\"unseen_since_ns\":%" PRIu64
			",\"irqs\":%" PRIu64 ",\"last_irq_ns\":%" PRIu64 ",\"cpu\":%u}",
			v->queue.done, v->queue.busy, v->queue.unannounced, q->seen, q->kicked,
			q->looks, q->looked, td_box_ns(m->box, q->unseen_since), q->irqs,
			td_box_ns(m->box, q->last_irq), q->cpu);
	}
	if (v->reason == TD_R_PASSED_OVER)
		fprintf(f, ",\n    \"released_meanwhile\":%u", v->passed);
	if (v->has_report) {
		fprintf(f,
			",\n    \"report\":{\"check\":%u,\"count\":%" PRIu64 ",\"ns\":%" PRIu64
			",\"cpu\":%u,",
			v->report.check, v->report.count, td_box_ns(m->box, v->report.ticks),
			v->report.cpu);
		place(m, f, "site", v->report.site);
		fputs(",", f);
		place(m, f, "site2", v->report.site2);
		fputs("}", f);
	}
	fputs("}", f);
}

int td_explain_json(const struct td_analysis *a, FILE *f)
{
	const struct td_model *m = a->m;
	uint32_t stuck = 0, tasks = 0;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		if (!m->task[i].used || m->task[i].t.flags & BB_TASK_IDLE)
			continue;
		tasks++;
		stuck += a->cause[i] >= 0;
	}
	fprintf(f,
		"{\"healthy\":%s,\"crashed\":%s,\"tasks\":%u,\"stuck\":%u,\"now_ns\":%" PRIu64
		",\"quiet\":%s,\n",
		a->n || m->crashed ? "false" : "true", m->crashed ? "true" : "false", tasks, stuck,
		td_box_ns(m->box, m->now), m->quiet ? "true" : "false");
	if (m->crashed) {
		char reason[sizeof(m->crash.reason)];

		td_clean(reason, sizeof(reason), m->crash.reason, sizeof(m->crash.reason));
		text(f, "crash", reason);
		fputs(",\n", f);
	}
	fputs(" \"verdicts\":[", f);
	for (uint32_t i = 0; i < a->n; i++) {
		fputs(i ? ",\n  " : "\n  ", f);
		verdict(m, f, &a->v[i]);
	}
	fputs("]}\n", f);
	return a->n || m->crashed;
}
