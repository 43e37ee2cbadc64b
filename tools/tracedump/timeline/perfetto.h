/* perfetto.h - the timeline for ui.perfetto.dev. */
#ifndef TRACEDUMP_PERFETTO_H
#define TRACEDUMP_PERFETTO_H

#include "read/session.h"

struct td_perfetto_stats {
	uint64_t events, lost, unfinished;
};
/* Writes a Perfetto trace. The caller checks ferror(f). `machine` tells the machines apart whose
 * files are joined to one; 0: a file that stands alone. */
void td_perfetto(const struct td_session *s, FILE *f, uint32_t machine,
		 struct td_perfetto_stats *st);

#endif
