/* tracing_port.h - what tracing/ needs from this kernel: clock, CPU, task, stack. Any context. */
#ifndef TRACING_PORT_H
#define TRACING_PORT_H

#include <stdint.h>
#include <lib/percpu.h>
#include <arch/irqflags.h>
#include <arch/local.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <tracing/blackbox.h>
#include <tracing/config.h>

/* A field of the tables that only a reader wants. */
#define TRACE_FACT(field, v)                                                                       \
	do {                                                                                       \
		if (TRACING)                                                                       \
			WRITE_ONCE(field, v);                                                      \
	} while (0)

/* Never NULL: the boot CPU begins with trace_early_ring, the others have their own before they run.
 */
#define PORT_RING_ALWAYS
DECLARE_PER_CPU(struct bb_ring *, trace_ring);
DECLARE_PER_CPU(struct bb_cpu *, trace_cpu);

static inline uint64_t port_ticks(void)
{
	return arch_ticks();
}
/* Adds to a ring's head, atomic against interrupts on this CPU; returns the old value. */
static inline uint64_t port_reserve(uint64_t *head, uint64_t v)
{
	return arch_local_fetch_add(head, v);
}
static inline struct bb_ring *port_ring(void)
{
	return *this_cpu_ptr(&trace_ring);
}
/* Entry of the running CPU and task; NULL too early. */
static inline struct bb_cpu *port_cpu(void)
{
	return *this_cpu_ptr(&trace_cpu);
}
static inline struct bb_task *port_task(void)
{
	struct thread *t = arch_current();

	return t ? t->bb : NULL;
}
/* What holds locks here: the current thread, or the interrupt on top of it; NULL too early. It is
 * found from the thread alone, so a migration in the middle does no harm. */
static inline struct track_context *port_context(void)
{
	struct thread *t = arch_current();

	return t ? &t->hold : NULL;
}
/* Sure to be allowed: spin locks and interrupts count as preemption off. */
static inline int port_may_sleep(void)
{
	struct thread *t = arch_current();

	return t && *preempt_count_of(t) == 0 && !arch_irqs_disabled();
}
static inline int port_irqs_disabled(void)
{
	return arch_irqs_disabled();
}
/* A new finding: print it. Any context; takes no lock. */
void port_report(const struct bb_report *r);

#endif
