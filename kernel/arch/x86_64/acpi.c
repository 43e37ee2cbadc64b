/* acpi.c - the few facts that we need from the ACPI tables (ACPI 6.4, chapter 5; PCI Firmware 3.2
 * for MCFG): CPUs, interrupt controllers, ISA overrides, ECAM, PM timer, the way to switch off.
 *
 * Trust nothing: each table's length is checked before its bytes are, each checksum is verified, an
 * entry that would run past its table ends the walk. What is damaged but needed panics with the
 * table's name; what is missing leaves the PC's customary values. Runs with the early map, that is
 * before mm: tables above 4 GiB cannot be read. */
#define LOG_TAG "acpi"
#include <lib/bug.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include <arch/platform.h>
#include "acpi.h"

struct x86_acpi x86_acpi;
struct arch_pci_host arch_pci_host;

struct __packed rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length; /* from here: revision 2 */
	u64 xsdt;
	u8 checksum2;
	u8 reserved[3];
};
#define RSDP_V1_BYTES 20

struct __packed header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem[6], oem_table[8];
	u32 oem_revision, creator, creator_revision;
};

struct __packed madt {
	struct header h;
	u32 lapic, flags;
};
struct __packed madt_entry {
	u8 type, length;
	union {
		struct __packed {
			u8 uid, id;
			u32 flags;
		} lapic;
		struct __packed {
			u8 id, reserved;
			u32 base, gsi;
		} ioapic;
		struct __packed {
			u8 bus, irq;
			u32 gsi;
			u16 flags;
		} override;
		struct __packed {
			u8 uid;
			u16 flags;
			u8 line;
		} nmi;
		struct __packed {
			u16 reserved;
			u64 base;
		} lapic_address;
		struct __packed {
			u16 reserved;
			u32 id, flags, uid;
		} x2apic;
	};
};
enum {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_NMI = 4,
	MADT_ADDRESS = 5,
	MADT_X2APIC = 9
};
#define MADT_CPU_ENABLED 1u

struct __packed mcfg_entry {
	u64 base;
	u16 segment;
	u8 start, end;
	u32 reserved;
};
#define MCFG_FIRST 44u /* header and eight reserved bytes */

/* Fixed description table, by offset: it grew over the versions. */
#define FADT_DSDT       40u
#define FADT_PM1A_CNT   64u
#define FADT_PM1B_CNT   68u
#define FADT_PM_TIMER   76u
#define FADT_CENTURY    108u
#define FADT_BOOT_FLAGS 109u
#define FADT_FLAGS      112u
#define BOOT_NO_CMOS    0x20u
#define FLAG_HW_REDUCED (1u << 20)

static u8 sum(const void *p, size_t n)
{
	const u8 *b = p;
	u8 s = 0;

	while (n--)
		s = (u8)(s + *b++);
	return s;
}

/* NULL if that cannot be read: no table, or one above the early map. */
static const void *at(phys_addr_t pa, u64 size)
{
	if (!pa || pa + size < pa || pa + size > arch_early_map_end())
		return NULL;
	return phys_to_virt(pa);
}

/* NULL if damaged or out of reach. */
static const struct header *table_at(phys_addr_t pa)
{
	const struct header *h = at(pa, sizeof(*h));

	if (!h) {
		pr_warn("a table at 0x%llx is out of reach", (unsigned long long)pa);
		return NULL;
	}
	if (h->length < sizeof(*h) || h->length > 16u << 20) {
		pr_warn("table %.4s at 0x%llx has length %u", h->signature, (unsigned long long)pa,
			h->length);
		return NULL;
	}
	if (!at(pa, h->length) || sum(h, h->length)) {
		pr_warn("table %.4s at 0x%llx has a bad checksum", h->signature,
			(unsigned long long)pa);
		return NULL;
	}
	return h;
}

static const struct header *root;
static unsigned int root_entry; /* bytes an entry: 8 in an XSDT, 4 in an RSDT */

/* The first table of this name. An entry that is zero, or leads where we cannot read, is none that
 * we need: others of its kind would be missed by their users, with a sentence. */
static const struct header *find(const char *signature)
{
	unsigned int n = (root->length - (unsigned int)sizeof(*root)) / root_entry;

	for (unsigned int i = 0; i < n; i++) {
		const u8 *p = (const u8 *)(root + 1) + (size_t)i * root_entry;
		const struct header *h;
		u64 pa = 0;

		memcpy(&pa, p, root_entry);
		h = at(pa, sizeof(*h));
		if (h && !memcmp(h->signature, signature, 4))
			return table_at(pa);
	}
	return NULL;
}

