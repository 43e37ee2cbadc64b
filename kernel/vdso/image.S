/* image.S - the finished vDSO inside the kernel's image (kernel/task/vdso.c shows it to programs). */
	.section .rodata, "a"
	.balign 16
	.globl vdso_image, vdso_image_end
vdso_image:
	.incbin VDSO_SO
vdso_image_end:
