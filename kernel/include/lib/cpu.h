/* lib/cpu.h - the CPUs: how many, which are up, sets of them. */
#ifndef LIB_CPU_H
#define LIB_CPU_H

#include <lib/atomic.h>
#include <lib/percpu.h>

#define MAX_CPUS 256 /* width of a cpumask; what boot finds beyond it is reported and left off */

struct cpumask {
	u64 bits[MAX_CPUS / 64];
};

extern unsigned int nr_cpus;      /* CPUs that boot found; valid after arch_boot_init() */
extern struct cpumask cpu_online; /* set by each CPU as it starts to schedule; read with atomics */
DECLARE_PER_CPU(u32, cpu_number);

static inline unsigned int this_cpu(void)
{
	return *this_cpu_ptr(&cpu_number);
}
static inline bool cpumask_test(const struct cpumask *m, unsigned int c)
{
	return atomic_load(&m->bits[c / 64]) >> (c % 64) & 1;
}
static inline void cpumask_set(struct cpumask *m, unsigned int c)
{
	atomic_fetch_or(&m->bits[c / 64], 1ull << (c % 64));
}
static inline void cpumask_clear(struct cpumask *m, unsigned int c)
{
	atomic_fetch_and(&m->bits[c / 64], ~(1ull << (c % 64)));
}
unsigned int cpumask_weight(const struct cpumask *m);

#define for_each_cpu(c) for (unsigned int c = 0; c < nr_cpus; c++)
#define for_each_online_cpu(c)                                                                     \
	for_each_cpu (c)                                                                           \
		if (cpumask_test(&cpu_online, c))

#endif
