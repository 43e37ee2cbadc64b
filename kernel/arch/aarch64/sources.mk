# sources of kernel/arch/aarch64
kernel-y += kernel/arch/aarch64/boot.S
kernel-y += kernel/arch/aarch64/entry.S
kernel-y += kernel/arch/aarch64/switch.S
kernel-y += kernel/arch/aarch64/uaccess.S
kernel-y += kernel/arch/aarch64/cpu.c
kernel-y += kernel/arch/aarch64/fdt.c
kernel-y += kernel/arch/aarch64/gic.c
kernel-y += kernel/arch/aarch64/mmu.c
kernel-y += kernel/arch/aarch64/platform.c
kernel-y += kernel/arch/aarch64/smp.c
kernel-y += kernel/arch/aarch64/context.c
kernel-y += kernel/arch/aarch64/time.c
kernel-y += kernel/arch/aarch64/trap.c
kernel-y += kernel/arch/aarch64/uart.c
kernel-y += kernel/arch/aarch64/arch_ktest.c
