/* entry.S - exception entry and exit.
 *
 * Entry pushes a struct trap_frame on SP_EL1 (the current thread's kernel stack; empty when the
 * exception comes from user mode), masks by priority (PMR) and calls C with DAIF still all set; C
 * clears PSTATE.I when interrupts of NMI priority may come in. In the kernel SP_EL0 holds the
 * current thread: an entry from user mode saves the user's and loads entry_thread of this CPU.
 *
 * Stack overflow. A push into the guard page faults again and again; so the synchronous entry
 * compares SP with the thread's lowest stack address before it stores anything, without a free
 * register: x0 is carried in the difference of SP and x0, x1 in TPIDRRO_EL0 (user code cannot
 * write it; cleared afterwards, as user code can read it). An interrupt that hits the guard page
 * while it pushes comes back as such a synchronous exception. Too deep: the frame goes to this
 * CPU's overflow stack; that end is final, so TPIDR_EL0 may serve as one more scratch register.
 * What the report does on that stack may be excepted itself (an HLT that nobody serves) and goes on.
 *
 * A debugger crosses an entry by its call frame information (an entry is a "signal frame": the caller's
 * registers are all in it, its stack may be another one); from user mode it ends there.
 *
 * Exit sets DAIF, restores PMR and returns; the exit to user mode runs trap_exit_to_user() first.
 */
