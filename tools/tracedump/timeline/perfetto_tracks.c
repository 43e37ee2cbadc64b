/* perfetto_tracks.c - slices that nest.
 *
 * Theory. Perfetto closes the innermost open slice of a track whatever its name, so this file keeps
 * the stack of each track itself: an end closes what lies above its begin first, and an end without
 * a begin (lost, or before the trace) is ignored. Names are written in full: interned names that go
 * wrong lose packets silently. Only log lines need interning (sequence LOG).
 *
 * Locks: one parent track, one child a lock and lane; a slice is a time that somebody held it,
 * named after the holder. Shared holders overlap and use further lanes. A waiter's slice starts an
 * arrow that ends at the end of the holder's slice. What is open at the end of the trace was never
 * released or never returned: it ends at the last time stamp with the argument unfinished.
 *
 * Where nobody knows who ran (switches not recorded, or lost), calls and waits of several tasks
 * come in any order: they are marks on a track of their own, and nothing nests.
 *
 * Numbers of sequences, tracks and flows carry a number of the file, so that files in a row share
 * none of them. Perfetto still merges their CPUs, so their scheduling is clean only one by one.
 */
#include "perfetto_tracks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SEQ_EVENTS = 2, SEQ_LOG = 3 };
enum { PF_TRACK_EVENT = 11, PF_INTERNED = 12, PF_TRACK_DESCRIPTOR = 60 };
enum { TE_BEGIN = 1, TE_END = 2, TE_INSTANT = 3, TE_COUNTER = 4 };
enum {
	TE_ANNOTATION = 4,
	TE_TYPE = 9,
	TE_TRACK = 11,
	TE_LOG = 21,
	TE_CATEGORY = 22,
	TE_NAME = 23,
	TE_COUNTER_VALUE = 30,
	TE_FLOW = 47
};
enum {
	TD_UUID = 1,
	TD_NAME = 2,
	TD_PROCESS = 3,
	TD_THREAD = 4,
	TD_PARENT = 5,
	TD_COUNTER = 8,
	TD_RANK = 12,
	TD_MERGE = 15
};

#define UUID(space, id) ((uint64_t)(space) << 40 | (id))
enum {
	SPACE_PROCESS = 1,
	SPACE_THREAD,
	SPACE_CPU,
	SPACE_CPUS,
	SPACE_LOCKS,
	SPACE_LOCK,
	SPACE_COUNTER,
	SPACE_UNKNOWN
};

void pt_task_text(const struct td_session *s, int32_t tid, char *out, size_t n)
{
	const struct td_taskname *t = tid > 0 ? td_task_name(&s->names, (uint32_t)tid) : NULL;

	if (t)
		snprintf(out, n, "%s", t->name);
	else if (tid == 0)
		snprintf(out, n, "swapper");
	else
		snprintf(out, n, "thread %d", tid);
}

/* FNV-1a over what tells one dump from another: kernel, boot, moment. */
static uint32_t file_number(const struct td_session *s)
{
	const struct bb_header *h = &s->box.hdr;
	const uint64_t moment[] = {h->clock_anchor, h->wall_anchor, s->rings.newest,
				   s->rings.last_ns};
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < sizeof(h->build_id); i++)
		sum = (sum ^ h->build_id[i]) * 16777619u;
	for (size_t i = 0; i < sizeof(moment); i++)
		sum = (sum ^ ((const uint8_t *)moment)[i]) * 16777619u;
	return sum;
}

/* What the reader of the trace sees as a track's number. */
static uint64_t file_uuid(const struct pt *t, uint64_t uuid)
{
	return uuid ^ (uint64_t)t->file << 32 << 12;
}

void pt_init(struct pt *t, const struct td_session *s, FILE *f)
{
	*t = (struct pt){.s = s, .f = f, .file = file_number(s)};
	td_hash_init(&t->tracks, sizeof(struct pt_track));
	td_hash_init(&t->locks, sizeof(struct pt_lock));
}

