/* gic.c - GICv3: distributor, one redistributor a CPU, CPU interface by system registers.
 *
 * Priorities: everything is 0xa0, the NMI SGI 0x20 (lower is more urgent). The priority mask in
 * asm/irqflags.h admits both (0xe0) or only the second (0x60); PSTATE.I is open while an ordinary
 * interrupt is handled, so the NMI SGI nests into it (its priority is above the running one).
 * All interrupts are group 1. The machine has a single security state or we are its only user.
 * Enable and disable are writes of one bit to set/clear registers: no lock. Redistributor frames
 * are mapped one by one; regions may be any number and size, a frame is matched to its CPU by
 * affinity.
 */
#define LOG_TAG "gic"
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <arch/boot.h>
#include "arch.h"

#define GICD_CTLR       0x0000
#define GICD_CTLR_ON    0x13u /* ARE, group 1 */
#define CTLR_RWP        BIT(31)
#define GICD_TYPER      0x0004
#define GICD_IGROUPR    0x0080
#define GICD_ISENABLER  0x0100
#define GICD_ICENABLER  0x0180
#define GICD_ICACTIVER  0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR      0x0c00
#define GICD_IROUTER    0x6000

#define GICR_TYPER       0x0008
#define GICR_TYPER_LAST  BIT(4)
#define GICR_TYPER_VLPIS BIT(1)
#define GICR_WAKER       0x0014
#define WAKER_SLEEP      BIT(1)
#define WAKER_ASLEEP     BIT(2)
#define GICR_FRAMES      0x20000ul /* RD and SGI frame */
#define GICR_FRAMES_V4   0x40000ul /* and two for virtual LPIs */
#define GICR_SGI         0x10000   /* here the registers of interrupts 0..31 have GICD's offsets */
#define GICR_CTLR_RWP    BIT(3)

#define PRIO_NORMAL 0xa0a0a0a0u
#define PRIO_NMI    0x20u
#define WAIT_TURNS  1000000u

static u8 *gicd;
static DEFINE_PER_CPU(u8 *, gicr); /* this CPU's redistributor; NULL: none found */
static u32 nr_irqs;

static void wait_clear(const u8 *reg, u32 bits, const char *what)
{
	for (u32 i = 0; i < WAIT_TURNS; i++)
		if (!(mmio_read32(reg) & bits))
			return;
	panic("GIC does not answer: %s", what);
}

static bool irq_is_edge(u32 irq)
{
	return platform.irq_edge[irq / 64] >> (irq % 64) & 1;
}

/* Sixteen interrupts a register, two bits each: 2 = edge. */
static u32 config_word(u32 first)
{
	u32 v = 0;

	for (u32 i = 0; i < 16; i++)
		if (irq_is_edge(first + i))
			v |= 2u << 2 * i;
	return v;
}

static u64 affinity_of(u64 mpidr)
{
	return (mpidr >> 32 & 0xff) << 24 | (mpidr & 0xffffff);
}

/* Walks one region. Ends after the frame marked last. */
static void find_redistributors(const struct mem_range *region)
{
	for (u64 off = 0; off + GICR_FRAMES <= region->size;) {
		u8 *frame = map_mmio(region->base + off, GICR_FRAMES);
		u64 typer = mmio_read64(frame + GICR_TYPER);

		for_each_cpu (cpu)
			if (affinity_of(boot_info.cpu_hwid[cpu]) == typer >> 32)
				*per_cpu_ptr(&gicr, cpu) = frame;
		if (typer & GICR_TYPER_LAST)
			return;
		if (platform.gicr_stride)
			off += platform.gicr_stride;
		else
			off += typer & GICR_TYPER_VLPIS ? GICR_FRAMES_V4 : GICR_FRAMES;
	}
}

void gic_init(void)
{
	u64 route = boot_info.cpu_hwid[0] & 0xff00ffffffull;

	gicd = map_mmio(platform.gicd_pa, platform.gicd_size);
	nr_irqs = ((mmio_read32(gicd + GICD_TYPER) & 0x1f) + 1) * 32;
	nr_irqs = MIN(nr_irqs, GIC_SPURIOUS);
	mmio_write32(gicd + GICD_CTLR, 0);
	wait_clear(gicd + GICD_CTLR, CTLR_RWP, "distributor off");
	for (u32 i = 32; i < nr_irqs; i += 32) {
		mmio_write32(gicd + GICD_ICENABLER + i / 8, ~0u);
		mmio_write32(gicd + GICD_ICACTIVER + i / 8, ~0u); /* what a loader never ended */
		mmio_write32(gicd + GICD_IGROUPR + i / 8, ~0u);
	}
	for (u32 i = 32; i < nr_irqs; i += 4)
		mmio_write32(gicd + GICD_IPRIORITYR + i, PRIO_NORMAL);
	for (u32 i = 32; i < nr_irqs; i += 16)
		mmio_write32(gicd + GICD_ICFGR + i / 4, config_word(i));
	mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ON);
	wait_clear(gicd + GICD_CTLR, CTLR_RWP, "distributor on");
	for (u32 i = 32; i < nr_irqs; i++)
		mmio_write64(gicd + GICD_IROUTER + 8ul * i, route);

	for (u32 i = 0; i < platform.nr_gicr; i++)
		find_redistributors(&platform.gicr[i]);
	pr_info("GICv3, %u interrupts, %u redistributor region%s", nr_irqs, platform.nr_gicr,
		platform.nr_gicr == 1 ? "" : "s");
}

