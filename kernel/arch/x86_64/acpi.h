/* acpi.h - the platform facts that acpi.c finds; constant after arch_boot_init(). */
#ifndef X86_ACPI_H
#define X86_ACPI_H
#include <lib/types.h>

#define ISA_IRQS    16
#define MAX_IOAPICS 16
struct x86_acpi {
	bool found; /* there were tables */
	char machine[16];
	phys_addr_t lapic;
	u32 nmi_line; /* LINT pin wired to NMI */
	struct {
		phys_addr_t base;
		u32 gsi;
	} ioapic[MAX_IOAPICS];
	unsigned int nr_ioapics;
	struct {
		u32 gsi;
		bool level, active_low;
	} isa[ISA_IRQS];                /* where ISA interrupt n arrives */
	u16 pm_timer;                   /* I/O port, 0 = none */
	u16 pm1a_control, pm1b_control; /* ports, 0 = none */
	int s5_a, s5_b;                 /* sleep types for "off", -1 = not found */
	u8 century;                     /* CMOS register, 0 = none */
	bool no_cmos;                   /* the RTC is not there */
};
extern struct x86_acpi x86_acpi;

/* Reads the tables from the root pointer at `rsdp` (physical; 0 = look for it where the BIOS puts
 * it). Fills x86_acpi, arch_pci_host and cpu_hwid/nr_cpus by cpu_found(). Without tables the PC's
 * customary addresses and one CPU remain. */
void x86_acpi_parse(phys_addr_t rsdp, void (*cpu_found)(u32 apic_id));

#endif
