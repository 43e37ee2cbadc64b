/* arch/mmio.h - device registers.
 * <asm/mmio.h> provides, static inline: u8/u16/u32/u64 mmio_readN(const volatile void *),
 * void mmio_writeN(volatile void *, uN v), N = 8, 16, 32, 64: each exactly one plain load or store
 * of that width, in assembly. A hypervisor emulates the instruction from what the CPU tells of it,
 * and an arm64 CPU tells nothing of one that also changes its base register or moves two registers
 * (ESR_EL2.ISV, Arm ARM D24.2.40): a compiler may make such a one of a volatile access.
 *
 * Order. Registers of one device are accessed in program order. Against normal memory:
 *   void arch_device_mb(void);   all earlier accesses to memory before all later ones to device or
 *                                memory, as the device sees them (smp_mb() is for CPUs only). */
#ifndef ARCH_MMIO_H
#define ARCH_MMIO_H
#include <lib/types.h>
#include <asm/mmio.h>
#endif
