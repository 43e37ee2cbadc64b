/* perfetto.c - the timeline: what Perfetto calls ftrace (real scheduling, wake-ups with their
 * waker, interrupts) and, through perfetto_tracks.c, everything else.
 *
 * Theory. One pass over the merged events; each CPU's scheduling goes into bundles that are written
 * when full. Perfetto sorts by time, so bundles need no order among CPUs. A hole in a CPU's record
 * must be closed here: at its edges the CPU switches to and from a pseudo thread "[lost events
 * cpuN]", open interrupts end, slices of that CPU end. Task states use the bits of Linux 4.4, which
 * is how Perfetto reads a kernel that does not call itself Linux.
 */
#include "perfetto.h"
#include "perfetto_tracks.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLE_BYTES 65536u
#define MAX_IRQS     16
#define LOST_TID     0x7fff0000u
enum { SEQ_META = 1, SEQ_FTRACE = 4 };
enum {
	PF_FTRACE = 1,
	PF_PROCESS_TREE = 2,
	PF_CLOCK_SNAPSHOT = 6,
	PF_SYSTEM_INFO = 45,
	PF_ATTRIBUTES = 126
};
enum { FE_SWITCH = 4, FE_WAKING = 20, FE_IRQ_ENTRY = 36, FE_IRQ_EXIT = 37 };

struct pf_cpu {
	struct td_pb bundle;
	bool started, lost;
	int32_t tid; /* who runs; TD_TID_UNKNOWN = the lost pseudo thread */
	uint32_t prio;
	uint64_t last_ns;
	uint64_t irq[MAX_IRQS];
	uint32_t nirqs;
};

struct pf {
	struct pt t;
	const struct td_session *s;
	struct pf_cpu *cpu; /* by ring */
};

static uint32_t linux_state(uint64_t state)
{
	switch (state) {
	case BB_ST_SLEEPING:
		return 1;
	case BB_ST_BLOCKED:
		return 2;
	case BB_ST_STOPPED:
		return 4;
	case BB_ST_ZOMBIE:
		return 32;
	case BB_ST_DEAD:
		return 16;
	default:
		return 0;
	}
}

static void flush(struct pf *p, uint32_t cpu, struct pf_cpu *c)
{
	struct pt *t = &p->t;
	size_t tok, in;

	if (!c->bundle.n && !c->lost)
		return;
	tok = pt_packet_begin(t, SEQ_FTRACE, 0, false);
	in = td_pb_begin(&t->pb, PF_FTRACE);
	td_pb_uint(&t->pb, 1, cpu);
	if (c->lost)
		td_pb_uint(&t->pb, 3, 1);
	/* the bundle's bytes are complete `event` fields */
	for (size_t i = 0; i < c->bundle.n; i++) {
		t->pb.p = td_grow(t->pb.p, t->pb.n + 1, &t->pb.cap, 1);
		t->pb.p[t->pb.n++] = c->bundle.p[i];
	}
	td_pb_end(&t->pb, in);
	pt_packet_end(t, tok);
	c->bundle.n = 0;
	c->lost = false;
}

static uint32_t shown_tid(uint32_t cpu, int32_t tid)
{
	return tid >= 0 ? (uint32_t)tid : LOST_TID + cpu;
}

static void shown_name(const struct td_session *s, uint32_t cpu, int32_t tid, char *out, size_t n)
{
	if (tid < 0)
		snprintf(out, n, s->rings.blind ? "[unknown task cpu%u]" : "[lost events cpu%u]",
			 cpu);
	else
		pt_task_text(s, tid, out, n);
}

static size_t event_begin(struct pf_cpu *c, uint32_t cpu, uint64_t ns, int32_t tid, uint32_t field,
			  size_t *outer)
{
	*outer = td_pb_begin(&c->bundle, 2);
	td_pb_uint(&c->bundle, 1, ns);
	td_pb_uint(&c->bundle, 2, shown_tid(cpu, tid));
	return td_pb_begin(&c->bundle, field);
}

static void event_end(struct pf *p, uint32_t cpu, struct pf_cpu *c, size_t in, size_t outer)
{
	td_pb_end(&c->bundle, in);
	td_pb_end(&c->bundle, outer);
	if (c->bundle.n > BUNDLE_BYTES)
		flush(p, cpu, c);
}

