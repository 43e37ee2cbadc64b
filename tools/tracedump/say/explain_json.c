/* explain_json.c - verdicts with all the evidence, so that an independent checker can verify each
 * against the dump: addresses, values and the fields that were compared. What is special of a
 * family is written by its own file. */
#include "think/load.h"
#include "think/verdict.h"

#include <inttypes.h>

static void verdict(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	const char *kind = td_enum_name(m->names, BB_TAB_VERDICT, v->kind);

	fputs("{", f);
	td_json_text(f, "verdict", kind ? kind : "?");
	fputs(",", f);
	td_json_text(f, "reason", td_reason_name(v->reason));
	fprintf(f, ",\"lock\":\"0x%" PRIx64 "\",", v->lock);
	td_json_text(f, "class", v->class ? td_class_name(m->names, v->class) : "");
	if (v->cpu != TD_NOBODY && v->cpu < m->ncpus) {
		const struct bb_cpu *c = &m->cpu[v->cpu].c;

		fprintf(f,
			",\n    \"cpu\":{\"cpu\":%u,\"online\":%u,\"mode\":%u,\"irq_depth\":%u,"
			"\"last_tick_ns\":%" PRIu64 ",\"irqs_off_since_ns\":%" PRIu64 ",",
			v->cpu, c->online, c->mode, c->irq_depth, td_box_ns(m->box, c->last_tick),
			c->irqs_off_since ? td_box_ns(m->box, c->irqs_off_since) : 0);
		td_json_place(m, f, "irqs_off_site", c->irqs_off_site);
		fputs("}", f);
	}
	fputs(",\n    \"owner\":", f);
	td_json_node(m, f, v->node);
	if (v->has_held) {
		fputs(",\n    \"held\":", f);
		td_json_held(m, f, &v->held);
	}
	if (v->family->json)
		v->family->json(m, f, v);
	td_json_nodes(m, f, "waiters", v->stuck, v->ndirect);
	td_json_nodes(m, f, "stuck_behind", v->nstuck ? v->stuck + v->ndirect : NULL,
		      v->nstuck - v->ndirect);
	if (v->has_report) {
		fprintf(f,
			",\n    \"report\":{\"check\":%u,\"count\":%" PRIu64 ",\"ns\":%" PRIu64
			",\"cpu\":%u,",
			v->report.check, v->report.count, td_box_ns(m->box, v->report.ticks),
			v->report.cpu);
		td_json_place(m, f, "site", v->report.site);
		fputs(",", f);
		td_json_place(m, f, "site2", v->report.site2);
		fputs("}", f);
	}
	fputs("}", f);
}

static void asks_in_vain(const struct td_model *m, FILE *f)
{
	bool first = true;
	char name[64];

	fputs(" \"asks_in_vain\":[", f);
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;

		if (!td_asks_in_vain(m, i))
			continue;
		td_call_name(m->names, (uint32_t)t->missing, name, sizeof(name));
		fprintf(f, "%s{\"task\":", first ? "" : ",\n  ");
		td_json_node(m, f, i);
		fprintf(f, ",\"call\":%d,", t->missing);
		td_json_text(f, "name", name);
		fprintf(f, ",\"count\":%u,\"last_ns\":%" PRIu64 "}", t->missing_count,
			td_box_ns(m->box, t->missing_ticks));
		first = false;
	}
	fputs("],\n", f);
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
		td_json_text(f, "crash", reason);
		fputs(",\n", f);
	}
	asks_in_vain(m, f);
	fputs(" \"verdicts\":[", f);
	for (uint32_t i = 0; i < a->n; i++) {
		fputs(i ? ",\n  " : "\n  ", f);
		verdict(m, f, &a->v[i]);
	}
	fputs("]}\n", f);
	return a->n || m->crashed;
}