#include "macros.h"

	.cfi_sections .debug_frame

	/* For a debugger: the CFA is the end of the trap frame; column 32 of DWARF for the Arm 64-bit
	 * architecture is the interrupted pc. Before save_state it is in ELR_EL1, out of reach. */
	.macro	cfi_entry
	.cfi_startproc simple
	.cfi_return_column 32
	.cfi_def_cfa sp, TF_SIZE
	.cfi_undefined 32
	.endm

	.macro	cfi_saved
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	.cfi_offset \n, TF_X + 8 * \n - TF_SIZE
	.endr
	.cfi_offset 31, TF_SP - TF_SIZE
	.cfi_offset 32, TF_SP + 8 - TF_SIZE
	.endm

	.macro	save_general
	stp	x0, x1, [sp, #TF_X + 0]
	save_rest
	.endm

	.macro	save_rest
	stp	x2, x3, [sp, #TF_X + 16]
	stp	x4, x5, [sp, #TF_X + 32]
	stp	x6, x7, [sp, #TF_X + 48]
	stp	x8, x9, [sp, #TF_X + 64]
	stp	x10, x11, [sp, #TF_X + 80]
	stp	x12, x13, [sp, #TF_X + 96]
	stp	x14, x15, [sp, #TF_X + 112]
	stp	x16, x17, [sp, #TF_X + 128]
	stp	x18, x19, [sp, #TF_X + 144]
	stp	x20, x21, [sp, #TF_X + 160]
	stp	x22, x23, [sp, #TF_X + 176]
	stp	x24, x25, [sp, #TF_X + 192]
	stp	x26, x27, [sp, #TF_X + 208]
	stp	x28, x29, [sp, #TF_X + 224]
	str	x30, [sp, #TF_X + 240]
	.endm

	/* x23 = the interrupted stack pointer. */
	.macro	save_state
	mrs	x21, elr_el1
	mrs	x22, spsr_el1
	mrs	x24, icc_pmr_el1
	mrs	x25, esr_el1
	mrs	x26, far_el1
	stp	x23, x21, [sp, #TF_SP]
	stp	x22, x24, [sp, #TF_PSTATE]
	stp	x25, x26, [sp, #TF_ESR]
	mov	x27, #PMR_MASKED
	msr	icc_pmr_el1, x27
	.endm

	.macro	entry_el1 handler
	cfi_entry
	.cfi_signal_frame
	save_general
	add	x23, sp, #TF_SIZE
	save_state
	cfi_saved
	stp	x29, x21, [sp, #TF_RECORD]
	add	x29, sp, #TF_RECORD
	mov	x0, sp
	bl	\handler
	b	exit_to_el1
	.cfi_endproc
	.endm

	.macro	entry_el0 handler
	cfi_entry
	save_general
	mrs	x23, sp_el0
	save_state
	adr_l	x19, entry_thread
	mrs	x20, tpidr_el1
	ldr	x19, [x19, x20]
	msr	sp_el0, x19
	stp	xzr, xzr, [sp, #TF_RECORD]
	add	x29, sp, #TF_RECORD
	mov	x0, sp
	bl	\handler
	b	exit_to_user
	.cfi_endproc
	.endm

	.macro	restore_general
	ldp	x2, x3, [sp, #TF_X + 16]
	ldp	x4, x5, [sp, #TF_X + 32]
	ldp	x6, x7, [sp, #TF_X + 48]
	ldp	x8, x9, [sp, #TF_X + 64]
	ldp	x10, x11, [sp, #TF_X + 80]
	ldp	x12, x13, [sp, #TF_X + 96]
	ldp	x14, x15, [sp, #TF_X + 112]
	ldp	x16, x17, [sp, #TF_X + 128]
	ldp	x18, x19, [sp, #TF_X + 144]
	ldp	x20, x21, [sp, #TF_X + 160]
	ldp	x22, x23, [sp, #TF_X + 176]
	ldp	x24, x25, [sp, #TF_X + 192]
	ldp	x26, x27, [sp, #TF_X + 208]
	ldp	x28, x29, [sp, #TF_X + 224]
	ldr	x30, [sp, #TF_X + 240]
	ldp	x0, x1, [sp, #TF_X + 0]
	add	sp, sp, #TF_SIZE
	eret
	.endm

	.macro	slot target
	.balign	128
	sub	sp, sp, #TF_SIZE
	b	\target
	.endm

	.section .text, "ax"
	.balign	2048
	.globl	exception_vectors
exception_vectors:
	/* EL1 on SP_EL0: the kernel never runs so. */
	slot	el1_bad
	slot	el1_bad
	slot	el1_bad
	slot	el1_bad

	/* EL1 on SP_EL1 */
	.balign	128
	sub	sp, sp, #TF_SIZE
	add	sp, sp, x0		/* x0 = new SP; SP - x0 = old x0 */
	sub	x0, sp, x0
	msr	tpidrro_el0, x1
	mrs	x1, sp_el0
	cbz	x1, 1f			/* before the first thread */
	ldr	x1, [x1, #THREAD_KSTACK_BASE]
	cmp	x0, x1
	b.lo	el1_overflow
1:	mrs	x1, tpidrro_el0
	msr	tpidrro_el0, xzr
	sub	x0, sp, x0
	sub	sp, sp, x0
	b	el1_sync
	slot	el1_irq
	slot	el1_bad
	slot	el1_serror

	/* EL0, 64-bit */
	slot	el0_sync
	slot	el0_irq
	slot	el0_bad
	slot	el0_serror

	/* EL0, 32-bit */
	slot	el0_compat
	slot	el0_compat
	slot	el0_compat
	slot	el0_compat

el1_sync:
	entry_el1 trap_el1_sync
el1_irq:
	entry_el1 trap_el1_irq
el1_serror:
	entry_el1 trap_el1_serror
el1_bad:
	entry_el1 trap_bad_vector
el0_sync:
	entry_el0 trap_el0_sync
el0_irq:
	entry_el0 trap_el0_irq
el0_serror:
	entry_el0 trap_el0_serror
el0_bad:
	entry_el0 trap_bad_vector
el0_compat:
	entry_el0 trap_el0_compat

el1_overflow:
	cfi_entry
	.cfi_signal_frame
	/* x0 = SP that would be, SP - x0 = old x0, x1 saved */
	sub	x1, sp, x0
	msr	tpidr_el0, x1
	mov	sp, x0
	adr_l	x0, overflow_stack_top
	mrs	x1, tpidr_el1
	ldr	x1, [x0, x1]
	mov	x0, sp
	sub	x1, x1, x0
	cmp	x1, #OVERFLOW_STACK_BYTES
	b.ls	on_overflow_stack
	add	x1, x1, x0
	sub	x1, x1, #TF_SIZE
	mov	sp, x1
	add	x0, x0, #TF_SIZE
	mrs	x1, tpidr_el0
	str	x1, [sp, #TF_X + 0]
	mrs	x1, tpidrro_el0
	str	x1, [sp, #TF_X + 8]
	save_rest
	mov	x23, x0
	save_state
	cfi_saved
	stp	x29, x21, [sp, #TF_RECORD]
	add	x29, sp, #TF_RECORD
	mov	x0, sp
	bl	trap_stack_overflow
	b	.
	.cfi_endproc

/* An exception of the report itself, which is below every thread's stack and has room. */
on_overflow_stack:
	mrs	x0, tpidr_el0
	mrs	x1, tpidrro_el0
	msr	tpidrro_el0, xzr
	b	el1_sync

exit_to_el1:
	msr	daifset, #0xf
	ldp	x23, x21, [sp, #TF_SP]
	ldp	x22, x24, [sp, #TF_PSTATE]
	msr	icc_pmr_el1, x24
	msr	elr_el1, x21
	msr	spsr_el1, x22
	restore_general

/* SP = the user frame at the top of the thread's kernel stack, interrupts masked by priority. Every
 * way to user mode comes through here. */
FUNC(exit_to_user)
	cfi_entry
	mov	x0, sp
	bl	trap_exit_to_user
	msr	daifset, #0xf
	ldp	x23, x21, [sp, #TF_SP]
	ldp	x22, x24, [sp, #TF_PSTATE]
	msr	icc_pmr_el1, x24
	msr	sp_el0, x23
	msr	elr_el1, x21
	msr	spsr_el1, x22
	restore_general
	.cfi_endproc
END(exit_to_user)
