/* report.c - a finding goes into the table of reports, once, and to whoever prints it. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l, uint64_t site,
		 uint64_t site2, uint32_t task)
{
	struct bb_report *slot = (struct bb_report *)0;
	struct bb_cpu *cpu = port_cpu();
	uint32_t class = class_index(l);

	for (unsigned i = 0; i < BOX_REPORTS; i++) {
		struct bb_report *r = &trace_box.reports[i];
		uint32_t seq = __atomic_load_n(&r->seq, __ATOMIC_ACQUIRE);

		if (seq && GET(r->check) == check && GET(r->class) == class &&
		    GET(r->site) == site) {
			__atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
			return 0;
		}
		if (!seq && __atomic_compare_exchange_n(&r->seq, &seq, 1, 0, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED)) {
			slot = r;
			break;
		}
	}
	if (!slot) {
		struct bb_counter *full = box_counter("reports_lost");

		if (full)
			__atomic_fetch_add(&full->value, 1, __ATOMIC_RELAXED);
		return 0;
	}
	PUT(slot->verdict, verdict);
	PUT(slot->check, check);
	PUT(slot->class, class);
	PUT(slot->lock, (uintptr_t)l);
	PUT(slot->ticks, port_ticks());
	PUT(slot->event, trace_position());
	PUT(slot->site, site);
	PUT(slot->site2, site2);
	PUT(slot->task, task);
	PUT(slot->cpu, cpu ? cpu->cpu : 0);
	PUT(slot->count, 1);
	__atomic_store_n(&slot->seq, 2, __ATOMIC_RELEASE);
	trace(report, verdict, (uintptr_t)l, class, owner_tid(task));
	port_report(slot);
	return 1;
}
