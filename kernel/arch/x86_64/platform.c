/* platform.c - the serial port (16550 at 0x3f8), switching the machine off, the door to fw_cfg. The
 * first two are lock-free and work in any context. */
#include <lib/errno.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/platform.h>
#include "acpi.h"
#include "x86.h"

#define UART             0x3f8
#define UART_DATA        (UART + 0)
#define UART_IER         (UART + 1)
#define UART_FCR         (UART + 2)
#define UART_LCR         (UART + 3)
#define UART_MCR         (UART + 4)
#define UART_LSR         (UART + 5)
#define UART_SCRATCH     (UART + 7)
#define IER_RX           0x01
#define LCR_8N1          0x03
#define LCR_DIVISOR      0x80
#define MCR_DTR_RTS_OUT2 0x0b /* OUT2 gates the interrupt line on a PC */
#define LSR_DATA         0x01
#define LSR_EMPTY        0x20
#define PUTC_SPINS       100000

static bool uart_present;
static bool uart_stalled; /* a hint: any CPU may set or clear it at any time */

void arch_early_console(void)
{
	outb(UART_SCRATCH, 0x5a);
	if (inb(UART_SCRATCH) != 0x5a)
		return;
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_DIVISOR);
	outb(UART_DATA, 1); /* 115200 baud */
	outb(UART_IER, 0);
	outb(UART_LCR, LCR_8N1);
	outb(UART_FCR, 0x07);
	outb(UART_MCR, MCR_DTR_RTS_OUT2);
	uart_present = true;
}

/* Without a port nothing is lost that anybody could read. */
bool arch_uart_putc(char c)
{
	int patience = READ_ONCE(uart_stalled) ? 1 : PUTC_SPINS;
	bool room = false;

	if (!uart_present)
		return true;
	while (!room && patience--) {
		room = inb(UART_LSR) & LSR_EMPTY;
		if (!room)
			arch_cpu_relax();
	}
	WRITE_ONCE(uart_stalled, !room);
	if (room)
		outb(UART_DATA, (u8)c);
	return room;
}

int arch_uart_getc(void)
{
	if (!uart_present || !(inb(UART_LSR) & LSR_DATA))
		return -1;
	return inb(UART_DATA);
}

#define FWCFG_SELECT    0x510
#define FWCFG_DATA      0x511
#define FWCFG_DMA       0x514
#define FWCFG_SIGNATURE 0x0000
#define FWCFG_ID        0x0001
#define FWCFG_ID_DMA    2u

static bool fwcfg_present(void)
{
	static const char signature[4] = "QEMU";

	outw(FWCFG_SELECT, FWCFG_SIGNATURE);
	for (unsigned int i = 0; i < sizeof(signature); i++)
		if (inb(FWCFG_DATA) != (u8)signature[i])
			return false;
	outw(FWCFG_SELECT, FWCFG_ID);
	return inb(FWCFG_DATA) & FWCFG_ID_DMA;
}

/* The second half of the address starts the transfer. The look whether there is a device selects
 * another file, so it is done once. */
int arch_fwcfg_dma(phys_addr_t request)
{
	static enum { UNKNOWN, ABSENT, PRESENT } state;

	if (state == UNKNOWN)
		state = fwcfg_present() ? PRESENT : ABSENT;
	if (state == ABSENT)
		return -ENODEV;
	outl(FWCFG_DMA, __builtin_bswap32((u32)(request >> 32)));
	outl(FWCFG_DMA + 4, __builtin_bswap32((u32)request));
	return 0;
}

void arch_uart_enable_rx(void)
{
	if (uart_present)
		outb(UART_IER, IER_RX);
}

/* QEMU's isa-debug-exit: exit status (value << 1) | 1, so 33 for ok and 35 for failure. */
#define DEBUG_EXIT    0xf4
#define EXIT_OK       0x10
#define EXIT_FAILED   0x11
#define SLEEP_ENABLE  0x2000
#define SLEEP_TYPE(t) ((u32)(t) << 10)

/* Without that device: ACPI's soft off, then a reset by triple fault. */
void __noreturn arch_poweroff(bool ok)
{
	static const struct __packed {
		u16 limit;
		u64 base;
	} no_idt;

	outb(DEBUG_EXIT, ok ? EXIT_OK : EXIT_FAILED);
	if (x86_acpi.pm1a_control && x86_acpi.s5_a >= 0)
		outw(x86_acpi.pm1a_control, (u16)(SLEEP_TYPE(x86_acpi.s5_a) | SLEEP_ENABLE));
	if (x86_acpi.pm1b_control && x86_acpi.s5_b >= 0)
		outw(x86_acpi.pm1b_control, (u16)(SLEEP_TYPE(x86_acpi.s5_b) | SLEEP_ENABLE));
	__asm__ volatile("cli; lidt %0; int3" : : "m"(no_idt) : "memory");
	arch_halt();
}
