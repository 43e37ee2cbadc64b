/* platform.c - the device tree becomes boot_info, nr_cpus and struct platform.
 *
 * Runs once on the boot CPU, before any allocator: the arrays come from a static arena. The tree is
 * read in place (its pages are reserved) and checked; what the kernel cannot do without stops the
 * boot with a sentence that says what is missing, what it can do without is left out.
 * Bindings: Devicetree Specification 0.3; arm,gic-v3, arm,armv8-timer, arm,psci, arm,pl011,
 * arm,pl031, qemu,fw-cfg-mmio, pci-host-ecam-generic of the Linux binding documents.
 */
#define LOG_TAG "platform"
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include <arch/platform.h>
#include "arch.h"

#define MPIDR_MASK  0xff00fffffful
#define ARENA_BYTES 65536u

struct platform platform;
struct arch_pci_host arch_pci_host;
phys_addr_t arch_dtb_pa;

static u8 __aligned(16) arena[ARENA_BYTES];
static u32 arena_used;

static void *arena_alloc(u64 n, u64 size)
{
	u64 bytes;
	void *p = arena + arena_used;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > ARENA_BYTES - arena_used)
		panic("the device tree describes more than the boot arena of %u bytes holds",
		      ARENA_BYTES);
	arena_used += ALIGN_UP((u32)bytes, 16u);
	return p;
}

static bool open_tree(void)
{
	phys_addr_t end = arch_early_map_end();

	if (arch_dtb_pa < arch_ram_base || arch_dtb_pa >= end || arch_dtb_pa % 8)
		return false;
	return fdt_open(&platform.tree, phys_to_virt(arch_dtb_pa), end - arch_dtb_pa);
}

phys_addr_t arch_early_map_end(void)
{
	return arch_ram_base + EARLY_MAP_SIZE;
}

void arch_early_console(void)
{
	const struct fdt *f = &platform.tree;
	phys_addr_t pa = UART_DEFAULT_PA;
	u64 size;
	u32 n;

	if (open_tree()) {
		n = fdt_find_compatible(f, 0, "arm,pl011");
		if (!n || !fdt_reg(f, n, 0, &pa, &size))
			pa = 0;
	}
	uart_early_init(pa);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void sort_ranges(struct mem_range *r, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		struct mem_range x = r[i];
		u32 j = i;

		for (; j && r[j - 1].base > x.base; j--)
			r[j] = r[j - 1];
		r[j] = x;
	}
}

static bool is_memory(const struct fdt *f, u32 n)
{
	const char *t = fdt_string(f, n, "device_type");

	return t && !strcmp(t, "memory") && fdt_enabled(f, n);
}

static void find_memory(const struct fdt *f)
{
	struct mem_range *r;
	u32 n = 0, max = 0, out = 0;
	u64 base, size;

	for (u32 node = fdt_next(f, 0); node; node = fdt_next(f, node))
		for (u32 i = 0; is_memory(f, node) && fdt_reg(f, node, i, &base, &size); i++)
			max++;
	r = arena_alloc(max, sizeof(*r));
	for (u32 node = fdt_next(f, 0); node; node = fdt_next(f, node)) {
		for (u32 i = 0; is_memory(f, node) && fdt_reg(f, node, i, &base, &size); i++) {
			u64 end;

			if (__builtin_add_overflow(base, size, &end) || end >> 48)
				panic("device tree: impossible memory range %#lx + %#lx", base,
				      size);
			if (base < arch_ram_base) {
				pr_warn("memory below the image's base %#lx is left unused",
					arch_ram_base);
				base = arch_ram_base;
			}
			base = ALIGN_UP(base, PAGE_SIZE);
			end = ALIGN_DOWN(end, PAGE_SIZE);
			if (base < end)
				r[n++] = (struct mem_range){base, end - base};
		}
	}
	sort_ranges(r, n);
	for (u32 i = 0; i < n; i++) {
		struct mem_range *last = out ? &r[out - 1] : NULL;

		if (last && r[i].base <= last->base + last->size)
			last->size =
				MAX(last->base + last->size, r[i].base + r[i].size) - last->base;
		else
			r[out++] = r[i];
	}
	if (!out)
		panic("device tree: no memory node");
	boot_info.ram = r;
	boot_info.nr_ram = out;
}