static u32 field(const struct header *h, u32 offset, u32 size)
{
	u32 v = 0;

	if (offset + size <= h->length)
		memcpy(&v, (const u8 *)h + offset, size);
	return v;
}

/* Shortest entry of each kind that we read. */
static u8 madt_need(u8 type)
{
	switch (type) {
	case MADT_LAPIC:
		return 8;
	case MADT_IOAPIC:
		return 12;
	case MADT_OVERRIDE:
		return 10;
	case MADT_NMI:
		return 6;
	case MADT_ADDRESS:
		return 12;
	case MADT_X2APIC:
		return 16;
	default:
		return 2;
	}
}

static void madt_entry(const struct madt_entry *e, void (*cpu_found)(u32))
{
	switch (e->type) {
	case MADT_LAPIC:
		if (e->lapic.flags & MADT_CPU_ENABLED)
			cpu_found(e->lapic.id);
		break;
	case MADT_X2APIC:
		if (e->x2apic.flags & MADT_CPU_ENABLED)
			cpu_found(e->x2apic.id);
		break;
	case MADT_IOAPIC:
		if (x86_acpi.nr_ioapics == MAX_IOAPICS) {
			pr_warn("I/O APIC at 0x%x is one too many: left off", e->ioapic.base);
			break;
		}
		x86_acpi.ioapic[x86_acpi.nr_ioapics].base = e->ioapic.base;
		x86_acpi.ioapic[x86_acpi.nr_ioapics++].gsi = e->ioapic.gsi;
		break;
	case MADT_OVERRIDE:
		if (e->override.bus || e->override.irq >= ISA_IRQS)
			break;
		/* polarity 0 and trigger 0 mean "as the bus": ISA is high and edge */
		x86_acpi.isa[e->override.irq].gsi = e->override.gsi;
		x86_acpi.isa[e->override.irq].active_low = (e->override.flags & 3) == 3;
		x86_acpi.isa[e->override.irq].level = (e->override.flags >> 2 & 3) == 3;
		break;
	case MADT_NMI:
		if (e->nmi.line < 2)
			x86_acpi.nmi_line = e->nmi.line;
		break;
	case MADT_ADDRESS:
		x86_acpi.lapic = e->lapic_address.base;
		break;
	}
}

static void madt_read(const struct header *h, void (*cpu_found)(u32))
{
	const struct madt *m = (const struct madt *)h;
	u32 at_byte = sizeof(*m);

	if (h->length < sizeof(*m))
		panic("ACPI: table APIC is too short");
	x86_acpi.lapic = m->lapic;
	while (at_byte + 2 <= h->length) {
		const struct madt_entry *e = (const void *)((const u8 *)h + at_byte);

		if (e->length < 2 || e->length > h->length - at_byte ||
		    e->length < madt_need(e->type))
			panic("ACPI: table APIC has a damaged entry at byte %u", at_byte);
		madt_entry(e, cpu_found);
		at_byte += e->length;
	}
}

static void mcfg_read(const struct header *h)
{
	for (u32 o = MCFG_FIRST; o + sizeof(struct mcfg_entry) <= h->length;
	     o += sizeof(struct mcfg_entry)) {
		const struct mcfg_entry *e = (const void *)((const u8 *)h + o);

		if (e->segment || e->end < e->start || !e->base)
			continue;
		/* base is bus 0's address whatever the first bus is */
		arch_pci_host.ecam = e->base + ((u64)e->start << 20);
		arch_pci_host.ecam_size = ((u64)e->end - e->start + 1) << 20;
		arch_pci_host.bus_start = e->start;
		arch_pci_host.bus_end = e->end;
		arch_pci_host.firmware_assigned = true;
		return;
	}
}

/* An integer of a package: ZeroOp, OneOp or BytePrefix value. Returns bytes used, 0 = other. */
static unsigned int aml_byte(const u8 *p, const u8 *end, int *v)
{
	if (p < end && *p < 2) {
		*v = *p;
		return 1;
	}
	if (p + 1 < end && *p == 0x0a) {
		*v = p[1];
		return 2;
	}
	return 0;
}

/* Looks for Name(\_S5, Package(){a, b, ...}) without an AML interpreter: NameOp, optional root
 * prefix, "_S5_", PackageOp, length of 1 to 4 bytes, count, values. */
