/* box_fixture.h - a small black box made by the real producer (tracing/box.c, ring.c), for the
 * tests of the reader. One box at a time. Times are in seconds since boot; the clock runs at 1 GHz.
 */
#ifndef BOX_FIXTURE_H
#define BOX_FIXTURE_H

#include <tracing/events.h>

#define FX_CPUS       2
#define FX_TASKS      16
#define FX_RING_UNITS 128
#define FX_IMAGE      0xffff800000000000ull
#define FX_LOCK(n)    (FX_IMAGE + 0x800000ull + 64ull * (n))
/* Return address inside the n-th function; names are in box_fixture.c. */
#define FX_SITE(n) (FX_IMAGE + 0x1000ull * (n) + 0x20)
enum { FX_LOAD_INIT = 1, FX_ENTER_USER, FX_EXT2_LOOKUP, FX_PIPE_READ, FX_WAIT4, FX_FUNCTIONS };

struct box_fixture {
	uint8_t *mem; /* page aligned */
	uint64_t size;
	struct bb_cpu *cpus;
	struct bb_task *tasks;
	struct bb_ring *rings;
	struct bb_lock *locks;
};

/* An idle machine at t = 100 s: two CPUs idling, their idle tasks in slots 0 and 1. */
void fx_open(struct box_fixture *f);
/* Copies the static part into place: from here on f->mem is what a reader finds. */
void fx_seal(struct box_fixture *f);
/* Checksum again, after a test has changed the header or the directory. */
void fx_reseal(struct box_fixture *f);
void fx_close(struct box_fixture *f);

uint64_t fx_ticks(double seconds);
uint32_t fx_class(const char *name, uint32_t kind, uint32_t rank);
struct bb_task *fx_task(struct box_fixture *f, uint32_t slot, uint32_t pid, uint32_t ppid,
			const char *name, uint32_t state);
/* The task runs on a CPU. */
void fx_run(struct box_fixture *f, uint32_t slot, uint32_t cpu);
void fx_hold(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t func, double at);
void fx_wait(struct bb_task *t, uint32_t kind, uint64_t object, uint32_t class, uint32_t func,
	     double since);
/* The queue "vda" of 8 descriptors: request n (from 0) has descriptor n and slot n, `queued`
 * requests were put into it, the device called for `kicked`, `used` are finished, `seen` were
 * looked at. */
struct bb_queue *fx_queue(uint16_t queued, uint16_t kicked, uint16_t used, uint16_t seen);
#define FX_SLOT(n) (0xffff000000100000ull + 64ull * (n))
struct bb_section *fx_section(struct box_fixture *f, uint32_t kind);

#endif
