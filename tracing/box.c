/* box.c - lays out the black box and keeps its small common parts: console ring, counters,
 * switches.
 *
 * Theory. The static part (struct trace_box) exists from the first instruction, so switches, lock
 * classes, reports, the crash record and the console text never move. box_build() runs once, on one
 * CPU, adds the dynamic part behind it and seals header and directory with a CRC; after that only
 * box_set_clock() touches the header. Console writers reserve bytes with one atomic add and copy;
 * nobody waits. Counters are created at boot by one CPU and then only added to. */
#include <tracing/box.h>
#include <tracing/ring.h>
#include <tracing/tracker.h>
#include "schema.h"

struct track_tables track_tables;

struct trace_box trace_box __attribute__((section(".bss.blackbox"), aligned(BB_ALIGN)));

static struct {
	void *at[32]; /* by section kind */
	uint32_t count[32];
} box_index;

static uint32_t crc32(uint32_t crc, const void *data, uint64_t n)
{
	const uint8_t *p = data;

	crc = ~crc;
	while (n--) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static void seal(void)
{
	struct bb_header *h = &trace_box.header;
	uint32_t crc;

	h->checksum = 0;
	crc = crc32(0, h, sizeof(*h));
	h->checksum = crc32(crc, trace_box.dir, sizeof(trace_box.dir[0]) * h->dir_count);
}

static void copy(void *d, const void *s, uint64_t n)
{
	uint8_t *dp = d;
	const uint8_t *sp = s;

	while (n--)
		*dp++ = *sp++;
}

static uint64_t page_up(uint64_t n)
{
	return (n + BB_ALIGN - 1) & ~(uint64_t)(BB_ALIGN - 1);
}

static uint64_t text_len(const char *s)
{
	uint64_t n = 0;

	while (s && s[n])
		n++;
	return n;
}

static uint64_t ring_bytes(const struct box_plan *p)
{
	return page_up(((uint64_t)p->ring_units + BB_RING_SPARE) * BB_UNIT);
}

/* Layout of the dynamic part: every table starts on a page. One list for sizing and for building.
 */
enum {
	D_RINGS,
	D_RINGDATA,
	D_CPUS,
	D_TASKS,
	D_LOCKS,
	D_SCHEMA,
	D_ENUMS,
	D_CALLS,
	D_SYMS,
	D_SYMNAMES,
	D_LINES,
	D_PLACES,
	D_PLACENAMES,
	D_CMDLINE,
	D_COUNT
};

static void dynamic_sizes(const struct box_plan *p, uint64_t size[D_COUNT])
{
	size[D_RINGS] = (uint64_t)p->cpus * sizeof(struct bb_ring);
	size[D_RINGDATA] = p->cpus * ring_bytes(p);
	size[D_CPUS] = (uint64_t)p->cpus * sizeof(struct bb_cpu);
	size[D_TASKS] = (uint64_t)p->tasks * sizeof(struct bb_task);
	size[D_LOCKS] = (uint64_t)p->locks * sizeof(struct bb_lock);
	size[D_SCHEMA] = (uint64_t)trace_schema_count * sizeof(struct bb_event_row);
	size[D_ENUMS] = ((uint64_t)trace_enums_count + p->enums[0].count + p->enums[1].count) *
			sizeof(struct bb_enum_row);
	size[D_CALLS] = (uint64_t)p->ncalls * sizeof(struct bb_call);
	size[D_SYMS] = p->nsyms * sizeof(struct bb_sym);
	size[D_SYMNAMES] = p->symnames_bytes;
	size[D_LINES] = p->nlines * sizeof(struct bb_line);
	size[D_PLACES] = p->nplaces * sizeof(struct bb_place);
	size[D_PLACENAMES] = p->placenames_bytes;
	size[D_CMDLINE] = text_len(p->cmdline) + 1;
}

uint64_t box_dynamic_size(const struct box_plan *p)
{
	uint64_t size[D_COUNT], sum = 0;

	dynamic_sizes(p, size);
	for (int i = 0; i < D_COUNT; i++)
		sum += page_up(size[i]);
	return sum;
}

static void add_section(uint32_t kind, void *at, uint64_t offset, uint64_t size, uint32_t entry,
			uint32_t count)
{
	struct bb_section *s = &trace_box.dir[trace_box.header.dir_count++];

	s->kind = kind;
	s->version = 1;
	s->offset = offset;
	s->size = size;
	s->entry_size = entry;
	s->count = count;
	box_index.at[kind] = at;
	box_index.count[kind] = count;
}

static void add_static(uint32_t kind, void *at, uint64_t size, uint32_t entry, uint32_t count)
{
	add_section(kind, at, (uint64_t)((char *)at - (char *)&trace_box), size, entry, count);
}

void box_build(const struct box_plan *p, const struct bb_header *facts)
{
	static const struct {
		uint32_t kind, entry;
	} dyn[D_COUNT] = {
		[D_RINGS] = {BB_SEC_RINGS, sizeof(struct bb_ring)},
		[D_RINGDATA] = {BB_SEC_RINGDATA, 0},
		[D_CPUS] = {BB_SEC_CPUS, sizeof(struct bb_cpu)},
		[D_TASKS] = {BB_SEC_TASKS, sizeof(struct bb_task)},
		[D_LOCKS] = {BB_SEC_LOCKS, sizeof(struct bb_lock)},
		[D_SCHEMA] = {BB_SEC_SCHEMA, sizeof(struct bb_event_row)},
		[D_ENUMS] = {BB_SEC_ENUMS, sizeof(struct bb_enum_row)},
		[D_CALLS] = {BB_SEC_CALLS, sizeof(struct bb_call)},
		[D_SYMS] = {BB_SEC_SYMS, sizeof(struct bb_sym)},
		[D_SYMNAMES] = {BB_SEC_SYMNAMES, 0},
		[D_LINES] = {BB_SEC_LINES, sizeof(struct bb_line)},
		[D_PLACES] = {BB_SEC_PLACES, sizeof(struct bb_place)},
		[D_PLACENAMES] = {BB_SEC_PLACENAMES, 0},
		[D_CMDLINE] = {BB_SEC_CMDLINE, 0},
	};
	struct trace_box *b = &trace_box;
	uint64_t size[D_COUNT], offset = page_up(sizeof(*b));
	char *at[D_COUNT], *next = p->dynamic_virt;

	b->header = *facts;
	b->header.magic = BB_MAGIC;
	b->header.version = BB_VERSION;
	b->header.header_size = sizeof(b->header);
	b->header.byte_order = BB_BYTE_ORDER;
	b->header.cpus = p->cpus;
	b->header.page_size = BB_ALIGN;
	b->header.total_size = offset + box_dynamic_size(p);
	b->header.dir_offset = (uint32_t)((char *)b->dir - (char *)b);
	b->header.dir_entry_size = sizeof(b->dir[0]);
	b->header.dir_count = 0;

	add_static(BB_SEC_CONTROL, &b->control, sizeof(b->control), sizeof(b->control), 1);
	add_static(BB_SEC_CLASSES, b->classes, sizeof(b->classes), sizeof(b->classes[0]),
		   BOX_CLASSES);
	add_static(BB_SEC_REPORTS, b->reports, sizeof(b->reports), sizeof(b->reports[0]),
		   BOX_REPORTS);
	add_static(BB_SEC_COUNTERS, b->counters, sizeof(b->counters), sizeof(b->counters[0]),
		   BOX_COUNTERS);
	add_static(BB_SEC_QUEUES, b->queues, sizeof(b->queues), sizeof(b->queues[0]), BOX_QUEUES);
	add_static(BB_SEC_CRASH, &b->crash, sizeof(b->crash), sizeof(b->crash), 1);
	b->console.size = BOX_CONSOLE;
	add_static(BB_SEC_CONSOLE, &b->console, sizeof(b->console) + BOX_CONSOLE,
		   sizeof(b->console), 1);

	dynamic_sizes(p, size);
	for (int i = 0; i < D_COUNT; i++) {
		uint32_t entry = dyn[i].entry;

		at[i] = next;
		add_section(dyn[i].kind, next, offset, size[i], entry,
			    entry ? (uint32_t)(size[i] / entry) : 1);
		next += page_up(size[i]);
		offset += page_up(size[i]);
	}
	for (uint32_t c = 0; c < p->cpus; c++) {
		struct bb_ring *r = (struct bb_ring *)at[D_RINGS] + c;
		uint64_t data = c * ring_bytes(p);

		r->units = p->ring_units;
		r->data_virt = (uintptr_t)at[D_RINGDATA] + data;
		r->data_offset = (uint64_t)(at[D_RINGDATA] - (char *)p->dynamic_virt) +
				 page_up(sizeof(*b)) + data;
		r->cpu = c;
		((struct bb_cpu *)at[D_CPUS])[c].cpu = c;
		((struct bb_cpu *)at[D_CPUS])[c].next_timer = ~0ull;
	}
	copy(at[D_SCHEMA], trace_schema, size[D_SCHEMA]);
	char *row = at[D_ENUMS];

	copy(row, trace_enums, trace_enums_count * sizeof(trace_enums[0]));
	row += trace_enums_count * sizeof(trace_enums[0]);
	for (int i = 0; i < 2; i++) {
		copy(row, p->enums[i].rows, p->enums[i].count * sizeof(trace_enums[0]));
		row += p->enums[i].count * sizeof(trace_enums[0]);
	}
	copy(at[D_CALLS], p->calls, size[D_CALLS]);
	copy(at[D_SYMS], p->syms, size[D_SYMS]);
	copy(at[D_SYMNAMES], p->symnames, size[D_SYMNAMES]);
	copy(at[D_LINES], p->lines, size[D_LINES]);
	copy(at[D_PLACES], p->places, size[D_PLACES]);
	copy(at[D_PLACENAMES], p->placenames, size[D_PLACENAMES]);
	if (p->cmdline)
		copy(at[D_CMDLINE], p->cmdline, size[D_CMDLINE]);

	track_tables.tasks = (struct bb_task *)at[D_TASKS];
	track_tables.ntasks = p->tasks;
	track_tables.cpus = (struct bb_cpu *)at[D_CPUS];
	track_tables.ncpus = p->cpus;
	track_tables.locks = (struct bb_lock *)at[D_LOCKS];
	track_tables.nlocks = p->locks;
	seal();
}

void box_set_clock(uint32_t kind, uint64_t hz, uint64_t anchor, uint64_t wall_ns)
{
	struct bb_header *h = &trace_box.header;

	h->clock_kind = kind;
	h->clock_hz = hz;
	h->clock_anchor = anchor;
	h->wall_anchor = wall_ns;
	seal();
}

struct bb_header *box_header(void)
{
	return &trace_box.header;
}

void *box_section(uint32_t kind, uint32_t *count)
{
	if (kind >= sizeof(box_index.at) / sizeof(box_index.at[0]))
		return (void *)0;
	if (count)
		*count = box_index.count[kind];
	return box_index.at[kind];
}

uint64_t box_console_write(const char *s, uint32_t n)
{
	struct bb_console *c = &trace_box.console;
	uint64_t at = __atomic_fetch_add(&c->head, n, __ATOMIC_RELAXED);

	for (uint32_t i = 0; i < n; i++)
		__atomic_store_n(&trace_box.console_text[(at + i) % BOX_CONSOLE], s[i],
				 __ATOMIC_RELAXED);
	return at;
}

static int name_is(const char *name, unsigned max, const char *word, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len && i < max && name[i]; i++)
		if (name[i] != word[i])
			return 0;
	return i == len && (i == max || !name[i]);
}

