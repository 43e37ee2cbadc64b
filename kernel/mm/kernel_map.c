/* kernel_map.c - the kernel's final page table, and what its addresses are.
 *
 * W^X: image text RX, read-only data R, the rest of the image RW; the direct map of all RAM is RW
 * and never executable, and read-only where it shows text or read-only data, so the image cannot be
 * changed through its alias. After boot only the vmalloc range of it changes, under vmalloc's lock.
 * Its top-level entries exist from the start: architectures that copy the kernel half into each
 * user root may copy it once. */
#define LOG_TAG "mm"
#include <lib/boot.h>
#include <lib/bug.h>
#include <arch/boot.h>
#include "pgtable.h"

u64 *kernel_root;

static void map_or_panic(unsigned long va, phys_addr_t pa, u64 size, unsigned int prot)
{
	if (pgt_map_range(kernel_root, va, pa, size, prot))
		panic("no memory for the kernel's page tables");
}

/* A part of the image: at its link address, and `alias` for the same frames in the direct map. */
static void map_image_part(const char *start, const char *end, unsigned int prot, bool alias_ro)
{
	unsigned long va = (unsigned long)start;
	phys_addr_t pa = virt_to_phys(start);
	u64 size = (u64)(end - start);

	if (!IS_ALIGNED(va | (unsigned long)end, PAGE_SIZE))
		panic("image section [%#lx, %#lx) is not page aligned", va, (unsigned long)end);
	map_or_panic(va, pa, size, prot);
	if (alias_ro)
		map_or_panic((unsigned long)phys_to_virt(pa), pa, size, PROT_R);
}

void kernel_map_build(void)
{
	u64 *guard;

	kernel_root = pgt_alloc_table();
	for (unsigned int i = 0; i < boot_info.nr_ram; i++) {
		phys_addr_t base = boot_info.ram[i].base;

		map_or_panic((unsigned long)phys_to_virt(base), base, boot_info.ram[i].size,
			     PROT_R | PROT_W);
	}
	map_image_part(__image_start, __text_start, PROT_R, true);
	map_image_part(__text_start, __text_end, PROT_R | PROT_X, true);
	map_image_part(__text_end, __data_start, PROT_R, true);
	map_image_part(__data_start, __image_end, PROT_R | PROT_W, false);
	guard = pgt_walk(kernel_root, (unsigned long)boot_stack - PAGE_SIZE, true);
	if (!guard)
		panic("no memory for the kernel's page tables");
	arch_pte_write(guard, 0);
	if (pgt_fill_top(kernel_root, VMALLOC_BASE, VMALLOC_END))
		panic("no memory for the kernel's page tables");
}

static bool within(unsigned long va, const char *start, const char *end)
{
	return va >= (unsigned long)start && va < (unsigned long)end;
}

const char *kernel_map_describe(unsigned long va)
{
	if (va >= DIRECT_MAP_BASE && va < VMALLOC_BASE) {
		phys_addr_t pa = virt_to_phys((void *)va);

		if (!phys_to_page(pa))
			return "direct map where there is no RAM";
		if (pa >= virt_to_phys(__image_start) && pa < virt_to_phys(__data_start))
			return "read-only alias of the kernel image";
		return "direct map";
	}
	if (va >= VMALLOC_BASE && va < VMALLOC_END)
		return "vmalloc area, unmapped or guard page";
	if (within(va, __text_start, __text_end))
		return "read-only text";
	if (within(va, __image_start, __data_start))
		return "read-only data";
	if (within(va, __data_start, __image_end))
		return "kernel data";
	return NULL;
}