static void s5_find(const struct header *dsdt)
{
	const u8 *p = (const u8 *)(dsdt + 1), *end = (const u8 *)dsdt + dsdt->length;

	for (; p + 8 < end; p++) {
		const u8 *q = p + 5;
		unsigned int used;

		if (memcmp(p, "_S5_", 4) || p[4] != 0x12)
			continue;
		if (p[-1] != 0x08 && !(p[-1] == '\\' && p[-2] == 0x08))
			continue;
		q += 1 + (*q >> 6); /* package length */
		q++;                /* number of elements */
		used = aml_byte(q, end, &x86_acpi.s5_a);
		if (used)
			aml_byte(q + used, end, &x86_acpi.s5_b);
		return;
	}
}

static void fadt_read(const struct header *h)
{
	const struct header *dsdt;
	u32 dsdt_pa = field(h, FADT_DSDT, 4);

	if (field(h, FADT_FLAGS, 4) & FLAG_HW_REDUCED)
		return; /* none of the registers below is there */
	x86_acpi.pm_timer = (u16)field(h, FADT_PM_TIMER, 4);
	x86_acpi.pm1a_control = (u16)field(h, FADT_PM1A_CNT, 4);
	x86_acpi.pm1b_control = (u16)field(h, FADT_PM1B_CNT, 4);
	x86_acpi.century = (u8)field(h, FADT_CENTURY, 1);
	if (h->revision >= 3)
		x86_acpi.no_cmos = field(h, FADT_BOOT_FLAGS, 2) & BOOT_NO_CMOS;
	dsdt = dsdt_pa ? table_at(dsdt_pa) : NULL;
	if (dsdt)
		s5_find(dsdt);
}

static bool rsdp_good(const struct rsdp *r)
{
	return !memcmp(r->signature, "RSD PTR ", 8) && !sum(r, RSDP_V1_BYTES);
}

/* The BIOS area, on 16-byte boundaries (ACPI 5.2.5.1). */
static phys_addr_t rsdp_search(void)
{
	for (phys_addr_t pa = 0xe0000; pa < 0x100000; pa += 16)
		if (rsdp_good(phys_to_virt(pa)))
			return pa;
	return 0;
}

/* "BOCHS BXPC": both names are padded. */
static void machine_name(const struct header *h)
{
	int oem = 6, table = 8;

	while (oem > 0 && h->oem[oem - 1] == ' ')
		oem--;
	while (table > 0 && h->oem_table[table - 1] == ' ')
		table--;
	snprintf(x86_acpi.machine, sizeof(x86_acpi.machine), "%.*s %.*s", oem, h->oem, table,
		 h->oem_table);
}

static void defaults(void)
{
	x86_acpi.lapic = 0xfee00000;
	x86_acpi.nmi_line = 1;
	x86_acpi.s5_a = x86_acpi.s5_b = -1;
	strscpy(x86_acpi.machine, "x86-64 PC", sizeof(x86_acpi.machine));
	for (u32 i = 0; i < ISA_IRQS; i++)
		x86_acpi.isa[i].gsi = i;
}

void x86_acpi_parse(phys_addr_t rsdp, void (*cpu_found)(u32))
{
	const struct header *h;
	const struct rsdp *r;

	defaults();
	if (!rsdp)
		rsdp = rsdp_search();
	if (!rsdp) {
		x86_acpi.ioapic[0].base = 0xfec00000;
		x86_acpi.nr_ioapics = 1;
		pr_warn("no ACPI tables: one CPU, customary addresses, no PCI");
		return;
	}
	r = at(rsdp, sizeof(*r));
	if (!r || !rsdp_good(r))
		panic("ACPI: the root pointer at 0x%llx is damaged", (unsigned long long)rsdp);
	root_entry = r->revision >= 2 && r->xsdt ? 8 : 4;
	root = table_at(root_entry == 8 ? r->xsdt : r->rsdt);
	if (!root)
		panic("ACPI: the root table is damaged");
	x86_acpi.found = true;
	machine_name(root);
	h = find("APIC");
	if (!h)
		panic("ACPI: no usable table APIC, so CPUs and interrupts are unknown");
	madt_read(h, cpu_found);
	h = find("FACP");
	if (h)
		fadt_read(h);
	h = find("MCFG");
	if (h)
		mcfg_read(h);
}
