# sources of kernel/arch/aarch64
kernel-y += kernel/arch/aarch64/head.S
kernel-y += kernel/arch/aarch64/vectors.S
kernel-y += kernel/arch/aarch64/switch.S
kernel-y += kernel/arch/aarch64/uaccess.S
kernel-y += kernel/arch/aarch64/cpu.c
kernel-y += kernel/arch/aarch64/fdt.c
kernel-y += kernel/arch/aarch64/gic.c
kernel-y += kernel/arch/aarch64/mmu.c
kernel-y += kernel/arch/aarch64/platform.c
kernel-y += kernel/arch/aarch64/smp.c
kernel-y += kernel/arch/aarch64/thread.c
kernel-y += kernel/arch/aarch64/time.c
kernel-y += kernel/arch/aarch64/trap.c
kernel-y += kernel/arch/aarch64/uart.c
kernel-y += kernel/arch/aarch64/aarch64_ktest.c
