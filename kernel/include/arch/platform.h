/* arch/platform.h - where the platform's devices are. Valid after arch_boot_init(). */
#ifndef ARCH_PLATFORM_H
#define ARCH_PLATFORM_H
#include <lib/types.h>

struct arch_pci_host {
	phys_addr_t ecam; /* 0 = no PCI */
	u64 ecam_size;
	u8 bus_start, bus_end;
	phys_addr_t mmio32_base, mmio32_size; /* window for unassigned BARs; CPU == bus address */
	phys_addr_t mmio64_base, mmio64_size;
	bool firmware_assigned; /* BARs already programmed (x86) */
};
extern struct arch_pci_host arch_pci_host;

/* Hands QEMU's fw_cfg device the physical address of a DMA request (drivers/fwcfg.c), after all
 * earlier stores. 0, or -ENODEV if there is no such device. One caller at a time. */
int arch_fwcfg_dma(phys_addr_t request) must_check;

/* Serial port. putc is polled and lock-free: any context. It waits for room only a bounded time,
 * and after one time-out not at all until the port drains (a stalled one would hold interrupts
 * masked for each character); false: the character is dropped. getc: -1 when empty. rx interrupt
 * on. */
bool arch_uart_putc(char c);
int arch_uart_getc(void);
void arch_uart_enable_rx(void);
#endif
