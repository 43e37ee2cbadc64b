/* ring_reader.h - a second reader of the trace ring, written from the format's words. It shares
 * nothing but a record's check with tracing/ and tools/tracedump, so that an error in either walk
 * shows; the check itself is compared with tests/integration/format_reader.py's. */
#ifndef RING_READER_H
#define RING_READER_H

#include <stdint.h>

struct ring_record {
	uint32_t unit;  /* where it starts, counted since the ring was made */
	uint32_t event; /* ordinal, counted since the ring was made */
	unsigned id;
	unsigned nargs;
	unsigned units; /* how many it takes */
	uint64_t ticks; /* 48 bits */
	uint64_t args[8];
};
struct ring_scan {
	uint32_t head_units, head_events; /* when the scan began */
	uint32_t accepted;
	uint32_t torn;     /* units in the window where no valid record starts */
	uint32_t half;     /* of those: where a commit word stands without its record */
	uint32_t passed;   /* records that the writer passed while we read */
	uint32_t lost;     /* events ever reserved that are not among the accepted */
	uint32_t lost_gap; /* of those: between the first accepted and the head */
	int disorder;      /* ordinals do not ascend: never acceptable */
};

/* Reads what the ring holds, oldest first, into out[0..max). Needs no cooperation of the writer:
 * the ring may be live, on another CPU, or stopped inside an emit. ring: the 64-byte descriptor;
 * data: its units. max should be the number of units. */
void ring_read(const void *ring, const void *data, struct ring_record *out, uint32_t max,
	       struct ring_scan *scan);

#endif
