/* arch/cpu.h - this processor.
 * <asm/cpu.h> provides, static inline: void arch_cpu_relax(void): a spinner's hint. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H
#include <lib/types.h>
#include <asm/cpu.h>

/* Interrupts masked on entry. Waits until an interrupt is pending (no window in which one is
 * missed), takes it, returns with interrupts enabled. Idle thread only. */
void arch_idle_wait(void);
/* Masks everything and stops this CPU for good. Any context. */
void __noreturn arch_halt(void);
/* Powers the machine off; QEMU's exit status tells `ok` (see docs). Any context, NMI included. */
void __noreturn arch_poweroff(bool ok);
/* One word for reports: "aarch64" or "x86_64". ELF machine number: EM_AARCH64 183, EM_X86_64 62. */
extern const char arch_name[];
extern const u16 arch_elf_machine;
/* Value for AT_HWCAP: only what the kernel saves and restores. AT_PLATFORM is arch_name. */
unsigned long arch_hwcap(void);
#endif
