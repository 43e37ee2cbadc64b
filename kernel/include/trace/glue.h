/* trace/glue.h - what kernel/trace offers the kernel, besides the port that tracing/ sees. */
#ifndef TRACE_GLUE_H
#define TRACE_GLUE_H

#include <tracing/blackbox.h>

/* Where events go until the black box is built. */
extern struct bb_ring trace_early_ring;

/* Who prints a finding of the tracker; fn: any context, takes no lock. Set once, early. */
void trace_set_report(void (*fn)(const struct bb_report *r));
/* Boot option bench=1: prints what a probe costs (kernel/trace/bench.c). Thread context. */
void trace_bench(void);
/* Around an NMI: until the exit, what runs counts as interrupt context. */
void trace_nmi_enter(void);
void trace_nmi_exit(void);

#endif
