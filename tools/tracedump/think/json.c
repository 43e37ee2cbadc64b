/* json.c - what the JSON of all verdicts is made of: places, held locks, tasks with their waits. */
#include "verdict.h"

#include <inttypes.h>

void td_json_place(const struct td_model *m, FILE *f, const char *key, uint64_t site)
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

void td_json_text(FILE *f, const char *key, const char *s)
{
	fprintf(f, "\"%s\":", key);
	td_json_string(f, s);
}

void td_json_held(const struct td_model *m, FILE *f, const struct bb_held *h)
{
	fprintf(f, "{\"lock\":\"0x%" PRIx64 "\",", h->lock);
	td_json_text(f, "class", td_class_name(m->names, h->class));
	fprintf(f,
		",\"mode\":%u,\"sp\":\"0x%" PRIx64 "\",\"epoch\":%u,\"ns\":%" PRIu64
		",\"event\":\"%u:%u\",",
		h->mode, h->sp, h->epoch, td_box_ns(m->box, h->ticks), (uint32_t)(h->event >> 32),
		(uint32_t)h->event);
	td_json_place(m, f, "site", h->site);
	fputc('}', f);
}

void td_json_node(const struct td_model *m, FILE *f, uint32_t n)
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
		td_json_text(f, "name", t->name);
		fputc(',', f);
		td_json_text(f, "state", state ? state : "?");
		fprintf(f,
			",\"cpu\":%u,\"on_queue\":%u,\"current\":%s,\"mode\":%u,"
			"\"user_epoch\":%u,\"switch_sp\":\"0x%" PRIx64 "\","
			"\"stack\":[\"0x%" PRIx64 "\",\"0x%" PRIx64 "\"],\"since_ns\":%" PRIu64,
			t->cpu, t->on_queue, m->task[n].current ? "true" : "false", t->mode,
			t->user_epoch, t->switch_sp, t->stack_base, t->stack_top,
			td_box_ns(m->box, t->since));
		if (t->left_site) {
			fputc(',', f);
			td_json_place(m, f, "left", t->left_site);
			fprintf(f, ",\"left_ns\":%" PRIu64, td_box_ns(m->box, t->left_ticks));
		}
	} else {
		const struct bb_cpu *c = &m->cpu[n - m->ntasks].c;

		fprintf(f, "\"interrupt_of_cpu\":%u,\"irq_depth\":%u", n - m->ntasks, c->irq_depth);
	}
	if (w->kind) {
		const char *kind = td_enum_name(m->names, BB_TAB_WAIT, w->kind);

		fputs(",\"wait\":{", f);
		td_json_text(f, "kind", kind ? kind : "?");
		fprintf(f, ",\"object\":\"0x%" PRIx64 "\",", w->object);
		td_json_text(f, "class", w->class ? td_class_name(m->names, w->class) : "");
		fprintf(f, ",\"owner\":%u,\"arg\":%u,\"spins\":%s,\"since_ns\":%" PRIu64 ",",
			w->owner, w->arg, m->spins[n] ? "true" : "false",
			td_box_ns(m->box, w->ticks));
		td_json_place(m, f, "site", w->site);
		fputc('}', f);
	}
	fputc('}', f);
}

void td_json_nodes(const struct td_model *m, FILE *f, const char *key, const uint32_t *list,
		   uint32_t n)
{
	fprintf(f, ",\n    \"%s\":[", key);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i ? ",\n      " : "\n      ", f);
		td_json_node(m, f, list[i]);
	}
	fputs("]", f);
}

const char *td_reason_name(uint32_t reason)
{
	static const char *const names[] = {
		"",           "left-kernel",   "dead",        "idle",
		"frame-gone", "owner-gone",    "cpu-offline", "cpu-dead",
		"preempted",  "starved",       "stopped",     "no-queue",
		"idle-cpu",   "no-child",      "no-timer",    "zombie-child",
		"free-lock",  "two-owners",    "seen",        "unseen",
		"not-taken",  "not-announced", "io-done",     "passed-over",
		"freed-held", "freed-waited",
	};

	return reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "";
}
