/* why.h - verdicts from the state tables: what hangs, because of whom. */
#ifndef TRACEDUMP_WHY_H
#define TRACEDUMP_WHY_H

#include "devq.h"
#include "model.h"

/* Why a holder can never release, or what else exactly is wrong. */
enum td_reason {
	TD_R_NONE,
	TD_R_LEFT_KERNEL,   /* orphan: has been in user mode since it took the lock */
	TD_R_DEAD,          /* orphan: zombie or gone */
	TD_R_IDLE,          /* orphan: the idle task, idling */
	TD_R_FRAME_GONE,    /* orphan: the function that took it has returned */
	TD_R_OWNER_GONE,    /* orphan: the owner word names a task that no longer exists */
	TD_R_CPU_OFFLINE,   /* owner-not-running: its CPU is offline */
	TD_R_CPU_DEAD,      /* owner-not-running: its CPU does nothing any more */
	TD_R_PREEMPTED,     /* owner-not-running: the spinner keeps the CPU that the owner needs */
	TD_R_STARVED,       /* owner-not-running: runnable but not run for long */
	TD_R_STOPPED,       /* owner-not-running: stopped */
	TD_R_NO_QUEUE,      /* stranded: runnable, in no queue */
	TD_R_IDLE_CPU,      /* stranded: queued on a CPU that idles */
	TD_R_NO_CHILD,      /* no-waker: waits for a child and has none */
	TD_R_NO_TIMER,      /* no-waker: waits for time and no timer is programmed */
	TD_R_ZOMBIE_CHILD,  /* lost-wakeup: the child has exited */
	TD_R_FREE_LOCK,     /* lost-wakeup: waits for a lock that nobody holds */
	TD_R_TWO_OWNERS,    /* corrupt-lock */
	TD_R_REPORT,        /* a run-time check saw it happen */
	TD_R_UNSEEN,        /* missing-irq: the device has finished, no handler came */
	TD_R_NOT_TAKEN,     /* lost-wakeup: interrupts came, no handler looked */
	TD_R_NOT_ANNOUNCED, /* no-waker: the device was never called for the request */
	TD_R_IO_DONE,       /* lost-wakeup: no request is outstanding any more */
	TD_R_PASSED_OVER,   /* starved: everybody else got the lock */
	TD_R_FREED_HELD,    /* corrupt-lock: destroyed while somebody held it */
	TD_R_FREED_WAITED,  /* corrupt-lock: destroyed while somebody waited for it */
};

struct td_family; /* verdict.h: how it is found, said and written */

struct td_verdict {
	const struct td_family *family;
	uint32_t kind;   /* enum bb_verdict */
	uint32_t reason; /* enum td_reason */
	uint64_t lock;
	uint32_t class;
	uint32_t node; /* owner, or who is stranded or waits */
	bool has_held;
	struct bb_held held; /* the entry that will never go */
	uint32_t cpu;        /* cpu-dead, owner-not-running */
	uint32_t *ring;      /* cycle: each waits for the next, the last for the first */
	uint32_t nring;
	uint32_t *stuck; /* nodes that wait because of it: direct waiters first */
	uint32_t nstuck, ndirect;
	bool has_report;
	struct bb_report report;
	struct td_queue queue; /* missing-irq and what else is wrong with a device's queue */
	uint32_t passed;       /* starved: how often the lock was released meanwhile */
	uint64_t freed_site, freed_ticks; /* of a lock that was destroyed in use */
};

struct td_analysis {
	const struct td_model *m;
	struct td_verdict *v; /* most certain first; empty = healthy */
	uint32_t n;
	size_t cap;
	int32_t *cause; /* by node: verdict that it is stuck behind, -1 none */
};

void td_analyse(struct td_analysis *a, const struct td_model *m);
void td_analysis_free(struct td_analysis *a);
/* Keeps only the verdicts that an earlier look at the same guest found as well. */
void td_analysis_confirm(struct td_analysis *now, const struct td_analysis *before);

/* Whom a node's wait needs: nodes that must move first. Returns the number, at most n. */
uint32_t td_needs(const struct td_model *m, uint32_t node, uint32_t *out, uint32_t n);

/* May it be at a pipe, and at nothing else? A poll may be at several queues, of which the record
 * has one, and may end in time. */
static inline bool td_waits_at_one_queue(const struct bb_wait *w)
{
	return w->kind == BB_WAIT_PIPE ||
	       (w->kind == BB_WAIT_POLL && w->arg == (BB_POLL_FOREVER | 1));
}
/* Who could end a node's wait at a pipe: any of these, and nobody else. 0: not known, or more than
 * n, or the wait is for something else. */
uint32_t td_wakers(const struct td_model *m, uint32_t node, uint32_t *out, uint32_t n);

/* The report in words (at most 25 lines unless full), and as JSON. Both return the exit status:
 * 0 healthy, 1 something hangs or has crashed. */
int td_explain(const struct td_analysis *a, FILE *f, bool full, const char *elf_warning);
int td_explain_json(const struct td_analysis *a, FILE *f);

#endif
