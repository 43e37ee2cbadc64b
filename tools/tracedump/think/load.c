/* load.c - see load.h. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#define MANY     100u /* a second of CPU time, and altogether */
#define RECENTLY (1000 * 1000000ull)

static uint64_t cpu_time(const struct td_model *m, uint32_t task)
{
	return td_box_span_ns(m->box, m->task[task].t.run_ticks);
}

static bool wants_cpu(const struct td_task *k)
{
	return k->used && !(k->t.flags & BB_TASK_IDLE) &&
	       (k->t.state == BB_ST_RUNNABLE || k->t.state == BB_ST_RUNNING);
}

static uint32_t parent(const struct td_model *m, uint32_t task)
{
	for (uint32_t i = 0; i < m->ntasks; i++)
		if (m->task[i].used && m->task[i].t.tid == m->task[task].t.ppid &&
		    !(m->task[i].t.flags & BB_TASK_IDLE))
			return i;
	return TD_NOBODY;
}

static int by_time(const void *a, const void *b)
{
	const struct td_crowd *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

void td_load(struct td_load *l, const struct td_model *m)
{
	*l = (struct td_load){.crowd = td_alloc(m->ntasks, sizeof(*l->crowd))};
	for (uint32_t c = 0; c < m->ncpus; c++)
		l->cpus += m->cpu[c].c.online != 0;
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t, *o;
		uint32_t k = 0;

		if (!wants_cpu(&m->task[i]))
			continue;
		l->tasks++;
		for (; k < l->ncrowds; k++) {
			o = &m->task[l->crowd[k].first].t;
			if (!strcmp(o->name, t->name))
				break;
		}
		if (k == l->ncrowds)
			l->crowd[l->ncrowds++] = (struct td_crowd){i, 0, parent(m, i), 0};
		if (parent(m, i) != l->crowd[k].parent)
			l->crowd[k].parent = TD_NOBODY;
		if (cpu_time(m, i) > cpu_time(m, l->crowd[k].first))
			l->crowd[k].first = i;
		l->crowd[k].n++;
		l->crowd[k].ns += cpu_time(m, i);
	}
	if (l->ncrowds)
		qsort(l->crowd, l->ncrowds, sizeof(*l->crowd), by_time);
}

/* A program asks once or a few times what there is, and does without. It is busy with that alone if
 * the last answer is fresh and there were many for the time that it has had; time that it has not
 * been billed for yet makes it seem busier, so a few do not count in the first second either. */
bool td_asks_in_vain(const struct td_model *m, uint32_t task)
{
	const struct bb_task *t = &m->task[task].t;
	uint64_t ms = cpu_time(m, task) / 1000000;

	return wants_cpu(&m->task[task]) && t->missing_count >= MANY &&
	       td_model_age(m, t->missing_ticks) <= RECENTLY &&
	       t->missing_count >= ms * MANY / 1000;
}

void td_load_free(struct td_load *l)
{
	free(l->crowd);
	*l = (struct td_load){0};
}
