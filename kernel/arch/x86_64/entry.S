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
 * A debugger crosses an entry by its call frame information (an entry is a "signal frame": the caller's
 * registers are all in it, its stack may be another one); from user mode it ends there.
 *
 * Return. The frame was checked in C (x86_exit_to_user): selectors, flags and a user rip, so that
 * neither iretq nor sysretq can fault in kernel mode.
 */
#include <asm-offsets.h>
#include "x86.h"

	.cfi_sections .debug_frame
/* For a debugger: the CFA is the end of the trap frame, which holds all registers. */
.macro cfi_frame bytes_on_stack
	.cfi_def_cfa rsp, \bytes_on_stack
	.cfi_offset rip, TF_RIP - TF_BYTES
	.cfi_offset rsp, TF_RSP - TF_BYTES
.endm
.macro push_reg reg
	pushq %\reg
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \reg, 0
.endm
.macro pop_reg reg
	popq %\reg
	.cfi_adjust_cfa_offset -8
	.cfi_same_value \reg
.endm
.macro push_regs
	push_reg rdi
	push_reg rsi
	push_reg rdx
	push_reg rcx
	push_reg rax
	push_reg r8
	push_reg r9
	push_reg r10
	push_reg r11
	push_reg rbx
	push_reg rbp
	push_reg r12
	push_reg r13
	push_reg r14
	push_reg r15
.endm
.macro pop_regs
	pop_reg r15
	pop_reg r14
	pop_reg r13
	pop_reg r12
	pop_reg rbp
	pop_reg rbx
	pop_reg r11
	pop_reg r10
	pop_reg r9
	pop_reg r8
	pop_reg rax
	pop_reg rcx
	pop_reg rdx
	pop_reg rsi
	pop_reg rdi
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
	.cfi_adjust_cfa_offset 8
	pushq TF_RBP(%rdi)
	.cfi_adjust_cfa_offset 8
	movq %rsp, %rbp
	call \fn
	addq $16, %rsp
	.cfi_adjust_cfa_offset -16
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
	.cfi_startproc simple
	.cfi_signal_frame
	cfi_frame TF_BYTES - TF_VECTOR
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
	.cfi_remember_state
	.cfi_undefined rip
	call x86_trap
	jmp return_to_user
	.cfi_restore_state
1:	lfence
	clear_ac
	call_with_frame x86_trap
	pop_regs
	addq $16, %rsp
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
	.size entry_common, . - entry_common

	.globl x86_syscall_entry
	.type x86_syscall_entry, @function
x86_syscall_entry:
	.cfi_startproc simple
	.cfi_def_cfa rsp, 0
	.cfi_undefined rip
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
	.cfi_endproc
	.size x86_syscall_entry, . - x86_syscall_entry

/* rsp = the user frame, interrupts masked, x86_exit_to_user() done. SYSRET wants rcx = rip and
 * r11 = flags, and cannot set RF or a trap flag for the first instruction. */
	.type return_to_user, @function
return_to_user:
	.cfi_startproc simple
	.cfi_def_cfa rsp, TF_BYTES
	.cfi_undefined rip
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
	.cfi_remember_state
	pop_regs
	movq TF_RSP - TF_VECTOR(%rsp), %rsp
	swapgs
	sysretq
	.cfi_restore_state
1:	pop_regs
	addq $16, %rsp
	swapgs
	iretq
	.cfi_endproc
	.size return_to_user, . - return_to_user

/* void x86_enter_user(struct trap_frame *tf): drops the stack below tf and leaves. */
	.globl x86_enter_user
	.type x86_enter_user, @function
x86_enter_user:
	.cfi_startproc simple
	.cfi_def_cfa rsp, TF_BYTES
	.cfi_undefined rip
	cli
	movq %rdi, %rsp
	xorl %ebp, %ebp
	call x86_exit_to_user
	jmp return_to_user
	.cfi_endproc
	.size x86_enter_user, . - x86_enter_user

/* ---- IST entries ---------------------------------------------------------------------------- */
.macro ist_entry name, fn, vector, has_error
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc simple
	.cfi_signal_frame
	.if !\has_error
	cfi_frame TF_BYTES - TF_RIP
	pushq $0
	.cfi_adjust_cfa_offset 8
	.else
	cfi_frame TF_BYTES - TF_RIP + 8
	.endif
	pushq $\vector
	.cfi_adjust_cfa_offset 8
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
	.cfi_adjust_cfa_offset -16
	iretq
	.cfi_endproc
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