void trace_default_events(void)
{
	for (uint32_t i = 0; i < trace_schema_count; i++) {
		const struct bb_event_row *e = &trace_schema[i];

		trace_box.control.event_on[e->id] =
			e->category != BB_CAT_LOCKALL && e->category != BB_CAT_FUNCTION;
	}
}

/* One word of a selection: a category, an event, or "all". Returns how many events it named. */
static uint32_t select_word(uint8_t *event_on, const char *word, uint32_t len, uint8_t on)
{
	uint32_t hits = 0;

	for (uint32_t i = 0; i < trace_schema_count; i++) {
		const struct bb_event_row *e = &trace_schema[i];
		int match = name_is("all", 4, word, len) ||
			    name_is(e->name, sizeof(e->name), word, len);

		for (uint32_t k = 0; k < trace_enums_count && !match; k++)
			match = trace_enums[k].table == BB_TAB_CATEGORY &&
				trace_enums[k].value == e->category &&
				name_is(trace_enums[k].name, sizeof(trace_enums[k].name), word,
					len);
		if (match) {
			event_on[e->id] = on;
			hits++;
		}
	}
	/* A category without events so far is a valid word. */
	for (uint32_t k = 0; k < trace_enums_count && !hits; k++)
		hits = trace_enums[k].table == BB_TAB_CATEGORY &&
		       name_is(trace_enums[k].name, sizeof(trace_enums[k].name), word, len);
	return hits;
}