static void reserve(u64 base, u64 size)
{
	u64 end;

	if (!size || __builtin_add_overflow(base, size, &end))
		return;
	end = ALIGN_UP(end, PAGE_SIZE);
	base = ALIGN_DOWN(base, PAGE_SIZE);
	boot_info.reserved[boot_info.nr_reserved++] = (struct mem_range){base, end - base};
}

/* A cell-count-free number: 4 or 8 bytes. */
static bool chosen_number(const struct fdt *f, u32 node, const char *name, u64 *v)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, name, &len);

	if (!p || (len != 4 && len != 8))
		return false;
	*v = fdt_cells(p, len / 4);
	return true;
}

static u32 child_named(const struct fdt *f, u32 parent, const char *name)
{
	for (u32 n = fdt_first_child(f, parent); n; n = fdt_next_sibling(f, n))
		if (!strcmp(fdt_name(f, n), name))
			return n;
	return 0;
}

static void find_reserved(const struct fdt *f)
{
	u32 root = fdt_root(f), chosen = child_named(f, root, "chosen");
	u32 list = child_named(f, root, "reserved-memory"), count = 3;
	u64 base, size, start, end;

	for (u32 i = 0; fdt_reservation(f, i, &base, &size); i++)
		count++;
	for (u32 n = list ? fdt_first_child(f, list) : 0; n; n = fdt_next_sibling(f, n))
		for (u32 i = 0; fdt_reg(f, n, i, &base, &size); i++)
			count++;
	boot_info.reserved = arena_alloc(count, sizeof(*boot_info.reserved));
	reserve(virt_to_phys(__image_start), __image_end - __image_start);
	reserve(arch_dtb_pa, f->size);
	if (chosen && chosen_number(f, chosen, "linux,initrd-start", &start) &&
	    chosen_number(f, chosen, "linux,initrd-end", &end) && start < end)
		reserve(start, end - start);
	for (u32 i = 0; fdt_reservation(f, i, &base, &size); i++)
		reserve(base, size);
	for (u32 n = list ? fdt_first_child(f, list) : 0; n; n = fdt_next_sibling(f, n))
		for (u32 i = 0; fdt_reg(f, n, i, &base, &size); i++)
			reserve(base, size);
	sort_ranges(boot_info.reserved, boot_info.nr_reserved);

	boot_info.cmdline = chosen ? fdt_string(f, chosen, "bootargs") : NULL;
	if (!boot_info.cmdline)
		boot_info.cmdline = "";
}

/* ---- CPUs ------------------------------------------------------------------------------------ */

static bool is_cpu(const struct fdt *f, u32 n)
{
	const char *t = fdt_string(f, n, "device_type");

	return t && !strcmp(t, "cpu") && fdt_enabled(f, n);
}

static void find_cpus(const struct fdt *f)
{
	u32 cpus = child_named(f, fdt_root(f), "cpus"), n = 0, max = 0, dropped = 0;
	u64 boot = sysreg_read(mpidr_el1) & MPIDR_MASK, id, size;
	bool seen = false;

	for (u32 c = cpus ? fdt_first_child(f, cpus) : 0; c; c = fdt_next_sibling(f, c))
		max += is_cpu(f, c);
	boot_info.cpu_hwid = arena_alloc(MAX(max, 1u), sizeof(u64));
	boot_info.cpu_hwid[n++] = boot;
	for (u32 c = cpus ? fdt_first_child(f, cpus) : 0; c; c = fdt_next_sibling(f, c)) {
		if (!is_cpu(f, c) || !fdt_reg(f, c, 0, &id, &size))
			continue;
		if (id == boot)
			seen = true;
		else if (n < MAX_CPUS && n < max)
			boot_info.cpu_hwid[n++] = id;
		else
			dropped++;
	}
	if (!seen)
		panic("device tree: no cpu node for the boot CPU (MPIDR %#lx)", boot);
	if (dropped)
		pr_warn("%u CPUs beyond the limit of %u are left off", dropped, MAX_CPUS);
	nr_cpus = n;
}

