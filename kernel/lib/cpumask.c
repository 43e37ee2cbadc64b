/* cpumask.c - counting the members of a CPU set. A snapshot: members may come and go meanwhile. */
#include <kernel/cpu.h>

unsigned int cpumask_weight(const struct cpumask *m)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(m->bits); i++)
		for (u64 w = atomic_load(&m->bits[i]); w; w &= w - 1)
			n++;
	return n;
}
