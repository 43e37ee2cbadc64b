/* why_fixture.h - what the tests of tracedump's verdicts start from. "Twins" of a hang are one
 * condition short of it and must be healthy. */
#ifndef WHY_FIXTURE_H
#define WHY_FIXTURE_H

#include "look.h"

#define MUTEX BB_LK_MUTEX
#define SPIN  BB_LK_SPIN
#define NOW   100.0 /* seconds: the fixture's newest stamp */

static struct box_fixture f;
static uint32_t class_a, class_b;

/* An idle machine with two classes of locks. */
static inline void begin(uint32_t kind)
{
	fx_open(&f);
	class_a = fx_class("a", kind, 0);
	class_b = fx_class("b", kind, 0);
}

static inline struct bb_task *task(uint32_t slot, const char *name, uint32_t state)
{
	return fx_task(&f, slot, slot + 10, 1, name, state);
}

/* A task in `slot` that waits for lock 1. */
static inline struct bb_task *waiter(uint32_t slot, double since)
{
	struct bb_task *t = task(slot, "waiter", BB_ST_BLOCKED);

	fx_wait(t, BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_EXT2_LOOKUP, since);
	return t;
}

/* Something runs in user mode on cpu1, so the machine is not quiet. */
static inline void busy(uint32_t slot)
{
	task(slot, "busy", BB_ST_RUNNING);
	fx_run(&f, slot, 1);
	f.tasks[slot].mode = BB_MODE_USER;
}

#endif
