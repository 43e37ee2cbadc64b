/* platform_test.c - the readers of device trees, ACPI tables and PCI capability lists on hostile
 * input: each ends, stays inside what it was given (address sanitizer, guard page), and gives the
 * facts of what is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>
#include <arch/mmu.h>
#include <arch/platform.h>
#include "kernel/arch/aarch64/fdt.h"
#include "kernel/arch/host/host.h"
#include "kernel/arch/x86_64/acpi.h"
#include "kernel/arch/x86_64/warp.h"
#include "kernel/drivers/pci.h"

static u32 next_random(void)
{
	static u32 seed = 1;

	return seed = seed * 1664525u + 1013904223u;
}

/* ---- device tree ------------------------------------------------------------------------------
 */

#define TREE_MAX 1024

struct tree {
	u8 *blob; /* of exactly `size` bytes */
	u32 size, root, device;
};

static void be32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static u32 put_node(u8 *p, u32 at, const char *name)
{
	be32(p + at, 1);
	strcpy((char *)p + at + 4, name);
	return ALIGN_UP(at + 4 + (u32)strlen(name) + 1, 4u);
}

static u32 put_prop(u8 *p, u32 at, u32 name, const void *value, u32 len)
{
	be32(p + at, 3);
	be32(p + at + 4, len);
	be32(p + at + 8, name);
	memcpy(p + at + 12, value, len);
	return ALIGN_UP(at + 12 + len, 4u);
}

/* The root and one device with two register ranges. */
static struct tree make_tree(void)
{
	static const char strings[] = "#address-cells\0#size-cells\0reg\0compatible";
	u8 p[TREE_MAX] = {0}, cell[4], reg[32] = {0};
	struct tree t = {.root = 56};
	u32 at = t.root;

	be32(reg + 4, 0x9000000);
	be32(reg + 12, 0x1000);
	be32(reg + 20, 0xa000000);
	be32(reg + 28, 0x2000);
	be32(cell, 2);
	at = put_node(p, at, "");
	at = put_prop(p, at, 0, cell, 4);
	at = put_prop(p, at, 15, cell, 4);
	t.device = at;
	at = put_node(p, at, "device@9000000");
	at = put_prop(p, at, 31, "acme,device", 12);
	at = put_prop(p, at, 27, reg, sizeof(reg));
	be32(p + at, 2);
	be32(p + at + 4, 2);
	be32(p + at + 8, 9);
	at += 12;
	be32(p, 0xd00dfeed);
	be32(p + 4, at + sizeof(strings));
	be32(p + 8, t.root);
	be32(p + 12, at);
	be32(p + 16, 40); /* no reservations: the zeros there */
	be32(p + 20, 17);
	be32(p + 24, 16);
	be32(p + 32, sizeof(strings));
	be32(p + 36, at - t.root);
	memcpy(p + at, strings, sizeof(strings));
	t.size = at + sizeof(strings);
	t.blob = malloc(t.size);
	memcpy(t.blob, p, t.size);
	return t;
}

static void test_fdt_reads_a_device(void **state)
{
	struct tree t = make_tree();
	struct fdt f;
	u64 base, size;
	u32 n;

	assert_true(fdt_open(&f, t.blob, t.size));
	assert_false(fdt_open(&f, t.blob, t.size - 1));
	assert_true(fdt_open(&f, t.blob, t.size));
	n = fdt_find_compatible(&f, 0, "acme,device");
	assert_int_equal(n, t.device);
	assert_true(fdt_reg(&f, n, 1, &base, &size));
	assert_int_equal(base, 0xa000000);
	assert_int_equal(size, 0x2000);
	assert_false(fdt_reg(&f, n, 2, &base, &size));
	free(t.blob);
}

/* A count of the tree's own, like #redistributor-regions, is such an index. */
static void test_fdt_index_at_the_end_of_numbers(void **state)
{
	struct tree t = make_tree();
	struct fdt f;
	u64 base, size;

	assert_true(fdt_open(&f, t.blob, t.size));
	for (u64 i = 1ull << 32; i-- > (1ull << 32) - 4;)
		assert_false(fdt_reg(&f, t.device, (u32)i, &base, &size));
	assert_false(fdt_reg(&f, t.device, 0x10000000, &base, &size));
	free(t.blob);
}