/* ---- devices --------------------------------------------------------------------------------- */

/* A GIC interrupt specifier of three cells: type, number, flags. 0 if unusable. */
static u32 decode_irq(const u8 *cells)
{
	u32 type = fdt_be32(cells), n = fdt_be32(cells + 4), flags = fdt_be32(cells + 8) & 0xf;
	u32 irq;

	if (type > 1 || n >= (type ? 16u : 988u))
		return 0;
	irq = n + (type ? 16 : 32);
	if (flags == 1 || flags == 2)
		platform.irq_edge[irq / 64] |= 1ull << irq % 64;
	return irq;
}

static u32 node_irq(const struct fdt *f, u32 node, u32 i)
{
	u32 len;
	const u8 *p = fdt_prop(f, node, "interrupts", &len);

	return p && len >= ((u64)i + 1) * 12 ? decode_irq(p + i * 12) : 0;
}

static u32 find_gic(const struct fdt *f)
{
	u32 n = fdt_find_compatible(f, 0, "arm,gic-v3"), count;
	u64 base, size;

	if (!n)
		panic("device tree: no GICv3 (run QEMU with -M virt,gic-version=3)");
	if (fdt_u32(f, n, "#interrupt-cells", 0) != 3)
		panic("device tree: the GIC has no three-cell interrupts");
	count = fdt_u32(f, n, "#redistributor-regions", 1);
	if (!fdt_reg(f, n, 0, &platform.gicd_pa, &platform.gicd_size) ||
	    platform.gicd_size < 0x10000 || !count || !fdt_reg(f, n, count, &base, &size))
		panic("device tree: the GIC's registers are not described");
	platform.gicr = arena_alloc(count, sizeof(*platform.gicr));
	platform.nr_gicr = count;
	for (u32 i = 0; i < count; i++) {
		fdt_reg(f, n, i + 1, &base, &size);
		platform.gicr[i] = (struct mem_range){base, size};
	}
	if (!chosen_number(f, n, "redistributor-stride", &platform.gicr_stride))
		platform.gicr_stride = 0;
	return n;
}

static void find_timer(const struct fdt *f)
{
	u32 n = fdt_find_compatible(f, 0, "arm,armv8-timer");

	/* Entries: secure, non-secure, virtual, hypervisor. */
	platform.timer_irq = n ? node_irq(f, n, 2) : 0;
	if (!platform.timer_irq)
		panic("device tree: no virtual timer interrupt (arm,armv8-timer)");
	platform.timer_hz = fdt_u32(f, n, "clock-frequency", 0);
}

static void find_psci(const struct fdt *f)
{
	static const char *const names[] = {"arm,psci-1.0", "arm,psci-0.2"};
	const char *method;
	u32 n = 0;

	for (u32 i = 0; i < ARRAY_SIZE(names) && !n; i++)
		n = fdt_find_compatible(f, 0, names[i]);
	method = n ? fdt_string(f, n, "method") : NULL;
	platform.psci = method && (!strcmp(method, "hvc") || !strcmp(method, "smc"));
	platform.psci_smc = platform.psci && !strcmp(method, "smc");
	if (!platform.psci && nr_cpus > 1) {
		pr_warn("device tree: no PSCI, only the boot CPU runs");
		nr_cpus = 1;
	}
}

/* One window of the host bridge: 3 cells bus address (the first holds the space), 2 cells CPU
 * address, 2 cells size. */
static void pci_window(const u8 *p)
{
	struct arch_pci_host *h = &arch_pci_host;
	u32 space = fdt_be32(p) >> 24 & 3;
	u64 bus = fdt_cells(p + 4, 2), cpu = fdt_cells(p + 12, 2), size = fdt_cells(p + 20, 2);

	if (space < 2) /* configuration or I/O ports */
		return;
	if (bus != cpu) {
		pr_warn("PCI window %#lx shows bus address %#lx: not used", cpu, bus);
		return;
	}
	if (space == 2) {
		h->mmio32_base = cpu;
		h->mmio32_size = size;
	} else {
		h->mmio64_base = cpu;
		h->mmio64_size = size;
	}
}