size_t pt_packet_begin(struct pt *t, uint32_t sequence, uint64_t ns, bool timed)
{
	size_t token;

	t->pb.n = 0;
	token = td_pb_begin(&t->pb, PF_PACKET);
	td_pb_uint(&t->pb, PF_SEQUENCE, (t->file << 3 | sequence) & INT32_MAX);
	if (t->machine)
		td_pb_uint(&t->pb, PF_MACHINE, t->machine);
	if (timed) {
		td_pb_uint(&t->pb, PF_TIMESTAMP, ns);
		td_pb_uint(&t->pb, PF_CLOCK_ID, PT_CLOCK_BOOTTIME);
	}
	return token;
}

void pt_packet_end(struct pt *t, size_t token)
{
	td_pb_end(&t->pb, token);
	fwrite(t->pb.p, 1, t->pb.n, t->f);
}

/* ---- tracks --------------------------------------------------------------------------------- */

static void descriptor(struct pt *t, uint64_t uuid, uint64_t parent, const char *name)
{
	uint32_t space = (uint32_t)(uuid >> 40), id = (uint32_t)uuid;
	size_t p = pt_packet_begin(t, SEQ_EVENTS, 0, true), d, m;

	d = td_pb_begin(&t->pb, PF_TRACK_DESCRIPTOR);
	td_pb_uint(&t->pb, TD_UUID, file_uuid(t, uuid));
	if (parent)
		td_pb_uint(&t->pb, TD_PARENT, file_uuid(t, parent));
	if (space == SPACE_THREAD) {
		const struct td_taskname *n = td_task_name(&t->s->names, id);

		m = td_pb_begin(&t->pb, TD_THREAD);
		td_pb_uint(&t->pb, 1, n ? n->pid : id);
		td_pb_uint(&t->pb, 2, id);
		td_pb_string(&t->pb, 5, name);
		td_pb_end(&t->pb, m);
	} else {
		td_pb_string(&t->pb, TD_NAME, name);
		td_pb_uint(&t->pb, TD_RANK, id);
		td_pb_uint(&t->pb, TD_MERGE, 2);
	}
	if (space == SPACE_COUNTER) {
		m = td_pb_begin(&t->pb, TD_COUNTER);
		td_pb_end(&t->pb, m);
	}
	td_pb_end(&t->pb, d);
	pt_packet_end(t, p);
}

static struct pt_track *track(struct pt *t, uint64_t uuid, uint64_t parent, const char *name)
{
	bool fresh;
	struct pt_track *k = td_hash_add(&t->tracks, uuid, &fresh);

	if (fresh)
		descriptor(t, uuid, parent, name);
	return k;
}

static struct pt_track *thread_track(struct pt *t, uint32_t tid)
{
	char name[64];

	if (tid == PT_LOG_TID)
		snprintf(name, sizeof(name), "boot and idle");
	else
		pt_task_text(t->s, (int32_t)tid, name, sizeof(name));
	return track(t, UUID(SPACE_THREAD, tid), 0, name);
}

static struct pt_track *cpu_track(struct pt *t, uint32_t cpu)
{
	char name[32];

	track(t, UUID(SPACE_CPUS, 1), 0, "CPUs");
	snprintf(name, sizeof(name), "cpu%u", cpu);
	return track(t, UUID(SPACE_CPU, cpu), UUID(SPACE_CPUS, 1), name);
}

/* Where an event of this thread is shown: its own track, the CPU's, or the CPU's for what somebody
 * did, nobody knows who. */
static struct pt_track *home(struct pt *t, uint32_t cpu, int32_t tid)
{
	char name[32];

	if (tid == TD_TID_UNKNOWN) {
		cpu_track(t, cpu);
		snprintf(name, sizeof(name), "cpu%u, unknown task", cpu);
		return track(t, UUID(SPACE_UNKNOWN, cpu), UUID(SPACE_CPUS, 1), name);
	}
	return tid > 0 ? thread_track(t, (uint32_t)tid) : cpu_track(t, cpu);
}

