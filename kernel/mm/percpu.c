/* percpu.c - copies of the per-CPU section for CPUs 1 and up. CPU 0 uses the linked section itself.
 * A copy starts with what CPU 0's section holds at this moment; the owner's start-up sets what is
 * the CPU's own. Boot CPU, once, no other CPU runs yet: no lock. */
#include <lib/boot.h>
#include <lib/cpu.h>
#include <lib/string.h>

void percpu_init(void)
{
	size_t size = (size_t)(__percpu_end - __percpu_start);
	unsigned long *offsets = boot_alloc(nr_cpus * sizeof(*offsets), sizeof(*offsets));

	for (unsigned int c = 1; c < nr_cpus; c++) {
		char *copy = boot_alloc(ALIGN_UP(size, PAGE_SIZE), PAGE_SIZE);

		memcpy(copy, __percpu_start, size);
		offsets[c] = (unsigned long)copy - (unsigned long)__percpu_start;
	}
	percpu_offset = offsets;
	for_each_cpu (c)
		*per_cpu_ptr(&cpu_number, c) = c;
}