/* interrupt-map: child address (3), pin (1), controller's phandle (1), its unit address (as many
 * cells as it says), its specifier (3). */
static void pci_intx(const struct fdt *f, u32 node, u32 gic)
{
	u32 len, mlen, unit = fdt_u32(f, gic, "#address-cells", 0), stride;
	u32 phandle = fdt_u32(f, gic, "phandle", 0);
	const u8 *map = fdt_prop(f, node, "interrupt-map", &len);
	const u8 *mask = fdt_prop(f, node, "interrupt-map-mask", &mlen);

	if (!map || !mask || mlen != 16 || unit > 2)
		return;
	stride = (3 + 1 + 1 + unit + 3) * 4;
	platform.intx_dev_mask = fdt_be32(mask);
	platform.intx_pin_mask = fdt_be32(mask + 12);
	platform.intx = arena_alloc(len / stride, sizeof(*platform.intx));
	for (u32 off = 0; len - off >= stride; off += stride) {
		const u8 *e = map + off;
		u32 irq = decode_irq(e + 20 + 4 * unit);

		if (!irq || fdt_be32(e + 16) != phandle)
			continue;
		platform.intx[platform.nr_intx++] =
			(struct intx_entry){fdt_be32(e) & platform.intx_dev_mask,
					    fdt_be32(e + 12) & platform.intx_pin_mask, irq};
	}
}

static void find_pci(const struct fdt *f, u32 gic)
{
	struct arch_pci_host *h = &arch_pci_host;
	u32 n = fdt_find_compatible(f, 0, "pci-host-ecam-generic"), len;
	const u8 *p;

	if (!n || !fdt_reg(f, n, 0, &h->ecam, &h->ecam_size)) {
		h->ecam = 0;
		return;
	}
	p = fdt_prop(f, n, "bus-range", &len);
	h->bus_start = p && len == 8 ? (u8)fdt_be32(p) : 0;
	h->bus_end = p && len == 8 ? (u8)fdt_be32(p + 4) : (u8)((h->ecam_size >> 20) - 1);
	p = fdt_prop(f, n, "ranges", &len);
	for (u32 off = 0; p && len - off >= 28; off += 28)
		pci_window(p + off);
	pci_intx(f, n, gic);
}

static phys_addr_t device_pa(const struct fdt *f, const char *compatible)
{
	u32 n = fdt_find_compatible(f, 0, compatible);
	u64 base, size;

	return n && fdt_reg(f, n, 0, &base, &size) ? base : 0;
}

void arch_boot_init(void)
{
	const struct fdt *f = &platform.tree;
	u32 n, gic;

	if (!open_tree())
		panic("no usable device tree at %#lx: the loader passes its address in x0, QEMU "
		      "to kernel.img only, not to kernel.elf",
		      arch_dtb_pa);
	boot_info.machine = fdt_string(f, fdt_root(f), "model");
	if (!boot_info.machine)
		boot_info.machine = fdt_string(f, fdt_root(f), "compatible");
	if (!boot_info.machine)
		boot_info.machine = "unnamed machine";
	find_memory(f);
	find_reserved(f);
	find_cpus(f);
	gic = find_gic(f);
	find_timer(f);
	find_psci(f);
	platform.uart_pa = device_pa(f, "arm,pl011");
	n = fdt_find_compatible(f, 0, "arm,pl011");
	platform.uart_irq = n ? node_irq(f, n, 0) : 0;
	platform.rtc_pa = device_pa(f, "arm,pl031");
	platform.fwcfg_pa = device_pa(f, "qemu,fw-cfg-mmio");
	find_pci(f, gic);
}

#define FW_CFG_DMA_ADDRESS 16 /* register offset */

int arch_fwcfg_dma(phys_addr_t request)
{
	static u8 *regs;

	if (!platform.fwcfg_pa)
		return -ENODEV;
	if (!regs)
		regs = map_mmio(platform.fwcfg_pa, PAGE_SIZE);
	dsb(sy);
	mmio_write64(regs + FW_CFG_DMA_ADDRESS, __builtin_bswap64(request));
	return 0;
}
