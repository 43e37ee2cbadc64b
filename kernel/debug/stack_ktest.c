/* stack_ktest.c - exception stacks: a walk over frames leaves the one that it starts on, and
 * digging below one stops the machine with its name (tests/integration/test_memory_guards.py). All
 * on the last CPU, whose stacks are not the boot CPU's. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ksyms.h>
#include <lib/ktest.h>
#include <lib/boot.h>
#include <lib/string.h>
#include <sched/sched.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/exception_stack.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <arch/time.h>
#include "debug_private.h"

static u64 frames[BB_CRASH_FRAMES];
static u32 nframes; /* atomic */

static __noinline void collect(void)
{
	atomic_store_release(&nframes, backtrace_collect(0, arch_fp(), frames, ARRAY_SIZE(frames)));
}

/* Whether frames[from] or a later one lies in the function; its index goes to *at. */
static bool walked_through(const char *function, unsigned int from, unsigned int *at)
{
	for (*at = from; *at < nframes; ++*at) {
		unsigned long off, size;

		if (!strcmp(ksym_lookup(frames[*at] - 1, &off, &size), function))
			return true;
	}
	return false;
}

static __noinline void nmi_to_myself(void)
{
	u64 limit = arch_ticks() + ns_to_ticks(NSEC_PER_SEC);

	atomic_store_release(&debug_nmi_call, collect);
	arch_nmi_send(this_cpu());
	while (!atomic_load_acquire(&nframes) && arch_ticks() < limit)
		arch_cpu_relax();
}

static __noinline void interrupted(void *arg)
{
	irqflags_t f = arch_irq_save();

	nmi_to_myself();
	arch_irq_restore(f);
	kthread_exit(0);
}

KTEST(stack_walk_from_an_nmi)
{
	unsigned int at;

	struct thread *t = kthread_run_on(nr_cpus - 1, "interrupted", interrupted, NULL);

	KT_ASSERT(!IS_ERR(t));
	KT_EQ(kthread_stop(t), 0);
	KT_ASSERT(walked_through("trap_nmi", 0, &at));
	KT_ASSERT(walked_through("nmi_to_myself", at + 1, &at));
	KT_ASSERT(walked_through("interrupted", at + 1, &at));
}

static __noinline void call_collect(void *arg)
{
	irqflags_t f = arch_irq_save();

	for (unsigned int i = 0; i < arch_exception_stacks; i++) {
		unsigned int at;

		atomic_store(&nframes, 0);
		arch_exception_stack_call(i, collect);
		KT_ASSERT(walked_through("call_collect", 1, &at));
	}
	arch_irq_restore(f);
	kthread_exit(0);
}

KTEST(stack_walk_from_each)
{
	struct thread *t = kthread_run_on(nr_cpus - 1, "walker", call_collect, NULL);

	KT_ASSERT(!IS_ERR(t));
	KT_EQ(kthread_stop(t), 0);
}

static __noinline int dig(int depth)
{
	volatile u8 room[256];

	room[depth % 256] = (u8)depth;
	return depth < 1000000 ? dig(depth + 1) + room[0] : 0;
}

static void dig_here(void)
{
	dig(0);
}

/* overflow=nmi: in an NMI, wherever that runs; overflow=N: on stack N. */
static void digger(void *arg)
{
	arch_irq_disable();
	if (cmdline_is("overflow", "nmi")) {
		atomic_store_release(&debug_nmi_call, dig_here);
		arch_nmi_send(this_cpu());
		for (u64 end = arch_ticks() + ns_to_ticks(NSEC_PER_SEC); arch_ticks() < end;)
			arch_cpu_relax();
	}
	for (unsigned int i = 0; i < arch_exception_stacks; i++) {
		char number[2] = {(char)('0' + i)};

		if (cmdline_is("overflow", number))
			arch_exception_stack_call(i, dig_here);
	}
	arch_irq_enable();
	kthread_exit(0);
}

KTEST(exception_stack_overflow)
{
	size_t len;
	struct thread *t;

	if (!cmdline_get("overflow", &len))
		KT_SKIP("needs overflow=NAME");
	t = kthread_run_on(nr_cpus - 1, "digger", digger, NULL);
	KT_ASSERT(!IS_ERR(t));
	kthread_stop(t);
	ktest_fail(__FILE__, __LINE__, "the overflow was not noticed", 0, 0);
}
