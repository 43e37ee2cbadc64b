/* arch/platform.h - where the platform's devices are. Valid after arch_boot_init(). */
#ifndef ARCH_PLATFORM_H
#define ARCH_PLATFORM_H
#include <kernel/types.h>

struct arch_pci_host {
	phys_addr_t ecam; /* 0 = no PCI */
	u64 ecam_size;
	u8 bus_start, bus_end;
	phys_addr_t mmio32_base, mmio32_size; /* window for unassigned BARs; CPU == bus address */
	phys_addr_t mmio64_base, mmio64_size;
	bool firmware_assigned; /* BARs already programmed (x86) */
};
extern struct arch_pci_host arch_pci_host;

/* fw_cfg: selector and data access for vmcoreinfo (QEMU's documented DMA or port interface).
 * Returns -ENODEV if absent. `file` e.g. "etc/vmcoreinfo". Writes `n` bytes. Thread context. */
int arch_fwcfg_write_file(const char *file, const void *data, size_t n) must_check;

/* Serial port. putc is polled and lock-free: any context. getc: -1 when empty. rx interrupt on. */
void arch_uart_putc(char c);
int arch_uart_getc(void);
void arch_uart_enable_rx(void);
#endif
