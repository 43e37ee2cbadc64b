/* misuse_ktest.c - mistakes with memory, on demand: boot with ktest=mm_misuse misuse=NAME. Each
 * must end in a panic that names it (tests/integration/test_memory_guards.py), so only one can be
 * made a boot, and without the option none is. */
#include <irq/timer.h>
#include <lib/boot.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/thread.h>

/* What the compiler must not see through. */
static void *hide(const void *p)
{
	__asm__("" : "+r"(p));
	return (void *)p;
}

static void poke(const void *p)
{
	*(volatile u8 *)hide(p) = 1;
}

static void *object(size_t size)
{
	void *p = kmalloc(size);

	KT_ASSERT(p);
	return p;
}

static void past_the_end(void)
{
	u8 *p = object(40);

	poke(p + 40);
	kfree(p);
}

static void past_the_end_large(void)
{
	u8 *p = object(5000);

	poke(p + 5000);
	kfree(p);
}

static void before_the_start(void)
{
	u8 *p = object(40);

	poke(p - 1);
	kfree(p);
}

/* The cache hands out the object freed last. */
static void write_after_free(void)
{
	u8 *p = object(700);

	kfree(p);
	poke(p + 600);
	kfree(object(700));
}

static void double_free(void)
{
	void *p = object(40);

	kfree(p);
	kfree(hide(p));
}

static void double_free_large(void)
{
	void *p = object(5000);

	kfree(p);
	kfree(hide(p));
}

static void free_inside(void)
{
	kfree((u8 *)object(180) + 16);
}

static void free_of_constant(void)
{
	kfree(phys_to_virt(virt_to_phys(__rodata_start)));
}

static void wrong_cache(void)
{
	struct kmem_cache *c = kmem_cache_create("misuse", 100, 16);

	KT_ASSERT(c);
	kmem_cache_free(c, object(40));
}

static void page_write_after_free(void)
{
	struct page *p = page_alloc(0, 0);
	irqflags_t f = arch_irq_save(); /* the same CPU's cache gives it out again */

	page_free(p, 0);
	poke((u8 *)page_to_virt(p) + 1000);
	KT_ASSERT(page_alloc(0, 0));
	arch_irq_restore(f);
}

static void page_double_free(void)
{
	struct page *p = page_alloc(0, 0);

	page_free(p, 0);
	page_free(hide(p), 0);
}

static void page_wrong_order(void)
{
	page_free(page_alloc(3, 0), 2);
}

static void page_extra_put(void)
{
	struct page *p = page_alloc(0, 0);

	page_put(p);
	page_put(hide(p));
}

static void stack_double_free(void)
{
	void *s = kstack_alloc();

	kstack_free(s);
	kstack_free(hide(s));
}

static __noinline int dig(int depth)
{
	volatile u8 room[256];

	room[depth % 256] = (u8)depth;
	return depth < 1000000 ? dig(depth + 1) + room[0] : 0;
}

static void dig_in_interrupt(struct timer *t)
{
	dig(0);
}

static void arm_and_sleep(void *arg)
{
	static struct timer t;

	timer_arm(&t, arch_ticks() + ns_to_ticks(20000000), dig_in_interrupt);
	thread_sleep_ns(NSEC_PER_SEC, false);
}

/* CPU 0 is idle when the timer fires, so its interrupt digs on the boot stack. */
static void boot_stack_overflow(void)
{
	KT_ASSERT(!IS_ERR(kthread_run_on(0, "ktest-armer", arm_and_sleep, NULL)));
	thread_sleep_ns(NSEC_PER_SEC, false);
}

static void below_an_area(void)
{
	poke((u8 *)vmalloc(PAGE_SIZE, PROT_R | PROT_W) - 1);
}

static void above_an_area(void)
{
	poke((u8 *)vmalloc(PAGE_SIZE, PROT_R | PROT_W) + PAGE_SIZE);
}

static void write_to_text(void)
{
	poke(__text_start);
}

static void write_to_text_alias(void)
{
	poke(phys_to_virt(virt_to_phys(__text_start)));
}

static void write_to_constant(void)
{
	poke(__rodata_start);
}

static void run_data(void)
{
	void (*fn)(void) = (void (*)(void))hide(__data_start);

	fn();
}

static void run_page(void)
{
	void (*fn)(void) = (void (*)(void))hide(page_to_virt(page_alloc(0, MM_ZERO)));

	fn();
}

/* A mapped, writable user page, but not through the copy functions. */
static void user_memory_directly(void)
{
	struct mm *mm = mm_create();
	unsigned long at = 0;
	u64 v = 1;

	KT_EQ(vm_map(mm, &at, PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	mm_activate(mm);
	KT_EQ(copy_to_user((void __user *)at, &v, 8), 0);
	poke((void *)at);
}

/* The user's side is fine, the kernel's is a guard page: no -EFAULT may hide that. */
static void copy_from_guard_page(void)
{
	struct mm *mm = mm_create();
	unsigned long at = 0;

	KT_EQ(vm_map(mm, &at, PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	mm_activate(mm);
	KT_EQ(copy_to_user((void __user *)at, (u8 *)current_thread()->kstack_base - 64, 8), 0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} misuses[] = {
	{"past-the-end", past_the_end},
	{"past-the-end-large", past_the_end_large},
	{"before-the-start", before_the_start},
	{"write-after-free", write_after_free},
	{"double-free", double_free},
	{"double-free-large", double_free_large},
	{"free-inside", free_inside},
	{"free-of-constant", free_of_constant},
	{"wrong-cache", wrong_cache},
	{"page-write-after-free", page_write_after_free},
	{"page-double-free", page_double_free},
	{"page-wrong-order", page_wrong_order},
	{"page-extra-put", page_extra_put},
	{"stack-double-free", stack_double_free},
	{"boot-stack-overflow", boot_stack_overflow},
	{"below-an-area", below_an_area},
	{"above-an-area", above_an_area},
	{"write-to-text", write_to_text},
	{"write-to-text-alias", write_to_text_alias},
	{"write-to-constant", write_to_constant},
	{"run-data", run_data},
	{"run-page", run_page},
	{"user-memory-directly", user_memory_directly},
	{"copy-from-guard-page", copy_from_guard_page},
};

KTEST(mm_misuse)
{
	size_t len;
	bool known = false;

	if (!cmdline_get("misuse", &len))
		KT_SKIP("needs misuse=NAME");
	for (unsigned int i = 0; i < ARRAY_SIZE(misuses); i++) {
		if (!cmdline_is("misuse", misuses[i].name))
			continue;
		misuses[i].fn();
		ktest_fail(__FILE__, __LINE__, "the mistake was not noticed", 0, 0);
		known = true;
	}
	KT_ASSERT(known);
}
