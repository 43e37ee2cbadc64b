/* boot.c - what the PVH start info and ACPI tell, turned into boot_info.
 *
 * Source: Xen's public headers arch-x86/hvm/start_info.h (layout of version 1). The start info and
 * all that it points to lie somewhere in RAM. Everything needed is copied into one arena, sized to
 * fit, at the top of a RAM range and clear of everything in use; it is in boot_info.reserved
 * itself. Afterwards only the image, page 0, the trampoline's page, the arena and the boot modules
 * are in use. Runs on the boot CPU alone, before any allocator. */
#define LOG_TAG "boot"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include "acpi.h"
#include "x86.h"

#define START_MAGIC 0x336ec578u
struct start_info {
	u32 magic, version, flags, nr_modules;
	u64 modules, cmdline, rsdp;
	u64 memmap; /* version 1 */
	u32 nr_memmap, reserved;
};
struct start_module {
	u64 base, size, cmdline, reserved;
};
struct start_mem {
	u64 base, size;
	u32 type, reserved;
};
#define START_RAM   1u
#define CMDLINE_MAX 65536u

#define LOW_END          0x100000ull
#define TRAMPOLINE_FIRST 0x8000ull
#define TRAMPOLINE_END   0xa0000ull

u64 x86_start_info_pa;
phys_addr_t x86_trampoline_pa;
static const struct start_info *info;
static const struct start_mem *memmap;
static u64 cpu_ids[MAX_CPUS];
static unsigned int cpus_left_off;

phys_addr_t arch_early_map_end(void)
{
	return 4ull << 30;
}

static const void *early(u64 pa, u64 size, const char *what)
{
	if (!pa || pa + size < pa || pa + size > arch_early_map_end())
		panic("boot: the %s at 0x%llx is out of reach", what, (unsigned long long)pa);
	return phys_to_virt(pa);
}

static bool overlap(u64 a, u64 asize, u64 b, u64 bsize)
{
	return a < b + bsize && b < a + asize;
}

/* The ranges in use while we parse, one after the other; false after the last. The first three and
 * the modules stay in use. */
enum {
	USE_IMAGE,
	USE_PAGE0,
	USE_TRAMPOLINE,
	USE_INFO,
	USE_CMDLINE,
	USE_MEMMAP,
	USE_MODLIST,
	USE_MODULES
};
static bool in_use(unsigned int i, struct mem_range *r)
{
	const struct start_module *m;

	switch (i) {
	case USE_IMAGE:
		r->base = virt_to_phys(__image_start);
		r->size = (u64)(__image_end - __image_start);
		return true;
	case USE_PAGE0:
		*r = (struct mem_range){0, PAGE_SIZE};
		return true;
	case USE_TRAMPOLINE:
		*r = (struct mem_range){x86_trampoline_pa, x86_trampoline_pa ? PAGE_SIZE : 0};
		return true;
	case USE_INFO:
		*r = (struct mem_range){x86_start_info_pa, sizeof(*info)};
		return true;
	case USE_CMDLINE:
		*r = (struct mem_range){info->cmdline, info->cmdline ? CMDLINE_MAX : 0};
		return true;
	case USE_MEMMAP:
		*r = (struct mem_range){info->memmap, (u64)info->nr_memmap * sizeof(*memmap)};
		return true;
	case USE_MODLIST:
		*r = (struct mem_range){info->modules, (u64)info->nr_modules * sizeof(*m)};
		return true;
	}
	i -= USE_MODULES;
	if (i >= info->nr_modules)
		return false;
	m = (const struct start_module *)early(info->modules, (u64)info->nr_modules * sizeof(*m),
					       "module list") +
	    i;
	*r = (struct mem_range){m->base, m->size};
	return true;
}

/* The first range in use that touches [base, base+size). */
static bool find_in_use(u64 base, u64 size, struct mem_range *r)
{
	for (unsigned int i = 0; in_use(i, r); i++)
		if (r->size && overlap(base, size, r->base, r->size))
			return true;
	return false;
}

static void trampoline_find(void)
{
	for (u32 i = 0; i < info->nr_memmap; i++) {
		u64 end = MIN(memmap[i].base + memmap[i].size, TRAMPOLINE_END);
		u64 pa = MAX(ALIGN_UP(memmap[i].base, PAGE_SIZE), TRAMPOLINE_FIRST);

		if (memmap[i].type == START_RAM && pa + PAGE_SIZE <= end) {
			x86_trampoline_pa = pa;
			return;
		}
	}
}

/* `size` bytes (whole pages) of unused RAM above 1 MiB, as high as possible in the first range that
 * has room. */
