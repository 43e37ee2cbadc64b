/* apic.c - the local APIC (xAPIC, memory mapped; SDM vol. 3, 11): end of interrupt, IPIs, NMIs, the
 * timer's registers.
 *
 * Sending is two writes, destination then command. An NMI between them may send too, so each sender
 * puts back the destination that it found; interrupts are masked around the pair. Waiting for the
 * delivery-status bit is bounded: a report must get out even if a destination is dead. */
#define LOG_TAG "apic"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/printk.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/mmio.h>
#include "acpi.h"
#include "x86.h"

#define APIC_ID        0x020
#define APIC_TPR       0x080
#define APIC_EOI       0x0b0
#define APIC_SPURIOUS  0x0f0
#define APIC_ESR       0x280
#define APIC_ICR       0x300
#define APIC_ICR_HIGH  0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_ERROR 0x370
#define APIC_INITIAL   0x380
#define APIC_CURRENT   0x390
#define APIC_DIVIDE    0x3e0

#define ICR_FIXED       0x000
#define ICR_NMI         0x400
#define ICR_INIT        0x500
#define ICR_STARTUP     0x600
#define ICR_PENDING     0x1000
#define ICR_ASSERT      0x4000
#define LVT_NMI         0x400
#define LVT_MASKED      0x10000
#define SPURIOUS_ENABLE 0x100
#define BASE_ENABLE     0x800
#define BASE_X2APIC     0x400
#define DIVIDE_BY_1     0xb
#define SEND_SPINS      100000u

static u8 *regs; /* NULL until arch_irqchip_init() */

static u32 reg_read(u32 reg)
{
	return mmio_read32(regs + reg);
}

static void reg_write(u32 reg, u32 v)
{
	mmio_write32(regs + reg, v);
}

static void send(u32 id, u32 command)
{
	irqflags_t f;
	u32 found;

	if (!regs)
		return; /* too early: there is nobody to send to */
	f = arch_irq_save();
	found = reg_read(APIC_ICR_HIGH);
	for (u32 i = 0; i < SEND_SPINS && (reg_read(APIC_ICR) & ICR_PENDING); i++)
		arch_cpu_relax();
	reg_write(APIC_ICR_HIGH, id << 24);
	reg_write(APIC_ICR, command);
	reg_write(APIC_ICR_HIGH, found);
	arch_irq_restore(f);
}

void arch_ipi_send(unsigned int cpu, enum ipi_kind kind)
{
	send((u32)boot_info.cpu_hwid[cpu], ICR_FIXED | ICR_ASSERT | (u32)(VEC_IPI + kind));
}

void arch_nmi_send(unsigned int cpu)
{
	send((u32)boot_info.cpu_hwid[cpu], ICR_NMI | ICR_ASSERT);
}

void x86_apic_send_init(u32 id)
{
	send(id, ICR_INIT | ICR_ASSERT);
}

void x86_apic_send_startup(u32 id, u8 page)
{
	send(id, ICR_STARTUP | ICR_ASSERT | page);
}

void x86_apic_eoi(void)
{
	reg_write(APIC_EOI, 0);
}

void x86_apic_error(void)
{
	reg_write(APIC_ESR, 0);
	pr_warn("local APIC error 0x%x", reg_read(APIC_ESR));
}

u32 x86_apic_id(void)
{
	return reg_read(APIC_ID) >> 24;
}

void x86_apic_timer(u32 lvt, u32 count)
{
	reg_write(APIC_DIVIDE, DIVIDE_BY_1);
	reg_write(APIC_LVT_TIMER, lvt);
	reg_write(APIC_INITIAL, count);
}

void x86_apic_timer_count(u32 count)
{
	reg_write(APIC_INITIAL, count);
}

u32 x86_apic_timer_left(void)
{
	return reg_read(APIC_CURRENT);
}

void x86_apic_init(void)
{
	if (!(cpuid(1, 0).d >> 9 & 1))
		panic("this CPU has no local APIC");
	regs = x86_map_mmio(x86_acpi.lapic, PAGE_SIZE);
	arch_irqchip_init_cpu();
}

/* LINT0 stays masked (the PIC's line); the NMI line is as ACPI tells, by default LINT1. */
void arch_irqchip_init_cpu(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) & ~(u64)(BASE_ENABLE | BASE_X2APIC);

	/* Firmware may have left it in x2APIC mode, where the registers in memory are dead; the
	 * only way back leads through "off" (SDM vol. 3, 11.12.5). */
	if (rdmsr(MSR_APIC_BASE) & BASE_X2APIC)
		wrmsr(MSR_APIC_BASE, base);
	wrmsr(MSR_APIC_BASE, base | BASE_ENABLE);
	reg_write(APIC_TPR, 0);
	reg_write(APIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
	for (u32 line = 0; line < 2; line++)
		reg_write(APIC_LVT_LINT0 + 0x10 * line,
			  line == x86_acpi.nmi_line ? LVT_NMI : LVT_MASKED);
	reg_write(APIC_LVT_ERROR, VEC_APIC_ERROR);
	reg_write(APIC_SPURIOUS, SPURIOUS_ENABLE | VEC_SPURIOUS);
	reg_write(APIC_ESR, 0);
	reg_write(APIC_EOI, 0);
}
