/* debug.h - what debug/ offers to the floors below it by declaration: reports, stacks, watchdog.
 * Nothing here takes a lock or allocates; any context. */
#ifndef KERNEL_DEBUG_H
#define KERNEL_DEBUG_H

#include <kernel/types.h>
#include <arch/trap.h>

/* Name and offset of a kernel address; "?" when unknown. */
const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size);
/* Prints "  name+0x12/0x40" lines from fp on; stack bounds are checked. */
unsigned int backtrace_collect(unsigned long pc, unsigned long fp, u64 *out, unsigned int max);
void backtrace_print(unsigned long pc, unsigned long fp);
/* A kernel exception that nobody can handle: readable report, crash record, stop. */
void __noreturn oops(struct trap_frame *tf, const char *what, u64 code, unsigned long addr);
void watchdog_init(void); /* boot CPU, after all CPUs are up */
void watchdog_tick(void); /* from the timer interrupt of each CPU */
void watchdog_idle(void); /* from idle, before sleeping: global quiescence check */
void debug_nmi(struct trap_frame *tf);
/* Starts the hang that boot option bug=NAME asks for (kernel/debug/bugs.c); HANGBENCH builds only.
 * Thread context. */
#ifdef CONFIG_HANGBENCH
void bugs_start(void);
#else
static inline void bugs_start(void)
{
}
#endif
/* Publishes the black box's address through vmcoreinfo. */
void vmcoreinfo_publish(void);

#endif
