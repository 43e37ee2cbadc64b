/* entry.S - entries into the kernel and the way back.
 *
 * GS. In user mode GS base is the program's and KERNEL_GS_BASE this CPU's per-CPU offset; swapgs at
 * each entry from user mode and each return to it exchanges them. Ordinary exceptions and
 * interrupts tell by the saved CS which side they came from; an LFENCE on both ways keeps the CPU
 * from running ahead with the other side's GS (CVE-2019-1125). NMI, machine check and double fault can also hit
 * between SYSCALL and its swapgs, so they look at nothing: their own IST stack carries the per-CPU
 * offset above its top (cpu.c puts it there); they save GS base, load that, and put the old value
 * back. An NMI cannot nest: it never executes IRET before its end, because a fault inside the NMI
 * path is fatal.
 *
 * Stacks. The frame of an entry from user mode is at the top of the thread's kernel stack
 * (TSS.rsp0). Below each kernel frame entry code puts a two-word stack frame {rbp, rip} of what was
 * interrupted, so that a walk over frame pointers shows it.
 *
 * Return. The frame was checked in C (x86_exit_to_user): selectors, flags and a user rip, so that
 * neither iretq nor sysretq can fault in kernel mode.
 */
#include <asm-offsets.h>
#include "x86.h"

.macro push_regs
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm
.macro pop_regs
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm
/* A user program, or a copy routine that was interrupted, may have AC set. */
.macro clear_ac
	testb $1, x86_has_smap(%rip)
	jz 8f
	clac
8:
.endm
/* rsp = frame: calls fn(frame) with a walkable stack. rsp is a multiple of 16. */
.macro call_with_frame fn
	movq %rsp, %rdi
	pushq TF_RIP(%rdi)
	pushq TF_RBP(%rdi)
	movq %rsp, %rbp
	call \fn
	addq $16, %rsp
.endm

	.text
/* 256 stubs of 16 bytes. The CPU pushes an error code for 8, 10-14, 17, 21, 29 and 30. */
	.balign 16
	.globl x86_vector_stubs
x86_vector_stubs:
	vec = 0
	.rept 256
	.balign 16
	.if vec != 8 && (vec < 10 || vec > 14) && vec != 17 && vec != 21 && vec != 29 && vec != 30
	pushq $0
	.endif
	pushq $vec
	jmp entry_common
	vec = vec + 1
	.endr

	.type entry_common, @function
entry_common:
	cld
	push_regs
	testb $3, TF_CS(%rsp)
	jz 1f
	swapgs
	lfence
	clear_ac
	movq %rsp, %rdi
	/* a walk ends at the user frame */
	xorl %ebp, %ebp
	call x86_trap
	jmp return_to_user
1:	lfence
	clear_ac
	call_with_frame x86_trap
	pop_regs
	addq $16, %rsp
	iretq
	.size entry_common, . - entry_common

	.globl x86_syscall_entry
	.type x86_syscall_entry, @function
x86_syscall_entry:
	swapgs
	movq %rsp, %gs:syscall_user_rsp
	movq %gs:x86_tss + TSS_RSP0, %rsp
	pushq $X86_USER_DS
	pushq %gs:syscall_user_rsp
	pushq %r11
	pushq $X86_USER_CS
	pushq %rcx
	pushq %rax
	pushq $VEC_SYSCALL
	push_regs
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call x86_syscall
	/* no fall-through: the return address shall lie in this function */
	jmp return_to_user
	.size x86_syscall_entry, . - x86_syscall_entry

/* rsp = the user frame, interrupts masked, x86_exit_to_user() done. SYSRET wants rcx = rip and
 * r11 = flags, and cannot set RF or a trap flag for the first instruction. */
	.type return_to_user, @function
return_to_user:
	cmpq $VEC_SYSCALL, TF_VECTOR(%rsp)
	jne 1f
	movq TF_RIP(%rsp), %rcx
	cmpq %rcx, TF_RCX(%rsp)
	jne 1f
	movq TF_RFLAGS(%rsp), %r11
	cmpq %r11, TF_R11(%rsp)
	jne 1f
	testq $(FLAG_RF | FLAG_TF), %r11
	jnz 1f
	pop_regs
	movq TF_RSP - TF_VECTOR(%rsp), %rsp
	swapgs
	sysretq
1:	pop_regs
	addq $16, %rsp
	swapgs
	iretq
	.size return_to_user, . - return_to_user

/* void x86_enter_user(struct trap_frame *tf): drops the stack below tf and leaves. */
	.globl x86_enter_user
	.type x86_enter_user, @function
x86_enter_user:
	cli
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call x86_exit_to_user
	jmp return_to_user
	.size x86_enter_user, . - x86_enter_user

/* ---- IST entries ---------------------------------------------------------------------------- */
.macro ist_entry name, fn, vector, has_error
	.globl \name
	.type \name, @function
\name:
	.if !\has_error
	pushq $0
	.endif
	pushq $\vector
	push_regs
	cld
	clear_ac
	movl $MSR_GS_BASE, %ecx
	rdmsr
	movl %eax, %r12d
	movl %edx, %r13d
	/* the per-CPU offset lies right above the frame */
	movl TF_BYTES(%rsp), %eax
	movl TF_BYTES + 4(%rsp), %edx
	wrmsr
	call_with_frame \fn
	movl $MSR_GS_BASE, %ecx
	movl %r12d, %eax
	movl %r13d, %edx
	wrmsr
	pop_regs
	addq $16, %rsp
	iretq
	.size \name, . - \name
.endm
	ist_entry x86_entry_nmi, x86_nmi, VEC_NMI, 0
	ist_entry x86_entry_double_fault, x86_double_fault, VEC_DOUBLE_FAULT, 1
	ist_entry x86_entry_machine_check, x86_machine_check, VEC_MACHINE_CHECK, 0

	.section .data.percpu, "aw", @progbits
	.balign 8
syscall_user_rsp:
	.quad 0
	.section .note.GNU-stack, "", @progbits
