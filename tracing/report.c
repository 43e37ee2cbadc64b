/* report.c - a finding goes into the table of reports, once, and to whoever prints it.
 *
 * Theory. Whatever makes two findings the same is in their key. A row belongs to whoever puts its
 * key there, by compare-and-swap from 0, and stays: two CPUs that find the same at one time get one
 * row, and one of them speaks. */
#include <tracing/events.h>
#include <tracing/box.h>
#include "tracker_private.h"

static uint64_t key_of(const struct bb_report *what, uint64_t same)
{
	uint64_t key = mix((uint64_t)what->check << 32 | (same ? 0 : what->class));

	return mix(key + (same ? same : what->site)) | 1;
}

/* The row of a new finding, NULL if it is known, or the table full. */
static struct bb_report *claim(uint64_t key)
{
	struct bb_counter *full;

	for (unsigned i = 0; i < BOX_REPORTS; i++) {
		struct bb_report *r = &trace_box.reports[i];
		uint64_t seen = 0;

		if (__atomic_compare_exchange_n(&r->key, &seen, key, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return r;
		if (seen == key) {
			__atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
			return (struct bb_report *)0;
		}
	}
	full = box_counter("reports_lost");
	if (full)
		__atomic_fetch_add(&full->value, 1, __ATOMIC_RELAXED);
	return (struct bb_report *)0;
}

int report(const struct bb_report *what, uint64_t same)
{
	struct bb_report *r = claim(key_of(what, same));
	struct bb_cpu *cpu = port_cpu();

	if (!r)
		return 0;
	__atomic_store_n(&r->seq, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	PUT(r->verdict, what->verdict);
	PUT(r->check, what->check);
	PUT(r->class, what->class);
	PUT(r->lock, what->lock);
	PUT(r->ticks, port_ticks());
	PUT(r->event, trace_position());
	PUT(r->site, what->site);
	PUT(r->site2, what->site2);
	PUT(r->task, what->task);
	PUT(r->cpu, cpu ? cpu->cpu : 0);
	__atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&r->seq, 2, __ATOMIC_RELEASE);
	trace(report, what->verdict, what->lock, what->class, owner_tid(what->task));
	port_report(r);
	return 1;
}

int track_report(uint32_t verdict, uint32_t check, const struct track_lock *l, uint64_t site,
		 uint64_t site2, uint32_t task)
{
	const struct bb_report what = {.verdict = verdict,
				       .check = check,
				       .class = class_index(l),
				       .lock = (uintptr_t)l,
				       .site = site,
				       .site2 = site2,
				       .task = task};

	return report(&what, 0);
}
