/* port.c - the host's per-CPU data for tracing/ and what its reports leave for a test to read. */
#include <tracing_port.h>

__thread struct bb_ring *host_ring;
__thread struct bb_cpu *host_cpu;
__thread struct bb_task *host_task;
__thread int host_irq_depth;
__thread int host_irqs_off;

uint64_t host_drops;
uint32_t host_report_count;
struct bb_report host_last_report;

/* Tests that raise reports from several threads read only the count. */
void port_report(const struct bb_report *r)
{
	if (!__atomic_fetch_add(&host_report_count, 1, __ATOMIC_RELAXED) || host_cpu)
		host_last_report = *r;
}

void port_count_drop(void)
{
	__atomic_fetch_add(&host_drops, 1, __ATOMIC_RELAXED);
}
