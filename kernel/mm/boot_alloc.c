/* boot_alloc.c - memory before the page allocator exists.
 *
 * Model. Free memory inside the early map is an ascending list of disjoint ranges; the list's nodes
 * live in the first bytes of the ranges themselves, so there is no table that could be too small.
 * An allocation takes the lowest range that fits and leaves what remains on either side in the
 * list. RAM beyond the early map cannot be written yet; boot_alloc_drain() computes it from
 * boot_info. Physical page 0 is never given out: a page table root of 0 means "none" to the rest of
 * the kernel.
 *
 * Only the boot CPU with no other thread uses this: no lock. */
#define LOG_TAG "boot"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include "boot_alloc.h"
#include "pgtable.h"

#define GRAIN 16ull /* every range is a multiple; a node fits */

struct free_range {
	struct free_range *next;
	u64 size;
};
_Static_assert(sizeof(struct free_range) <= GRAIN, "a node fits into the smallest range");

static struct free_range *free_ranges;
static enum { STAGE_NONE, STAGE_READY, STAGE_DRAINED } stage;

static phys_addr_t range_base(const struct free_range *r)
{
	return virt_to_phys(r);
}

static phys_addr_t range_end(const struct free_range *r)
{
	return range_base(r) + r->size;
}

/* Calls fn(start, end) for the parts of [start, end) that boot_info.reserved leaves, ascending. */
static void for_each_unreserved(phys_addr_t start, phys_addr_t end,
				void (*fn)(phys_addr_t start, phys_addr_t end))
{
	while (start < end) {
		phys_addr_t stop = end, resume = end;

		for (unsigned int i = 0; i < boot_info.nr_reserved; i++) {
			phys_addr_t rb = boot_info.reserved[i].base;
			phys_addr_t re = rb + boot_info.reserved[i].size;

			if (re <= start || rb >= stop || re == rb)
				continue;
			stop = MAX(rb, start);
			resume = re;
		}
		if (stop > start)
			fn(start, stop);
		start = resume;
	}
}

static struct free_range **list_tail = &free_ranges;

static void add_range(phys_addr_t start, phys_addr_t end)
{
	struct free_range *r;

	start = ALIGN_UP(MAX(start, PAGE_SIZE), GRAIN);
	end = ALIGN_DOWN(MIN(end, arch_early_map_end()), GRAIN);
	if (start >= end)
		return;
	r = phys_to_virt(start);
	r->size = end - start;
	r->next = NULL;
	*list_tail = r;
	list_tail = &r->next;
}

/* The architecture may have called this already, as soon as it knew RAM; the second call is void.
 */
void boot_alloc_init(void)
{
	if (stage != STAGE_NONE)
		return;
	for (unsigned int i = 0; i < boot_info.nr_ram; i++)
		for_each_unreserved(boot_info.ram[i].base,
				    boot_info.ram[i].base + boot_info.ram[i].size, add_range);
	if (!free_ranges)
		panic("no usable memory: %u RAM ranges, all reserved or beyond the early map",
		      boot_info.nr_ram);
	stage = STAGE_READY;
}

/* Takes [base, base + size) out of the range *link, which contains it. All multiples of GRAIN. */
static void take(struct free_range **link, phys_addr_t base, u64 size)
{
	struct free_range *r = *link;
	phys_addr_t start = range_base(r), end = range_end(r);
	struct free_range *rest = r->next;

	if (base + size < end) {
		struct free_range *tail = phys_to_virt(base + size);

		tail->size = end - (base + size);
		tail->next = rest;
		rest = tail;
	}
	if (start < base) {
		r->size = base - start;
		r->next = rest;
	} else {
		*link = rest;
	}
}

