/* vdso.S - where a signal handler returns to (user mode). An unwinder knows the frame by this code and by
 * the S in its unwind record: the return address is the interrupted instruction itself.
 * Linux, arch/arm64/kernel/vdso/sigreturn.S; the frame is struct rt_sigframe's, sp points at it. */
#define NR_RT_SIGRETURN 139

	.text
	nop /* the unwinder looks one byte before the return address */
	.globl	__kernel_rt_sigreturn
	.type	__kernel_rt_sigreturn, %function
	.cfi_startproc
	.cfi_signal_frame
	.cfi_def_cfa x29, 0
	.cfi_offset x29, 0
	.cfi_offset x30, 8
__kernel_rt_sigreturn:
	mov	x8, #NR_RT_SIGRETURN
	svc	#0
	.cfi_endproc
	.size	__kernel_rt_sigreturn, . - __kernel_rt_sigreturn
	.section .note.GNU-stack, "", %progbits
