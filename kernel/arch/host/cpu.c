/* cpu.c - what each CPU of the hosted kernel has of its own, and the clock. A program of one thread
 * is CPU 0 of such a kernel without further set-up. */
#include <sched.h>
#include <time.h>
#include <lib/types.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/percpu.h>
#include <arch/time.h>

__thread unsigned long host_percpu_offset;
__thread struct thread *host_current;
__thread irqflags_t host_irqs_off;
unsigned char *host_ram;
unsigned long host_early_size;
const char arch_name[] = "host";

u64 host_ticks(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

void host_relax(void)
{
	sched_yield();
}

u64 arch_ticks_hz(void)
{
	return 1000000000;
}

u64 arch_wall_ns(void)
{
	return 0;
}

phys_addr_t arch_early_map_end(void)
{
	return HOST_RAM + host_early_size;
}
