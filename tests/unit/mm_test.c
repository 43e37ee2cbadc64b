/* mm_test.c - the kernel's boot, page and slab allocators on the host, in the debug configuration:
 * random use against a model, and each kind of misuse must be named by a panic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <lib/atomic.h>
#include <lib/boot.h>
#include <mm/mm.h>
#include "kernel/mm/boot_alloc.h"
#include "kernel/mm/buddy.h"
#include "kernel/mm/slab.h"
#include "kernel/arch/host/host.h"

#define RAM_SIZE   (16ul << 20)
#define HOLE_START (6ul << 20)
#define HOLE_END   (7ul << 20)

/* Evaluates to true if the statement panics with `text` in the message. */
#define PANICS(text, ...)                                                                          \
	({                                                                                         \
		jmp_buf env_;                                                                      \
		volatile bool hit_ = false;                                                        \
		host_panic = &env_;                                                                \
		if (!setjmp(env_)) {                                                               \
			__VA_ARGS__;                                                               \
		} else {                                                                           \
			hit_ = strstr(host_panic_text, text) != NULL;                              \
		}                                                                                  \
		host_panic = NULL;                                                                 \
		hit_;                                                                              \
	})

static struct mem_range ram[] = {{HOST_RAM, HOLE_START},
				 {HOST_RAM + HOLE_END, RAM_SIZE - HOLE_END}};
/* Not in order, touching and overlapping, one over a whole start of RAM. */
static struct mem_range reserved[] = {
	{HOST_RAM + 0x300000, 0x1000},
	{HOST_RAM, 0x2345},
	{HOST_RAM + 0x2000, 0x1000},
	{HOST_RAM + 0x301000, 0x800},
	{HOST_RAM + RAM_SIZE - 0x1000, 0x1000},
};
static u64 taken;

static u64 free_now(void)
{
	u64 total, left;

	mm_stats(&total, &left);
	return left;
}

static void boot_allocator(void **state)
{
	unsigned char *p, *last = host_ram;

	boot_alloc_init();
	assert_true(boot_range_free(HOST_RAM + 0x100000, 0x1000));
	assert_int_equal(boot_reserve(HOST_RAM + 0x100000, 0x3000), 0);
	assert_false(boot_range_free(HOST_RAM + 0x100000, 0x10));
	assert_int_equal(boot_reserve(HOST_RAM + 0x102000, 0x2000), -EBUSY);
	assert_int_equal(boot_reserve(HOST_RAM + 0x2000, 0x10), -EBUSY);
	assert_int_equal(boot_reserve(HOST_RAM + HOLE_START, 0x10), -EBUSY);
	for (unsigned int i = 0; i < 300; i++) {
		u64 size = (u64)rand() % 5000 + 1, align = 1ull << rand() % 13;

		p = boot_alloc(size, align);
		taken += size;
		assert_true(virt_to_phys(p) % align == 0);
		assert_true(virt_to_phys(p) >= HOST_RAM + 0x3000);
		assert_false(p < host_ram + 0x103000 && p + size > host_ram + 0x100000);
		assert_false(p < host_ram + 0x301800 && p + size > host_ram + 0x300000);
		for (u64 k = 0; k < size; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, size);
		last = p > last ? p : last;
	}
	assert_true(PANICS("out of memory at boot", boot_alloc(RAM_SIZE, 1)));
	boot_alloc_init(); /* void the second time */
	assert_false(boot_range_free(HOST_RAM + 0x100000, 0x10));
}

/* The page array and the direct map's tables take no more than the room that was named, and most
 * of it. */
static void ram_that_fits(void **state)
{
	for (u64 room = 1ul << 20; room <= 4ul << 30; room += room / 3) {
		u64 n = boot_pages_for(room), leaves = n * PAGE_SIZE / (2ul << 20);
		u64 tables = leaves / 512 + leaves / 512 / 512 + 8;
		u64 uses = n * sizeof(struct page) + tables * PAGE_SIZE;

		assert_true(uses <= room);
		assert_true(uses >= room - room / 32 - 32 * PAGE_SIZE);
	}
	assert_int_equal(boot_pages_for(0), 0);
	assert_int_equal(boot_pages_for(PAGE_SIZE), 0);
	assert_true(boot_alloc_largest() < RAM_SIZE);
	assert_true(boot_alloc_largest() >= HOLE_START - 0x302000 - 300 * 5000);
}

