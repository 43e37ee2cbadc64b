/* ring.h - decodes the rings of a box copy into events, and merges them in time order. */
#ifndef TRACEDUMP_RING_H
#define TRACEDUMP_RING_H

#include "box.h"
#include "names.h"

#define TD_TID_UNKNOWN (-1)

struct td_event {
	uint64_t ns;      /* since boot */
	uint64_t args_at; /* offset of the arguments in the box copy */
	uint32_t ordinal; /* the CPU's event count just before: "cpu:ordinal" names the event */
	uint32_t lost;    /* events lost on this CPU just before this one */
	int32_t tid;      /* who ran; 0 = idle; TD_TID_UNKNOWN after a loss, or if blind */
	uint16_t id;
	uint8_t nargs;
};

struct td_ring { /* one CPU's */
	uint32_t cpu;
	struct td_event *ev;
	uint32_t n;
	uint32_t head;        /* events ever, modulo 2^32 */
	uint32_t overwritten; /* before the first that is still there */
	uint32_t torn;        /* lost later: refused or unfinished */
	uint32_t tail_lost;   /* of those, behind the last accepted one */
	uint64_t drops;
};

struct td_rings {
	const struct td_box *box;
	struct td_ring *ring;
	uint32_t n;
	uint64_t first_ns, last_ns; /* over all events; 0 if there are none */
	uint64_t newest;            /* ticks */
	bool blind;                 /* switches of tasks are not recorded */
};

/* Does an event of this kind say itself who ran? */
bool td_knows_itself(const struct td_names *names, uint32_t id);
void td_rings_decode(struct td_rings *r, const struct td_box *b, const struct td_names *names);
void td_rings_free(struct td_rings *r);

/* Argument i of an event; 0 if it has fewer. */
uint64_t td_arg(const struct td_box *b, const struct td_event *e, unsigned i);

/* Streaming merge: events of all rings by time. */
struct td_merge {
	const struct td_rings *r;
	uint32_t *heap; /* ring numbers */
	uint32_t *pos;  /* next event of each ring */
	uint32_t n;
};
void td_merge_begin(struct td_merge *m, const struct td_rings *r);
/* The next event and its ring, or NULL at the end. */
const struct td_event *td_merge_next(struct td_merge *m, const struct td_ring **ring);
void td_merge_end(struct td_merge *m);

#endif
