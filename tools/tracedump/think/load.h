/* load.h - who wants the CPUs: the tasks that run or could, by name, with the time that
 * they have had. No verdict: a machine that is busy is well. */
#ifndef TRACEDUMP_LOAD_H
#define TRACEDUMP_LOAD_H

#include "model.h"

struct td_crowd {
	uint32_t first; /* node of the one with the most time */
	uint32_t n;
	uint32_t parent; /* node of the parent that all have, or TD_NOBODY */
	uint64_t ns;     /* CPU time, all together, as of the last ticks */
};

struct td_load {
	struct td_crowd *crowd; /* most time first */
	uint32_t ncrowds;
	uint32_t tasks; /* that run or could */
	uint32_t cpus;  /* online */
};

void td_load(struct td_load *l, const struct td_model *m);
void td_load_free(struct td_load *l);

/* It runs or could, and what it does with the CPU is to ask again and again for a system call that
 * the kernel does not have. */
bool td_asks_in_vain(const struct td_model *m, uint32_t task);

#endif
