/* ioapic.c - device interrupts: the I/O APICs, message-signalled interrupts, the pool of vectors.
 *
 * An interrupt number is a vector. Each vector of the pool is free, or belongs to an input of an
 * I/O APIC (a "global system interrupt"), or to a message. The pool only grows, while drivers are
 * set up, one after the other. An I/O APIC's index and data registers are a pair: the callers of
 * arch_irq_mask() and arch_irq_unmask() keep each other out. */
#define LOG_TAG "ioapic"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <arch/boot.h>
#include <arch/irqchip.h>
#include <arch/irqflags.h>
#include <arch/mmio.h>
#include "acpi.h"
#include "x86.h"

#define IOREGSEL         0x00
#define IOWIN            0x10
#define REG_VERSION      0x01
#define REG_ENTRY        0x10 /* two registers an input */
#define ENTRY_LOW_ACTIVE (1u << 13)
#define ENTRY_LEVEL      (1u << 15)
#define ENTRY_MASKED     (1u << 16)

#define PIC1 0x20
#define PIC2 0xa0

static struct ioapic {
	u8 *regs;
	u32 gsi, inputs;
} ioapics[MAX_IOAPICS];

enum vector_kind { VECTOR_FREE, VECTOR_GSI, VECTOR_MSI };
static struct {
	enum vector_kind kind;
	u32 gsi;
	u32 entry; /* low word of the input's entry, without the mask */
} vectors[256];

static u32 reg_read(const struct ioapic *io, u32 reg)
{
	mmio_write32(io->regs + IOREGSEL, reg);
	return mmio_read32(io->regs + IOWIN);
}

static void reg_write(const struct ioapic *io, u32 reg, u32 v)
{
	mmio_write32(io->regs + IOREGSEL, reg);
	mmio_write32(io->regs + IOWIN, v);
}

static const struct ioapic *ioapic_of(u32 gsi)
{
	for (unsigned int i = 0; i < x86_acpi.nr_ioapics; i++)
		if (gsi >= ioapics[i].gsi && gsi - ioapics[i].gsi < ioapics[i].inputs)
			return &ioapics[i];
	return NULL;
}

/* Routes the vector's input to CPU 0, or masks it. A message is masked at its device. */
static void vector_program(unsigned int vec, bool masked)
{
	const struct ioapic *io;
	u32 reg;

	if (vectors[vec].kind != VECTOR_GSI)
		return;
	io = ioapic_of(vectors[vec].gsi);
	reg = REG_ENTRY + 2 * (vectors[vec].gsi - io->gsi);
	/* masked while the two halves disagree */
	reg_write(io, reg, vectors[vec].entry | ENTRY_MASKED);
	reg_write(io, reg + 1, (u32)boot_info.cpu_hwid[0] << 24);
	if (!masked)
		reg_write(io, reg, vectors[vec].entry);
}

void arch_irq_unmask(unsigned int irq)
{
	if (irq < ARRAY_SIZE(vectors))
		vector_program(irq, false);
}

void arch_irq_mask(unsigned int irq)
{
	if (irq < ARRAY_SIZE(vectors))
		vector_program(irq, true);
}

static int vector_take(enum vector_kind kind)
{
	for (unsigned int v = VEC_DEVICE_FIRST; v <= VEC_DEVICE_LAST; v++) {
		if (vectors[v].kind == VECTOR_FREE) {
			vectors[v].kind = kind;
			return (int)v;
		}
	}
	return -ENOSPC;
}

/* The vector of an input; devices that share the input share it. */
static int gsi_vector(u32 gsi, u32 flags)
{
	int r;

	if (!ioapic_of(gsi))
		return -ENOENT;
	for (int v = VEC_DEVICE_FIRST; v <= VEC_DEVICE_LAST; v++)
		if (vectors[v].kind == VECTOR_GSI && vectors[v].gsi == gsi)
			return v;
	r = vector_take(VECTOR_GSI);
	if (r < 0)
		return r;
	vectors[r].gsi = gsi;
	vectors[r].entry = (u32)r | flags;
	return r;
}

/* Message format: SDM vol. 3, 11.11. Fixed delivery, edge, to CPU 0. */
int arch_msi_alloc(u64 *addr, u32 *data)
{
	int v = vector_take(VECTOR_MSI);

	if (v < 0)
		return v;
	*addr = 0xfee00000ull | (u64)boot_info.cpu_hwid[0] << 12;
	*data = (u32)v;
	return v;
}

