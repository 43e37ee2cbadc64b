/* port.c - the parts of tracing's port that are not inline. */
#include <lib/cpu.h>
#include <trace/glue.h>
#include <arch/thread.h>
#include <tracing/ring.h>
#include <tracing/tracker.h>

static u64 early_units[(2048 + BB_RING_SPARE) * 2] __aligned(16);
struct bb_ring trace_early_ring = {.units = 2048, .data_virt = (unsigned long)early_units};

DEFINE_PER_CPU(struct bb_ring *, trace_ring) = &trace_early_ring;
DEFINE_PER_CPU(struct bb_cpu *, trace_cpu);

static void (*report_fn)(const struct bb_report *r);

void trace_set_report(void (*fn)(const struct bb_report *r))
{
	report_fn = fn;
}

void port_report(const struct bb_report *r)
{
	if (report_fn)
		report_fn(r);
}