static void read_tree(const struct fdt *f)
{
	u64 a, b;
	u32 len;

	for (u32 n = fdt_next(f, 0); n; n = fdt_next(f, n)) {
		fdt_lists(f, n, "compatible", "x");
		fdt_reg(f, n, 0, &a, &b);
		fdt_reg(f, n, fdt_u32(f, n, "#address-cells", ~0u), &a, &b);
		fdt_prop(f, n, "nothing", &len);
		fdt_first_child(f, n);
		fdt_next_sibling(f, n);
	}
	for (u32 i = 0; i < 64 && fdt_reservation(f, i, &a, &b); i++)
		;
}

/* Each byte with each single bit turned, then several bytes at random. */
static void test_fdt_damaged(void **state)
{
	struct tree t = make_tree();
	u8 *copy = malloc(t.size);
	struct fdt f;

	for (u32 bit = 0; bit < 8 * t.size; bit++) {
		memcpy(copy, t.blob, t.size);
		copy[bit / 8] ^= (u8)(1u << bit % 8);
		if (fdt_open(&f, copy, t.size))
			read_tree(&f);
	}
	for (int round = 0; round < 20000; round++) {
		memcpy(copy, t.blob, t.size);
		for (u32 n = next_random() >> 16 & 7; n; n--)
			copy[(next_random() >> 8) % t.size] = (u8)(next_random() >> 16);
		if (fdt_open(&f, copy, t.size))
			read_tree(&f);
	}
	free(copy);
	free(t.blob);
}

/* ---- ACPI -------------------------------------------------------------------------------------
 */

#define RAM_END  (HOST_RAM + 0x10000) /* the first address that is not RAM */
#define RSDP_PA  (HOST_RAM + 0x100)
#define XSDT_PA  (HOST_RAM + 0x200)
#define FADT_PA  (HOST_RAM + 0x400)
#define DSDT_PA  (HOST_RAM + 0x600)
#define MCFG_PA  (HOST_RAM + 0x800)
#define MADT_LEN (44u + 8 + 8 + 12 + 10)
#define MADT_PA  (RAM_END - MADT_LEN) /* what reads behind it faults */

static u8 *pa(u64 address)
{
	return phys_to_virt(address);
}

static void checksum(u8 *p, u32 len, u32 at)
{
	u8 s = 0;

	p[at] = 0;
	for (u32 i = 0; i < len; i++)
		s = (u8)(s + p[i]);
	p[at] = (u8)-s;
}

static void put(u64 at, u64 v, u32 n)
{
	memcpy(pa(at), &v, n);
}

static void table(u64 at, const char *name, u32 len)
{
	memcpy(pa(at), name, 4);
	put(at + 4, len, 4);
	put(at + 8, 3, 1);
	checksum(pa(at), len, 9);
}

static const u64 usual[] = {FADT_PA, MADT_PA, MCFG_PA};

static void root_table(const u64 *entries, u32 n)
{
	for (u32 i = 0; i < n; i++)
		put(XSDT_PA + 36 + 8 * i, entries[i], 8);
	table(XSDT_PA, "XSDT", 36 + 8 * n);
}

/* Two CPUs, an I/O APIC, ISA interrupt 9 elsewhere; ECAM; a way to switch off. */
static void make_tables(void)
{
	static const u8 s5[] = {0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 5, 0, 0};

	memset(pa(HOST_RAM), 0, RAM_END - HOST_RAM);
	memcpy(pa(RSDP_PA), "RSD PTR ", 8);
	put(RSDP_PA + 15, 2, 1);
	put(RSDP_PA + 20, 36, 4);
	put(RSDP_PA + 24, XSDT_PA, 8);
	checksum(pa(RSDP_PA), 20, 8);
	root_table(usual, ARRAY_SIZE(usual));
	put(FADT_PA + 40, DSDT_PA, 4);
	put(FADT_PA + 64, 0x604, 4);
	put(FADT_PA + 76, 0x608, 4);
	table(FADT_PA, "FACP", 244);
	memcpy(pa(DSDT_PA + 36), s5, sizeof(s5));
	table(DSDT_PA, "DSDT", 36 + sizeof(s5));
	put(MCFG_PA + 44, 0xb0000000, 8);
	put(MCFG_PA + 55, 255, 1);
	table(MCFG_PA, "MCFG", 60);
	put(MADT_PA + 36, 0xfee00000, 4);
	for (u32 i = 0; i < 2; i++) {
		put(MADT_PA + 44 + 8 * i, 0x0800, 2);
		put(MADT_PA + 44 + 8 * i + 3, i, 1);
		put(MADT_PA + 44 + 8 * i + 4, 1, 4);
	}
	put(MADT_PA + 60, 0x0c01, 2);
	put(MADT_PA + 64, 0xfec00000, 4);
	put(MADT_PA + 72, 0x0a02, 2);
	put(MADT_PA + 75, 9, 1);
	put(MADT_PA + 76, 20, 4);
	put(MADT_PA + 80, 0xf, 2);
	table(MADT_PA, "APIC", MADT_LEN);
}

