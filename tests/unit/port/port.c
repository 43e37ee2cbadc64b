/* port.c - the host's per-CPU data for tracing/ and what its reports leave for a test to read. */
#include <stddef.h>
#include <string.h>
#include <tracing_port.h>
#include <tracing/tracker.h>

__thread struct bb_ring *host_ring;
__thread struct bb_cpu *host_cpu;
__thread struct bb_task *host_task;
__thread int host_irq_depth;
__thread int host_irqs_off;

uint64_t host_drops;
uint32_t host_report_count;
__thread struct bb_report host_last_report;

/* Another CPU may look at the sequence word, or count the finding up, while it is copied here. */
void port_report(const struct bb_report *r)
{
	__atomic_fetch_add(&host_report_count, 1, __ATOMIC_RELAXED);
	memcpy(&host_last_report.verdict, &r->verdict,
	       offsetof(struct bb_report, count) - offsetof(struct bb_report, verdict));
	host_last_report.count = __atomic_load_n(&r->count, __ATOMIC_RELAXED);
}

/* Made anew from what the test says it is, so a test's own context is not diverted. One each: a
 * signal may be somebody else in the middle of what this thread does with its own. */
struct track_context *port_context(void)
{
	static __thread struct track_context task[64], interrupt[64], deep[64];
	struct track_context *c;

	if (host_irq_depth) {
		if (!host_cpu)
			return NULL;
		c = &(host_irq_depth > 1 ? deep : interrupt)[host_cpu->cpu % 64];
		track_context_cpu(c, host_cpu, host_irq_depth > 1);
		return c;
	}
	if (!host_task)
		return NULL;
	c = &task[(host_task - track_tables.tasks) % 64];
	track_context_task(c, host_task, (uint32_t)(host_task - track_tables.tasks));
	return c;
}

void port_count_drop(void)
{
	__atomic_fetch_add(&host_drops, 1, __ATOMIC_RELAXED);
}
