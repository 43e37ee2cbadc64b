/* arch/trap.h - the saved registers of an exception, interrupt or system call.
 * <asm/trap.h> defines struct trap_frame (for the black box: all general registers) and provides,
 * static inline:
 *   unsigned long trap_pc(tf), trap_sp(tf), trap_fp(tf);
 *   unsigned long trap_caller(tf): return address of a function that faults at its first
 *   instruction; may read the word at trap_sp(tf);
 *   bool trap_from_user(tf), trap_irqs_were_disabled(tf);
 *   void trap_set_pc(tf, pc), trap_set_sp(tf, sp);
 *   unsigned long trap_syscall_nr(tf), trap_syscall_arg(tf, n /0..5/), void trap_set_ret(tf, v); */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H
#include <lib/types.h>
#include <asm/trap.h>

/* Prints all registers through emit() line by line, no locks. Any context. */
void arch_trap_print(const struct trap_frame *tf, void (*emit)(const char *line));
#endif
