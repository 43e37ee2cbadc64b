/* ring.c - walks the rings.
 *
 * Theory. The walk starts one ring's length before head (or where a live writer had got to while
 * the ring was being copied) and goes forward in units of 16 bytes. A record is accepted iff its
 * unit number is the one of its place and its 16-bit check fits; then the walk goes on behind it,
 * else at the next unit. Nothing is guessed: what is not accepted is lost, and the ordinals tell
 * exactly how much. A record carries the low 16 bits of its ordinal; the full one follows backwards
 * from head, with the distance in units (1 to 5 a record) to tell 65536 apart.
 *
 * Ring order is the order of reservation. An interrupt between a reservation and its reading of the
 * clock makes neighbours swap, at most as far as emits nest, so a bounded insertion sort suffices.
 *
 * Who ran is not in a record: it follows from the switches and ticks, forwards, and backwards up to
 * the last loss. That needs the switches: where they are switched off, only the tick itself says
 * whom it hit, and the rest is unknown.
 */
#include "ring.h"

#include <stdlib.h>
#include <string.h>
#include <tracing/record.h>

#define SORT_WINDOW      64u
#define MAX_RECORD_UNITS 5u

/* 48 bits of ticks to 64, near the reference. */
static uint64_t full_ticks(uint64_t low48, uint64_t ref)
{
	uint64_t d = (low48 - ref) & 0xffffffffffffull;

	return d & 1ull << 47 ? ref - ((1ull << 48) - d) : ref + d;
}

/* The newest time in the tables: within hours of every record. */
static uint64_t reference_ticks(const struct td_box *b)
{
	uint64_t newest = b->hdr.clock_anchor;

	for (uint32_t i = 0; i < td_box_count(b, BB_SEC_CPUS); i++) {
		struct bb_cpu c;

		td_box_entry(b, BB_SEC_CPUS, i, &c, sizeof(c));
		if (c.last_tick > newest && c.last_tick - newest < 1ull << 62)
			newest = c.last_tick;
	}
	return newest;
}

static void sort_by_time(struct td_ring *r)
{
	for (uint32_t i = 1; i < r->n; i++) {
		struct td_event e = r->ev[i];
		uint32_t stop = i > SORT_WINDOW ? i - SORT_WINDOW : 0, j = i;

		if (e.lost)
			continue; /* never sort over a gap */
		while (j > stop && r->ev[j - 1].ns > e.ns && !r->ev[j - 1].lost) {
			r->ev[j] = r->ev[j - 1];
			j--;
		}
		r->ev[j] = e;
	}
}

/* Are switches of tasks recorded, as far as the box can tell? */
static bool sees_switches(const struct td_box *b, const struct td_names *names)
{
	struct bb_control c;

	if (!td_box_entry(b, BB_SEC_CONTROL, 0, &c, sizeof(c)))
		return true;
	for (uint32_t id = 0; id < BB_MAX_EVENTS; id++)
		if (td_role(names, id) == BB_ROLE_SWITCH && !c.event_on[id])
			return false;
	return true;
}

bool td_knows_itself(const struct td_names *names, uint32_t id)
{
	uint8_t role = td_role(names, id);

	return role == BB_ROLE_TICK || role == BB_ROLE_SELF;
}

/* A stretch behind the last switch, if there may have been more of them. */
static void attribute_alone(const struct td_box *b, const struct td_names *names,
			    struct td_event *ev, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ev[i].tid = td_knows_itself(names, ev[i].id) ? (int32_t)td_arg(b, &ev[i], 0)
							     : TD_TID_UNKNOWN;
}

/* How many events of a stretch are known to lie up to its last switch. */
static uint32_t up_to_last_switch(const struct td_names *names, const struct td_event *ev,
				  uint32_t n)
{
	while (n && td_role(names, ev[n - 1].id) != BB_ROLE_SWITCH)
		n--;
	return n;
}

