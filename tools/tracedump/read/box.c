/* box.c - takes a snapshot of a black box and checks every section of it.
 *
 * Theory. One copy is made first and everything else works on the copy, so that what was checked
 * cannot change afterwards. On live memory three things need care:
 *   - an entry of a table: its sequence words are read, the entry is copied, and the words are read
 *     again; odd or different means that the guest was writing: again, at most RETRIES times. What
 *     is still being written then (a guest that is stopped in the middle) is marked torn.
 *   - a ring: head is read before and after the copy. Units that the later head has passed may be
 *     overwritten in the copy and are left out (`ring_floor`).
 *   - all else is constant, or a single aligned word.
 * The acquire fences pair with the guest's release stores to the sequence words and to a record's
 * commit word.
 */
#include "box.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RETRIES 200

static const char *const section_names[TD_SECTIONS] = {
	"",        "control", "schema",       "enums",        "rings",   "ring data",
	"cpus",    "tasks",   "lock classes", "locks",        "symbols", "symbol names",
	"console", "crash",   "counters",     "command line", "reports", "device queues",
	"lines",   "places",  "place names",  "system calls",
};

const char *td_section_name(unsigned kind)
{
	return kind < TD_SECTIONS ? section_names[kind] : "?";
}

/* Smallest entry that this tool can use; 0 = bytes. */
static size_t least_entry(unsigned kind)
{
	switch (kind) {
	case BB_SEC_CONTROL:
		return sizeof(struct bb_control);
	case BB_SEC_SCHEMA:
		return sizeof(struct bb_event_row);
	case BB_SEC_ENUMS:
		return sizeof(struct bb_enum_row);
	case BB_SEC_RINGS:
		return sizeof(struct bb_ring);
	case BB_SEC_CPUS:
		return sizeof(struct bb_cpu);
	case BB_SEC_TASKS:
		return offsetof(struct bb_task, ends); /* what 1.1 has */
	case BB_SEC_CLASSES:
		return sizeof(struct bb_class);
	case BB_SEC_LOCKS:
		return sizeof(struct bb_lock);
	case BB_SEC_SYMS:
		return sizeof(struct bb_sym);
	case BB_SEC_CRASH:
		return sizeof(struct bb_crash);
	case BB_SEC_COUNTERS:
		return sizeof(struct bb_counter);
	case BB_SEC_REPORTS:
		return offsetof(struct bb_report, key); /* what 1.2 has */
	case BB_SEC_QUEUES:
		return sizeof(struct bb_queue);
	case BB_SEC_LINES:
		return sizeof(struct bb_line);
	case BB_SEC_PLACES:
		return sizeof(struct bb_place);
	case BB_SEC_CALLS:
		return sizeof(struct bb_call);
	default:
		return 0;
	}
}

static int read_directory(struct td_box *b, struct td_error *e)
{
	for (uint32_t i = 0; i < b->hdr.dir_count; i++) {
		struct bb_section d;
		struct td_section *s;
		uint64_t end, table;

		memcpy(&d, b->data + b->hdr.dir_offset + (uint64_t)i * b->hdr.dir_entry_size,
		       sizeof(d));
		if (d.kind == 0)
			continue; /* an unused row */
		if (__builtin_add_overflow(d.offset, d.size, &end) || end > b->hdr.total_size)
			return td_fail(e,
				       "section %u of the directory (kind %u) is outside the box: "
				       "offset 0x%llx, size 0x%llx",
				       i, d.kind, (unsigned long long)d.offset,
				       (unsigned long long)d.size);
		if (d.kind >= TD_SECTIONS) {
			b->unknown_sections++;
			continue;
		}
		s = &b->sec[d.kind];
		if (s->present)
			return td_fail(e, "section '%s' is in the directory twice",
				       td_section_name(d.kind));
		table = (uint64_t)d.entry_size * d.count;
		if (least_entry(d.kind) && (d.entry_size < least_entry(d.kind) || table > d.size))
			return td_fail(e,
				       "section '%s': %u entries of %u bytes do not fit its %llu "
				       "bytes",
				       td_section_name(d.kind), d.count, d.entry_size,
				       (unsigned long long)d.size);
		*s = (struct td_section){true, d.version, d.offset, d.size, d.entry_size, d.count};
	}
	for (unsigned k = BB_SEC_SCHEMA; k <= BB_SEC_TASKS; k++)
		if (k != BB_SEC_RINGDATA && k != BB_SEC_ENUMS && !b->sec[k].present)
			return td_fail(e, "the box has no section '%s'", td_section_name(k));
	return 0;
}

