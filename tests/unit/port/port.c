/* port.c - the host's per-CPU data for tracing/ and what its reports leave for a test to read. */
#include <stddef.h>
#include <string.h>
#include <tracing_port.h>

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

void port_count_drop(void)
{
	__atomic_fetch_add(&host_drops, 1, __ATOMIC_RELAXED);
}