/* ---- events --------------------------------------------------------------------------------- */

static size_t event_begin(struct pt *t, const struct pt_track *k, uint64_t ns, uint32_t type,
			  const char *name, size_t *inner)
{
	size_t p = pt_packet_begin(t, SEQ_EVENTS, ns, true);

	*inner = td_pb_begin(&t->pb, PF_TRACK_EVENT);
	td_pb_uint(&t->pb, TE_TYPE, type);
	td_pb_uint(&t->pb, TE_TRACK, file_uuid(t, k->uuid));
	if (name)
		td_pb_string(&t->pb, TE_NAME, name);
	return p;
}

static void event_end(struct pt *t, size_t p, size_t inner)
{
	td_pb_end(&t->pb, inner);
	pt_packet_end(t, p);
}

static void note_bool(struct pt *t, const char *name)
{
	size_t a = td_pb_begin(&t->pb, TE_ANNOTATION);

	td_pb_uint(&t->pb, 2, 1);
	td_pb_string(&t->pb, 10, name);
	td_pb_end(&t->pb, a);
}

static void note_text(struct pt *t, const char *name, const char *text)
{
	size_t a = td_pb_begin(&t->pb, TE_ANNOTATION);

	td_pb_string(&t->pb, 6, text);
	td_pb_string(&t->pb, 10, name);
	td_pb_end(&t->pb, a);
}

static void note_arg(struct pt *t, const struct bb_arg_row *a, const char *name, uint64_t v)
{
	size_t tok;
	char text[256];
	uint32_t field = 7; /* shown in hex */

	switch (a ? a->show : (uint8_t)BB_HEX) {
	case BB_INT:
		v = (uint64_t)(int64_t)(int32_t)v;
		field = 4;
		break;
	case BB_DEC:
		field = 4;
		break;
	case BB_UDEC:
	case BB_BYTES:
	case BB_CPU:
	case BB_NS:
		field = 3;
		break;
	case BB_HEX:
	case BB_PTR:
	case BB_LOCK:
	case BB_UPTR:
		break;
	default:
		td_arg_text(&t->s->names, a, v, text, sizeof(text));
		note_text(t, name, text);
		return;
	}
	tok = td_pb_begin(&t->pb, TE_ANNOTATION);
	td_pb_uint(&t->pb, field, v);
	td_pb_string(&t->pb, 10, name);
	td_pb_end(&t->pb, tok);
}

static void note_args(struct pt *t, uint32_t cpu, const struct td_event *e,
		      const struct bb_event_row *row)
{
	char id[40];

	for (unsigned i = 0; i < e->nargs; i++) {
		char name[16];
		const struct bb_arg_row *a = row && i < row->nargs ? &row->args[i] : NULL;

		snprintf(name, sizeof(name), "arg%u", i);
		note_arg(t, a, a && a->name[0] ? a->name : name, td_arg(&t->s->box, e, i));
	}
	snprintf(id, sizeof(id), "%u:%u", cpu, e->ordinal);
	note_text(t, "event", id);
}

static void category(struct pt *t, const struct bb_event_row *row)
{
	const char *c = row ? td_enum_name(&t->s->names, BB_TAB_CATEGORY, row->category) : NULL;

	if (c)
		td_pb_string(&t->pb, TE_CATEGORY, c);
}

static void pop(struct pt *t, struct pt_track *k, uint64_t ns, const char *mark)
{
	size_t in, p = event_begin(t, k, ns, TE_END, NULL, &in);

	if (mark)
		note_bool(t, mark);
	event_end(t, p, in);
	k->depth--;
}

static bool push(struct pt_track *k, uint8_t kind, uint64_t key)
{
	if (k->depth == PT_DEPTH)
		return false;
	k->open[k->depth].kind = kind;
	k->open[k->depth++].key = key;
	return true;
}

/* Makes the slice {kind, key} the innermost one; false if there is none. */
static bool expose(struct pt *t, struct pt_track *k, uint64_t ns, uint8_t kind, uint64_t key)
{
	uint32_t i = k->depth;

	while (i && (k->open[i - 1].kind != kind || k->open[i - 1].key != key))
		i--;
	if (!i)
		return false;
	while (k->depth > i)
		pop(t, k, ns, "lost_end");
	return true;
}

static void begin(struct pt *t, struct pt_track *k, uint32_t cpu, const struct td_event *e,
		  const struct bb_event_row *row, const char *name, uint8_t kind, uint64_t key,
		  uint64_t flow)
{
	size_t p, in;
	/* calls of several unknown tasks would not nest */
	bool mark = k->uuid >> 40 == SPACE_UNKNOWN;

	if (!mark && !push(k, kind, key))
		return;
	p = event_begin(t, k, e->ns, mark ? TE_INSTANT : TE_BEGIN, name, &in);
	category(t, row);
	note_args(t, cpu, e, row);
	if (flow)
		td_pb_fixed64(&t->pb, TE_FLOW, (uint64_t)t->file << 32 | flow);
	event_end(t, p, in);
}

static void instant(struct pt *t, struct pt_track *k, uint32_t cpu, const struct td_event *e,
		    const struct bb_event_row *row, const char *name)
{
	size_t in, p = event_begin(t, k, e->ns, TE_INSTANT, name, &in);

	category(t, row);
	note_args(t, cpu, e, row);
	event_end(t, p, in);
}

static void end(struct pt *t, struct pt_track *k, uint32_t cpu, const struct td_event *e,
		const struct bb_event_row *row, uint8_t kind, uint64_t key)
{
	size_t p, in;

	if (k->uuid >> 40 == SPACE_UNKNOWN) {
		instant(t, k, cpu, e, row, row->name);
		return;
	}
	if (!expose(t, k, e->ns, kind, key))
		return;
	p = event_begin(t, k, e->ns, TE_END, NULL, &in);
	if (row && (row->role == BB_ROLE_SYSCALL_END || row->role == BB_ROLE_SYSCALL_DONE) &&
	    row->nargs > 1)
		note_arg(t, &row->args[1], row->args[1].name, td_arg(&t->s->box, e, 1));
	event_end(t, p, in);
	(void)cpu;
	k->depth--;
}

/* Who holds a lock or waits for it, by tid. */
static void who_text(const struct pt *t, uint32_t tid, char *out, size_t n)
{
	if (tid == PT_UNKNOWN)
		snprintf(out, n, "an unknown task");
	else if (tid)
		pt_task_text(t->s, (int32_t)tid, out, n);
	else
		snprintf(out, n, "idle or an interrupt");
}

/* ---- locks ---------------------------------------------------------------------------------- */

static struct pt_lock *lock(struct pt *t, uint64_t addr, uint32_t class)
{
	bool fresh;
	struct pt_lock *l = td_hash_add(&t->locks, addr, &fresh);

	if (fresh) {
		l->class = class;
		l->number = t->locks.n - 1;
	}
	return l;
}

static struct pt_track *lane_track(struct pt *t, const struct pt_lock *l, uint32_t lane)
{
	char name[96];

	track(t, UUID(SPACE_LOCKS, 1), 0, "Locks");
	snprintf(name, sizeof(name), lane ? "%s 0x%" PRIx64 " (%u)" : "%s 0x%" PRIx64,
		 td_class_name(&t->s->names, l->class), l->addr, lane + 1);
	return track(t, UUID(SPACE_LOCK, (uint64_t)l->number * PT_LANES + lane),
		     UUID(SPACE_LOCKS, 1), name);
}

static int lane_of(const struct pt_lock *l, uint32_t tid)
{
	for (uint32_t i = 0; i < PT_LANES; i++)
		if (l->lane[i].busy && l->lane[i].tid == tid)
			return (int)i;
	return -1;
}

/* The one lane that is busy, or -1. */
static int only_lane(const struct pt_lock *l)
{
	int found = -1;

	for (int i = 0; i < PT_LANES; i++)
		if (l->lane[i].busy) {
			if (found >= 0)
				return -1;
			found = i;
		}
	return found;
}

static void hold_end(struct pt *t, struct pt_lock *l, uint32_t lane, uint64_t ns, const char *mark)
{
	struct pt_track *k = lane_track(t, l, lane);
	size_t in, p = event_begin(t, k, ns, TE_END, NULL, &in);

	if (mark)
		note_bool(t, mark);
	event_end(t, p, in);
	if (k->depth)
		k->depth--;
	l->lane[lane].busy = false;
}

/* When did `tid` take the lock? Its held list knows if it holds it still; else the event's time. */
static uint64_t taken_ns(struct pt *t, uint64_t addr, uint32_t tid, uint64_t event_ns)
{
	const struct td_model *m = &t->s->model;
	uint32_t n = 0;
	const struct td_holder *h = td_model_holders(m, addr, &n);

	for (uint32_t i = 0; h && i < n; i++) {
		uint64_t ns = td_box_ns(m->box, h[i].held.ticks);

		if (h[i].node < m->ntasks && m->task[h[i].node].t.tid == tid && ns < event_ns)
			return ns;
	}
	return event_ns;
}

static int hold_begin(struct pt *t, struct pt_lock *l, uint32_t tid, uint32_t cpu,
		      const struct td_event *e, const struct bb_event_row *row, bool late)
{
	struct pt_track *k;
	char name[64];
	size_t in, p;
	struct bb_class c;
	bool exclusive = td_box_entry(&t->s->box, BB_SEC_CLASSES, l->class, &c, sizeof(c)) &&
			 (c.kind == BB_LK_SPIN || c.kind == BB_LK_MUTEX);
	uint32_t i;

	/* who held it before has released it, seen or not */
	for (i = 0; i < PT_LANES; i++)
		if (l->lane[i].busy && (l->lane[i].tid == tid || (exclusive && !late)))
			hold_end(t, l, i, e->ns, "lost_end");
	for (i = 0; i < PT_LANES && l->lane[i].busy; i++)
		;
	if (i == PT_LANES)
		return -1;
	l->lane[i].busy = true;
	l->lane[i].tid = tid;
	k = lane_track(t, l, i);
	who_text(t, tid, name, sizeof(name));
	push(k, PT_HOLD, tid);
	p = event_begin(t, k, late ? taken_ns(t, l->addr, tid, e->ns) : e->ns, TE_BEGIN, name, &in);
	if (late)
		note_bool(t, "taken_before");
	else
		note_args(t, cpu, e, row);
	event_end(t, p, in);
	return (int)i;
}

/* The end of the arrow from a waiter: a mark inside the holder's slice. A flow runs from the
 * earlier event to the later one; the mark has the waiter's time and follows it in the file, so the
 * arrow always leads from the waiter to the holder. */
static void wanted(struct pt *t, struct pt_lock *l, uint32_t lane, uint64_t ns, uint32_t waiter)
{
	char name[160], holder[64], who[64];
	size_t in, p;

	who_text(t, l->lane[lane].tid, holder, sizeof(holder));
	who_text(t, waiter, who, sizeof(who));
	snprintf(name, sizeof(name), "held by %s, wanted by %s", holder, who);
	p = event_begin(t, lane_track(t, l, lane), ns, TE_INSTANT, name, &in);
	td_pb_fixed64(&t->pb, TE_FLOW, (uint64_t)t->file << 32 | t->flows);
	event_end(t, p, in);
}

static void lock_event(struct pt *t, uint32_t cpu, const struct td_event *e,
		       const struct bb_event_row *row)
{
	const struct td_box *b = &t->s->box;
	uint64_t addr = td_arg(b, e, 0);
	uint32_t owner = (uint32_t)td_arg(b, e, 2), tid = (uint32_t)e->tid;
	struct pt_lock *l;
	char name[128];
	int lane;

	if (!addr) {
		instant(t, home(t, cpu, e->tid), cpu, e, row, row->name);
		return;
	}
	l = lock(t, addr, (uint32_t)td_arg(b, e, 1));
	switch (row->role) {
	case BB_ROLE_LOCK_WAIT:
		lane = lane_of(l, owner);
		/* the waiter saw no owner: the holder that the trace shows is meant */
		for (int i = 0; !owner && lane < 0 && i < PT_LANES; i++)
			if (l->lane[i].busy)
				lane = i;
		if (lane >= 0)
			owner = l->lane[lane].tid;
		else if (owner)
			lane = hold_begin(t, l, owner, cpu, e, row, true);
		t->flows++;
		snprintf(name, sizeof(name), "Lock contention on a %s lock (owner tid: %u)",
			 td_class_name(&t->s->names, l->class), owner);
		begin(t, home(t, cpu, e->tid), cpu, e, row, name, PT_LOCK, addr, t->flows);
		if (lane >= 0)
			wanted(t, l, (uint32_t)lane, e->ns, tid);
		break;
	case BB_ROLE_LOCK_WAITED:
		end(t, home(t, cpu, e->tid), cpu, e, row, PT_LOCK, addr);
		break;
	case BB_ROLE_LOCK_TAKEN:
		hold_begin(t, l, tid, cpu, e, row, false);
		break;
	default:
		/* a lock handed over at a switch is taken by one and freed by the next */
		lane = lane_of(l, tid);
		if (lane < 0)
			lane = only_lane(l);
		if (lane >= 0)
			hold_end(t, l, (uint32_t)lane, e->ns, NULL);
		break;
	}
}

/* ---- roles ---------------------------------------------------------------------------------- */

static void log_line(struct pt *t, const struct td_event *e)
{
	static const uint8_t android[8] = {7, 7, 7, 6,
					   5, 4, 4, 3}; /* kernel level to log priority */
	const struct td_box *b = &t->s->box;
	uint32_t level = (uint32_t)td_arg(b, e, 0) & 7;
	struct pt_track *k = thread_track(t, e->tid > 0 ? (uint32_t)e->tid : PT_LOG_TID);
	char raw[512], text[512];
	size_t n = td_box_console(b, td_arg(b, e, 1), td_arg(b, e, 2), raw, sizeof(raw));
	size_t p, in, m;

	while (n && (raw[n - 1] == '\n' || raw[n - 1] == '\r'))
		n--;
	td_clean(text, sizeof(text), raw, n);
	if (!text[0])
		snprintf(text, sizeof(text), "(text overwritten)");
	p = pt_packet_begin(t, SEQ_LOG, e->ns, true);
	t->log_iid++;
	td_pb_uint(&t->pb, PF_FLAGS, t->log_iid == 1 ? 3 : 2); /* 1 state cleared, 2 needed */
	in = td_pb_begin(&t->pb, PF_INTERNED);
	m = td_pb_begin(&t->pb, 20);
	td_pb_uint(&t->pb, 1, t->log_iid);
	td_pb_string(&t->pb, 2, text);
	td_pb_end(&t->pb, m);
	td_pb_end(&t->pb, in);
	in = td_pb_begin(&t->pb, PF_TRACK_EVENT);
	td_pb_uint(&t->pb, TE_TYPE, TE_INSTANT);
	td_pb_uint(&t->pb, TE_TRACK, file_uuid(t, k->uuid));
	td_pb_string(&t->pb, TE_NAME, text);
	m = td_pb_begin(&t->pb, TE_LOG);
	td_pb_uint(&t->pb, 2, t->log_iid);
	td_pb_uint(&t->pb, 3, android[level]);
	td_pb_end(&t->pb, m);
	td_pb_end(&t->pb, in);
	pt_packet_end(t, p);
}