static void sched_switch(struct pf *p, uint32_t cpu, struct pf_cpu *c, uint64_t ns, uint32_t state,
			 int32_t next, uint32_t prio)
{
	char name[64];
	size_t outer, in = event_begin(c, cpu, ns, c->tid, FE_SWITCH, &outer);

	shown_name(p->s, cpu, c->tid, name, sizeof(name));
	td_pb_string(&c->bundle, 1, name);
	td_pb_uint(&c->bundle, 2, shown_tid(cpu, c->tid));
	td_pb_uint(&c->bundle, 3, c->prio);
	td_pb_uint(&c->bundle, 4, state);
	shown_name(p->s, cpu, next, name, sizeof(name));
	td_pb_string(&c->bundle, 5, name);
	td_pb_uint(&c->bundle, 6, shown_tid(cpu, next));
	td_pb_uint(&c->bundle, 7, prio);
	event_end(p, cpu, c, in, outer);
	c->tid = next;
	c->prio = prio;
}

static void irq_end(struct pf *p, uint32_t cpu, struct pf_cpu *c, uint64_t ns)
{
	size_t outer, in;

	c->nirqs--;
	in = event_begin(c, cpu, ns, c->tid, FE_IRQ_EXIT, &outer);
	td_pb_uint(&c->bundle, 1, c->irq[c->nirqs]);
	td_pb_uint(&c->bundle, 2, 1);
	event_end(p, cpu, c, in, outer);
}

static void irq_begin(struct pf *p, uint32_t cpu, struct pf_cpu *c, uint64_t ns, uint64_t irq)
{
	const char *known = td_enum_name(&p->s->names, BB_TAB_IRQ, (int64_t)irq);
	char name[48];
	size_t outer, in;

	if (c->nirqs == MAX_IRQS)
		return;
	c->irq[c->nirqs++] = irq & INT32_MAX;
	if (known)
		snprintf(name, sizeof(name), "%s", known);
	else
		snprintf(name, sizeof(name), "irq %u", (uint32_t)irq);
	in = event_begin(c, cpu, ns, c->tid, FE_IRQ_ENTRY, &outer);
	td_pb_uint(&c->bundle, 1, irq & INT32_MAX);
	td_pb_string(&c->bundle, 2, name);
	event_end(p, cpu, c, in, outer);
}

static void waking(struct pf *p, uint32_t cpu, struct pf_cpu *c, const struct td_event *e)
{
	int32_t woken = (int32_t)td_arg(&p->s->box, e, 0);
	char name[64];
	size_t outer, in;

	if (woken <= 0)
		return;
	in = event_begin(c, cpu, e->ns, c->tid, FE_WAKING, &outer);
	pt_task_text(p->s, woken, name, sizeof(name));
	td_pb_string(&c->bundle, 1, name);
	td_pb_uint(&c->bundle, 2, (uint32_t)woken);
	td_pb_uint(&c->bundle, 4, 1);
	td_pb_uint(&c->bundle, 5, td_arg(&p->s->box, e, 1) & 0x3ff);
	event_end(p, cpu, c, in, outer);
}

/* Edges: the start of a CPU's record, and a hole in it. */
static void edge(struct pf *p, const struct td_ring *r, struct pf_cpu *c, const struct td_event *e)
{
	int32_t tid = e->tid;

	if (!c->started) {
		c->started = true;
		c->tid = e->lost || p->s->rings.blind ? TD_TID_UNKNOWN : 0;
		c->lost = e->lost != 0;
	} else if (e->lost) {
		while (c->nirqs)
			irq_end(p, r->cpu, c, c->last_ns);
		pt_gap(&p->t, r->cpu, c->tid, c->last_ns, e->ns, e->lost);
		if (c->tid != TD_TID_UNKNOWN)
			sched_switch(p, r->cpu, c, c->last_ns, 0, TD_TID_UNKNOWN, 0);
		c->lost = true;
	}
	/* Where switches are not recorded, an event that says who ran speaks for itself alone. */
	if (p->s->rings.blind && c->tid == TD_TID_UNKNOWN && td_knows_itself(&p->s->names, e->id))
		tid = TD_TID_UNKNOWN;
	if (tid != c->tid && (tid != TD_TID_UNKNOWN || p->s->rings.blind))
		sched_switch(p, r->cpu, c, e->ns, 0, tid, 0);
}

