/* cpus.c - starts the other CPUs, one after the other. A CPU says that it is up by setting its bit
 * in cpu_online from its idle loop. One that does not within the limit stays off, with a message.
 */
#include <irq/timer.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <mm/mm.h>
#include <sched/sched.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/upcalls.h>
#include <tracing/events.h>

#define LOG_TAG "smp"
#include <lib/printk.h>

#define START_LIMIT_NS (2 * NSEC_PER_SEC)

void cpus_start(void)
{
	unsigned int up = 1;

	for (unsigned int c = 1; c < nr_cpus; c++) {
		struct thread *idle = sched_secondary_idle(c);
		u64 limit;
		int err;

		if (IS_ERR(idle))
			panic("no memory for the idle thread of CPU %u", c);
		err = arch_cpu_start(c, (void *)idle->kstack_top, percpu_offset[c], idle);
		for (limit = time_ns() + START_LIMIT_NS;
		     !err && !cpumask_test(&cpu_online, c) && time_ns() < limit;)
			arch_cpu_relax();
		if (err || !cpumask_test(&cpu_online, c))
			pr_err("CPU %u does not start (%d): going on without it", c, err);
		else
			up++;
	}
	pr_info("%u of %u CPUs are up", up, nr_cpus);
}

void cpu_secondary_main(void)
{
	struct bb_cpu *c = port_cpu();

	arch_trap_init_cpu();
	arch_irqchip_init_cpu();
	c->hwid = (u32)boot_info.cpu_hwid[this_cpu()];
	trace(boot_cpu, this_cpu(), c->hwid);
	timers_init_cpu();
	sched_idle_loop();
}
