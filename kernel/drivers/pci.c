/* pci.c - PCI Express by ECAM: scan, bridges, addresses, interrupts.
 *
 * Theory. One thread scans depth first at boot; the list of functions is constant afterwards. Where
 * the firmware has assigned addresses and bus numbers (x86) they are kept. Elsewhere this file
 * hands out bus numbers as bridges are met, and memory from the two windows of the host bridge:
 * functions on bus 0 get 64-bit BARs from the 64-bit window; behind a bridge everything comes from
 * the 32-bit window, since a bridge's ordinary window holds only that. A bridge's window is what
 * was handed out while its children were scanned, rounded to the 1 MiB that bridges can express.
 *
 * A host bridge may have further root buses in the same configuration space (QEMU's pxb-pcie),
 * which no bridge leads to and no table that this kernel reads names: a bus where something answers
 * before any bridge was told its number is a root. Each root's bridges get the numbers up to the
 * next root.
 *
 * INTx lines are shared: one registered handler a line walks a chain that only grows, each link
 * published with release before it can be seen.
 */
#define LOG_TAG "pci"
#include <drivers/block.h>
#include <drivers/init.h>
#include <lib/atomic.h>
#include <lib/printk.h>
#include <mm/mm.h>
#include <arch/mmio.h>
#include <arch/platform.h>
#include "pci.h"

#define REG_ID          0x00
#define REG_COMMAND     0x04
#define REG_HEADER      0x0e
#define REG_BAR0        0x10
#define REG_BUSES       0x18 /* bridge: primary, secondary, subordinate */
#define REG_MEM_WINDOW  0x20
#define REG_PREF_WINDOW 0x24
#define REG_PIN         0x3d
#define CMD_IO          1u
#define CMD_MEMORY      2u
#define CMD_MASTER      4u
#define CMD_NO_INTX     0x400u
#define HEADER_MULTI    0x80u
#define HEADER_BRIDGE   1u
#define BAR_IO          1u
#define BAR_64          4u
#define DEPTH_MAX       8u
#define BRIDGE_ALIGN    0x100000ull

struct window {
	u64 next, end;
};
struct bus {
	const struct bus *parent; /* NULL on a root bus */
	u8 number;
	u8 bridge_dev; /* where its bridge sits on the parent */
	unsigned int depth;
};

static struct pci_dev *devices, **devices_end = &devices;
static struct window win32, win64;
static u8 *ecam;          /* of all buses, from bus_start on */
static u8 next_bus, last; /* of the root that is being scanned: given out, and its last */
static bool scanned[256]; /* buses */

u8 pci_read8(struct pci_dev *d, unsigned int off)
{
	return mmio_read8(d->cfg + off);
}

u32 pci_read32(struct pci_dev *d, unsigned int off)
{
	return mmio_read32(d->cfg + off);
}

static u64 window_take(struct window *w, u64 size)
{
	u64 at = ALIGN_UP(w->next, size);

	if (at < w->next || at > w->end || w->end - at < size)
		return 0;
	w->next = at + size;
	return at;
}

/* Size of the BAR at `reg` by writing ones; memory decoding is off. Leaves its old value. */
static u64 bar_size(struct pci_dev *d, unsigned int reg, bool wide)
{
	u32 lo = mmio_read32(d->cfg + reg), hi = 0;
	u64 mask;

	mmio_write32(d->cfg + reg, ~0u);
	mask = mmio_read32(d->cfg + reg) & ~0xfu;
	if (wide) {
		hi = mmio_read32(d->cfg + reg + 4);
		mmio_write32(d->cfg + reg + 4, ~0u);
		mask |= (u64)mmio_read32(d->cfg + reg + 4) << 32;
		mmio_write32(d->cfg + reg + 4, hi);
	} else if (mask) {
		mask |= ~0ull << 32;
	}
	mmio_write32(d->cfg + reg, lo);
	return mask ? ~mask + 1 : 0;
}

