/* machine.c - what boot found: memory, CPUs, command line; and which CPUs are up. Written by the
 * boot CPU before the others run, except cpu_online, which each CPU sets itself. */
#include <lib/boot.h>
#include <lib/cpu.h>

struct boot_info boot_info;
unsigned int nr_cpus;
struct cpumask cpu_online;
DEFINE_PER_CPU(u32, cpu_number) = 0;
unsigned long *percpu_offset;

unsigned int cpumask_weight(const struct cpumask *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		for (u64 w = atomic_load(&m->bits[i]); w; w &= w - 1)
			n++;
	return n;
}
