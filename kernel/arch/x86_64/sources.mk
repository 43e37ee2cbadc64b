# sources of kernel/arch/x86_64
kernel-y += kernel/arch/x86_64/boot.S kernel/arch/x86_64/entry.S kernel/arch/x86_64/switch.S
kernel-y += kernel/arch/x86_64/uaccess.S
kernel-y += kernel/arch/x86_64/acpi.c kernel/arch/x86_64/apic.c kernel/arch/x86_64/boot.c
kernel-y += kernel/arch/x86_64/context.c kernel/arch/x86_64/cpu.c
kernel-y += kernel/arch/x86_64/ioapic.c kernel/arch/x86_64/mmu.c kernel/arch/x86_64/platform.c
kernel-y += kernel/arch/x86_64/rtc.c kernel/arch/x86_64/smp.c kernel/arch/x86_64/time.c
kernel-y += kernel/arch/x86_64/trap.c kernel/arch/x86_64/warp.c kernel/arch/x86_64/arch_ktest.c
