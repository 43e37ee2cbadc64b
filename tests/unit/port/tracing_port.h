/* tracing_port.h - tracing/ on the host: a thread is a CPU, a signal or a bracketed call is an
 * interrupt. Everything the kernel keeps per CPU is thread-local here; port.c holds it. */
#ifndef TRACING_PORT_H
#define TRACING_PORT_H

#include <stdint.h>
#include <tracing/blackbox.h>
#include <tracing/held.h>

extern __thread struct bb_ring *host_ring
	__attribute__((tls_model("local-exec"))); /* NULL: this CPU has no ring yet */
extern __thread struct bb_cpu *host_cpu;
extern __thread struct bb_task *host_task;
extern __thread int host_irq_depth;
extern __thread int host_irqs_off;

/* What port_count_drop() and port_report() saw, all threads together; and this thread's last. */
extern uint64_t host_drops;
extern uint32_t host_report_count;
extern __thread struct bb_report host_last_report;

/* The counter that the record's 48 bits come from; any thread, signal safe. */
static inline uint64_t port_ticks(void)
{
#if defined(__x86_64__)
	uint64_t lo, hi; /* the instruction clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
#else
	uint64_t v;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(v));
	return v;
#endif
}
/* Atomic against signals on this thread; the sanitizer's build must see it as an atomic. */
static inline uint64_t port_reserve(uint64_t *head, uint64_t v)
{
#if defined(__x86_64__) && !defined(UNIT_TSAN)
	__asm__ volatile("xaddq %0, %1" : "+r"(v), "+m"(*head) : : "memory", "cc");
	return v;
#else
	return __atomic_fetch_add(head, v, __ATOMIC_ACQ_REL);
#endif
}
static inline struct bb_ring *port_ring(void)
{
	return host_ring;
}
static inline struct bb_cpu *port_cpu(void)
{
	return host_cpu;
}
static inline struct bb_task *port_task(void)
{
	return host_task;
}
/* The context in force: host_irq_depth > 1 is an interrupt inside one, or an NMI. */
struct track_context *port_context(void);
/* Never sure: the tracker looks for itself. */
static inline int port_may_sleep(void)
{
	return 0;
}
static inline int port_irqs_disabled(void)
{
	return host_irqs_off || host_irq_depth;
}
void port_report(const struct bb_report *r);
void port_count_drop(void);

#endif