static u64 arena_find(u64 size)
{
	for (u32 i = 0; i < info->nr_memmap; i++) {
		u64 start = MAX(memmap[i].base, LOW_END), end = memmap[i].base + memmap[i].size;
		struct mem_range r;

		if (memmap[i].type != START_RAM || end <= start)
			continue;
		end = ALIGN_DOWN(MIN(end, arch_early_map_end()), PAGE_SIZE);
		while (end >= start + size) {
			if (!find_in_use(end - size, size, &r))
				return end - size;
			end = ALIGN_DOWN(r.base, PAGE_SIZE);
		}
	}
	panic("boot: no room for %llu bytes of boot data", (unsigned long long)size);
}

/* Sorts by base, cuts to whole pages, joins what touches or overlaps. */
static unsigned int ram_collect(struct mem_range *ram)
{
	unsigned int n = 0, out = 0;

	for (u32 i = 0; i < info->nr_memmap; i++) {
		u64 start = ALIGN_UP(memmap[i].base, PAGE_SIZE);
		u64 end = ALIGN_DOWN(memmap[i].base + memmap[i].size, PAGE_SIZE);
		unsigned int k = n;

		if (memmap[i].type != START_RAM || end <= start)
			continue;
		for (; k > 0 && ram[k - 1].base > start; k--)
			ram[k] = ram[k - 1];
		ram[k] = (struct mem_range){start, end - start};
		n++;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct mem_range *last = out ? &ram[out - 1] : NULL;

		if (last && ram[i].base <= last->base + last->size)
			last->size = MAX(last->base + last->size, ram[i].base + ram[i].size) -
				     last->base;
		else
			ram[out++] = ram[i];
	}
	return out;
}

static unsigned int reserved_collect(struct mem_range *res, u64 arena, u64 arena_size)
{
	struct mem_range r;
	unsigned int n = 0;

	for (unsigned int i = 0; in_use(i, &r); i++) {
		u64 start = ALIGN_DOWN(r.base, PAGE_SIZE);

		if (!r.size || (i >= USE_INFO && i < USE_MODULES))
			continue;
		res[n++] = (struct mem_range){start, ALIGN_UP(r.base + r.size, PAGE_SIZE) - start};
	}
	res[n++] = (struct mem_range){arena, arena_size};
	return n;
}

/* The boot CPU is entry 0 already; the tables list it too. */
static void cpu_found(u32 id)
{
	for (unsigned int i = 0; i < nr_cpus; i++)
		if (cpu_ids[i] == id)
			return;
	if (nr_cpus == MAX_CPUS || id > 254) { /* an xAPIC destination has eight bits */
		cpus_left_off++;
		return;
	}
	cpu_ids[nr_cpus++] = id;
}

void arch_boot_init(void)
{
	u64 arena, size, len;
	const char *cmdline = "";
	unsigned int nr_res;
	char *text;

	info = early(x86_start_info_pa, sizeof(*info), "start info");
	if (info->magic != START_MAGIC)
		panic("boot: not started by the PVH protocol (magic 0x%x)", info->magic);
	if (info->version < 1 || !info->nr_memmap)
		panic("boot: start info version %u brings no memory map", info->version);
	memmap = early(info->memmap, (u64)info->nr_memmap * sizeof(*memmap), "memory map");
	if (info->cmdline)
		cmdline = early(info->cmdline, 1, "command line");
	len = strnlen(cmdline, CMDLINE_MAX - 1);

	trampoline_find();
	nr_res = USE_MODULES + info->nr_modules + 1;
	size = ALIGN_UP(sizeof(struct mem_range) * ((u64)info->nr_memmap + nr_res) + len + 1,
			PAGE_SIZE);
	arena = arena_find(size);
	boot_info.ram = phys_to_virt(arena);
	boot_info.reserved = boot_info.ram + info->nr_memmap;
	text = (char *)(boot_info.reserved + nr_res);
	memcpy(text, cmdline, len);
	text[len] = '\0';
	boot_info.cmdline = text;
	boot_info.nr_ram = ram_collect(boot_info.ram);
	boot_info.nr_reserved = reserved_collect(boot_info.reserved, arena, size);

	cpu_ids[0] = cpuid(1, 0).b >> 24;
	nr_cpus = 1;
	boot_info.cpu_hwid = cpu_ids;
	x86_acpi_parse(info->rsdp, cpu_found);
	boot_info.machine = x86_acpi.machine;
	if (cpus_left_off)
		pr_warn("%u CPUs are left off: at most %u, with APIC ids up to 254", cpus_left_off,
			MAX_CPUS);
}