static void bar_assign(struct pci_dev *d, unsigned int i, bool wide, bool behind_bridge)
{
	unsigned int reg = REG_BAR0 + 4 * i;
	u64 size = d->bar[i].size, at = 0;

	if (wide && !behind_bridge)
		at = window_take(&win64, size);
	if (!at)
		at = window_take(&win32, size);
	if (!at) {
		pr_warn("%02x:%02x.%u: no room for BAR %u of %llu bytes", d->bus, d->dev, d->fn, i,
			(unsigned long long)size);
		d->bar[i].size = 0;
		return;
	}
	mmio_write32(d->cfg + reg, (u32)at);
	if (wide)
		mmio_write32(d->cfg + reg + 4, (u32)(at >> 32));
	d->bar[i].base = at;
}

static void pci_setup_bars(struct pci_dev *d, unsigned int nbars, bool behind_bridge)
{
	u16 command = mmio_read16(d->cfg + REG_COMMAND);

	mmio_write16(d->cfg + REG_COMMAND, command & (u16) ~(CMD_MEMORY | CMD_IO));
	for (unsigned int i = 0; i < nbars; i++) {
		unsigned int reg = REG_BAR0 + 4 * i;
		u32 v = mmio_read32(d->cfg + reg);
		bool wide = (v & BAR_64) && !(v & BAR_IO) && i + 1 < nbars;

		if (v & BAR_IO)
			continue;
		d->bar[i].size = bar_size(d, reg, wide);
		if (d->bar[i].size) {
			d->bar[i].base = v & ~0xfu;
			if (wide)
				d->bar[i].base |= (u64)mmio_read32(d->cfg + reg + 4) << 32;
			if (!arch_pci_host.firmware_assigned || !d->bar[i].base)
				bar_assign(d, i, wide, behind_bridge);
		}
		i += wide;
	}
	mmio_write16(d->cfg + REG_COMMAND, command);
}

static void pci_scan_bus(const struct bus *bus);

/* Gives the bridge a bus number and, after its children, the window that they use. */
static void pci_scan_bridge(struct pci_dev *d, const struct bus *bus)
{
	bool assign = !arch_pci_host.firmware_assigned;
	u32 buses = mmio_read32(d->cfg + REG_BUSES);
	struct bus child = {.parent = bus, .bridge_dev = d->dev, .depth = bus->depth + 1};
	u64 start, end;

	if (!assign) {
		child.number = (u8)(buses >> 8);
		if (child.number > bus->number && child.depth < DEPTH_MAX)
			pci_scan_bus(&child);
		return;
	}
	if (next_bus == last || child.depth >= DEPTH_MAX) {
		pr_warn("%02x:%02x.%u: no bus number left for this bridge", d->bus, d->dev, d->fn);
		return;
	}
	child.number = ++next_bus;
	buses = (buses & 0xff000000u) | (u32)last << 16 | (u32)child.number << 8 | bus->number;
	mmio_write32(d->cfg + REG_BUSES, buses);
	win32.next = start = ALIGN_UP(win32.next, BRIDGE_ALIGN);
	pci_scan_bus(&child);
	win32.next = end = ALIGN_UP(win32.next, BRIDGE_ALIGN);
	mmio_write32(d->cfg + REG_BUSES, (buses & ~0xff0000u) | (u32)next_bus << 16);
	/* base > limit closes a window */
	mmio_write32(d->cfg + REG_PREF_WINDOW, 0x0000fff0u);
	mmio_write32(d->cfg + REG_MEM_WINDOW,
		     end > start ? (u32)((end - 1) & 0xfff00000u) | (u32)(start >> 16) : 0xfff0u);
	pci_enable(d);
}

/* The line on the root bus that this function's pin is wired to: each bridge turns pins by the
 * slot. */
static void pci_route_pin(struct pci_dev *d, const struct bus *bus)
{
	unsigned int pin = mmio_read8(d->cfg + REG_PIN), dev = d->dev;

	if (pin < 1 || pin > 4)
		return;
	for (; bus->parent; bus = bus->parent) {
		pin = (pin - 1 + dev) % 4 + 1;
		dev = bus->bridge_dev;
	}
	d->irq_pin = (u8)pin;
	d->irq_dev = (u8)dev;
}