void *boot_alloc(u64 size, u64 align)
{
	BUG_ON(stage != STAGE_READY);
	BUG_ON(align & (align - 1));
	align = MAX(align, GRAIN);
	size = ALIGN_UP(MAX(size, 1), GRAIN);
	for (struct free_range **link = &free_ranges; *link; link = &(*link)->next) {
		phys_addr_t base = ALIGN_UP(range_base(*link), align), end;

		if (__builtin_add_overflow(base, size, &end) || end > range_end(*link))
			continue;
		take(link, base, size);
		return memset(phys_to_virt(base), 0, size);
	}
	panic("out of memory at boot: %llu bytes wanted; give the machine more memory",
	      (unsigned long long)size);
}

/* The range of the list that contains all of [base, base + size), or NULL. */
static struct free_range **find_range(phys_addr_t base, u64 size)
{
	phys_addr_t end;

	if (__builtin_add_overflow(base, size, &end))
		return NULL;
	for (struct free_range **link = &free_ranges; *link; link = &(*link)->next)
		if (base >= range_base(*link) && end <= range_end(*link))
			return link;
	return NULL;
}

int boot_reserve(phys_addr_t base, u64 size)
{
	phys_addr_t start = ALIGN_DOWN(base, GRAIN), end = ALIGN_UP(base + size, GRAIN);
	struct free_range **link;

	BUG_ON(stage != STAGE_READY);
	if (!size)
		return 0;
	link = find_range(start, end - start);
	if (!link)
		return -EBUSY;
	take(link, start, end - start);
	return 0;
}

bool boot_range_free(phys_addr_t base, u64 size)
{
	return stage == STAGE_READY && find_range(base, size);
}

u64 boot_alloc_largest(void)
{
	u64 largest = 0;

	for (struct free_range *r = free_ranges; r; r = r->next) {
		phys_addr_t start = ALIGN_UP(range_base(r), PAGE_SIZE);
		phys_addr_t end = ALIGN_DOWN(range_end(r), PAGE_SIZE);

		if (end > start)
			largest = MAX(largest, end - start);
	}
	return largest;
}

/* For a leaf of the direct map: its entry and the structs of its pages. A part is spared for the
 * tables above the leaves, the image's and those of ranges that are not aligned. */
u64 boot_pages_for(u64 room)
{
	const u64 leaf_pages = HUGE_SIZE / PAGE_SIZE;
	u64 spare = room / 64 + 16 * PAGE_SIZE;

	if (room <= spare)
		return 0;
	return (room - spare) / (leaf_pages * sizeof(struct page) + sizeof(u64)) * leaf_pages;
}

u64 boot_ram_cut(phys_addr_t end)
{
	u64 cut = 0;

	while (boot_info.nr_ram) {
		struct mem_range *r = &boot_info.ram[boot_info.nr_ram - 1];

		if (r->base + r->size <= end)
			break;
		if (r->base < end) {
			cut += r->base + r->size - end;
			r->size = end - r->base;
			break;
		}
		cut += r->size;
		boot_info.nr_ram--;
	}
	return cut;
}

static void (*drain_give)(phys_addr_t base, u64 size);

static void give_pages(phys_addr_t start, phys_addr_t end)
{
	start = ALIGN_UP(start, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	if (start < end)
		drain_give(start, end - start);
}

static void give_beyond_early_map(phys_addr_t start, phys_addr_t end)
{
	give_pages(MAX(start, arch_early_map_end()), end);
}

void boot_alloc_drain(void (*give)(phys_addr_t base, u64 size))
{
	struct free_range *r = free_ranges;

	BUG_ON(stage != STAGE_READY);
	stage = STAGE_DRAINED;
	drain_give = give;
	while (r) {
		/* give() may write to the range. */
		struct free_range *next = r->next;

		give_pages(range_base(r), range_end(r));
		r = next;
	}
	free_ranges = NULL;
	for (unsigned int i = 0; i < boot_info.nr_ram; i++)
		for_each_unreserved(boot_info.ram[i].base,
				    boot_info.ram[i].base + boot_info.ram[i].size,
				    give_beyond_early_map);
}