static void ram_is_cut(void **state)
{
	struct boot_info was = boot_info;
	struct mem_range three[3] = {{0x1000, 0x1000}, {0x4000, 0x2000}, {0x8000, 0x1000}};
	static const struct {
		u64 end, cut;
		unsigned int left;
	} cases[] = {{0xa000, 0, 3},      {0x9000, 0, 3},      {0x8800, 0x800, 3},
		     {0x8000, 0x800, 2},  {0x7000, 0, 2},      {0x5000, 0x1000, 2},
		     {0x3000, 0x1000, 1}, {0x1000, 0x1000, 0}, {0, 0, 0}};

	boot_info.ram = three;
	boot_info.nr_ram = 3;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(boot_ram_cut(cases[i].end), cases[i].cut);
		assert_int_equal(boot_info.nr_ram, cases[i].left);
	}
	boot_info = was;
}

static void page_allocator(void **state)
{
	static struct {
		struct page *p;
		unsigned int order;
	} held[64];
	u64 all;

	buddy_poison_full();
	buddy_init(boot_alloc(RAM_SIZE / PAGE_SIZE * sizeof(struct page), PAGE_SIZE),
		   HOST_RAM >> PAGE_SHIFT, RAM_SIZE >> PAGE_SHIFT);
	for (unsigned int i = 0; i < 2; i++)
		buddy_add_ram(ram[i].base, ram[i].size);
	boot_alloc_drain(buddy_give);
	all = free_now();
	assert_true(all > (RAM_SIZE - (HOLE_END - HOLE_START) - 4 * taken) / PAGE_SIZE - 64);
	assert_true(all < (RAM_SIZE - (HOLE_END - HOLE_START)) / PAGE_SIZE);
	assert_null(phys_to_page(HOST_RAM + HOLE_START));
	assert_null(phys_to_page(HOST_RAM + RAM_SIZE));
	assert_null(phys_to_page(HOST_RAM - 1));

	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int i = (unsigned int)rand() % 64;
		unsigned char *v;

		if (held[i].p) {
			v = page_to_virt(held[i].p);
			for (u64 k = 0; k < PAGE_SIZE << held[i].order; k += PAGE_SIZE)
				assert_int_equal(v[k], i);
			page_free(held[i].p, held[i].order);
			held[i].p = NULL;
			continue;
		}
		held[i].order = (unsigned int)rand() % 4 ? 0 : (unsigned int)rand() % 8;
		held[i].p = page_alloc(held[i].order, round & 1);
		if (!held[i].p)
			continue;
		v = page_to_virt(held[i].p);
		assert_true(page_to_phys(held[i].p) % (PAGE_SIZE << held[i].order) == 0);
		assert_false(page_to_phys(held[i].p) >= HOST_RAM + HOLE_START &&
			     page_to_phys(held[i].p) < HOST_RAM + HOLE_END);
		if (round & 1)
			for (u64 k = 0; k < PAGE_SIZE << held[i].order; k += 64)
				assert_int_equal(v[k], 0);
		for (u64 k = 0; k < PAGE_SIZE << held[i].order; k += PAGE_SIZE)
			v[k] = (unsigned char)i;
	}
	for (unsigned int i = 0; i < 64; i++)
		if (held[i].p)
			page_free(held[i].p, held[i].order);
	assert_int_equal(free_now(), all);
}

static void page_misuse(void **state)
{
	struct page *p = page_alloc(0, 0), *block = page_alloc(3, 0);
	u64 *w = page_to_virt(p);

	page_get(p);
	assert_true(PANICS("others still use", page_free(p, 0)));
	page_put(p);
	assert_true(PANICS("another order", page_free(block, 2)));
	page_free(block, 3);
	page_free(p, 0);
	assert_true(PANICS("double free", page_free(p, 0)));
	assert_true(PANICS("reference taken on a free page", page_get(p)));
	atomic_store(&p->refs, 0);
	w[17] = 1;
	assert_true(PANICS("written after free", p = page_alloc(0, 0)));
	w[17] = 0xf5eef5eef5eef5eeull;
}

