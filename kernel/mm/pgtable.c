/* pgtable.c - the portable page-table walker.
 *
 * Model. A table is 512 entries of 64 bits; level 4 is the root, level 1 holds 4 KiB leaves, level
 * 2 may hold 2 MiB leaves (kernel only). Encodings are the architecture's (arch/mmu.h); an entry of
 * 0 is empty on both. Tables are reached through the direct map.
 *
 * Entries are stored with arch_pte_write(), one 64-bit store: a hardware walker or a lock-free
 * reader sees the old or the new one. Flushing is the caller's business.
 */
#define LOG_TAG "mm"
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/string.h>
#include "buddy.h"
#include "pgtable.h"

#define LEVEL_SHIFT(level) (PAGE_SHIFT + 9u * ((unsigned int)(level)-1))
#define LEVEL_SIZE(level)  (1ul << LEVEL_SHIFT(level))
#define ENTRIES            512u

static u64 *entry_at(u64 *table, unsigned long va, int level)
{
	return &table[va >> LEVEL_SHIFT(level) & (ENTRIES - 1)];
}

static u64 *table_of(u64 entry)
{
	return phys_to_virt(arch_pte_pa(entry));
}

u64 *pgt_alloc_table(void)
{
	struct page *p;

	if (!buddy_ready())
		return boot_alloc(PAGE_SIZE, PAGE_SIZE);
	p = page_alloc(0, MM_ZERO);
	return p ? page_to_virt(p) : NULL;
}

/* Replaces a 2 MiB leaf by a table of 4 KiB leaves of the same meaning. */
static u64 *split_leaf(u64 *e)
{
	phys_addr_t pa = arch_pte_pa(*e);
	unsigned int prot = arch_pte_prot(*e);
	u64 *t = pgt_alloc_table();

	if (!t)
		return NULL;
	for (unsigned int i = 0; i < ENTRIES; i++)
		t[i] = arch_pte_leaf(pa + i * PAGE_SIZE, prot, 1);
	arch_pte_write(e, arch_pte_table(virt_to_phys(t)));
	return t;
}

/* The entry of va at `level` >= 1. Missing tables are made and leaves in the way are split if
 * `create`; otherwise NULL. */
static u64 *walk_to(u64 *root, unsigned long va, int level, bool create)
{
	u64 *table = root;

	for (int l = 4; l > level; l--) {
		u64 *e = entry_at(table, va, l);

		if (arch_pte_present(*e) && !(l == 2 && arch_pte_is_leaf(*e, l))) {
			table = table_of(*e);
			continue;
		}
		if (!create)
			return NULL;
		if (arch_pte_present(*e)) {
			table = split_leaf(e);
			if (!table)
				return NULL;
			continue;
		}
		table = pgt_alloc_table();
		if (!table)
			return NULL;
		arch_pte_write(e, arch_pte_table(virt_to_phys(table)));
	}
	return entry_at(table, va, level);
}

u64 *pgt_walk(u64 *root, unsigned long va, bool create)
{
	return walk_to(root, va, 1, create);
}

u64 *pgt_next(u64 *root, unsigned long *va, unsigned long end)
{
	unsigned long v = *va;

	while (v < end) {
		u64 *table = root, *e = NULL;
		int l;

		for (l = 4; l >= 1; l--) {
			e = entry_at(table, v, l);
			if (l == 1 || !arch_pte_present(*e))
				break;
			table = table_of(*e);
		}
		if (l > 1) {
			unsigned long next = (v | (LEVEL_SIZE(l) - 1)) + 1;

			if (next <= v)
				return NULL;
			v = next;
			continue;
		}
		/* Along this table. */
		do {
			if (*e) {
				*va = v;
				return e;
			}
			e++;
			v += PAGE_SIZE;
		} while (v < end && v & (HUGE_SIZE - 1));
	}
	return NULL;
}

int pgt_map_range(u64 *root, unsigned long va, phys_addr_t pa, u64 size, unsigned int prot)
{
	ASSERT(IS_ALIGNED(va | pa | size, PAGE_SIZE));
	while (size) {
		bool huge = size >= HUGE_SIZE && IS_ALIGNED(va | pa, HUGE_SIZE);
		u64 step = huge ? HUGE_SIZE : PAGE_SIZE;
		u64 *e = walk_to(root, va, huge ? 2 : 1, true);

		if (!e)
			return -ENOMEM;
		if (huge && arch_pte_present(*e) && !arch_pte_is_leaf(*e, 2)) {
			/* A finer table is there already: keep it. */
			huge = false;
			step = PAGE_SIZE;
			e = walk_to(root, va, 1, true);
			if (!e)
				return -ENOMEM;
		}
		arch_pte_write(e, arch_pte_leaf(pa, prot, huge ? 2 : 1));
		va += step;
		pa += step;
		size -= step;
	}
	return 0;
}

u64 pgt_query(u64 *root, unsigned long va, int *level)
{
	u64 *table = root;

	for (int l = 4; l >= 1; l--) {
		u64 e = READ_ONCE(*entry_at(table, va, l));

		*level = l;
		if (!arch_pte_present(e))
			return 0;
		if (l == 1 || (l == 2 && arch_pte_is_leaf(e, l)))
			return e;
		table = table_of(e);
	}
	return 0;
}

static void free_tables(u64 *table, int level, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		u64 e = table[i];

		if (!arch_pte_present(e))
			continue;
		if (level > 2)
			free_tables(table_of(e), level - 1, ENTRIES);
		page_free(phys_to_page(arch_pte_pa(e)), 0);
	}
}

void pgt_free_user_tables(u64 *root)
{
	free_tables(root, 4, ENTRIES / 2);
	memset(root, 0, ENTRIES / 2 * sizeof(*root));
}

int pgt_fill_top(u64 *root, unsigned long start, unsigned long end)
{
	for (unsigned long va = start; va < end; va += LEVEL_SIZE(4))
		if (!walk_to(root, va, 3, true))
			return -ENOMEM;
	return 0;
}
