/* trace_setup.h - the black box's steps at boot. Boot CPU, in this order. */
#ifndef KERNEL_TRACE_SETUP_H
#define KERNEL_TRACE_SETUP_H

#include <kernel/types.h>

/* First thing in C: default events on, lock classes registered. entry_ticks: see kmain(). */
void trace_early_init(u64 entry_ticks);
/* After boot_alloc_init(), before anything else is allocated: reserves the memory behind the image
 * and builds the box. Boot options: ring=SIZE a CPU, tasks=N, trace=LIST, checks=off. */
void trace_box_init(void);
/* After percpu_init(): every CPU gets its ring and its entry. */
void trace_cpus_init(void);
/* Boot option bench=1: prints what a probe costs (kernel/trace/bench.c). Thread context. */
void trace_bench(void);
/* Around an NMI: until the exit, what runs counts as interrupt context. */
void trace_nmi_enter(void);
void trace_nmi_exit(void);

#endif