/* Fills in `tid` over one stretch without losses. */
static void attribute(const struct td_box *b, const struct td_names *names, struct td_event *ev,
		      uint32_t n, int32_t at_end)
{
	int32_t cur = TD_TID_UNKNOWN;
	uint32_t unknown = n;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t role = td_role(names, ev[i].id);
		int32_t before = cur;

		if (role == BB_ROLE_SWITCH || td_knows_itself(names, ev[i].id))
			before = (int32_t)td_arg(b, &ev[i], 0);
		if (before != TD_TID_UNKNOWN && unknown == n) {
			for (uint32_t j = 0; j < i; j++)
				ev[j].tid = before;
			unknown = i;
		}
		ev[i].tid = before;
		cur = role == BB_ROLE_SWITCH ? (int32_t)td_arg(b, &ev[i], 2) : before;
	}
	if (unknown == n)
		for (uint32_t i = 0; i < n; i++)
			ev[i].tid = at_end;
}

static int32_t current_tid(const struct td_box *b, uint32_t cpu)
{
	struct bb_cpu c;
	struct bb_task t;

	if (!td_box_entry(b, BB_SEC_CPUS, cpu, &c, sizeof(c)) || !c.current ||
	    !td_box_entry(b, BB_SEC_TASKS, c.current - 1, &t, sizeof(t)))
		return TD_TID_UNKNOWN;
	return (int32_t)t.tid;
}

static void number(struct td_ring *r, const uint32_t *unit, uint32_t head_units)
{
	uint32_t next = r->head, next_unit = head_units;

	/* backwards: from the events ever down to each record's full ordinal */
	for (uint32_t i = r->n; i-- > 0;) {
		uint32_t units = next_unit - unit[i];
		uint32_t least = (units + MAX_RECORD_UNITS - 1) / MAX_RECORD_UNITS;
		uint32_t back = (next - r->ev[i].ordinal) & 0xffff; /* low 16 bits known */

		while (back < least || back == 0)
			back += 0x10000;
		r->ev[i].ordinal = next - back;
		if (i + 1 < r->n)
			r->ev[i + 1].lost = back - 1;
		else
			r->tail_lost = back - 1;
		r->torn += back - 1;
		next -= back;
		next_unit = unit[i];
	}
	r->overwritten = next;
	if (r->n)
		r->ev[0].lost = r->overwritten;
	else
		r->overwritten = r->head;
}

static void decode_one(struct td_rings *all, const struct td_names *names, uint32_t index,
		       uint64_t ref)
{
	const struct td_box *b = all->box;
	struct td_ring *r = &all->ring[index];
	struct bb_ring d = b->rings[index];
	uint32_t *unit = NULL, u, end;
	size_t cap = 0, ucap = 0;

	r->cpu = d.cpu;
	r->drops = d.drops;
	if (!d.units)
		return;
	end = (uint32_t)(b->ring_head[index] >> 32);
	r->head = (uint32_t)b->ring_head[index];
	u = end - (uint32_t)d.units;
	if ((int32_t)(b->ring_floor[index] - u) > 0)
		u = b->ring_floor[index];
	while ((int32_t)(end - u) > 0) {
		uint64_t at = d.data_offset + (u & (d.units - 1)) * BB_UNIT;
		uint64_t w[2], args[BB_MAX_ARGS];
		unsigned n;
		struct td_event *e;

		memcpy(w, b->data + at, sizeof(w));
		n = w[1] >> 16 & 15;
		/* zeroed memory looks like a whole record of unit 0: id 0 is no event */
		if (w[1] >> 32 != u || n > BB_MAX_ARGS || !(w[1] >> 20 & 0xfff)) {
			u++;
			continue;
		}
		memcpy(args, b->data + at + sizeof(w), n * 8);
		if (trace_check(w[0] & ~0xffffull, w[1], args, n) != (uint16_t)w[0] ||
		    end - u < 1 + (n + 1) / 2) {
			u++;
			continue;
		}
		r->ev = td_grow(r->ev, r->n, &cap, sizeof(*r->ev));
		unit = td_grow(unit, r->n, &ucap, sizeof(*unit));
		unit[r->n] = u;
		e = &r->ev[r->n++];
		*e = (struct td_event){.args_at = at + sizeof(w),
				       .ordinal = w[1] & 0xffff,
				       .tid = TD_TID_UNKNOWN,
				       .nargs = (uint8_t)n,
				       .id = w[1] >> 20 & 0xfff};
		ref = full_ticks(w[0] >> 16, ref);
		e->ns = td_box_ns(b, ref);
		if (ref > all->newest)
			all->newest = ref;
		u += 1 + (n + 1) / 2;
	}
	number(r, unit, end);
	free(unit);
	sort_by_time(r);
	for (uint32_t from = 0, i = 1; i <= r->n; i++)
		if (i == r->n || r->ev[i].lost) {
			uint32_t n = i - from;
			uint32_t sure = all->blind ? up_to_last_switch(names, r->ev + from, n) : n;

			attribute(b, names, r->ev + from, sure,
				  i == r->n && !r->tail_lost && !all->blind ? current_tid(b, r->cpu)
									    : TD_TID_UNKNOWN);
			attribute_alone(b, names, r->ev + from + sure, n - sure);
			from = i;
		}
}

