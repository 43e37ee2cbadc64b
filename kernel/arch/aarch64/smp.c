/* smp.c - starting secondary CPUs by PSCI. Each CPU has its own argument block (in its per-CPU
 * area): one that starts late cannot pick up another's. The block is cleaned to memory, as the new
 * CPU reads it with its caches off. */
#define LOG_TAG "smp"
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <arch/mmu.h>
#include "arch.h"

static DEFINE_PER_CPU(struct secondary_args, secondary_args);

int arch_cpu_start(unsigned int cpu, void *stack_top, unsigned long percpu, struct thread *idle)
{
	struct secondary_args *a = per_cpu_ptr(&secondary_args, cpu);
	long r;

	if (!platform.psci) {
		pr_err("cpu %u: the device tree has no PSCI, cannot start it", cpu);
		return -EIO;
	}
	a->root = kernel_root_pa;
	a->stack_top = (u64)stack_top;
	a->percpu = percpu;
	a->idle = (u64)idle;
	for (unsigned long p = (unsigned long)a; p < (unsigned long)(a + 1); p += 16)
		__asm__ volatile("dc civac, %0" ::"r"(p) : "memory");
	dsb(sy);
	r = psci_call(PSCI_CPU_ON, boot_info.cpu_hwid[cpu], virt_to_phys(secondary_entry),
		      virt_to_phys(a));
	if (r) {
		pr_err("cpu %u: PSCI CPU_ON failed with %ld", cpu, r);
		return -EIO;
	}
	return 0;
}

static void sgi_send(unsigned int cpu, u32 sgi)
{
	u64 m = boot_info.cpu_hwid[cpu];
	u64 aff0 = m & 0xff, aff1 = m >> 8 & 0xff, aff2 = m >> 16 & 0xff, aff3 = m >> 32 & 0xff;

	dsb(ishst); /* what the receiver shall see is visible before the interrupt is */
	sysreg_write(ICC_SGI1R_EL1, aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | (u64)sgi << 24 |
					    aff1 << 16 | 1ul << (aff0 & 15));
	isb();
}

void arch_ipi_send(unsigned int cpu, enum ipi_kind kind)
{
	sgi_send(cpu, kind);
}

void arch_nmi_send(unsigned int cpu)
{
	sgi_send(cpu, GIC_SGI_NMI);
}
