/* irq_ktest.c - timers, cross-CPU calls, the clock. */
#include <irq/irq.h>
#include <irq/timer.h>
#include <lib/atomic.h>
#include <lib/ktest.h>
#include <sched/sched.h>
#include <arch/cpu.h>

static void count_call(void *arg)
{
	atomic_fetch_add((u32 *)arg, 1);
}

KTEST(ipi_call_reaches_every_cpu)
{
	struct cpumask all = {0};
	u32 n = 0, want;

	for_each_online_cpu (c)
		cpumask_set(&all, c);
	want = cpumask_weight(&all) - 1;
	for (int i = 0; i < 50; i++) {
		n = 0;
		ipi_call(&all, count_call, &n);
		KT_EQ(n, want);
	}
}

struct counted {
	struct timer timer;
	u32 fired; /* atomic */
	u64 at;
};

static void count_timer(struct timer *t)
{
	struct counted *c = container_of(t, struct counted, timer);

	c->at = arch_ticks();
	atomic_fetch_add(&c->fired, 1);
}

KTEST(timers_fire_once_and_not_early)
{
	struct counted c[8] = {0};
	u64 now = arch_ticks();

	for (int i = 0; i < 8; i++)
		timer_arm(&c[i].timer, now + ns_to_ticks((8 - i) * 2000000ull), count_timer);
	thread_sleep_ns(60000000, false);
	for (int i = 0; i < 8; i++) {
		KT_EQ(c[i].fired, 1);
		KT_ASSERT(c[i].at >= c[i].timer.deadline);
	}
}

KTEST(timer_cancel_prevents)
{
	struct counted c = {0};

	timer_arm(&c.timer, arch_ticks() + ns_to_ticks(50000000), count_timer);
	KT_ASSERT(timer_cancel(&c.timer));
	KT_ASSERT(!timer_cancel(&c.timer));
	thread_sleep_ns(70000000, false);
	KT_EQ(c.fired, 0);
}

KTEST(clock_conversions)
{
	KT_ASSERT(ticks_to_ns(arch_ticks_hz()) > 999999000 &&
		  ticks_to_ns(arch_ticks_hz()) < 1000001000);
	KT_ASSERT(ns_to_ticks(NSEC_PER_SEC) + 2 >= arch_ticks_hz());
	for (u64 ns = 1000; ns < 1000000000000ull; ns *= 10)
		KT_ASSERT(ticks_to_ns(ns_to_ticks(ns)) <= ns);
}