void td_rings_decode(struct td_rings *r, const struct td_box *b, const struct td_names *names)
{
	uint64_t ref = reference_ticks(b);
	bool any = false;

	*r = (struct td_rings){
		.box = b, .n = td_box_count(b, BB_SEC_RINGS), .blind = !sees_switches(b, names)};
	r->ring = td_alloc(r->n, sizeof(*r->ring));
	for (uint32_t i = 0; i < r->n; i++) {
		decode_one(r, names, i, ref);
		for (uint32_t j = 0; j < r->ring[i].n; j++) {
			uint64_t ns = r->ring[i].ev[j].ns;

			if (!any || ns < r->first_ns)
				r->first_ns = ns;
			if (!any || ns > r->last_ns)
				r->last_ns = ns;
			any = true;
		}
	}
}

void td_rings_free(struct td_rings *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		free(r->ring[i].ev);
	free(r->ring);
	*r = (struct td_rings){0};
}

uint64_t td_arg(const struct td_box *b, const struct td_event *e, unsigned i)
{
	uint64_t v = 0;

	if (i < e->nargs)
		memcpy(&v, b->data + e->args_at + 8ull * i, 8);
	return v;
}

/* ---- merge: a binary heap of rings, keyed by the time of their next event ------------------- */

static bool earlier(const struct td_merge *m, uint32_t a, uint32_t b)
{
	uint64_t ta = m->r->ring[a].ev[m->pos[a]].ns, tb = m->r->ring[b].ev[m->pos[b]].ns;

	return ta != tb ? ta < tb : a < b;
}

static void sift_down(struct td_merge *m, uint32_t i)
{
	for (;;) {
		uint32_t least = i;

		for (uint32_t c = 2 * i + 1; c <= 2 * i + 2 && c < m->n; c++)
			if (earlier(m, m->heap[c], m->heap[least]))
				least = c;
		if (least == i)
			return;
		uint32_t t = m->heap[i];

		m->heap[i] = m->heap[least];
		m->heap[least] = t;
		i = least;
	}
}

void td_merge_begin(struct td_merge *m, const struct td_rings *r)
{
	*m = (struct td_merge){.r = r};
	m->heap = td_alloc(r->n, sizeof(*m->heap));
	m->pos = td_alloc(r->n, sizeof(*m->pos));
	for (uint32_t i = 0; i < r->n; i++)
		if (r->ring[i].n)
			m->heap[m->n++] = i;
	for (uint32_t i = m->n / 2; i-- > 0;)
		sift_down(m, i);
}

const struct td_event *td_merge_next(struct td_merge *m, const struct td_ring **ring)
{
	const struct td_ring *r;
	const struct td_event *e;

	if (!m->n)
		return NULL;
	r = &m->r->ring[m->heap[0]];
	e = &r->ev[m->pos[m->heap[0]]++];
	if (m->pos[m->heap[0]] == r->n)
		m->heap[0] = m->heap[--m->n];
	sift_down(m, 0);
	*ring = r;
	return e;
}

void td_merge_end(struct td_merge *m)
{
	free(m->heap);
	free(m->pos);
}