static void out_of_pages(void **state)
{
	struct page *all = NULL, *p;
	u64 before = free_now(), n = 0;

	while ((p = page_alloc(0, 0))) {
		*(struct page **)page_to_virt(p) = all;
		all = p;
		n++;
	}
	assert_true(n + 1 >= before); /* one page is lost to the misuse test */
	assert_null(kmalloc(100000));
	assert_null(page_alloc(1, 0));
	while ((p = all)) {
		all = *(struct page **)page_to_virt(p);
		page_put(p);
	}
	p = page_alloc(5, 0); /* the blocks have merged again */
	assert_non_null(p);
	page_free(p, 5);
}

/* Free single pages that are in no block of the lists: a CPU has them in its cache. */
static unsigned int cached_pages(void)
{
	unsigned int n = 0;

	for (u64 i = 0; i < RAM_SIZE / PAGE_SIZE; i++) {
		struct page *p = phys_to_page(HOST_RAM + i * PAGE_SIZE);

		if (!p || p->flags & PG_RESERVED)
			continue;
		if (p->flags & PG_BUDDY)
			i += BIT(p->order) - 1;
		else if (!p->refs)
			n++;
		else
			i += BIT(p->order) - 1;
	}
	return n;
}

/* A CPU keeps some pages, not all; and gives them back when a block cannot be had without them. */
static void cpu_cache(void **state)
{
	struct page *held[100], *all = NULL, *p, *low = NULL, *high = NULL;
	unsigned int most = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = page_alloc(0, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(held); i++) {
		page_free(held[i], 0);
		most = MAX(most, cached_pages());
	}
	while ((p = page_alloc(0, 0))) {
		struct page *next = phys_to_page(page_to_phys(p) + PAGE_SIZE);

		*(struct page **)page_to_virt(p) = all;
		all = p;
		if (!low && next && !(page_to_phys(p) >> PAGE_SHIFT & 1) && next->refs) {
			low = p;
			high = next;
		}
	}
	assert_int_equal(most - cached_pages(), 32); /* what is left is lost to the misuse test */
	/* All is taken but two neighbours in the cache: together they are a block of order 1. */
	assert_non_null(low);
	assert_null(page_alloc(1, 0));
	for (struct page **link = &all; *link;)
		if (*link == low || *link == high)
			*link = *(struct page **)page_to_virt(*link);
		else
			link = page_to_virt(*link);
	page_free(low, 0);
	page_free(high, 0);
	p = page_alloc(1, 0);
	assert_ptr_equal(p, low);
	page_free(p, 1);
	while ((p = all)) {
		all = *(struct page **)page_to_virt(p);
		page_free(p, 0);
	}
}

/* Blocks of every order: whole, aligned, zeroed to the last byte, and watched when free. */
static void larger_orders(void **state)
{
	u64 before = free_now();
	struct page *p;
	u64 *last;

	for (unsigned int k = 1; k <= 9; k++) {
		p = page_alloc(k, 0);
		assert_non_null(p);
		memset(page_to_virt(p), 0xab, PAGE_SIZE << k);
		page_free(p, k);
		p = page_alloc(k, MM_ZERO);
		assert_int_equal(page_to_phys(p) % (PAGE_SIZE << k), 0);
		for (u64 *w = page_to_virt(p); w < (u64 *)page_to_virt(p) + (PAGE_SIZE << k) / 8;
		     w++)
			assert_int_equal(*w, 0);
		assert_int_equal(free_now(), before - BIT(k));
		page_free(p, k);
		assert_int_equal(free_now(), before);
	}
	assert_null(page_alloc(MAX_ORDER + 1, 0));
	assert_null(page_alloc(~0u, 0));
	p = page_alloc(3, 0);
	last = (u64 *)page_to_virt(p) + (PAGE_SIZE << 3) / 8 - 1;
	page_free(p, 3);
	*last ^= 1;
	assert_true(PANICS("written after free", p = page_alloc(3, 0)));
	*last ^= 1;
}

