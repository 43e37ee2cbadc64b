/* debug/debug.h - what main.c asks of debug/: set the box up, register the reports, watch. The
 * floors below reach debug/ only through the hooks that it registers. */
#ifndef DEBUG_DEBUG_H
#define DEBUG_DEBUG_H

#include <lib/types.h>

/* First thing in C: default events on, lock classes registered. entry_ticks: see kmain(). */
void trace_early_init(u64 entry_ticks);
/* After boot_alloc_init(), before anything else is allocated: reserves the memory behind the image
 * and builds the box. Boot options: ring=SIZE a CPU, tasks=N, trace=LIST and
 * checks=off. */
void trace_box_init(void);
/* After percpu_init(): every CPU gets its ring and its entry. */
void trace_cpus_init(void);

/* Registers panic and report; from the first line of C. */
void debug_init(void);
/* Watches every CPU from its first idle moment or tick on. Before cpus_start(). */
void watchdog_init(void);
/* Starts the hang that boot option bug=NAME asks for (kernel/debug/bugs.c); HANGBENCH builds only.
 * Thread context. */
#ifdef CONFIG_HANGBENCH
void bugs_start(void);
#else
static inline void bugs_start(void)
{
}
#endif

#endif