static void counter(struct pt *t, const struct td_event *e, const struct bb_event_row *row)
{
	struct pt_track *k = track(t, UUID(SPACE_COUNTER, row->id), 0, row->name);
	size_t in, p = event_begin(t, k, e->ns, TE_COUNTER, NULL, &in);

	td_pb_uint(&t->pb, TE_COUNTER_VALUE, td_arg(&t->s->box, e, 0));
	event_end(t, p, in);
}

/* Begin and end events of one thing have different names ("timer_entry", "timer_return"), so an end
 * closes the innermost slice of its kind; the shown name drops the suffix. */
static void slice_name(const char *event, char *out, size_t n)
{
	static const char *const tails[] = {"_entry", "_begin", "_enter", "_start"};
	size_t len;

	snprintf(out, n, "%s", event);
	len = strlen(out);
	for (unsigned i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		size_t tl = strlen(tails[i]);

		if (len > tl && !strcmp(out + len - tl, tails[i]))
			out[len - tl] = 0;
	}
}

/* A new call begins: whatever was open has ended unseen. */
static void all_ended(struct pt *t, struct pt_track *k, uint64_t ns)
{
	while (k->depth)
		pop(t, k, ns, "lost_end");
}

void pt_call_begin(struct pt *t, const struct pt_call *c)
{
	const struct bb_call *known = td_call(&t->s->names, c->nr);
	struct pt_track *k = thread_track(t, (uint32_t)c->tid);
	char name[64];
	size_t p, in;

	all_ended(t, k, c->begin);
	push(k, PT_SYSCALL, 0);
	td_call_name(&t->s->names, c->nr, name, sizeof(name));
	p = event_begin(t, k, c->begin, TE_BEGIN, name, &in);
	td_pb_string(&t->pb, TE_CATEGORY, "syscall");
	for (uint32_t i = 0; i < c->nargs; i++) {
		const struct bb_arg_row *a = known && i < known->nargs ? &known->args[i] : NULL;

		snprintf(name, sizeof(name), "a%u", i);
		note_arg(t, a, a && a->name[0] ? a->name : name, c->args[i]);
	}
	if (c->end) {
		snprintf(name, sizeof(name), "%u:%u", c->cpu, c->end->ordinal);
		note_text(t, "event", name);
	}
	event_end(t, p, in);
}