static void objects(void **state)
{
	static struct {
		unsigned char *p;
		size_t size;
	} held[256];
	unsigned char *near[40];
	struct kmem_cache *c;
	void *a;
	u64 before;

	slab_init();
	before = free_now();
	for (unsigned int round = 0; round < 50000; round++) {
		unsigned int i = (unsigned int)rand() % 256;

		if (held[i].p) {
			for (size_t k = 0; k < held[i].size; k++)
				assert_int_equal(held[i].p[k], i);
			kfree(held[i].p);
			held[i].p = NULL;
			continue;
		}
		held[i].size = (size_t)rand() % (rand() % 8 ? 300 : 10000);
		held[i].p = kmalloc(held[i].size);
		assert_non_null(held[i].p);
		assert_int_equal((uintptr_t)held[i].p % 16, 0);
		assert_true(kmalloc_usable(held[i].p) >= held[i].size);
		memset(held[i].p, (int)i, held[i].size);
	}
	for (unsigned int i = 0; i < 256; i++)
		kfree(held[i].p);
	assert_true(free_now() + 12 * 8 >= before); /* one empty slab a class */

	c = kmem_cache_create("test", 100, 64);
	a = kmem_cache_alloc(c);
	assert_int_equal((uintptr_t)a % 64, 0);
	for (unsigned int k = 0; k < 100; k++)
		assert_int_equal(((unsigned char *)a)[k], 0);
	assert_true(PANICS("but it is from kmalloc-32", kmem_cache_free(c, kmalloc(20))));
	/* Of the same stride, and still not its own. */
	assert_true(
		PANICS("but it is from twin",
		       kmem_cache_free(c, kmem_cache_alloc(kmem_cache_create("twin", 100, 64)))));
	kmem_cache_free(c, a);
	/* Neighbours have the same distance, and keep out of each other. */
	for (unsigned int k = 0; k < ARRAY_SIZE(near); k++) {
		near[k] = kmem_cache_alloc(c);
		memset(near[k], (int)k, 100);
		assert_int_equal((uintptr_t)near[k] % 64, 0);
	}
	for (unsigned int k = 0; k < ARRAY_SIZE(near); k++) {
		assert_int_equal(near[k][0], k);
		assert_int_equal(near[k][99], k);
		kmem_cache_free(c, near[k]);
	}
	assert_null(kmalloc((PAGE_SIZE << MAX_ORDER) + 1));
	assert_null(kmalloc(~0ul));
}

/* Each leaves the allocator's lock held by the panic, so each uses a size class of its own. */
static void object_misuse(void **state)
{
	unsigned char *p;

	p = kmalloc(10);
	p[10] = 1;
	assert_true(PANICS("past the end", kfree(p)));
	p = kmalloc(40);
	p[-1] = 1;
	assert_true(PANICS("before the object", kfree(p)));
	p = kmalloc(90);
	kfree(p);
	assert_true(PANICS("double free", kfree(p)));
	p = kmalloc(120);
	kfree(p);
	p[5] = 1;
	assert_true(PANICS("written after free", p = kmalloc(120)));
	p = kmalloc(180);
	assert_true(PANICS("not the start", kfree(p + 16)));
	/* The guard in front: its state, then the size that was asked for. */
	p = kmalloc(300);
	((u32 *)(p - 32))[0] = 1;
	assert_true(PANICS("guard overwritten", kfree(p)));
	p = kmalloc(700);
	((u32 *)(p - 32))[1] = 0x10000000;
	assert_true(PANICS("guard overwritten", kfree(p)));
	p = kmalloc(5000);
	p[5000] = 1;
	assert_true(PANICS("past the end", kfree(p)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_allocator), cmocka_unit_test(ram_that_fits),
		cmocka_unit_test(ram_is_cut),     cmocka_unit_test(page_allocator),
		cmocka_unit_test(page_misuse),    cmocka_unit_test(out_of_pages),
		cmocka_unit_test(cpu_cache),      cmocka_unit_test(larger_orders),
		cmocka_unit_test(objects),        cmocka_unit_test(object_misuse),
	};

	host_ram = aligned_alloc(4ul << 20, RAM_SIZE);
	host_single();
	host_quiet = true;
	host_early_size = 12ul << 20; /* some of the RAM is beyond the early map */
	boot_info = (struct boot_info){.ram = ram,
				       .nr_ram = 2,
				       .reserved = reserved,
				       .nr_reserved = sizeof(reserved) / sizeof(reserved[0])};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
