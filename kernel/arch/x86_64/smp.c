/* smp.c - starting the other CPUs: INIT, then the start-up IPI with the trampoline's page.
 *
 * What a CPU needs is in its slot, indexed by its APIC id, and written before the IPI; the slots
 * are never reused for another CPU. So two CPUs may start at the same time and a late one does no
 * harm. */
#define LOG_TAG "smp"
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/percpu.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <arch/time.h>
#include <arch/upcalls.h>
#include "warp.h"
#include "x86.h"

struct x86_ap_slot x86_ap_slots[256];

static void delay_us(u64 us)
{
	u64 until = arch_ticks() + arch_ticks_hz() * us / 1000000;

	while (arch_ticks() < until)
		arch_cpu_relax();
}

static DEFINE_PER_CPU(struct x86_warp, warp);

/* Times of different CPUs are compared everywhere, so their counters must agree. */
static void compare_counters(unsigned int cpu)
{
	struct x86_warp *w = per_cpu_ptr(&warp, cpu);

	if (!x86_warp_boot(w, arch_ticks, arch_ticks() + arch_ticks_hz()))
		return; /* the caller says that it does not start */
	for (int who = WARP_BOOT; who <= WARP_NEW; who++) {
		u64 by = atomic_load(&w->behind[who]);

		if (by)
			pr_warn("the TSC of cpu %u is %s by %llu at least: times and the trace's "
				"order are off",
				cpu, who == WARP_NEW ? "behind" : "ahead", (unsigned long long)by);
	}
}

int arch_cpu_start(unsigned int cpu, void *stack_top, unsigned long percpu, struct thread *idle)
{
	u32 id = (u32)boot_info.cpu_hwid[cpu];

	if (!x86_trampoline_pa) {
		pr_err("no free page below 1 MiB: cpu %u stays off", cpu);
		return -EIO;
	}
	memcpy(phys_to_virt(x86_trampoline_pa), x86_ap_trampoline,
	       (size_t)(x86_ap_trampoline_end - x86_ap_trampoline));
	/* the early map's identity part, which the boot CPU has dropped */
	x86_early_pml4[0] = x86_early_pml4[256] & ~X86_PTE_NX;
	x86_ap_slots[id] = (struct x86_ap_slot){.stack = stack_top, .percpu = percpu, .idle = idle};
	smp_mb();
	x86_apic_send_init(id);
	delay_us(200);
	x86_apic_send_startup(id, (u8)(x86_trampoline_pa >> PAGE_SHIFT));
	delay_us(200);
	/* a CPU that runs already ignores it */
	x86_apic_send_startup(id, (u8)(x86_trampoline_pa >> PAGE_SHIFT));
	compare_counters(cpu);
	return 0;
}

/* First C code of a starting CPU, on its own stack, with the kernel's final page table. */
void __noreturn x86_secondary_start(unsigned long percpu, struct thread *idle)
{
	arch_set_percpu_offset(percpu);
	arch_set_current(idle);
	arch_trap_init_cpu();
	arch_mmu_enable_kernel(x86_kernel_root);
	x86_warp_new(this_cpu_ptr(&warp), arch_ticks);
	cpu_secondary_main();
}
