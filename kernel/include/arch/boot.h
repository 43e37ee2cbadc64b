/* arch/boot.h - the first steps on the boot CPU.
 * Entry assembly reads the cycle counter first, sets a stack, clears .bss, maps the image at its
 * link address and low RAM at the direct map (early map), enters `kmain(entry_ticks)`
 * (arch/upcalls.h) with interrupts masked, per-CPU offset 0. */
#ifndef ARCH_BOOT_H
#define ARCH_BOOT_H
#include <lib/types.h>

/* The boot CPU's stack, of KSTACK_SIZE bytes and aligned to that: its idle thread stays on it. The
 * page below holds nothing; mm makes it a guard page. */
extern char boot_stack[], boot_stack_top[];

/* Makes early console output work (polled). First call of kmain. */
void arch_early_console(void);
/* Installs exception vectors on this CPU. Boot CPU: before arch_boot_init(); secondaries: first. */
void arch_trap_init_cpu(void);
/* Parses PVH start info + ACPI, or the device tree, into boot_info, nr_cpus and the platform facts
 * below; uses a private static arena until boot_alloc works (call boot_alloc_init() once ram and
 * reserved are known; arrays may come from boot_alloc afterwards). Panics with a clear message
 * on tables that it cannot use. */
void arch_boot_init(void);
/* After mm_init(): maps device registers with map_mmio (interrupt controller and UART now, the
 * clock and fw_cfg when they are asked for), starts this CPU's interrupt controller part. Boot CPU.
 * map_mmio: uncached registers at pa; never fails. */
void arch_irqchip_init(void *(*map_mmio)(phys_addr_t pa, u64 size));
/* The same for a secondary CPU. Interrupts masked. */
void arch_irqchip_init_cpu(void);
/* Physical range of the early map: boot_alloc hands out only from inside it. */
phys_addr_t arch_early_map_end(void);
#endif
