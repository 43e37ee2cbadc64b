/* arch/context.h - threads: registers that a switch keeps.
 * <asm/context.h> defines `struct arch_thread` (embedded in struct thread as `arch`). */
#ifndef ARCH_CONTEXT_H
#define ARCH_CONTEXT_H
#include <lib/types.h>
#include <asm/context.h>
struct thread;
struct trap_frame;

/* Prepares a new kernel thread: on its first switch it runs thread_start(prev, entry, arg) -
 * an upcall, arch/upcalls.h - on its kernel stack [stack_base, stack_top), interrupts masked. */
void arch_thread_init(struct thread *t, void (*entry)(void *), void *arg);
/* Copies the user part (FP registers, TLS) of the current thread to t: fork. May allocate nothing.
 */
void arch_thread_copy_user(struct thread *t);
/* Saves prev, loads next, returns - on next's stack - the thread that ran before it. Interrupts
 * masked, run queue lock held. Switches FP state of user threads, TLS registers and the stack for
 * entries from user mode; the address space is switched by the caller (arch_mmu_switch). */
struct thread *arch_switch_to(struct thread *prev, struct thread *next);
/* Stack pointer and frame pointer of a thread that is not running. */
unsigned long arch_thread_sp(const struct thread *t);
unsigned long arch_thread_fp(const struct thread *t);
unsigned long arch_thread_pc(const struct thread *t);
/* Cleared FP registers and TLS for exec. Current thread. */
void arch_thread_reset_user(void);
/* <asm/context.h>, static inline:
 *   unsigned long arch_sp(void), arch_fp(void): this frame's.
 *   unsigned long arch_fp_register(void), arch_leaf_return(void), arch_leaf_sp(void): the
 *     caller's frame, where to return to, and an address below that frame, in a function that is
 * compiled without a frame and calls nobody before. */
#endif
