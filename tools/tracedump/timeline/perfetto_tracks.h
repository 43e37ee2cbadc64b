/* perfetto_tracks.h - the half of the timeline made of TrackEvents: slices on threads, CPUs and
 * locks, instants, counters, log lines. Private to perfetto*.c. */
#ifndef TRACEDUMP_PERFETTO_TRACKS_H
#define TRACEDUMP_PERFETTO_TRACKS_H

#include "perfetto.h"
#include "proto.h"

#define PT_DEPTH          32
#define PT_LANES          8
#define PT_CLOCK_BOOTTIME 6
#define PT_LOG_TID        0x7ffe0000u /* stands for "no thread": boot and idle */
#define PT_UNKNOWN        UINT32_MAX  /* as a tid: nobody knows who ran */

/* TracePacket and Trace field numbers that both halves use. */
enum {
	PF_PACKET = 1,
	PF_TIMESTAMP = 8,
	PF_SEQUENCE = 10,
	PF_FLAGS = 13,
	PF_CLOCK_ID = 58,
	PF_MACHINE = 98
};
enum pt_slice_kind { PT_SYSCALL = 1, PT_LOCK, PT_TASK, PT_CPU, PT_HOLD, PT_GAP };

struct pt_track {
	uint64_t uuid;
	uint32_t depth;
	struct {
		uint8_t kind;
		uint64_t key;
	} open[PT_DEPTH];
};

struct pt_lock {
	uint64_t addr;
	uint32_t number, class;
	struct {
		bool busy;
		uint32_t tid;
	} lane[PT_LANES];
};

/* A system call: recorded at its end, or still in progress (then it has no end). */
struct pt_call {
	uint64_t begin; /* ns */
	uint32_t cpu, nr, nargs;
	int32_t tid;
	const struct td_event *end; /* NULL: in progress */
	uint64_t args[6];
};

struct pt {
	const struct td_session *s;
	FILE *f;
	struct td_pb pb;
	struct td_hash tracks; /* of struct pt_track */
	struct td_hash locks;  /* of struct pt_lock */
	uint64_t flows, log_iid;
	uint32_t machine; /* 0 = no word of it */
	uint32_t file;    /* a number of this trace: ids must differ where files are joined */
	uint64_t unfinished;
	struct pt_call *calls; /* by begin */
	uint32_t ncalls, next_call;
};

void pt_init(struct pt *t, const struct td_session *s, FILE *f);
/* Closes every slice that is still open, at `ns`, marked as unfinished. */
void pt_finish(struct pt *t, uint64_t ns);

/* perfetto_calls.c: calls are recorded when they are over; this puts their begins where they
 * belong. Needs the session's rings. */
void pt_calls_load(struct pt *t);
/* Begins the calls that are due before `e` is shown; e NULL: all up to ns. */
void pt_calls_until(struct pt *t, uint64_t ns, const struct td_event *e);
void pt_call_begin(struct pt *t, const struct pt_call *c);

/* One event by its role. `cpu` is where it happened. */
void pt_event(struct pt *t, uint32_t cpu, const struct td_event *e, const struct bb_event_row *row);
/* `lost` events between two times on a CPU: ends what was open there, shows a slice. */
void pt_gap(struct pt *t, uint32_t cpu, int32_t tid, uint64_t from, uint64_t to, uint32_t lost);

/* A packet in t->pb, from begin to end: TracePacket with the time stamp (0 = none). */
size_t pt_packet_begin(struct pt *t, uint32_t sequence, uint64_t ns, bool timed);
void pt_packet_end(struct pt *t, size_t token);
void pt_task_text(const struct td_session *s, int32_t tid, char *out, size_t n);

#endif
