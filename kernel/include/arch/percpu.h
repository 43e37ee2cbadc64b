/* arch/percpu.h - the CPU's own base register and the current thread.
 * <asm/percpu.h> provides, static inline:
 *   unsigned long arch_percpu_offset(void);        0 on the boot CPU, from the first instruction
 *   void arch_set_percpu_offset(unsigned long);    CPU start-up only
 *   struct thread *arch_current(void);             any context; constant for a thread wherever it
 *                                                  runs (one load, safe against migration)
 *   void arch_set_current(struct thread *);        start-up only; arch_switch_to() does it later
 * The boot CPU's first thread is set by portable code before anything asks for it. */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H
#include <lib/types.h>
struct thread;
#include <asm/percpu.h>
#endif