static void one_event(struct pf *p, const struct td_ring *r, struct pf_cpu *c,
		      const struct td_event *e)
{
	const struct bb_event_row *row = td_event_row(&p->s->names, e->id);
	const struct td_box *b = &p->s->box;

	edge(p, r, c, e);
	switch (row ? row->role : BB_ROLE_INSTANT) {
	case BB_ROLE_SWITCH:
		sched_switch(p, r->cpu, c, e->ns, linux_state(td_arg(b, e, 1)),
			     (int32_t)(td_arg(b, e, 2) & INT32_MAX), (uint32_t)td_arg(b, e, 3));
		break;
	case BB_ROLE_WAKE:
		waking(p, r->cpu, c, e);
		break;
	case BB_ROLE_IRQ_BEGIN:
		irq_begin(p, r->cpu, c, e->ns, td_arg(b, e, 0));
		break;
	case BB_ROLE_IRQ_END:
		if (c->nirqs)
			irq_end(p, r->cpu, c, e->ns);
		break;
	default:
		break;
	}
	pt_calls_until(&p->t, e->ns, e);
	pt_event(&p->t, r->cpu, e, row);
	c->last_ns = e->ns;
}

/* ---- what the trace is about ----------------------------------------------------------------- */

static void clock_snapshot(struct pf *p)
{
	struct pt *t = &p->t;
	uint64_t wall = p->s->box.hdr.wall_anchor;
	size_t tok = pt_packet_begin(t, SEQ_META, 0, false), in, c;

	td_pb_uint(&t->pb, PF_FLAGS, 1);
	in = td_pb_begin(&t->pb, PF_CLOCK_SNAPSHOT);
	c = td_pb_begin(&t->pb, 1);
	td_pb_uint(&t->pb, 1, PT_CLOCK_BOOTTIME);
	td_pb_uint(&t->pb, 2, 0);
	td_pb_end(&t->pb, c);
	if (wall) {
		c = td_pb_begin(&t->pb, 1);
		td_pb_uint(&t->pb, 1, 1); /* REALTIME */
		td_pb_uint(&t->pb, 2, wall);
		td_pb_end(&t->pb, c);
	}
	td_pb_uint(&t->pb, 2, PT_CLOCK_BOOTTIME);
	td_pb_end(&t->pb, in);
	pt_packet_end(t, tok);
}

static void system_info(struct pf *p)
{
	struct pt *t = &p->t;
	const struct bb_header *h = &p->s->box.hdr;
	char release[sizeof(h->release)];
	size_t tok = pt_packet_begin(t, SEQ_META, 0, false), in, u;

	td_clean(release, sizeof(release), h->release, sizeof(h->release));
	in = td_pb_begin(&t->pb, PF_SYSTEM_INFO);
	u = td_pb_begin(&t->pb, 1);
	td_pb_string(&t->pb, 1, "Hindsight");
	td_pb_string(&t->pb, 3, release);
	td_pb_string(&t->pb, 4, h->machine == EM_AARCH64 ? "aarch64" : "x86_64");
	td_pb_end(&t->pb, u);
	td_pb_uint(&t->pb, 6, h->page_size);
	td_pb_uint(&t->pb, 8, h->cpus);
	td_pb_end(&t->pb, in);
	pt_packet_end(t, tok);
}

static void attribute_long(struct pt *t, const char *key, uint64_t v)
{
	size_t a = td_pb_begin(&t->pb, 1);

	td_pb_string(&t->pb, 1, key);
	td_pb_uint(&t->pb, 2, v);
	td_pb_end(&t->pb, a);
}

static void attribute_text(struct pt *t, const char *key, const char *v)
{
	size_t a = td_pb_begin(&t->pb, 1);

	td_pb_string(&t->pb, 1, key);
	td_pb_string(&t->pb, 3, v);
	td_pb_end(&t->pb, a);
}

static void attributes(struct pf *p, struct td_perfetto_stats *st)
{
	struct pt *t = &p->t;
	const struct bb_header *h = &p->s->box.hdr;
	uint64_t overwritten = 0, torn = 0, drops = 0;
	char id[sizeof(h->build_id) * 2 + 1] = "";
	size_t tok, in;

	for (uint32_t i = 0; i < h->build_id_len; i++)
		snprintf(id + 2 * i, 3, "%02x", h->build_id[i]);
	for (uint32_t i = 0; i < p->s->rings.n; i++) {
		overwritten += p->s->rings.ring[i].overwritten;
		torn += p->s->rings.ring[i].torn;
		drops += p->s->rings.ring[i].drops;
		st->events += p->s->rings.ring[i].n;
	}
	st->lost = overwritten + torn + drops;
	tok = pt_packet_begin(t, SEQ_META, 0, false);
	in = td_pb_begin(&t->pb, PF_ATTRIBUTES);
	attribute_text(t, "build_id", id);
	attribute_text(t, "clock",
		       h->clock_kind == BB_CLOCK_TSC      ? "TSC"
		       : h->clock_kind == BB_CLOCK_CNTVCT ? "CNTVCT"
							  : "host");
	attribute_long(t, "clock_hz", h->clock_hz);
	attribute_long(t, "events", st->events);
	attribute_long(t, "events_overwritten", overwritten);
	attribute_long(t, "events_torn_or_refused", torn);
	attribute_long(t, "events_dropped", drops);
	td_pb_end(&t->pb, in);
	pt_packet_end(t, tok);
}