static uint32_t live32(const uint8_t *p)
{
	return __atomic_load_n((const uint32_t *)(const void *)p, __ATOMIC_ACQUIRE);
}
static uint64_t live64(const uint8_t *p)
{
	return __atomic_load_n((const uint64_t *)(const void *)p, __ATOMIC_ACQUIRE);
}

/* A group's guarding word. That of held locks has their number in its upper half: pushing and
 * popping change no more than this word at once. */
static uint64_t look(const uint8_t *seq, uint8_t bit)
{
	return bit == TD_TORN_HELD ? live64(seq) : live32(seq);
}

/* Copies one guarded entry; returns the mask of groups that stayed torn. */
static unsigned settle(uint8_t *to, const uint8_t *from, size_t n, const uint16_t *seq_at,
		       const uint8_t *bit, unsigned nseq)
{
	unsigned torn = 0;

	for (unsigned try = 0; try < RETRIES; try++) {
		uint64_t before[4];

		torn = 0;
		for (unsigned i = 0; i < nseq; i++)
			before[i] = look(from + seq_at[i], bit[i]);
		memmove(to, from, n); /* the same place when nothing is live */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		for (unsigned i = 0; i < nseq; i++)
			if (before[i] & 1 || look(from + seq_at[i], bit[i]) != before[i])
				torn |= bit[i];
		if (!torn)
			break;
	}
	return torn;
}

static uint8_t *settle_table(struct td_box *b, const uint8_t *live, unsigned kind,
			     const uint16_t *seq_at, const uint8_t *bit, unsigned nseq)
{
	struct td_section *s = &b->sec[kind];
	uint8_t *torn = td_alloc(s->count, 1);

	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t off = s->offset + (uint64_t)i * s->entry_size;

		torn[i] = (uint8_t)settle(b->data + off, live + off, s->entry_size, seq_at, bit,
					  nseq);
		if (torn[i])
			b->torn_entries++;
	}
	return torn;
}

static int load_rings(struct td_box *b, const uint8_t *live, struct td_error *e)
{
	struct td_section *s = &b->sec[BB_SEC_RINGS];
	uint64_t total = 0;

	b->rings = td_alloc(s->count, sizeof(*b->rings));
	b->ring_head = td_alloc(s->count, sizeof(*b->ring_head));
	b->ring_floor = td_alloc(s->count, sizeof(*b->ring_floor));
	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t at = s->offset + (uint64_t)i * s->entry_size, bytes;
		struct bb_ring r;

		memcpy(&r, live + at, sizeof(r));
		b->rings[i] = (struct bb_ring){.cpu = r.cpu, .drops = r.drops};
		if (!r.units)
			continue; /* a CPU that never came up */
		if (r.units & (r.units - 1) || r.units > b->hdr.total_size / BB_UNIT)
			return td_fail(
				e, "ring %u: %llu units is not a power of two that fits the box", i,
				(unsigned long long)r.units);
		bytes = (r.units + BB_RING_SPARE) * BB_UNIT;
		total += bytes;
		if (r.data_offset % 8 || r.data_offset > b->hdr.total_size ||
		    b->hdr.total_size - r.data_offset < bytes || total > b->hdr.total_size)
			return td_fail(e, "ring %u: its %llu bytes at 0x%llx are outside the box",
				       i, (unsigned long long)bytes,
				       (unsigned long long)r.data_offset);
		b->ring_head[i] = live64(live + at);
		memmove(b->data + r.data_offset, live + r.data_offset, bytes);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		b->ring_floor[i] = (uint32_t)(live64(live + at) >> 32) - (uint32_t)r.units;
		b->rings[i] = r;
	}
	return 0;
}