int box_trace_select(const char *list, uint32_t len)
{
	uint8_t *control = trace_box.control.event_on, event_on[BB_MAX_EVENTS];
	uint32_t pos = 0;
	int word = 0;

	/* A list that begins with a plain word names the whole set; with + or - it changes it. One
	 * bad word and nothing changes: a slip must not switch the recorder off. */
	for (unsigned i = 0; i < BB_MAX_EVENTS; i++)
		event_on[i] = len && list[0] != '+' && list[0] != '-'
				      ? 0
				      : __atomic_load_n(&control[i], __ATOMIC_RELAXED);
	while (pos < len) {
		uint32_t start = pos, on = 1;

		while (pos < len && list[pos] != ',')
			pos++;
		word++;
		if (start < pos && (list[start] == '+' || list[start] == '-'))
			on = list[start++] == '+';
		if (start == pos || !select_word(event_on, list + start, pos - start, (uint8_t)on))
			return word;
		pos++;
	}
	for (unsigned i = 0; i < BB_MAX_EVENTS; i++)
		__atomic_store_n(&control[i], event_on[i], __ATOMIC_RELAXED);
	return 0;
}

struct bb_queue *box_queue(const char *name, void **rings)
{
	uint64_t len = text_len(name);

	for (unsigned i = 0; i < BOX_QUEUES; i++) {
		struct bb_queue *q = &trace_box.queues[i];

		if (q->name[0])
			continue;
		copy(q->name, name, len < sizeof(q->name) ? len : sizeof(q->name) - 1);
		q->ring_offset = (uint64_t)((char *)trace_box.queue_rings[i] - (char *)&trace_box);
		*rings = trace_box.queue_rings[i];
		return q;
	}
	return (struct bb_queue *)0;
}

