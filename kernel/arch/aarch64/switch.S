/* switch.S - changing threads, the first instructions of a new one, user FP/SIMD registers. */
#include "macros.h"
	.cfi_sections .debug_frame
	.arch_extension fp
	.arch_extension simd

/* void call_on_stack(char *top, void (*fn)(void)): the frame below fn's is the caller's. */
FUNC(call_on_stack)
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	mov	sp, x0
	blr	x1
	mov	sp, x29
	ldp	x29, x30, [sp], #16
	ret
END(call_on_stack)

/* struct thread *switch_context(struct thread *prev, struct thread *next): interrupts masked.
 * Returns prev, on next's stack. */
FUNC(switch_context)
	add	x8, x0, #THREAD_ARCH
	add	x9, x1, #THREAD_ARCH
	stp	x19, x20, [x8, #CTX_REGS]
	stp	x21, x22, [x8, #CTX_REGS + 16]
	stp	x23, x24, [x8, #CTX_REGS + 32]
	stp	x25, x26, [x8, #CTX_REGS + 48]
	stp	x27, x28, [x8, #CTX_REGS + 64]
	stp	x29, x30, [x8, #CTX_FP]
	mov	x10, sp
	str	x10, [x8, #CTX_SP]
	ldp	x19, x20, [x9, #CTX_REGS]
	ldp	x21, x22, [x9, #CTX_REGS + 16]
	ldp	x23, x24, [x9, #CTX_REGS + 32]
	ldp	x25, x26, [x9, #CTX_REGS + 48]
	ldp	x27, x28, [x9, #CTX_REGS + 64]
	ldp	x29, x30, [x9, #CTX_FP]
	ldr	x10, [x9, #CTX_SP]
	mov	sp, x10
	msr	sp_el0, x1
	ret
END(switch_context)

/* A new kernel thread: x0 = prev, x19 = entry, x20 = its argument. */
FUNC(thread_first_run)
	.cfi_startproc
	.cfi_undefined x30
	mov	x1, x19
	mov	x2, x20
	bl	thread_start
	b	.
	.cfi_endproc
END(thread_first_run)

/* A forked child: x0 = prev, SP = its user frame. */
FUNC(thread_first_run_fork)
	.cfi_startproc
	.cfi_undefined x30
	bl	thread_start_fork
	b	exit_to_user
	.cfi_endproc
END(thread_first_run_fork)

/* void __noreturn arch_enter_user(void) */
FUNC(arch_enter_user)
	mov	x0, #PMR_MASKED
	msr	icc_pmr_el1, x0
	mrs	x0, sp_el0
	ldr	x0, [x0, #THREAD_KSTACK_TOP]
	sub	x0, x0, #TF_SIZE
	mov	sp, x0
	stp	xzr, xzr, [sp, #TF_RECORD]
	add	x29, sp, #TF_RECORD
	b	exit_to_user
END(arch_enter_user)

/* void fp_save(struct arch_thread *), void fp_load(const struct arch_thread *) */
FUNC(fp_save)
	add	x1, x0, #CTX_VREGS
	stp	q0, q1, [x1, #0]
	stp	q2, q3, [x1, #32]
	stp	q4, q5, [x1, #64]
	stp	q6, q7, [x1, #96]
	stp	q8, q9, [x1, #128]
	stp	q10, q11, [x1, #160]
	stp	q12, q13, [x1, #192]
	stp	q14, q15, [x1, #224]
	stp	q16, q17, [x1, #256]
	stp	q18, q19, [x1, #288]
	stp	q20, q21, [x1, #320]
	stp	q22, q23, [x1, #352]
	stp	q24, q25, [x1, #384]
	stp	q26, q27, [x1, #416]
	stp	q28, q29, [x1, #448]
	stp	q30, q31, [x1, #480]
	mrs	x2, fpcr
	mrs	x3, fpsr
	stp	x2, x3, [x0, #CTX_FPCR]
	ret
END(fp_save)

FUNC(fp_load)
	add	x1, x0, #CTX_VREGS
	ldp	q0, q1, [x1, #0]
	ldp	q2, q3, [x1, #32]
	ldp	q4, q5, [x1, #64]
	ldp	q6, q7, [x1, #96]
	ldp	q8, q9, [x1, #128]
	ldp	q10, q11, [x1, #160]
	ldp	q12, q13, [x1, #192]
	ldp	q14, q15, [x1, #224]
	ldp	q16, q17, [x1, #256]
	ldp	q18, q19, [x1, #288]
	ldp	q20, q21, [x1, #320]
	ldp	q22, q23, [x1, #352]
	ldp	q24, q25, [x1, #384]
	ldp	q26, q27, [x1, #416]
	ldp	q28, q29, [x1, #448]
	ldp	q30, q31, [x1, #480]
	ldp	x2, x3, [x0, #CTX_FPCR]
	msr	fpcr, x2
	msr	fpsr, x3
	ret
END(fp_load)
