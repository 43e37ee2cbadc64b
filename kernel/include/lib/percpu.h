/* lib/percpu.h - one copy of a variable a CPU.
 * CPU 0 uses the linked section itself (offset 0), so per-CPU data works from the first
 * instruction. The other CPUs get copies from percpu_init(). A pointer from this_cpu_ptr() is
 * only good while preemption is off. */
#ifndef LIB_PERCPU_H
#define LIB_PERCPU_H

#include <lib/types.h>
#include <arch/percpu.h>

#define DEFINE_PER_CPU(type, name)  __collected(".data.percpu") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

extern unsigned long *percpu_offset; /* [cpu], bytes to add to a link-time address */

#define per_cpu_ptr(p, cpu) ((__typeof__(p))((unsigned long)(p) + percpu_offset[cpu]))
#define this_cpu_ptr(p)     ((__typeof__(p))((unsigned long)(p) + arch_percpu_offset()))

/* Boot CPU, once, after boot_alloc works and nr_cpus is known. */
void percpu_init(void);

#endif
