/* arch/smp.h - other CPUs. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H
#include <lib/types.h>
#include <tracing/blackbox.h>
struct thread;

/* Delivered by trap_ipi(). */
enum ipi_kind {
	IPI_RESCHED = BB_IPI_RESCHED,
	IPI_CALL = BB_IPI_CALL,
	IPI_STOP = BB_IPI_STOP,
	IPI_KINDS = BB_IPI_KINDS
};

/* Starts CPU `cpu` (boot_info.cpu_hwid) on `stack_top` with per-CPU offset `percpu`; it runs the
 * arch's start-up, then cpu_secondary_main(). 0 or -EIO. Returns at once. Thread context. */
int arch_cpu_start(unsigned int cpu, void *stack_top, unsigned long percpu, struct thread *idle);
/* Sends to one CPU. Any context, NMI included. */
void arch_ipi_send(unsigned int cpu, enum ipi_kind kind);
/* Interrupts that CPU even where it masks interrupts: x86 NMI, aarch64 SGI of NMI priority.
 * trap_nmi() runs there. Any context. */
void arch_nmi_send(unsigned int cpu);
#endif
