/* show.h - the plain listings: info, text, ps, locks, cpus. */
#ifndef TRACEDUMP_SHOW_H
#define TRACEDUMP_SHOW_H

#include "read/session.h"

struct td_filter {
	uint64_t last; /* only the last N events that pass; UINT64_MAX = all */
	int64_t cpu;   /* -1 = all */
	int64_t tid;   /* -1 = all */
	uint32_t cats; /* bit set of categories; 0 = all */
};

/* "sched,irq" to a bit set, by the names in the box. Returns 0, or -1 with the unknown word. */
int td_filter_cats(const struct td_names *n, const char *list, uint32_t *cats, struct td_error *e);
/* Is this thread in the tables or in any event? */
bool td_knows_task(const struct td_session *s, int64_t tid);

void td_show_info(const struct td_session *s, FILE *f);
void td_show_text(const struct td_session *s, FILE *f, const struct td_filter *filter);
void td_show_ps(const struct td_session *s, FILE *f);
void td_show_locks(const struct td_session *s, FILE *f);
void td_show_cpus(const struct td_session *s, FILE *f);

#endif
