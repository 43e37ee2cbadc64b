/* model.h - the state tables as a graph: nodes (tasks and CPUs' interrupt contexts), who holds
 * what, who waits for what. */
#ifndef TRACEDUMP_MODEL_H
#define TRACEDUMP_MODEL_H

#include "read/box.h"
#include "read/names.h"
#include "read/ring.h"

#define TD_NOBODY UINT32_MAX

struct td_task {
	struct bb_task t; /* name is printable, nheld within bounds */
	bool used;        /* somebody lives here, or died here and left locks behind */
	bool current;     /* on a CPU now */
	uint8_t torn;
};

struct td_cpu {
	struct bb_cpu c;  /* nheld within bounds */
	uint32_t current; /* slot, or TD_NOBODY */
	uint8_t torn;
};

/* Nodes 0..ntasks-1 are task slots; ntasks.. are the interrupt contexts of the CPUs. */
struct td_holder {
	uint64_t lock;
	uint32_t node;
	struct bb_held held;
};

struct td_model {
	const struct td_box *box;
	const struct td_names *names;
	const struct td_rings *rings;
	struct td_task *task;
	struct td_cpu *cpu;
	uint32_t ntasks, ncpus, nnodes;
	struct bb_wait *wait;     /* by node; kind NONE = does not wait */
	bool *spins;              /* by node: the wait is a spin on a CPU */
	struct td_holder *holder; /* sorted by lock */
	uint32_t nholders;
	/* Entries for locks that were destroyed in use follow them, in no order: they hold nothing
	 * that anybody else could take. */
	uint32_t nghosts;
	struct bb_lock *obituary; /* of such locks */
	uint32_t nobituaries;
	uint64_t now; /* ticks: the newest time in the box */
	bool quiet;   /* every CPU idles and nothing is runnable: time has stopped to matter */
	bool crashed;
	struct bb_crash crash;
};

void td_model_build(struct td_model *m, const struct td_box *b, const struct td_names *names,
		    const struct td_rings *rings);
void td_model_free(struct td_model *m);

/* The first holder of a lock, and how many follow it in m->holder. */
const struct td_holder *td_model_holders(const struct td_model *m, uint64_t lock, uint32_t *count);
/* Node of an owner word, or TD_NOBODY. */
uint32_t td_model_owner(const struct td_model *m, uint32_t word);
/* The obituary of the lock that had this address at that time; NULL if it lives. */
const struct bb_lock *td_model_obituary(const struct td_model *m, uint64_t lock, uint64_t ticks);
/* Statistics of a living lock that was ever contended. */
bool td_model_lock(const struct td_model *m, uint64_t lock, struct bb_lock *out);
static inline bool td_is_task(const struct td_model *m, uint32_t node)
{
	return node < m->ntasks;
}
/* Seconds-free age of a time stamp: ns before now, 0 if later. */
uint64_t td_model_age(const struct td_model *m, uint64_t ticks);
bool td_alive(const struct bb_task *t);
bool td_wait_is_lock(uint32_t kind);
/* "init (pid 1)", "cpu2's interrupt handler"; static buffers, eight in turn. */
const char *td_node_name(const struct td_model *m, uint32_t node);

#endif