static u32 cpus;

static void count_cpu(u32 id)
{
	cpus++;
}

/* NULL, or what the reader panicked with. */
static const char *read_tables(void)
{
	jmp_buf env;

	memset(&x86_acpi, 0, sizeof(x86_acpi));
	memset(&arch_pci_host, 0, sizeof(arch_pci_host));
	cpus = 0;
	host_panic = &env;
	if (!setjmp(env)) {
		x86_acpi_parse(RSDP_PA, count_cpu);
		host_panic = NULL;
		return NULL;
	}
	host_panic = NULL;
	return host_panic_text;
}

static void assert_machine(void)
{
	assert_int_equal(cpus, 2);
	assert_int_equal(x86_acpi.nr_ioapics, 1);
	assert_int_equal(x86_acpi.isa[9].gsi, 20);
	assert_true(x86_acpi.isa[9].level && x86_acpi.isa[9].active_low);
	assert_int_equal(arch_pci_host.ecam, 0xb0000000);
	assert_int_equal(x86_acpi.pm1a_control, 0x604);
	assert_int_equal(x86_acpi.pm_timer, 0x608);
	assert_int_equal(x86_acpi.s5_a, 5);
}

static void test_acpi_reads_a_machine(void **state)
{
	make_tables();
	assert_null(read_tables());
	assert_machine();
}

/* An entry of zero, and tables that we do not need where we cannot read. */
static void test_acpi_entries_out_of_reach(void **state)
{
	const u64 entries[] = {0,      0x100000000ull + 5, FADT_PA, RAM_END - 8, MADT_PA, ~0ull,
			       MCFG_PA};

	make_tables();
	root_table(entries, ARRAY_SIZE(entries));
	assert_null(read_tables());
	assert_machine();
}

static void test_acpi_needed_table_is_missing(void **state)
{
	const u64 entries[] = {FADT_PA, 0x100000000ull, MCFG_PA};

	make_tables();
	root_table(entries, ARRAY_SIZE(entries));
	assert_string_equal(read_tables(),
			    "ACPI: no usable table APIC, so CPUs and interrupts are unknown");
	make_tables();
	put(XSDT_PA + 36, 0x55, 1);
	assert_string_equal(read_tables(), "ACPI: the root table is damaged");
}

/* Any byte of any table, with its checksum made good again. */
static void test_acpi_damaged(void **state)
{
	static const struct {
		u64 at;
		u32 len, sum_at;
	} tables[] = {{RSDP_PA, 36, 8}, {XSDT_PA, 60, 9}, {FADT_PA, 244, 9},
		      {DSDT_PA, 50, 9}, {MCFG_PA, 60, 9}, {MADT_PA, MADT_LEN, 9}};

	for (int round = 0; round < 20000; round++) {
		u32 t = (next_random() >> 16) % ARRAY_SIZE(tables), len = tables[t].len;
		const char *said;

		make_tables();
		for (u32 n = 1 + (next_random() >> 16 & 3); n; n--)
			put(tables[t].at + (next_random() >> 8) % len, next_random() >> 16, 1);
		checksum(pa(tables[t].at), t ? len : 20, tables[t].sum_at);
		said = read_tables();
		assert_true(!said || !strncmp(said, "ACPI: ", 6));
	}
}

/* ---- PCI capabilities --------------------------------------------------------------------------
 */

/* One capability list: {offset, id, next} rows; the first row is the list's start. */
static void make_caps(u8 *cfg, const u8 (*rows)[3], u32 n)
{
	memset(cfg, 0, 256);
	cfg[0x06] = 0x10;
	cfg[0x34] = rows[0][0];
	for (u32 i = 0; i < n; i++) {
		cfg[rows[i][0]] = rows[i][1];
		cfg[rows[i][0] + 1] = rows[i][2];
	}
}

/* How many capabilities of that kind a driver's loop meets. */
static u32 count_caps(u8 *cfg, u8 id)
{
	struct pci_dev d = {.cfg = cfg};
	struct pci_caps walk = {0};
	u32 n = 0;

	while (n < 1000 && pci_cap_next(&d, &walk, id))
		n++;
	return n;
}

