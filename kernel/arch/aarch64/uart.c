/* uart.c - PL011 serial port, polled output. Until arch_irqchip_init() the boot CPU reaches it by
 * its physical address, which the identity map shows; then through a kernel mapping. Writers are
 * serialised by the console, if at all: any context may put a byte at any time. */
#include <arch/cpu.h>
#include <arch/platform.h>
#include "arch.h"

#define UARTDR        0x00
#define UARTFR        0x18
#define FR_RXFE       BIT(4)
#define FR_TXFF       BIT(5)
#define UARTLCR_H     0x2c
#define LCR_8BIT_FIFO 0x70
#define UARTCR        0x30
#define CR_ON         0x301 /* enabled, both directions */
#define UARTIMSC      0x38
#define INT_RX        (BIT(4) | BIT(6)) /* data, and data that waits (timeout) */

#define PUTC_SPINS 1000000u

static u8 *uart_base;
static bool uart_stalled; /* a hint: any CPU may set or clear it at any time */

void uart_early_init(phys_addr_t pa)
{
	/* The identity map shows devices of the first GiB only. */
	if (!pa || pa >= 1ul << 30)
		return;
	uart_base = (u8 *)pa;
	mmio_write32(uart_base + UARTLCR_H, LCR_8BIT_FIFO);
	mmio_write32(uart_base + UARTCR, CR_ON);
}

void uart_map(void)
{
	uart_base = platform.uart_pa ? map_mmio(platform.uart_pa, PAGE_SIZE) : NULL;
}

/* Without a port nothing is lost that anybody could read. */
bool arch_uart_putc(char c)
{
	unsigned int patience = READ_ONCE(uart_stalled) ? 1 : PUTC_SPINS;
	u8 *base = uart_base;
	bool room = false;

	if (!base)
		return true;
	while (!room && patience--) {
		room = !(mmio_read32(base + UARTFR) & FR_TXFF);
		if (!room)
			arch_cpu_relax();
	}
	WRITE_ONCE(uart_stalled, !room);
	if (room)
		mmio_write32(base + UARTDR, (u8)c);
	return room;
}

int arch_uart_getc(void)
{
	if (!uart_base || (mmio_read32(uart_base + UARTFR) & FR_RXFE))
		return -1;
	return mmio_read32(uart_base + UARTDR) & 0xff;
}

void arch_uart_enable_rx(void)
{
	if (uart_base)
		mmio_write32(uart_base + UARTIMSC, INT_RX);
}
