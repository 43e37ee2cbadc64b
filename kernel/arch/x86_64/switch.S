/* switch.S - changing threads, the first instructions of a new one. */
#include "x86.h"

	.cfi_sections .debug_frame
	.text
/* struct thread *x86_switch_stack(prev, next, &prev_sp, next_sp): returns prev, on next's stack.
 * The current thread and the stack change next to each other: an NMI sees at most one step. */
	.globl x86_switch_stack
	.type x86_switch_stack, @function
x86_switch_stack:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdx)
	movq %rdi, %rax
	movq %rsi, %gs:x86_current
	movq %rcx, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size x86_switch_stack, . - x86_switch_stack

/* void x86_call_on_stack(void *top, void (*fn)(void)): the frame below fn's is the caller's. */
	.globl x86_call_on_stack
	.type x86_call_on_stack, @function
x86_call_on_stack:
	pushq %rbp
	movq %rsp, %rbp
	movq %rdi, %rsp
	call *%rsi
	movq %rbp, %rsp
	popq %rbp
	ret
	.size x86_call_on_stack, . - x86_call_on_stack

/* First switch to a kernel thread: rax = previous thread, rbx = entry, r12 = argument. */
	.globl x86_thread_entry
	.type x86_thread_entry, @function
x86_thread_entry:
	.cfi_startproc
	.cfi_undefined rip
	movq %rax, %rdi
	movq %rbx, %rsi
	movq %r12, %rdx
	call thread_start
	ud2
	.cfi_endproc
	.size x86_thread_entry, . - x86_thread_entry

/* First switch to a forked child: rsp = its user frame. */
	.globl x86_fork_entry
	.type x86_fork_entry, @function
x86_fork_entry:
	.cfi_startproc
	.cfi_undefined rip
	movq %rax, %rdi
	call thread_start_fork
	movq %rsp, %rdi
	jmp x86_enter_user
	.cfi_endproc
	.size x86_fork_entry, . - x86_fork_entry

	.section .note.GNU-stack, "", @progbits