static void test_pci_capabilities(void **state)
{
	static const u8 list[][3] = {{0x40, PCI_CAP_VENDOR, 0x50},
				     {0x50, PCI_CAP_MSIX, 0x60},
				     {0x60, PCI_CAP_VENDOR, 0}};
	u8 cfg[256];

	make_caps(cfg, list, 3);
	assert_int_equal(count_caps(cfg, PCI_CAP_VENDOR), 2);
	assert_int_equal(count_caps(cfg, PCI_CAP_MSIX), 1);
	assert_int_equal(count_caps(cfg, 0x77), 0);
	cfg[0x06] = 0;
	assert_int_equal(count_caps(cfg, PCI_CAP_VENDOR), 0);
}

static void test_pci_circular_capabilities_end(void **state)
{
	static const u8 circle[][3] = {{0x40, PCI_CAP_VENDOR, 0x50}, {0x50, PCI_CAP_VENDOR, 0x40}};
	static const u8 itself[][3] = {{0xfc, PCI_CAP_VENDOR, 0xfc}};
	static const u8 header[][3] = {{0x40, PCI_CAP_VENDOR, 0x34}};
	u8 cfg[256];

	make_caps(cfg, circle, 2);
	assert_int_equal(count_caps(cfg, PCI_CAP_VENDOR), 48);
	assert_int_equal(count_caps(cfg, PCI_CAP_MSIX), 0);
	make_caps(cfg, itself, 1);
	assert_int_equal(count_caps(cfg, PCI_CAP_VENDOR), 48);
	make_caps(cfg, header, 1);
	assert_int_equal(count_caps(cfg, PCI_CAP_VENDOR), 1);
}

/* ---- time stamp counters -----------------------------------------------------------------------
 */

static s64 new_is_off; /* ns */

static u64 boot_counter(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static u64 new_counter(void)
{
	return boot_counter() + (u64)new_is_off;
}

static void *new_cpu(void *warp)
{
	return x86_warp_new(warp, new_counter) ? warp : NULL;
}

static struct x86_warp compare(s64 off)
{
	struct x86_warp w = {0};
	pthread_t t;
	void *ran;

	new_is_off = off;
	assert_int_equal(pthread_create(&t, NULL, new_cpu, &w), 0);
	assert_true(x86_warp_boot(&w, boot_counter, ~0ull));
	pthread_join(t, &ran);
	assert_ptr_equal(ran, &w);
	return w;
}

static void test_counters_that_agree(void **state)
{
	for (int i = 0; i < 20; i++) {
		struct x86_warp w = compare(0);

		assert_int_equal(w.behind[WARP_BOOT], 0);
		assert_int_equal(w.behind[WARP_NEW], 0);
	}
}

/* By half a second, which no delay between two looks hides. */
static void test_counter_is_off(void **state)
{
	const u64 off = 500000000;
	struct x86_warp w = compare(-(s64)off);

	assert_in_range(w.behind[WARP_NEW], 1, off);
	assert_int_equal(w.behind[WARP_BOOT], 0);
	w = compare((s64)off);
	assert_in_range(w.behind[WARP_BOOT], 1, off);
	assert_int_equal(w.behind[WARP_NEW], 0);
}

/* Neither waits for the other for ever. */
static void test_cpu_comes_too_late(void **state)
{
	struct x86_warp w = {0};

	assert_false(x86_warp_boot(&w, boot_counter, boot_counter() + 1000000));
	assert_false(x86_warp_new(&w, new_counter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fdt_reads_a_device),
		cmocka_unit_test(test_fdt_index_at_the_end_of_numbers),
		cmocka_unit_test(test_fdt_damaged),
		cmocka_unit_test(test_acpi_reads_a_machine),
		cmocka_unit_test(test_acpi_entries_out_of_reach),
		cmocka_unit_test(test_acpi_needed_table_is_missing),
		cmocka_unit_test(test_acpi_damaged),
		cmocka_unit_test(test_pci_capabilities),
		cmocka_unit_test(test_pci_circular_capabilities_end),
		cmocka_unit_test(test_counters_that_agree),
		cmocka_unit_test(test_counter_is_off),
		cmocka_unit_test(test_cpu_comes_too_late),
	};
	u8 *all = mmap(NULL, RAM_END + PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (all == MAP_FAILED || mprotect(all + RAM_END, PAGE_SIZE, PROT_NONE))
		return 1;
	host_ram = all + HOST_RAM;
	host_early_size = RAM_END - HOST_RAM;
	host_quiet = true;
	host_single();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