void pt_event(struct pt *t, uint32_t cpu, const struct td_event *e, const struct bb_event_row *row)
{
	char name[96];
	const char *nr;

	if (!row) {
		snprintf(name, sizeof(name), "event %u", e->id);
		instant(t, home(t, cpu, e->tid), cpu, e, row, name);
		return;
	}
	switch (row->role) {
	case BB_ROLE_SWITCH:
	case BB_ROLE_WAKE:
	case BB_ROLE_IRQ_BEGIN:
	case BB_ROLE_IRQ_END:
	case BB_ROLE_TICK:
		break; /* the other half's */
	case BB_ROLE_SYSCALL_BEGIN: {
		struct pt_track *k = home(t, cpu, e->tid);

		if (e->tid > 0)
			all_ended(t, k, e->ns);
		td_call_name(&t->s->names, (uint32_t)td_arg(&t->s->box, e, 0), name, sizeof(name));
		begin(t, k, cpu, e, row, name, PT_SYSCALL, 0, 0);
		break;
	}
	case BB_ROLE_SYSCALL_END:
	case BB_ROLE_SYSCALL_DONE:
		end(t, home(t, cpu, e->tid), cpu, e, row, PT_SYSCALL, 0);
		break;
	case BB_ROLE_TASK_BEGIN:
		slice_name(row->name, name, sizeof(name));
		begin(t, home(t, cpu, e->tid), cpu, e, row, name, PT_TASK, 0, 0);
		break;
	case BB_ROLE_TASK_END:
		end(t, home(t, cpu, e->tid), cpu, e, row, PT_TASK, 0);
		break;
	case BB_ROLE_CPU_BEGIN:
		slice_name(row->name, name, sizeof(name));
		begin(t, cpu_track(t, cpu), cpu, e, row, name, PT_CPU, 0, 0);
		break;
	case BB_ROLE_CPU_END:
		end(t, cpu_track(t, cpu), cpu, e, row, PT_CPU, 0);
		break;
	case BB_ROLE_TASK_EXIT: { /* calls that never return have ended all the same */
		int32_t tid = (int32_t)td_arg(&t->s->box, e, 0);
		struct pt_track *k = home(t, cpu, tid);

		instant(t, k, cpu, e, row, row->name);
		while (tid > 0 && k->depth)
			pop(t, k, e->ns, NULL);
		break;
	}
	case BB_ROLE_TASK_NEW:
	case BB_ROLE_TASK_NAME: { /* who did it may be unknown, whom it is about is not */
		int32_t about = (int32_t)td_arg(&t->s->box, e, 0);

		instant(t, home(t, cpu, e->tid == TD_TID_UNKNOWN && about > 0 ? about : e->tid),
			cpu, e, row, row->name);
		break;
	}
	case BB_ROLE_COUNTER:
		counter(t, e, row);
		break;
	case BB_ROLE_LOCK_WAIT:
	case BB_ROLE_LOCK_WAITED:
	case BB_ROLE_LOCK_TAKEN:
	case BB_ROLE_LOCK_FREED:
		lock_event(t, cpu, e, row);
		break;
	case BB_ROLE_LOG:
		log_line(t, e);
		break;
	case BB_ROLE_REPORT:
		nr = td_enum_name(&t->s->names, BB_TAB_VERDICT, (int64_t)td_arg(&t->s->box, e, 0));
		snprintf(name, sizeof(name), "REPORT %s %s", nr ? nr : "?",
			 td_class_name(&t->s->names, (uint32_t)td_arg(&t->s->box, e, 2)));
		instant(t, home(t, cpu, e->tid), cpu, e, row, name);
		break;
	default:
		instant(t, home(t, cpu, e->tid), cpu, e, row, row->name);
		break;
	}
}

void pt_gap(struct pt *t, uint32_t cpu, int32_t tid, uint64_t from, uint64_t to, uint32_t lost)
{
	struct pt_track *k = cpu_track(t, cpu);
	char name[48];
	size_t p, in;

	while (k->depth)
		pop(t, k, from, "lost_end");
	snprintf(name, sizeof(name), "%u events lost", lost);
	p = event_begin(t, k, from, TE_BEGIN, name, &in);
	event_end(t, p, in);
	p = event_begin(t, k, to, TE_END, NULL, &in);
	event_end(t, p, in);
	if (tid <= 0)
		return;
	k = thread_track(t, (uint32_t)tid);
	while (k->depth)
		pop(t, k, from, "lost_end");
}

void pt_finish(struct pt *t, uint64_t ns)
{
	pt_calls_until(t, ns, NULL);
	free(t->calls);
	for (uint32_t i = 0; i <= t->locks.mask; i++) {
		struct pt_lock *l = td_hash_entry(&t->locks, i);

		for (uint32_t k = 0; l->addr && k < PT_LANES; k++)
			if (l->lane[k].busy) {
				hold_end(t, l, k, ns, "unfinished");
				t->unfinished++;
			}
	}
	for (uint32_t i = 0; i <= t->tracks.mask; i++) {
		struct pt_track *k = td_hash_entry(&t->tracks, i);

		while (k->uuid && k->depth) {
			pop(t, k, ns, "unfinished");
			t->unfinished++;
		}
	}
	td_hash_free(&t->tracks);
	td_hash_free(&t->locks);
	td_pb_free(&t->pb);
}
