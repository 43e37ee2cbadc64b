/* ring_reader.c - reads a trace ring without help of its writer.
 *
 * Theory, in the words of the format. The descriptor begins with head (units << 32 | events) and
 * the number of units. The window is the last `units` units before head; unit number u lives at
 * index u modulo units, and a record that starts there is contiguous (it may run into the spare
 * units behind the last). A place starts a record iff the upper half of its second word is u, its
 * id is not 0 (memory that was never written reads as unit 0, id 0) and its 16-bit check fits its
 * contents. Otherwise the next unit is tried. Reading head again after the contents tells whether
 * the writer may have come round meanwhile: then nothing that was read counts. The acquire load of
 * word1 pairs with the writer's release of it, the acquire loads of the contents followed by head
 * with the writer's reservation, which is ordered before its stores.
 */
#include "ring_reader.h"

#include <tracing/record.h>

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* 1 a record, 0 none starts here, -1 the writer passed us, -2 a commit word without its record. */
static int read_record(const uint64_t *ring, const uint64_t *unit_words, uint32_t unit,
		       uint32_t units, struct ring_record *rec)
{
	uint64_t word1 = load(unit_words + 1), word0;

	if ((uint32_t)(word1 >> 32) != unit)
		return 0;
	rec->unit = unit;
	rec->id = (unsigned)(word1 >> 20) & 0xfff;
	rec->nargs = (unsigned)(word1 >> 16) & 0xf;
	rec->event = (uint32_t)word1 & 0xffff;
	if (!rec->id || rec->nargs > 8)
		return 0;
	rec->units = 1 + (rec->nargs + 1) / 2;
	word0 = load(unit_words);
	for (unsigned i = 0; i < rec->nargs; i++)
		rec->args[i] = load(unit_words + 2 + i);
	if ((uint32_t)(load(ring) >> 32) - unit > units)
		return -1;
	if (trace_check(word0 & ~0xffffull, word1, rec->args, rec->nargs) != (word0 & 0xffff))
		return -2;
	rec->ticks = word0 >> 16;
	return 1;
}

/* Sixteen bits of ordinal become the whole, from the head backwards; counts what is missing. */
static void number_events(struct ring_record *out, struct ring_scan *scan)
{
	uint32_t next = scan->head_events;

	for (uint32_t i = scan->accepted; i-- > 0;) {
		uint32_t missing = (next - 1 - out[i].event) & 0xffff;

		out[i].event = next - 1 - missing;
		scan->lost_gap += missing;
		if (missing >= 0x8000)
			scan->disorder = 1;
		next = out[i].event;
	}
	scan->lost = scan->accepted ? scan->lost_gap + next : scan->head_events;
}

void ring_read(const void *ring, const void *data, struct ring_record *out, uint32_t max,
	       struct ring_scan *scan)
{
	const uint64_t *words = ring;
	uint64_t head = load(words);
	uint32_t units = (uint32_t)words[1], end = (uint32_t)(head >> 32), left;

	*scan = (struct ring_scan){.head_units = end, .head_events = (uint32_t)head};
	/* A ring younger than one lap has no units before 0. That a wrapped counter looks young
	 * costs the records before the wrap, until the next lap. */
	left = end < units ? end : units;
	while (left) {
		uint32_t unit = end - left, took = 1;
		const uint64_t *at = (const uint64_t *)data + 2 * (uint64_t)(unit & (units - 1));
		struct ring_record rec;
		int r = read_record(words, at, unit, units, &rec);

		if (r > 0 && rec.units <= left && scan->accepted < max) {
			out[scan->accepted++] = rec;
			took = rec.units;
		} else if (r == -1) {
			scan->passed++;
		} else {
			scan->half += r == -2;
			scan->torn++;
		}
		left -= took;
	}
	number_events(out, scan);
}
