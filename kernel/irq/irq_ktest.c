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

struct slow_answer {
	const struct bb_task *caller;
	u32 last;     /* the CPU that answers last */
	u32 right;    /* how often the record said so while it had not answered */
	u32 answered; /* times it did */
};

/* The others answer at once. The last one keeps the caller waiting until its record says who it
 * is. */
static void answer_slowly(void *arg)
{
	struct slow_answer *s = arg;
	const struct bb_wait *w = &s->caller->wait;
	u64 limit = arch_ticks() + ns_to_ticks(NSEC_PER_SEC);
	bool right = false;

	if (this_cpu() != s->last)
		return;
	while (!right && arch_ticks() < limit)
		right = READ_ONCE(w->kind) == BB_WAIT_IPI && READ_ONCE(w->arg) == s->last &&
			READ_ONCE(w->owner) == (BB_OWNER_CPU | s->last);
	s->right += right;
	s->answered++;
}

static void call_from_here(void *arg)
{
	struct slow_answer *s = arg;
	struct cpumask all = {0};

	s->caller = arch_current()->bb;
	for_each_online_cpu (c)
		cpumask_set(&all, c);
	for_each_online_cpu (c) {
		s->last = c;
		ipi_call(&all, answer_slowly, s);
		KT_EQ(s->caller->wait.kind, BB_WAIT_NONE);
	}
}

/* Whatever CPU calls, and whatever other one answers last. */
KTEST(ipi_wait_names_who_has_not_answered)
{
	for_each_online_cpu (c) {
		struct slow_answer s = {0};
		struct thread *t = kthread_run_on(c, "ktest-caller", call_from_here, &s);

		KT_ASSERT(!IS_ERR(t));
		if (IS_ERR(t))
			return;
		kthread_stop(t);
		KT_EQ(s.answered, cpumask_weight(&cpu_online) - 1);
		KT_EQ(s.right, s.answered);
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