int td_box_load(struct td_box *b, const struct td_source *s, struct td_error *e)
{
	static const uint16_t task_seq[] = {
		offsetof(struct bb_task, ident_seq), offsetof(struct bb_task, sched_seq),
		offsetof(struct bb_task, wait_seq), offsetof(struct bb_task, held_seq)};
	static const uint8_t task_bit[] = {TD_TORN_IDENT, TD_TORN_SCHED, TD_TORN_WAIT,
					   TD_TORN_HELD};
	static const uint16_t cpu_seq[] = {offsetof(struct bb_cpu, wait_seq),
					   offsetof(struct bb_cpu, held_seq)};
	static const uint8_t cpu_bit[] = {TD_TORN_WAIT, TD_TORN_HELD};

	*b = (struct td_box){.kind = s->kind, .file_offset = s->box_offset};
	if (td_header_check(s->box, s->avail, s->box_offset, &b->hdr, e))
		return -1;
	b->data = td_alloc(b->hdr.total_size, 1);
	memcpy(b->data, s->box, b->hdr.total_size);
	/* the header once more, from the copy: from here on nothing can change */
	if (td_header_check(b->data, b->hdr.total_size, s->box_offset, &b->hdr, e) ||
	    read_directory(b, e))
		goto bad;
	for (unsigned k = 1; k < TD_SECTIONS; k++)
		if (b->sec[k].present && least_entry(k) &&
		    (b->sec[k].offset % 8 || b->sec[k].entry_size % 8)) {
			td_fail(e,
				"section '%s' is not aligned: offset 0x%llx, entries of %u bytes",
				td_section_name(k), (unsigned long long)b->sec[k].offset,
				b->sec[k].entry_size);
			goto bad;
		}
	if (((uintptr_t)s->box & 7) == 0) {
		b->task_torn = settle_table(b, s->box, BB_SEC_TASKS, task_seq, task_bit, 4);
		b->cpu_torn = settle_table(b, s->box, BB_SEC_CPUS, cpu_seq, cpu_bit, 2);
		if (load_rings(b, s->box, e))
			goto bad;
	} else { /* a core may put memory at any file offset; it does not change, so the copy does
		  */
		b->task_torn = settle_table(b, b->data, BB_SEC_TASKS, task_seq, task_bit, 4);
		b->cpu_torn = settle_table(b, b->data, BB_SEC_CPUS, cpu_seq, cpu_bit, 2);
		if (load_rings(b, b->data, e))
			goto bad;
	}
	return 0;
bad:
	td_box_free(b);
	return -1;
}

void td_box_free(struct td_box *b)
{
	free(b->data);
	free(b->task_torn);
	free(b->cpu_torn);
	free(b->rings);
	free(b->ring_head);
	free(b->ring_floor);
	*b = (struct td_box){0};
}

bool td_box_entry(const struct td_box *b, unsigned kind, uint32_t i, void *out, size_t n)
{
	const struct td_section *s = &b->sec[kind];
	size_t have = s->entry_size < n ? s->entry_size : n;

	memset(out, 0, n);
	if (!s->present || i >= s->count)
		return false;
	memcpy(out, b->data + s->offset + (uint64_t)i * s->entry_size, have);
	return true;
}

uint64_t td_box_span_ns(const struct td_box *b, uint64_t ticks)
{
	unsigned __int128 ns = (unsigned __int128)ticks * 1000000000u / b->hdr.clock_hz;

	return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

uint64_t td_box_ns(const struct td_box *b, uint64_t ticks)
{
	return ticks < b->hdr.clock_anchor ? 0 : td_box_span_ns(b, ticks - b->hdr.clock_anchor);
}

static bool console(const struct td_box *b, struct bb_console *c)
{
	const struct td_section *s = &b->sec[BB_SEC_CONSOLE];

	if (!s->present || s->size < sizeof(*c))
		return false;
	memcpy(c, b->data + s->offset, sizeof(*c));
	return c->size && !(c->size & (c->size - 1)) && c->size <= s->size - sizeof(*c);
}

void td_box_console_range(const struct td_box *b, uint64_t *from, uint64_t *to)
{
	struct bb_console c;

	*from = *to = 0;
	if (!console(b, &c))
		return;
	*to = c.head;
	*from = c.head > c.size ? c.head - c.size : 0;
}

size_t td_box_console(const struct td_box *b, uint64_t pos, size_t len, char *out, size_t n)
{
	struct bb_console c;
	const uint8_t *text = b->data + b->sec[BB_SEC_CONSOLE].offset + sizeof(c);
	uint64_t from, to;
	size_t i;

	td_box_console_range(b, &from, &to);
	if (!n || !console(b, &c) || pos < from || pos >= to)
		return 0;
	for (i = 0; i < len && i + 1 < n && pos + i < to; i++)
		out[i] = (char)text[(pos + i) & (c.size - 1)];
	out[i] = 0;
	return i;
}