/* Where a pin arrives is told by AML code, which we do not run. QEMU's q35 is known: PIRQ A-H are
 * GSI 16-23. Slots up to 24, and 30, go to PIRQ E-H, turned by the slot; the chip set's own slots
 * go where its registers D31IR..D25IR say, four bits a pin (Intel ICH9 datasheet, 10.1.40). */
#define Q35_HOST_BRIDGE 0x29c08086u
#define Q35_GSI         16u
#define Q35_TURNED      4u /* first PIRQ of the slots without a register */
#define LPC_SLOT        31u
#define LPC_RCBA        0xf0u
#define RCBA_ENABLED    1u

static u32 pci_config_read(unsigned int dev, unsigned int reg)
{
	irqflags_t f = arch_irq_save();
	u32 v;

	outl(0xcf8, 0x80000000 | dev << 11 | reg);
	v = inl(0xcfc);
	arch_irq_restore(f);
	return v;
}

/* 0..7 = PIRQ A..H. */
static u32 q35_pirq(unsigned int dev, unsigned int pin)
{
	/* offsets in the chip set's registers, of slots 25 to 31; 0 = none */
	static const u16 routes[] = {0x3150, 0x314c, 0x3148, 0x3146, 0x3144, 0, 0x3140};
	u32 rcba = pci_config_read(LPC_SLOT, LPC_RCBA);
	u16 route = dev >= 25 ? routes[dev - 25] : 0;
	u8 *page;

	if (!route || !(rcba & RCBA_ENABLED))
		return Q35_TURNED + (dev + pin - 1) % 4;
	page = x86_map_mmio((rcba & ~(u32)(PAGE_SIZE - 1)) + ALIGN_DOWN(route, PAGE_SIZE),
			    PAGE_SIZE);
	return mmio_read16(page + route % PAGE_SIZE) >> 4 * (pin - 1) & 7;
}

int arch_pci_intx(unsigned int dev, unsigned int pin)
{
	if (dev > LPC_SLOT || pin < 1 || pin > 4 || pci_config_read(0, 0) != Q35_HOST_BRIDGE)
		return -ENOENT;
	return gsi_vector(Q35_GSI + q35_pirq(dev, pin), ENTRY_LEVEL);
}

int arch_uart_irq(void)
{
	u32 flags = (x86_acpi.isa[4].level ? ENTRY_LEVEL : 0) |
		    (x86_acpi.isa[4].active_low ? ENTRY_LOW_ACTIVE : 0);

	return gsi_vector(x86_acpi.isa[4].gsi, flags);
}

/* The PIC's interrupts get vectors of their own in case one is spurious, then all are masked. */
static void pic_off(void)
{
	outb(PIC1, 0x11);
	outb(PIC2, 0x11);
	outb(PIC1 + 1, VEC_PIC);
	outb(PIC2 + 1, VEC_PIC + 8);
	outb(PIC1 + 1, 4);
	outb(PIC2 + 1, 2);
	outb(PIC1 + 1, 1);
	outb(PIC2 + 1, 1);
	outb(PIC1 + 1, 0xff);
	outb(PIC2 + 1, 0xff);
}

void x86_ioapic_init(void)
{
	pic_off();
	for (unsigned int i = 0; i < x86_acpi.nr_ioapics; i++) {
		struct ioapic *io = &ioapics[i];

		io->regs = x86_map_mmio(x86_acpi.ioapic[i].base, PAGE_SIZE);
		io->gsi = x86_acpi.ioapic[i].gsi;
		io->inputs = (reg_read(io, REG_VERSION) >> 16 & 0xff) + 1;
		for (u32 n = 0; n < io->inputs; n++)
			reg_write(io, REG_ENTRY + 2 * n, ENTRY_MASKED);
		pr_debug("I/O APIC at 0x%llx: interrupts %u to %u",
			 (unsigned long long)x86_acpi.ioapic[i].base, io->gsi,
			 io->gsi + io->inputs - 1);
	}
}

void arch_irqchip_init(void *(*map_mmio)(phys_addr_t pa, u64 size))
{
	x86_map_mmio = map_mmio;
	x86_ioapic_init();
	x86_apic_init();
}
