/* ring_fixture.h - a ring in host memory with a guarded end, for the ring tests. */
#ifndef RING_FIXTURE_H
#define RING_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <tracing/ring.h>
#include <tracing_port.h>
#include "ring_reader.h"

#define RING_GUARD       0xa5
#define RING_GUARD_BYTES 64

struct ring_fixture {
	struct bb_ring ring;
	uint8_t *data;
	size_t bytes; /* without the guard */
};

static inline void ring_open(struct ring_fixture *f, uint32_t units)
{
	memset(f, 0, sizeof(*f));
	f->bytes = (size_t)(units + BB_RING_SPARE) * BB_UNIT;
	f->data = aligned_alloc(64, (f->bytes + RING_GUARD_BYTES + 63) & ~(size_t)63);
	if (!f->data)
		abort();
	memset(f->data, 0, f->bytes);
	memset(f->data + f->bytes, RING_GUARD, RING_GUARD_BYTES);
	f->ring.units = units;
	f->ring.data_virt = (uint64_t)(uintptr_t)f->data;
	host_ring = &f->ring;
}
/* 1: nothing was written behind the spare units. */
static inline int ring_guard_intact(const struct ring_fixture *f)
{
	for (unsigned i = 0; i < RING_GUARD_BYTES; i++)
		if (f->data[f->bytes + i] != RING_GUARD)
			return 0;
	return 1;
}
static inline void ring_close(struct ring_fixture *f)
{
	host_ring = NULL;
	free(f->data);
}

#endif
