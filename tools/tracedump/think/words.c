/* words.c - what the words of all verdicts are made of: lines, places, times, names of waits. */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#define PLACE 320

void td_line(struct td_report *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->full && r->left-- <= 0)
		return;
	va_start(ap, fmt);
	vfprintf(r->f, fmt, ap);
	va_end(ap);
	fputc('\n', r->f);
}

double td_seconds(const struct td_model *m, uint64_t ticks)
{
	return (double)td_box_ns(m->box, ticks) / 1e9;
}

const char *td_site(const struct td_model *m, uint64_t site, int pad)
{
	static char buf[4][PLACE];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct td_place p;

	td_place(m->names, site, true, &p);
	td_place_text(&p, pad, out, PLACE);
	return out;
}

const char *td_site_func(const struct td_model *m, uint64_t site)
{
	static char buf[4][80];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct td_place p;

	td_place(m->names, site, true, &p);
	snprintf(out, sizeof(buf[0]), p.func[0] ? "%s()" : "that function", p.func);
	return out;
}

const char *td_wait_name(const struct td_model *m, uint32_t kind)
{
	const char *s = td_enum_name(m->names, BB_TAB_WAIT, kind);

	return s ? s : "something";
}

const char *td_article(uint32_t kind)
{
	switch (kind) {
	case BB_WAIT_QUEUE:
	case BB_WAIT_IPI:
		return "an ";
	case BB_WAIT_TTY:
	case BB_WAIT_IO:
	case BB_WAIT_RECLAIM:
		return "";
	default:
		return "a ";
	}
}

const char *td_lock_name(const struct td_model *m, const struct td_verdict *v)
{
	return td_class_name(m->names, v->class);
}

const char *td_what_waited(const struct td_model *m, const struct bb_wait *w)
{
	static char buf[4][64];
	static unsigned turn;
	char *out = buf[turn++ & 3];

	if (w->class && td_wait_is_lock(w->kind))
		snprintf(out, sizeof(buf[0]), "%s %s", td_wait_name(m, w->kind),
			 td_class_name(m->names, w->class));
	else if (w->class && (w->kind == BB_WAIT_QUEUE || w->kind == BB_WAIT_COMPLETION ||
			      w->kind == BB_WAIT_PIPE || w->kind == BB_WAIT_POLL))
		/* of other kinds the name of the kind says it all */
		snprintf(out, sizeof(buf[0]), "%s%s (%s)", td_article(w->kind),
			 td_wait_name(m, w->kind), td_class_name(m->names, w->class));
	else if (w->kind == BB_WAIT_IPI || w->kind == BB_WAIT_TLB)
		snprintf(out, sizeof(buf[0]), "%s of cpu%u",
			 w->kind == BB_WAIT_IPI ? "an answer" : "a TLB shootdown", w->arg);
	else
		snprintf(out, sizeof(buf[0]), "%s%s", td_article(w->kind),
			 td_wait_name(m, w->kind));
	return out;
}

void td_say_taken(struct td_report *r, const struct bb_held *h, int pad)
{
	td_line(r, "       taken at  %s   t=%.3f s  (event %u:%u)", td_site(r->m, h->site, pad),
		td_seconds(r->m, h->ticks), (uint32_t)(h->event >> 32), (uint32_t)h->event);
}

void td_say_waiters(struct td_report *r, const struct td_verdict *v, uint32_t from, uint32_t to,
		    const char *head)
{
	bool *done = td_alloc(v->nstuck, sizeof(*done));

	for (uint32_t i = from; i < to; i++) {
		const struct bb_wait *w = &r->m->wait[v->stuck[i]];
		char names[400] = "";
		size_t at = 0;
		uint32_t more = 0;

		if (done[i])
			continue;
		for (uint32_t k = i; k < to; k++) {
			const struct bb_wait *x = &r->m->wait[v->stuck[k]];
			const char *name = td_node_name(r->m, v->stuck[k]);

			if (done[k] || x->site != w->site || x->kind != w->kind)
				continue;
			done[k] = true;
			if (at + strlen(name) + 24 > (r->full ? sizeof(names) : 200))
				more++;
			else
				at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
						       at ? ", " : "", name);
		}
		if (more)
			snprintf(names + at, sizeof(names) - at, " and %u more", more);
		if (w->kind && w->site)
			td_line(r, "%s %s  in %s", head, names, td_site(r->m, w->site, 0));
		else if (w->kind)
			td_line(r, "%s %s", head, names);
		else
			td_line(r, "%s %s  under that", head, names);
		head = "        ";
	}
	free(done);
}

void td_say_behind(struct td_report *r, const struct td_verdict *v)
{
	for (uint32_t i = v->ndirect; i < v->nstuck; i++) {
		const struct bb_wait *w = &r->m->wait[v->stuck[i]];

		if (i - v->ndirect == 4 && !r->full) {
			td_line(r, "         and %u more", v->nstuck - i);
			return;
		}
		if (w->kind)
			td_line(r, "%s %s waits for %s",
				i == v->ndirect ? "Also stuck behind them:"
						: "                       ",
				td_node_name(r->m, v->stuck[i]), td_what_waited(r->m, w));
		else
			td_line(r, "%s %s",
				i == v->ndirect ? "Also stuck behind them:"
						: "                       ",
				td_node_name(r->m, v->stuck[i]));
	}
}

void td_say_wait(struct td_report *r, const struct td_verdict *v)
{
	const struct bb_wait *w = &r->m->wait[v->node];

	if (w->kind && w->site)
		td_line(r, "       waits at  %s   since t=%.3f s", td_site(r->m, w->site, 10),
			td_seconds(r->m, w->ticks));
	if (v->ndirect > 1)
		td_say_waiters(r, v, 1, v->ndirect, "Waiting:");
	td_say_behind(r, v);
}
