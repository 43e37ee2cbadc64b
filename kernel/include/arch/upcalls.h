/* arch/upcalls.h - upcalls: what architecture entry code calls, all of it and nothing else.
 * Interrupts are masked on entry unless said otherwise. Order on an interrupt: irq_enter(),
 * trap_irq/timer/ipi, irq_exit(), then for a user frame trap_exit_to_user(), for a kernel frame
 * trap_exit_to_kernel().
 */
#ifndef ARCH_UPCALLS_H
#define ARCH_UPCALLS_H

#include <lib/types.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <tracing/blackbox.h>

struct thread;

/* Around every interrupt (not NMI): interrupt depth, trace. */
void irq_enter(struct trap_frame *tf);
void irq_exit(struct trap_frame *tf);
void trap_irq(struct trap_frame *tf, unsigned int irq); /* device interrupt */
void trap_timer(struct trap_frame *tf);                 /* this CPU's timer */
void trap_ipi(struct trap_frame *tf, enum ipi_kind kind);
/* NMI or NMI-priority interrupt; no irq_enter around it. May interrupt anything. */
void trap_nmi(struct trap_frame *tf);

/* Page fault. Flags below. Called with interrupts masked; enables them itself where the
 * interrupted context had them on. Returns when the access may be retried; otherwise it does not
 * return to the faulting instruction (fixup, kill, or panic). */
#define FAULT_WRITE   BB_FAULT_WRITE
#define FAULT_EXEC    BB_FAULT_EXEC
#define FAULT_USER    BB_FAULT_USER    /* from user mode */
#define FAULT_PRESENT BB_FAULT_PRESENT /* protection, not absence */
void trap_page_fault(struct trap_frame *tf, unsigned long addr, unsigned int flags);

/* Any other exception. sig: the Linux signal number for a user program (SIGILL 4, SIGTRAP 5,
 * SIGBUS 7, SIGFPE 8, SIGSEGV 11). A kernel frame panics with a readable report: `what` is a short
 * phrase ("divide error"), code the raw syndrome / error code, addr the fault address or 0. */
void trap_exception(struct trap_frame *tf, int sig, const char *what, u64 code, unsigned long addr);

/* System call: interrupts ENABLED. Reads number and arguments from tf, sets the result. */
void trap_syscall(struct trap_frame *tf);

/* The one exit stub's C part: every return and first entry to user mode. Reschedules, acts on a
 * pending kill, checks "leaving the kernel with a lock held". Returns with interrupts masked. */
void trap_exit_to_user(struct trap_frame *tf);
/* Every entry from user mode calls this first (interrupts masked): CPU mode bookkeeping. */
void trap_enter_from_user(struct trap_frame *tf);
/* What a new kernel thread's first switch runs (arch_thread_init), interrupts masked. */
void __noreturn thread_start(struct thread *prev, void (*entry)(void *), void *arg);
/* The same after the first switch to a forked user thread (arch_fork_frame); returns, interrupts
 * masked, and the way leads on to the exit stub. */
void thread_start_fork(struct thread *prev);
/* The first C functions. Boot CPU: entry_ticks is the arch_ticks() value that its first
 * instructions read. Secondary: interrupts masked, per-CPU offset, kernel page table and idle stack
 * set. */
void __noreturn kmain(u64 entry_ticks);
void __noreturn cpu_secondary_main(void);
/* Return to an interrupted kernel frame: preempts if that context allows it. */
void trap_exit_to_kernel(struct trap_frame *tf);

#endif
