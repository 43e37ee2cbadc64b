/* stress_ktest.c - the allocators with all CPUs at once, and with nothing left to give.
 *
 * Objects are made by one thread and, through a table of slots that they are exchanged in, ended by
 * another, so pages and slots travel between the CPUs' caches. Each carries its size and a pattern
 * from end to end: an allocator that hands the same memory out twice is seen by whoever ends the
 * object, and one that loses memory by the count of free pages. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <arch/upcalls.h>

#define WORKERS 8
#define SLOTS   64u
#define ROUNDS  250u

struct object {
	size_t size;
	u64 seed;
	u8 body[];
};

struct stress {
	struct object *slot[SLOTS]; /* atomic */
	struct page *page[SLOTS];   /* atomic */
	u32 broken, failed, seed;   /* atomic */
};

static u64 free_pages(void)
{
	u64 total, left;

	mm_stats(&total, &left);
	return left;
}

static u32 next_random(u32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static struct object *object_make(u32 *rnd, size_t body)
{
	size_t size = sizeof(struct object) + body;
	struct object *o = kmalloc(size);

	if (!o)
		return NULL;
	o->size = size;
	o->seed = next_random(rnd);
	memset(o->body, (int)o->seed, size - sizeof(*o));
	return o;
}

static bool object_end(struct object *o)
{
	bool good = true;

	for (size_t i = 0; i < o->size - sizeof(*o); i++)
		good &= o->body[i] == (u8)o->seed;
	kfree(o);
	return good;
}

static struct page *pages_make(u32 *rnd)
{
	unsigned int order = next_random(rnd) % 4;
	struct page *p = page_alloc(order, 0);
	u64 *w;

	for (u64 i = 0; p && i < BIT(order); i++) {
		w = page_to_virt(&p[i]);
		w[0] = w[PAGE_SIZE / 8 - 1] = page_to_phys(p) + order;
	}
	return p;
}

static bool pages_end(struct page *p)
{
	unsigned int order = p->order;
	bool good = true;

	for (u64 i = 0; i < BIT(order); i++) {
		const u64 *w = page_to_virt(&p[i]);

		good &= w[0] == page_to_phys(p) + order && w[PAGE_SIZE / 8 - 1] == w[0];
	}
	page_free(p, order);
	return good;
}

static void exchange_object(struct stress *s, u32 *rnd, size_t body)
{
	struct object *o = object_make(rnd, body);

	if (!o)
		atomic_fetch_add(&s->failed, 1);
	o = atomic_xchg(&s->slot[next_random(rnd) % SLOTS], o);
	if (o && !object_end(o))
		atomic_fetch_add(&s->broken, 1);
}

static void exchange_pages(struct stress *s, u32 *rnd)
{
	struct page *p = pages_make(rnd);

	if (!p)
		atomic_fetch_add(&s->failed, 1);
	p = atomic_xchg(&s->page[next_random(rnd) % SLOTS], p);
	if (p && !pages_end(p))
		atomic_fetch_add(&s->broken, 1);
}

static void stress_worker(void *arg)
{
	struct stress *s = arg;
	u32 rnd = atomic_add_fetch(&s->seed, 7919);

	/* All on one size, so that they meet in one cache; then everything from small to pages. */
	for (u32 i = 0; i < 12 * ROUNDS; i++)
		exchange_object(s, &rnd, 8);
	for (u32 i = 0; i < ROUNDS; i++) {
		exchange_object(s, &rnd, next_random(&rnd) % (next_random(&rnd) % 8 ? 500 : 9000));
		exchange_pages(s, &rnd);
	}
}

KTEST(mm_stress_on_all_cpus)
{
	struct stress *s = kzalloc(sizeof(*s));
	struct thread *t[WORKERS];
	u64 before = 0;

	KT_ASSERT(s);
	if (!s)
		return;
	for (unsigned int turn = 0; turn < 2; turn++) {
		for (unsigned int i = 0; i < WORKERS; i++)
			t[i] = kthread_run_on(i % nr_cpus, "ktest-mm", stress_worker, s);
		for (unsigned int i = 0; i < WORKERS; i++) {
			KT_ASSERT(!IS_ERR(t[i]));
			if (!IS_ERR(t[i]))
				kthread_stop(t[i]);
		}
		for (unsigned int i = 0; i < SLOTS; i++) {
			KT_ASSERT(!s->slot[i] || object_end(s->slot[i]));
			KT_ASSERT(!s->page[i] || pages_end(s->page[i]));
			s->slot[i] = NULL;
			s->page[i] = NULL;
		}
		if (turn == 0)
			before = free_pages();
	}
	KT_EQ(s->broken, 0);
	KT_EQ(s->failed, 0);
	/* Spare slabs of a dozen classes, stacks that the reaper has not come to yet. */
	KT_ASSERT(free_pages() + 128 >= before);
	kfree(s);
}

KTEST(mm_sizes_that_cannot_be)
{
	void *p = kmalloc(0);
	u64 start;

	KT_ASSERT(p);
	kfree(p);
	KT_ASSERT(!kmalloc(~0ul));
	KT_ASSERT(!kmalloc(~0ul - PAGE_SIZE));
	KT_ASSERT(!kzalloc(1ul << 63));
	KT_ASSERT(!kmalloc((4ul << 20) + 1));
	p = kmalloc(4ul << 20);
	KT_ASSERT(p);
	kfree(p);
	KT_ASSERT(!page_alloc(11, 0));
	KT_ASSERT(!page_alloc(~0u, 0));
	KT_ASSERT(!vmalloc(0, PROT_R | PROT_W));
	KT_ASSERT(!vmalloc(~0ul, PROT_R | PROT_W));
	/* Has a place but no memory: is refused at once, not after it took all there is. */
	start = time_ns();
	KT_ASSERT(!vmalloc(1ul << 43, PROT_R | PROT_W));
	KT_ASSERT(time_ns() - start < NSEC_PER_SEC);
}

static void ends_at_once(void *arg)
{
}

#define SINGLES 4

static void push(struct page **all, struct page *p)
{
	*(struct page **)page_to_virt(p) = *all;
	*all = p;
}

/* Takes every page that this CPU can get, the largest blocks first. On top of the list are SINGLES
 * single pages, whether or not single ones are left over at the end. */
static struct page *take_all(void)
{
	struct page *all = NULL, *singles[SINGLES], *p;

	for (unsigned int i = 0; i < SINGLES; i++)
		singles[i] = page_alloc(0, 0);
	for (int order = 10; order >= 0; order--)
		while ((p = page_alloc((unsigned int)order, 0)))
			push(&all, p);
	for (unsigned int i = 0; i < SINGLES; i++)
		push(&all, singles[i]);
	return all;
}

/* The next page of the list goes back. */
static struct page *give_one(struct page *all)
{
	struct page *next = *(struct page **)page_to_virt(all);

	page_free(all, all->order);
	return next;
}

/* Until nobody gives pages back any more: what earlier tests ended is buried by another thread. */
static u64 settled(void)
{
	u64 now = free_pages(), was, limit = time_ns() + 2 * NSEC_PER_SEC;

	do {
		was = now;
		thread_sleep_ns(20000000, false);
		now = free_pages();
	} while (now != was && time_ns() < limit);
	return now;
}

static void run_out(void *arg)
{
	u64 before = settled();
	unsigned long at = 0;
	struct mm *mm = mm_create();
	struct page *all;

	KT_ASSERT(!IS_ERR(mm));
	KT_EQ(vm_map(mm, &at, 16 * PAGE_SIZE, VMA_READ | VMA_WRITE, NULL, 0, 0), 0);
	KT_EQ(vm_fault(mm, at, FAULT_USER | FAULT_WRITE), 0);
	all = take_all();
	KT_ASSERT(!page_alloc(0, 0));
	KT_ASSERT(!kmalloc(100000));
	KT_ASSERT(!vmalloc(64 * PAGE_SIZE, PROT_R | PROT_W));
	KT_ASSERT(!kstack_alloc());
	KT_EQ(PTR_ERR(mm_create()), -ENOMEM);
	KT_EQ(PTR_ERR(kthread_run("ktest-none", ends_at_once, NULL)), -ENOMEM);
	KT_EQ(vm_fault(mm, at + 8 * PAGE_SIZE, FAULT_USER | FAULT_WRITE), -ENOMEM);
	/* From none to three pages: the copy fails at its root, then at each table below it. */
	for (unsigned int i = 0; i < SINGLES; i++) {
		KT_EQ(PTR_ERR(mm_fork(mm)), -ENOMEM);
		KT_EQ(all->order, 0);
		all = give_one(all);
	}
	while (all)
		all = give_one(all);
	KT_EQ(vm_fault(mm, at + 8 * PAGE_SIZE, FAULT_USER | FAULT_WRITE), 0);
	mm_put(mm);
	KT_ASSERT(free_pages() + 64 >= before);
}

/* With no page left everything that needs one says so and leaves nothing half made; with the pages
 * back everything works again. On one CPU, as each keeps a few pages for itself. */
KTEST(mm_out_of_memory_and_back)
{
	struct thread *t = kthread_run_on(0, "ktest-oom", run_out, NULL);

	KT_ASSERT(!IS_ERR(t));
	if (!IS_ERR(t))
		kthread_stop(t);
}