static void pci_add(u8 *cfg, const struct bus *bus, u8 dev, u8 fn, u8 header)
{
	struct pci_dev *d = kzalloc(sizeof(*d));
	u32 id = mmio_read32(cfg + REG_ID);

	if (!d) {
		pr_err("out of memory for a function");
		return;
	}
	d->cfg = cfg;
	d->bus = bus->number;
	d->dev = dev;
	d->fn = fn;
	d->vendor = (u16)id;
	d->device = (u16)(id >> 16);
	*devices_end = d;
	devices_end = &d->next;
	if ((header & ~HEADER_MULTI) == HEADER_BRIDGE) {
		pci_setup_bars(d, 2, bus->parent != NULL);
		pci_scan_bridge(d, bus);
	} else if ((header & ~HEADER_MULTI) == 0) {
		pci_setup_bars(d, PCI_BARS, bus->parent != NULL);
		pci_route_pin(d, bus);
	}
}

static u8 *function_at(unsigned int bus, unsigned int dev, unsigned int fn)
{
	return ecam + ((u64)(bus - arch_pci_host.bus_start) << 20 | dev << 15 | fn << 12);
}

static bool function_answers(const u8 *cfg)
{
	return (mmio_read32(cfg + REG_ID) & 0xffff) != 0xffff;
}

static bool bus_answers(unsigned int bus)
{
	for (unsigned int dev = 0; dev < 32; dev++)
		if (function_answers(function_at(bus, dev, 0)))
			return true;
	return false;
}

static void pci_scan_bus(const struct bus *bus)
{
	if (bus->number < arch_pci_host.bus_start || bus->number > arch_pci_host.bus_end)
		return;
	scanned[bus->number] = true;
	for (unsigned int dev = 0; dev < 32; dev++) {
		unsigned int fns = 1;

		for (unsigned int fn = 0; fn < fns; fn++) {
			u8 *cfg = function_at(bus->number, dev, fn);
			u8 header;

			if (!function_answers(cfg))
				continue;
			header = mmio_read8(cfg + REG_HEADER);
			if (fn == 0 && (header & HEADER_MULTI))
				fns = 8;
			pci_add(cfg, bus, (u8)dev, (u8)fn, header);
		}
	}
}

static unsigned int pci_scan_roots(void)
{
	unsigned int roots = 0, n = arch_pci_host.bus_start, end = arch_pci_host.bus_end;

	for (; n <= end; n = last + 1u) {
		struct bus root = {.number = (u8)n};

		next_bus = last = (u8)n;
		if (scanned[n] || (roots && !bus_answers(n)))
			continue;
		if (!arch_pci_host.firmware_assigned)
			while (last < end && !bus_answers(last + 1u))
				last++;
		pci_scan_bus(&root);
		roots++;
	}
	return roots;
}

void pci_init(void)
{
	unsigned int n = 0, roots;

	if (!arch_pci_host.ecam) {
		block_none_because("this machine has no PCI configuration space in memory (ECAM): "
				   "on QEMU use -M q35 or -M virt");
		return;
	}
	/* Address 0 means "no room", so it is never handed out. */
	win32 = (struct window){MAX(arch_pci_host.mmio32_base, 0x1000ull),
				arch_pci_host.mmio32_base + arch_pci_host.mmio32_size};
	win64 = (struct window){MAX(arch_pci_host.mmio64_base, 0x1000ull),
				arch_pci_host.mmio64_base + arch_pci_host.mmio64_size};
	arch_pci_host.bus_end =
		(u8)MIN(arch_pci_host.bus_end,
			arch_pci_host.bus_start + (arch_pci_host.ecam_size >> 20) - 1);
	ecam = vm_map_mmio(arch_pci_host.ecam,
			   (arch_pci_host.bus_end - arch_pci_host.bus_start + 1ull) << 20);
	roots = pci_scan_roots();
	for (struct pci_dev *d = devices; d; d = d->next)
		n++;
	pr_info("%u functions on %u root bus%s, configuration space at %#llx", n, roots,
		roots == 1 ? "" : "es", (unsigned long long)arch_pci_host.ecam);
}

struct pci_dev *pci_find(struct pci_dev *prev, u16 vendor, u16 device)
{
	struct pci_dev *d = prev ? prev->next : devices;

	while (d && (d->vendor != vendor || d->device != device))
		d = d->next;
	return d;
}

