/* arch/user.h - into user mode. */
#ifndef ARCH_USER_H
#define ARCH_USER_H
#include <lib/types.h>
struct trap_frame;
struct thread;

/* Fills a user frame for a fresh program: all registers zero, pc, sp, user mode, interrupts on. */
void arch_user_frame_init(struct trap_frame *tf, unsigned long pc, unsigned long sp);
/* The user frame at the top of the current thread's kernel stack (where entry code puts it). */
struct trap_frame *arch_user_frame(void);
/* Enters user mode through the exit stub with *tf = the frame at the top of this thread's kernel
 * stack. Discards the kernel stack below: nothing on it is ever returned to. Thread context, no
 * locks held (the exit stub checks). */
void __noreturn arch_enter_user(void);
/* A forked child: its first switch continues at the exit stub with a copy of *parent's frame and
 * return value 0. (Runs thread_start's bookkeeping first: entry = task_fork_start.) */
void arch_fork_frame(struct thread *child, const struct trap_frame *parent);
/* TLS pointer (x86-64: arch_prctl ARCH_SET_FS; aarch64: TPIDR_EL0). Current thread. */
void arch_set_tls(unsigned long v);
unsigned long arch_get_tls(void);
#endif
