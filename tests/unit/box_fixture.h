/* box_fixture.h - a small black box made by the kernel's own writers (tracing/), for the tests of
 * the reader: what is held, waited for, released and reported goes through the tracker, what is in
 * the rings through the recorder. By hand are the fields that the scheduler and the entry code
 * write, and times: stamps are set back to when the test says. One box at a time. Times are in
 * seconds since boot; the clock runs at 1 GHz. */
#ifndef BOX_FIXTURE_H
#define BOX_FIXTURE_H

#include <stdbool.h>
#include <stdio.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

#define FX_CPUS       2
#define FX_TASKS      16
#define FX_RING_UNITS 128
#define FX_IMAGE      0xffff800000000000ull
#define FX_LOCKS      16
#define FX_LOCK(n)    ((uint64_t)(uintptr_t)&fx_locks[n])
/* Return address inside the n-th function; names are in box_fixture.c. */
#define FX_SITE(n) (FX_IMAGE + 0x1000ull * (n) + 0x20)
/* Return addresses in load_init with a line of their own: 0 exec.c:212, 1 list.h:5 in list_add, 2 a
 * line whose place does not exist. */
#define FX_LINE(n) (FX_IMAGE + 0x1800ull + 0x10ull * (n))
enum { FX_LOAD_INIT = 1, FX_ENTER_USER, FX_EXT2_LOOKUP, FX_PIPE_READ, FX_WAIT4, FX_FUNCTIONS };

extern struct track_lock fx_locks[FX_LOCKS];

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
/* The task takes the lock; with mode BB_HOLD_SHARED; an interrupt handler of the CPU does. */
void fx_hold(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t func, double at);
void fx_share(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t func, double at);
void fx_hold_irq(struct bb_cpu *c, uint64_t lock, uint32_t class, uint32_t func, double at);
void fx_release(struct bb_task *t, uint64_t lock, uint32_t func);
/* The lock is destroyed; queued: somebody is in its queue. */
void fx_free(uint64_t lock, bool queued, uint32_t func, double at);
/* The task begins to wait: for an FX_LOCK if class is not 0, else for any object. */
void fx_wait(struct bb_task *t, uint32_t kind, uint64_t object, uint32_t class, uint32_t func,
	     double since);
/* The same with the wait's argument: a child's pid, a CPU. */
void fx_wait_arg(struct bb_task *t, uint32_t kind, uint32_t arg, uint32_t func, double since);
/* For what is no lock: its class, and the owner word of who alone can end it, each may be 0. */
void fx_wait_for(struct bb_task *t, uint32_t kind, uint64_t object, uint32_t class, uint32_t owner,
		 uint32_t func, double since);
/* The CPU spins for the lock: its current task, or its interrupt handler if irq_depth is set. */
void fx_spin(struct box_fixture *f, uint32_t cpu, uint64_t lock, uint32_t class, uint32_t func,
	     double since);
/* A run-time check of the guest speaks; lock may be 0. */
struct bb_report *fx_report(uint32_t verdict, uint32_t check, uint64_t lock, uint32_t func,
			    uint32_t func2, uint32_t task, double at);
/* The queue "vda" of 8 descriptors: request n (from 0) has descriptor n and slot n, `queued`
 * requests were put into it, the device called for `kicked`, `used` are finished, `seen` were
 * looked at. */
struct bb_queue *fx_queue(uint16_t queued, uint16_t kicked, uint16_t used, uint16_t seen);
#define FX_SLOT(n) (0xffff000000100000ull + 64ull * (n))
struct bb_section *fx_section(struct box_fixture *f, uint32_t kind);

/* Prints text with its locks by number: where they lie differs from run to run. */
void fx_print(FILE *out, const char *text);

#endif
