# sources of kernel/vdso: the vDSO's own (user mode, vdso.mk links them), and what carries it in the kernel
vdso-y += kernel/vdso/vdso.c
vdso-aarch64-y += kernel/arch/aarch64/vdso.S
kernel-y += kernel/vdso/image.S