/* The device's index: second half-word of its ring. */
static uint16_t device_idx(const struct bb_queue *q)
{
	return __atomic_load_n((const uint16_t *)(const void *)((const char *)&trace_box +
								q->ring_offset + q->used_at + 2),
			       __ATOMIC_ACQUIRE);
}

/* The timer's interrupt and the device's have the same priority on the same CPU. That this look
 * runs again and again, each time a second after one that saw the request finished, shows that the
 * CPU takes interrupts and that the device's is not among them. One more look than seems needed: a
 * CPU that was stalled for that second inside the interrupt takes the timer's first, once. The
 * driver's handler cannot run beside us: `seen` stands still. */
const struct bb_queue *box_queues_look(uint32_t cpu, uint64_t now)
{
	const struct bb_queue *found = (const struct bb_queue *)0;

	for (unsigned i = 0; i < BOX_QUEUES && trace_box.queues[i].name[0]; i++) {
		struct bb_queue *q = &trace_box.queues[i];
		uint32_t seen = __atomic_load_n(&q->seen, __ATOMIC_RELAXED), looks = 0;

		if (q->cpu != cpu || !q->size)
			continue;
		if (device_idx(q) != (uint16_t)seen) {
			looks = q->looks && q->looked == seen ? q->looks + 1 : 1;
			if (looks == 1)
				__atomic_store_n(&q->unseen_since, now, __ATOMIC_RELAXED);
		}
		__atomic_store_n(&q->looked, seen, __ATOMIC_RELAXED);
		__atomic_store_n(&q->looks, looks, __ATOMIC_RELEASE);
		if (looks == BB_QUEUE_LOOKS &&
		    __atomic_load_n(&q->last_irq, __ATOMIC_RELAXED) < q->unseen_since)
			found = q;
	}
	return found;
}

struct bb_counter *box_counter(const char *name)
{
	uint32_t len = (uint32_t)text_len(name);

	for (unsigned i = 0; i < BOX_COUNTERS; i++) {
		struct bb_counter *c = &trace_box.counters[i];

		if (!c->name[0] && len < sizeof(c->name))
			copy(c->name, name, len);
		if (name_is(c->name, sizeof(c->name), name, len))
			return c;
	}
	return (struct bb_counter *)0;
}
