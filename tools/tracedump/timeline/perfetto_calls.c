/* perfetto_calls.c - where system calls begin.
 *
 * A call leaves one record, at its end, which says how long it took; a call in progress is only in
 * the task table. The timeline is written in order of time, so that slices nest: all begins are
 * collected first, sorted, and each is written before the first event that is later.
 */
#include <stdlib.h>

#include "perfetto_tracks.h"

static int by_begin(const void *a, const void *b)
{
	const struct pt_call *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static bool call_of_event(const struct pt *t, uint32_t cpu, const struct td_event *e,
			  struct pt_call *c)
{
	const struct td_box *b = &t->s->box;
	uint64_t word = td_arg(b, e, 0), took = td_box_span_ns(b, BB_CALL_TICKS(word));

	if (td_role(&t->s->names, e->id) != BB_ROLE_SYSCALL_DONE || e->tid <= 0)
		return false;
	*c = (struct pt_call){
		.begin = took < e->ns ? e->ns - took : 0,
		.cpu = cpu,
		.nr = BB_CALL_NR(word),
		.tid = e->tid,
		.end = e,
	};
	for (unsigned i = 2; i < e->nargs && i < 8; i++)
		c->args[c->nargs++] = td_arg(b, e, i);
	return true;
}

static bool call_of_task(const struct pt *t, const struct bb_task *k, struct pt_call *c)
{
	if (!td_alive(k) || k->syscall < 0 || k->mode != BB_MODE_KERNEL || !k->syscall_ticks)
		return false;
	*c = (struct pt_call){
		.begin = td_box_ns(&t->s->box, k->syscall_ticks),
		.cpu = k->cpu,
		.nr = (uint32_t)k->syscall,
		.nargs = k->syscall_nargs < 6 ? k->syscall_nargs : 6,
		.tid = (int32_t)k->tid,
	};
	for (unsigned i = 0; i < c->nargs; i++)
		c->args[i] = k->syscall_args[i];
	return true;
}

void pt_calls_load(struct pt *t)
{
	const struct td_rings *r = &t->s->rings;
	const struct td_model *m = &t->s->model;
	size_t most = m->ntasks;

	for (uint32_t i = 0; i < r->n; i++)
		most += r->ring[i].n;
	t->calls = td_alloc(most, sizeof(*t->calls));
	for (uint32_t i = 0; i < r->n; i++)
		for (uint32_t k = 0; k < r->ring[i].n; k++)
			t->ncalls += call_of_event(t, r->ring[i].cpu, &r->ring[i].ev[k],
						   &t->calls[t->ncalls]);
	for (uint32_t i = 0; i < m->ntasks; i++)
		t->ncalls += call_of_task(t, &m->task[i].t, &t->calls[t->ncalls]);
	qsort(t->calls, t->ncalls, sizeof(*t->calls), by_begin);
}

/* At the same time as another call of the thread ends, a call begins after that. */
void pt_calls_until(struct pt *t, uint64_t ns, const struct td_event *e)
{
	while (t->next_call < t->ncalls) {
		const struct pt_call *c = &t->calls[t->next_call];

		if (c->begin > ns || (e && c->begin == ns && c->tid == e->tid && c->end != e))
			return;
		pt_call_begin(t, c);
		t->next_call++;
	}
}