void gic_init_cpu(void)
{
	u8 *rd = *this_cpu_ptr(&gicr), *sgi = rd + GICR_SGI;

	if (!rd)
		panic("cpu %u (hwid %#lx) has no GIC redistributor", this_cpu(),
		      boot_info.cpu_hwid[this_cpu()]);
	mmio_write32(rd + GICR_WAKER, mmio_read32(rd + GICR_WAKER) & ~(u32)WAKER_SLEEP);
	wait_clear(rd + GICR_WAKER, WAKER_ASLEEP, "redistributor does not wake");
	mmio_write32(sgi + GICD_ICENABLER, ~0u);
	wait_clear(rd, GICR_CTLR_RWP, "redistributor");
	mmio_write32(sgi + GICD_ICACTIVER, ~0u);
	mmio_write32(sgi + GICD_IGROUPR, ~0u);
	for (u32 i = 0; i < 32; i += 4)
		mmio_write32(sgi + GICD_IPRIORITYR + i, PRIO_NORMAL);
	_Static_assert(GIC_SGI_NMI % 4 == 0, "its priority is the low byte of a word");
	mmio_write32(sgi + GICD_IPRIORITYR + GIC_SGI_NMI, (PRIO_NORMAL & ~0xffu) | PRIO_NMI);
	mmio_write32(sgi + GICD_ICFGR + 4, config_word(16));
	mmio_write32(sgi + GICD_ISENABLER, (1u << IPI_KINDS) - 1);
	mmio_write32(sgi + GICD_ISENABLER, 1u << GIC_SGI_NMI);

	sysreg_write(ICC_BPR1_EL1, 0); /* all priority bits count for preemption */
	sysreg_write(ICC_CTLR_EL1, 0); /* one write to EOIR drops priority and deactivates */
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

/* Interrupts 0..31 are this CPU's own. */
static u8 *bank_of(unsigned int irq)
{
	return irq < 32 ? *this_cpu_ptr(&gicr) + GICR_SGI : gicd;
}

void arch_irq_unmask(unsigned int irq)
{
	if (irq < nr_irqs)
		mmio_write32(bank_of(irq) + GICD_ISENABLER + irq / 32 * 4, 1u << irq % 32);
}

void arch_irq_mask(unsigned int irq)
{
	if (irq >= nr_irqs)
		return;
	mmio_write32(bank_of(irq) + GICD_ICENABLER + irq / 32 * 4, 1u << irq % 32);
	if (irq < 32)
		wait_clear(*this_cpu_ptr(&gicr), GICR_CTLR_RWP, "redistributor");
	else
		wait_clear(gicd + GICD_CTLR, CTLR_RWP, "distributor");
}

u32 gic_ack(void)
{
	u32 irq = sysreg_read(ICC_IAR1_EL1);

	dsb(sy); /* the acknowledge is done before the handler looks at the device */
	return irq & 0xffffff;
}

void gic_end(u32 irq)
{
	sysreg_write(ICC_EOIR1_EL1, irq);
	isb();
}

void arch_irqchip_init(void *(*map)(phys_addr_t pa, u64 size))
{
	map_mmio = map;
	uart_map();
	mmu_drop_identity();
	gic_init();
	gic_init_cpu();
}

void arch_irqchip_init_cpu(void)
{
	gic_init_cpu();
}

int arch_msi_alloc(u64 *addr, u32 *data)
{
	return -ENOSYS; /* the ITS is not driven */
}

int arch_uart_irq(void)
{
	return platform.uart_irq ? (int)platform.uart_irq : -ENOENT;
}

int arch_pci_intx(unsigned int dev, unsigned int pin)
{
	u32 hi = dev << 11 & platform.intx_dev_mask;

	for (u32 i = 0; i < platform.nr_intx; i++) {
		const struct intx_entry *e = &platform.intx[i];

		if (e->dev == hi && e->pin == (pin & platform.intx_pin_mask))
			return e->irq;
	}
	return -ENOENT;
}