void pci_enable(struct pci_dev *d)
{
	u16 command = mmio_read16(d->cfg + REG_COMMAND);

	mmio_write16(d->cfg + REG_COMMAND, command | CMD_MEMORY | CMD_MASTER);
}

void *pci_map(struct pci_dev *d, unsigned int bar, u64 offset, u64 size)
{
	u64 first, end;

	if (bar >= PCI_BARS || size == 0 || offset > d->bar[bar].size ||
	    size > d->bar[bar].size - offset)
		return NULL;
	first = ALIGN_DOWN(d->bar[bar].base + offset, PAGE_SIZE);
	end = ALIGN_UP(d->bar[bar].base + offset + size, PAGE_SIZE);
	return (u8 *)vm_map_mmio(first, end - first) + (d->bar[bar].base + offset - first);
}

/* 0, or -errno when the function or the platform has no MSI-X. */
static int pci_msix_request(struct pci_dev *d, const char *name, irq_handler_t fn, void *arg)
{
	struct pci_caps walk = {0};
	u8 cap = pci_cap_next(d, &walk, PCI_CAP_MSIX);
	u32 where, data, entries;
	u8 *table;
	u64 addr;
	int irq, err;

	if (!cap)
		return -ENODEV;
	where = mmio_read32(d->cfg + cap + 4);
	entries = (mmio_read16(d->cfg + cap + 2) & 0x7ffu) + 1;
	table = pci_map(d, where & 7, where & ~7u, 16 * entries);
	if (!table)
		return -EINVAL;
	irq = arch_msi_alloc(&addr, &data);
	if (irq < 0)
		return irq;
	err = irq_request((unsigned int)irq, name, fn, arg);
	if (err)
		return err;
	for (u32 i = 0; i < entries; i++)
		mmio_write32(table + 16 * i + 12, 1); /* masked */
	mmio_write32(table + 0, (u32)addr);
	mmio_write32(table + 4, (u32)(addr >> 32));
	mmio_write32(table + 8, data);
	mmio_write32(table + 12, 0);
	mmio_write16(d->cfg + cap + 2, (u16)((entries - 1) | 0x8000)); /* enable, not masked */
	mmio_write16(d->cfg + REG_COMMAND, mmio_read16(d->cfg + REG_COMMAND) | CMD_NO_INTX);
	return 0;
}

struct intx_handler {
	struct intx_handler *next;
	irq_handler_t fn;
	void *arg;
};
struct intx_line {
	struct intx_line *next;
	unsigned int irq;
	struct intx_handler *handlers;
};
static struct intx_line *lines;

static bool intx_interrupt(unsigned int irq, void *arg)
{
	struct intx_line *line = arg;
	bool any = false;

	for (struct intx_handler *h = atomic_load_acquire(&line->handlers); h; h = h->next)
		any |= h->fn(irq, h->arg);
	return any;
}

static int pci_intx_request(struct pci_dev *d, irq_handler_t fn, void *arg)
{
	int irq = d->irq_pin ? arch_pci_intx(d->irq_dev, d->irq_pin) : -ENOENT;
	struct intx_handler *h;
	struct intx_line *line;
	int err;

	if (irq < 0)
		return irq;
	h = kzalloc(sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->fn = fn;
	h->arg = arg;
	for (line = lines; line && line->irq != (unsigned int)irq; line = line->next)
		;
	if (line) {
		h->next = line->handlers;
		atomic_store_release(&line->handlers, h);
		return 0;
	}
	line = kzalloc(sizeof(*line));
	if (!line) {
		kfree(h);
		return -ENOMEM;
	}
	line->irq = (unsigned int)irq;
	line->handlers = h;
	err = irq_request(line->irq, "pci-intx", intx_interrupt, line);
	if (err) {
		kfree(line);
		kfree(h);
		return err;
	}
	line->next = lines;
	lines = line;
	return 0;
}

int pci_irq_request(struct pci_dev *d, const char *name, irq_handler_t fn, void *arg)
{
	int err = pci_msix_request(d, name, fn, arg);

	if (!err)
		return PCI_IRQ_MSIX;
	err = pci_intx_request(d, fn, arg);
	return err ? err : PCI_IRQ_INTX;
}
