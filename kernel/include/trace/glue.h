/* trace/glue.h - what kernel/trace offers the kernel, besides the port that tracing/ sees. */
#ifndef TRACE_GLUE_H
#define TRACE_GLUE_H

#include <tracing/blackbox.h>
#include <tracing/config.h>
#include <tracing/held.h>

/* Where events go until the black box is built. */
extern struct bb_ring trace_early_ring;

/* Who prints a finding of the tracker; fn: any context, takes no lock. Set once, early. */
void trace_set_report(void (*fn)(const struct bb_report *r));
/* Boot option bench=1: prints what a probe costs (kernel/trace/bench.c). Thread context. */
void trace_bench(void);
#if TRACING
/* Which context takes locks from here on: the interrupt that begins, then again the one below it.
 * depth: of the interrupt in question, 1 on top of a task. Interrupts masked. */
void trace_irq_enter(unsigned int depth);
void trace_irq_exit(unsigned int depth);
/* The same around an NMI, which may have hit in the middle of either. */
struct track_context trace_nmi_enter(void);
void trace_nmi_exit(struct track_context was);
/* Once a CPU, before it takes interrupts: its entry in the box. */
void trace_context_cpu_init(unsigned int cpu, struct bb_cpu *box);
#else
static inline void trace_irq_enter(unsigned int depth)
{
}
static inline void trace_irq_exit(unsigned int depth)
{
}
static inline struct track_context trace_nmi_enter(void)
{
	return (struct track_context){0};
}
static inline void trace_nmi_exit(struct track_context was)
{
}
static inline void trace_context_cpu_init(unsigned int cpu, struct bb_cpu *box)
{
}
#endif

#endif