static void tree_process(struct pt *t, uint32_t pid, uint32_t ppid, const char *name)
{
	size_t m = td_pb_begin(&t->pb, 1);

	td_pb_uint(&t->pb, 1, pid);
	td_pb_uint(&t->pb, 2, ppid);
	td_pb_string(&t->pb, 3, name);
	td_pb_end(&t->pb, m);
}

static void tree_thread(struct pt *t, uint32_t tid, uint32_t pid, const char *name)
{
	size_t m = td_pb_begin(&t->pb, 2);

	td_pb_uint(&t->pb, 1, tid);
	td_pb_string(&t->pb, 2, name);
	td_pb_uint(&t->pb, 3, pid);
	td_pb_end(&t->pb, m);
}

static void process_tree(struct pf *p)
{
	struct pt *t = &p->t;
	const struct td_names *n = &p->s->names;
	size_t tok = pt_packet_begin(t, SEQ_META, 0, true), in;

	in = td_pb_begin(&t->pb, PF_PROCESS_TREE);
	for (uint32_t i = 0; i <= n->tasks.mask; i++) {
		const struct td_taskname *k = td_hash_entry(&n->tasks, i);

		if (k->tid && k->tid == k->pid)
			tree_process(t, k->pid, k->ppid, k->name);
	}
	tree_process(t, PT_LOG_TID, 0, "boot and idle");
	tree_process(t, LOST_TID, 0, "[lost events]");
	for (uint32_t i = 0; i <= n->tasks.mask; i++) {
		const struct td_taskname *k = td_hash_entry(&n->tasks, i);

		if (k->tid)
			tree_thread(t, k->tid, k->pid, k->name);
	}
	for (uint32_t i = 0; i < p->s->rings.n; i++) {
		char name[64];
		uint32_t cpu = p->s->rings.ring[i].cpu;

		if (!p->s->rings.ring[i].n)
			continue;
		shown_name(p->s, cpu, TD_TID_UNKNOWN, name, sizeof(name));
		tree_thread(t, shown_tid(cpu, TD_TID_UNKNOWN), LOST_TID, name);
	}
	td_pb_end(&t->pb, in);
	pt_packet_end(t, tok);
}

void td_perfetto(const struct td_session *s, FILE *f, uint32_t machine,
		 struct td_perfetto_stats *st)
{
	struct pf p = {.s = s};
	struct td_merge m;
	const struct td_ring *r;
	const struct td_event *e;

	*st = (struct td_perfetto_stats){0};
	pt_init(&p.t, s, f);
	p.t.machine = machine;
	pt_calls_load(&p.t);
	p.cpu = td_alloc(s->rings.n, sizeof(*p.cpu));
	clock_snapshot(&p);
	system_info(&p);
	attributes(&p, st);
	process_tree(&p);
	td_merge_begin(&m, &s->rings);
	while ((e = td_merge_next(&m, &r)))
		one_event(&p, r, &p.cpu[r - s->rings.ring], e);
	td_merge_end(&m);
	for (uint32_t i = 0; i < s->rings.n; i++) {
		struct pf_cpu *c = &p.cpu[i];

		while (c->nirqs)
			irq_end(&p, s->rings.ring[i].cpu, c, s->rings.last_ns);
		if (s->rings.ring[i].tail_lost && c->started)
			pt_gap(&p.t, s->rings.ring[i].cpu, c->tid, c->last_ns, s->rings.last_ns,
			       s->rings.ring[i].tail_lost);
		flush(&p, s->rings.ring[i].cpu, c);
		td_pb_free(&c->bundle);
	}
	free(p.cpu);
	pt_finish(&p.t, s->rings.last_ns);
	st->unfinished = p.t.unfinished;
}
