/* verdict.c - see verdict.h. */
#include "verdict.h"

#include <stdlib.h>

struct td_verdict *td_add(struct td_analysis *a, const struct td_family *family, uint32_t kind,
			  uint32_t reason, uint32_t node)
{
	struct td_verdict *v;

	a->v = td_grow(a->v, a->n, &a->cap, sizeof(*a->v));
	v = &a->v[a->n++];
	*v = (struct td_verdict){
		.family = family, .kind = kind, .reason = reason, .node = node, .cpu = TD_NOBODY};
	return v;
}

struct td_verdict *td_add_held(struct td_analysis *a, const struct td_family *family, uint32_t kind,
			       uint32_t reason, const struct td_holder *h)
{
	struct td_verdict *v = td_add(a, family, kind, reason, h->node);

	v->lock = h->lock;
	v->class = h->held.class;
	v->held = h->held;
	v->has_held = true;
	return v;
}

void td_add_member(uint32_t **list, uint32_t *n, uint32_t node)
{
	*list = reallocarray(*list, *n + 1, sizeof(**list));
	if (!*list) {
		fprintf(stderr, "tracedump: not enough memory\n");
		exit(2);
	}
	(*list)[(*n)++] = node;
}

void td_mark(struct td_analysis *a, uint32_t node, uint32_t verdict, bool direct)
{
	struct td_verdict *v = &a->v[verdict];

	if (a->cause[node] >= 0)
		return;
	a->cause[node] = (int32_t)verdict;
	td_add_member(&v->stuck, &v->nstuck, node);
	if (direct)
		v->ndirect++;
}

void td_mark_waiters(struct td_analysis *a, uint64_t lock)
{
	for (uint32_t i = 0; i < a->m->nnodes; i++)
		if (td_wait_is_lock(a->m->wait[i].kind) && a->m->wait[i].object == lock)
			td_mark(a, i, a->n - 1, true);
}

bool td_older(const struct td_model *m, uint64_t ticks, uint64_t ns)
{
	return m->quiet || td_model_age(m, ticks) >= ns;
}
