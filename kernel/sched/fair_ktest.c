/* fair_ktest.c - the rules of a run queue, one by one: where who wakes, is new, yields or moves is
 * placed, when the tick and a wake-up ask for a switch, and that a queue's clock goes only forward.
 *
 * Each test has a queue to itself: interrupts are masked, the test's thread is the queue's current
 * one, stays on its CPU, and a second thread sleeps there. Then it sets the clock and both threads'
 * vruntime to what the rule is about. */
#include <irq/irq.h>
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <arch/cpu.h>
#include <tracing_port.h>
#include "sched_ktest.h"
#include "sched_private.h"

#define MS 1000000ull

struct bed {
	struct thread *self, *t; /* t sleeps on our CPU */
	struct cpu_rq *rq;
	bool pinned; /* was self, before? */
	irqflags_t f;
};

static bool asleep(struct thread *t)
{
	return READ_ONCE(t->bb->state) == BB_ST_BLOCKED;
}

/* And whatever CPU it slept on has left its stack: until then that holds the queue's lock. Only
 * then may it be said to belong to another. */
static bool switched_away(struct thread *t)
{
	struct cpu_rq *rq;
	irqflags_t f;

	if (!asleep(t))
		return false;
	rq = per_cpu_ptr(&run_queue, READ_ONCE(t->bb->cpu));
	f = spin_lock_irqsave(&rq->lock);
	spin_unlock_irqrestore(&rq->lock, f);
	return true;
}

/* t sleeps and nobody else wants our CPU, with interrupts masked. */
static bool bed_quiet(struct bed *b)
{
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;

	for (;;) {
		b->f = arch_irq_save();
		if (asleep(b->t) && !READ_ONCE(b->rq->nr))
			break;
		arch_irq_restore(b->f);
		if (time_ns() > limit)
			return false;
		sched_yield();
	}
	b->rq->balance_countdown = 1000; /* nobody is pulled over meanwhile */
	WRITE_ONCE(port_cpu()->need_resched, 0);
	return true;
}

static bool bed_make(struct bed *b)
{
	b->self = arch_current();
	b->pinned = b->self->pinned;
	b->self->pinned = true;
	b->t = kthread_run_on(this_cpu(), "ktest-bed", park_until_stopped, NULL);
	if (IS_ERR(b->t))
		return false;
	b->rq = this_cpu_ptr(&run_queue);
	return bed_quiet(b);
}

/* A clock far enough from 0, and the two on it. */
static void bed_set(struct bed *b, u64 clock, s64 self, s64 t)
{
	b->rq->min_vruntime = clock;
	b->self->vruntime = clock + (u64)self;
	b->self->exec_start = arch_ticks();
	b->t->vruntime = clock + (u64)t;
}

static void bed_end(struct bed *b)
{
	b->self->vruntime = b->rq->min_vruntime;
	b->rq->balance_countdown = 0;
	arch_irq_restore(b->f);
	kthread_stop(b->t);
	b->self->pinned = b->pinned;
}

/* Lets t run and sleep again. */
static bool bed_again(struct bed *b)
{
	arch_irq_restore(b->f);
	return bed_quiet(b);
}

static void let_time_pass(void)
{
	u64 end = arch_ticks() + ns_to_ticks(20000);

	while (arch_ticks() < end)
		arch_cpu_relax();
}

KTEST(a_clock_goes_only_forward)
{
	struct bed b;
	u64 clock, was;

	KT_ASSERT(bed_make(&b));
	clock = b.rq->min_vruntime + NSEC_PER_SEC;
	bed_set(&b, clock, -(s64)(900 * MS), 0);
	let_time_pass();
	sched_tick();
	KT_ASSERT(b.self->vruntime < clock);
	KT_EQ(b.rq->min_vruntime, clock);
	/* Alone, the clock is who runs. */
	b.self->vruntime = clock + 2 * MS;
	let_time_pass();
	sched_tick();
	KT_ASSERT(b.self->vruntime > clock + 2 * MS);
	KT_EQ(b.rq->min_vruntime, b.self->vruntime);
	/* Beside who waits, it is the one that is further behind. */
	clock = b.rq->min_vruntime;
	b.t->vruntime = was = clock + MS;
	unpark(b.t);
	b.self->vruntime = clock + 9 * MS;
	let_time_pass();
	sched_tick();
	KT_EQ(b.rq->min_vruntime, was);
	b.self->vruntime = was - MS / 2;
	let_time_pass();
	sched_tick();
	KT_EQ(b.rq->min_vruntime, was);
	bed_end(&b);
}

static bool on_stack(const struct bb_task *t, u64 addr)
{
	return addr > t->stack_base && addr < t->stack_top;
}

/* Who is off its CPU has left behind where its stack can be walked from. */
KTEST(a_sleeper_can_be_walked)
{
	const struct bb_task *t;
	struct bed b;

	KT_ASSERT(bed_make(&b));
	t = b.t->bb;
	KT_ASSERT(on_stack(t, t->switch_sp) && on_stack(t, t->switch_fp));
	KT_ASSERT(t->switch_fp >= t->switch_sp);
	KT_ASSERT(t->switch_pc > (unsigned long)__text_start &&
		  t->switch_pc < (unsigned long)__text_end);
	KT_ASSERT(t->since >= t->start_ticks && t->since <= arch_ticks());
	KT_EQ(t->cpu, this_cpu());
	KT_EQ(t->preempt_count, 1); /* schedule()'s own */
	bed_end(&b);
}

/* What runs is charged for the time by its weight, in ns. */
KTEST(time_is_charged_by_weight)
{
	struct bed b;
	u64 clock, ran, plain, light;
	u32 weight = arch_current()->weight;

	KT_ASSERT(bed_make(&b));
	clock = b.rq->min_vruntime;
	for (int i = 0; i < 2; i++) {
		b.self->weight = i ? weight / 4 : weight;
		bed_set(&b, clock, 0, 0);
		ran = b.self->bb->run_ticks;
		let_time_pass();
		sched_tick();
		ran = ticks_to_ns(b.self->bb->run_ticks - ran);
		KT_ASSERT(ran >= 19000);
		plain = b.self->vruntime - clock;
		light = i ? 4 * ran : ran;
		KT_ASSERT(plain >= light - 100 && plain <= light + 100);
		clock = b.rq->min_vruntime;
	}
	b.self->weight = weight;
	bed_end(&b);
}

/* A sleeper comes back with a little credit at most, and with a limit to how far it is ahead. */
KTEST(sleepers_come_back_near_the_clock)
{
	static const struct {
		s64 before, after;
		bool asks; /* for a switch */
	} cases[] = {
		{-(s64)(900 * MS), -(s64)(3 * MS), true},
		{-(s64)(2 * MS), -(s64)(2 * MS), true},
		{-(s64)(MS + 1), -(s64)(MS + 1), true},
		{-(s64)MS, -(s64)MS, false}, /* a difference too small to switch for */
		{0, 0, false},
		{5 * MS, 5 * MS, false},
		{900 * MS, 16 * MS, false},
	};
	struct bed b;
	u64 clock;
	u32 seq;

	KT_ASSERT(bed_make(&b));
	clock = b.rq->min_vruntime + 2 * NSEC_PER_SEC;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		bed_set(&b, clock, 0, cases[i].before);
		seq = b.t->bb->sched_seq;
		unpark(b.t);
		KT_ASSERT(seq % 2 == 0 && b.t->bb->sched_seq == seq + 2);
		KT_ASSERT(b.t->bb->since <= arch_ticks());
		KT_EQ(b.t->vruntime, clock + (u64)cases[i].after);
		KT_EQ(b.t->bb->state, BB_ST_RUNNABLE);
		KT_EQ(b.t->bb->waker, b.self->slot + 1);
		KT_EQ(b.t->bb->on_queue, 1);
		KT_EQ(b.rq->nr, 1);
		KT_EQ(port_cpu()->queue_len, 1);
		KT_EQ(port_cpu()->need_resched, cases[i].asks);
		unpark(b.t); /* once more changes nothing */
		KT_EQ(b.rq->nr, 1);
		KT_ASSERT(bed_again(&b));
		KT_EQ(b.t->bb->on_queue, 0);
		KT_EQ(port_cpu()->queue_len, 0);
		clock = b.rq->min_vruntime + 2 * NSEC_PER_SEC;
	}
	/* The clock's first milliseconds: no credit below zero. */
	b.rq->min_vruntime = b.self->vruntime = MS;
	b.t->vruntime = 0;
	unpark(b.t);
	KT_EQ(b.t->vruntime, 0);
	b.rq->min_vruntime = clock;
	bed_end(&b);
}

static void note_run(void *arg)
{
	atomic_store_release((bool *)arg, true);
}

/* A thread that has never run starts neither ahead of who runs, nor behind the clock. */
KTEST(newcomers_start_behind_who_runs)
{
	static const s64 runs_at[] = {8 * MS, 0, -(s64)(8 * MS)};
	struct bed b;
	u64 clock;

	for (unsigned int i = 0; i < ARRAY_SIZE(runs_at); i++) {
		bool ran = false;
		struct thread *n = thread_create("ktest-new", note_run, &ran, 0, 0);

		KT_ASSERT(!IS_ERR(n) && bed_make(&b));
		n->bb->cpu = this_cpu();
		n->pinned = true;
		clock = b.rq->min_vruntime + NSEC_PER_SEC;
		bed_set(&b, clock, runs_at[i], 0);
		unpark(b.t); /* keeps the clock where it is */
		thread_run(n);
		KT_EQ(b.rq->min_vruntime, clock);
		KT_EQ(n->vruntime, MAX(clock, b.self->vruntime));
		KT_ASSERT(b.self->vruntime >= clock + (u64)runs_at[i]);
		KT_ASSERT(bed_again(&b));
		KT_ASSERT(atomic_load_acquire(&ran));
		bed_end(&b);
	}
}

/* The tick ends a turn that has had its slice, if somebody waits who is behind. */
KTEST(the_tick_ends_a_turn)
{
	static const struct {
		u64 ran;  /* of its slice */
		s64 self; /* against who waits */
		bool asks;
	} cases[] = {
		{5 * MS, MS, true},
		{1 * MS, MS, false},
		{5 * MS, -(s64)(100 * MS), false},
		{500 * MS, MS, true},
	};
	struct bed b;
	u64 clock;

	KT_ASSERT(bed_make(&b));
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		clock = b.rq->min_vruntime + NSEC_PER_SEC;
		bed_set(&b, clock, 0, 0);
		unpark(b.t);
		b.self->vruntime = clock + (u64)cases[i].self;
		b.self->slice_start = arch_ticks() - ns_to_ticks(cases[i].ran);
		WRITE_ONCE(port_cpu()->need_resched, 0);
		sched_tick();
		KT_EQ(port_cpu()->need_resched, cases[i].asks);
		KT_ASSERT(bed_again(&b));
	}
	/* With nobody who waits there is nothing to switch to. */
	b.self->slice_start = arch_ticks() - ns_to_ticks(500 * MS);
	sched_tick();
	KT_EQ(port_cpu()->need_resched, 0);
	bed_end(&b);
}

/* A turn that is over goes to who waits, and a new slice begins. */
KTEST(a_switch_goes_to_who_is_behind)
{
	struct bed b;
	u64 clock, before;

	KT_ASSERT(bed_make(&b));
	clock = b.rq->min_vruntime + NSEC_PER_SEC;
	bed_set(&b, clock, 0, MS);
	unpark(b.t);
	WRITE_ONCE(port_cpu()->need_resched, 1);
	sched_preempt_irq(); /* we are ahead of it: we go on */
	KT_EQ(b.t->bb->state, BB_ST_RUNNABLE);
	KT_EQ(port_cpu()->need_resched, 0);
	KT_ASSERT(b.rq->curr == b.self && b.rq->nr == 1);
	b.self->vruntime = clock + 5 * MS;
	before = b.t->bb->run_ticks;
	sched_preempt_irq(); /* nobody asked */
	KT_EQ(b.t->bb->state, BB_ST_RUNNABLE);
	preempt_disable();
	WRITE_ONCE(port_cpu()->need_resched, 1);
	sched_preempt_irq(); /* not now */
	KT_EQ(b.t->bb->state, BB_ST_RUNNABLE);
	KT_EQ(port_cpu()->need_resched, 1);
	WRITE_ONCE(port_cpu()->need_resched, 0);
	preempt_enable();
	clock = arch_ticks();
	WRITE_ONCE(port_cpu()->need_resched, 1);
	sched_preempt_irq();
	KT_ASSERT(b.t->bb->run_ticks > before);
	KT_ASSERT(b.self->slice_start >= clock && b.self->exec_start >= clock);
	KT_EQ(b.self->bb->state, BB_ST_RUNNING);
	KT_EQ(port_cpu()->current, b.self->slot + 1);
	KT_EQ(port_cpu()->mode, BB_MODE_KERNEL);
	bed_end(&b);
}

/* Who yields goes behind everybody who waits. */
KTEST(a_yield_goes_behind_all)
{
	struct bed b;
	u64 clock, ran, began;

	KT_ASSERT(bed_make(&b));
	clock = b.rq->min_vruntime + NSEC_PER_SEC;
	began = time_ns();
	bed_set(&b, clock, 0, 5 * MS);
	unpark(b.t);
	ran = b.t->bb->run_ticks;
	sched_yield();
	KT_ASSERT(b.t->bb->run_ticks > ran);
	clock += 5 * MS; /* a host that is busy may have kept us from running meanwhile */
	KT_ASSERT(b.self->vruntime > clock && b.self->vruntime < clock + MS + time_ns() - began);
	/* It does not come forward by it. */
	KT_ASSERT(bed_again(&b));
	clock = b.rq->min_vruntime;
	bed_set(&b, clock, 9 * MS, MS);
	unpark(b.t);
	sched_yield();
	KT_ASSERT(b.self->vruntime >= clock + 9 * MS);
	bed_end(&b);
}

/* Its old CPU is idle: there it wakes, though others are idle too. */
KTEST(a_wake_prefers_the_old_cpu)
{
	struct thread *t;
	unsigned int last, stayed = 0, tried = 0, idle_seen = 0;
	const struct bb_cpu *box;
	bool pinned = arch_current()->pinned;
	struct cpu_rq *rq;

	if (nr_cpus < 3)
		KT_SKIP("needs 3 CPUs");
	arch_current()->pinned = true;
	last = nr_cpus - 1 - (this_cpu() == nr_cpus - 1);
	rq = per_cpu_ptr(&run_queue, last);
	t = kthread_run_on(last, "ktest-home", park_until_stopped, NULL);
	KT_ASSERT(!IS_ERR(t));
	for (int i = 0; i < 40; i++) {
		u64 limit = time_ns() + 50 * MS;

		while (!switched_away(t))
			sched_yield();
		t->pinned = false;
		WRITE_ONCE(t->bb->cpu, last);
		while ((READ_ONCE(rq->curr) != rq->idle || READ_ONCE(rq->nr)) && time_ns() < limit)
			sched_yield();
		if (READ_ONCE(rq->curr) != rq->idle)
			continue;
		box = *per_cpu_ptr(&trace_cpu, last);
		idle_seen += READ_ONCE(box->mode) == BB_MODE_IDLE && !READ_ONCE(box->queue_len) &&
			     READ_ONCE(box->current) == rq->idle->slot + 1;
		unpark(t);
		tried++;
		stayed += READ_ONCE(t->bb->cpu) == last;
	}
	KT_ASSERT(idle_seen >= tried / 2);
	KT_ASSERT(tried > 0 && stayed >= tried / 2); /* others may come there at times */
	kthread_stop(t);
	arch_current()->pinned = pinned;
}

static void hog(void *arg)
{
	while (!kthread_should_stop())
		barrier();
}

#define HOGS 4

/* Lets the thread before the last in the queue of `from` be moved, at most; NULL: it is not as long
 * as it should be at the moment. The last one is pinned. */
static struct thread *offer_one(struct cpu_rq *from, u32 len, s64 *ahead)
{
	irqflags_t f = spin_lock_irqsave(&from->lock);
	struct rb_node *n = rb_last(&from->tree);
	struct thread *t = NULL;

	if (from->nr == len && n)
		n = len > 1 ? rb_prev(n) : n;
	else
		n = NULL;
	if (n) {
		t = rb_entry(n, struct thread, run_node);
		*ahead = (s64)(t->vruntime - from->min_vruntime);
		t->pinned = false;
	}
	spin_unlock_irqrestore(&from->lock, f);
	return t;
}

/* One tick of this CPU, which is busy with the test alone. Has it pulled t over? Checks how. */
static bool tick_pulls(struct bed *b, unsigned int other, u32 countdown, u32 len)
{
	struct thread *t;
	s64 ahead, now;
	bool moved;

	if (!bed_quiet(b))
		return false;
	t = offer_one(per_cpu_ptr(&run_queue, other), len, &ahead);
	b->rq->balance_countdown = countdown;
	sched_tick();
	KT_EQ(b->rq->balance_countdown, countdown ? countdown - 1 : 8);
	b->rq->balance_countdown = 1000;
	moved = t && b->rq->nr == 1 && t->queued && t->bb->cpu == this_cpu();
	if (moved) {
		now = (s64)(t->vruntime - b->rq->min_vruntime);
		KT_ASSERT(now <= ahead && now > ahead - (s64)(500 * MS));
	}
	if (t)
		t->pinned = true;
	arch_irq_restore(b->f);
	return moved;
}

/* Every so many ticks a busy CPU takes one over from a queue that is longer by two: the last that
 * may move, with its lead. */
KTEST(the_tick_pulls_from_a_long_queue)
{
	struct thread *t[HOGS];
	struct bed b;
	unsigned int other, tries, n = 0;

	if (nr_cpus < 2)
		KT_SKIP("needs 2 CPUs");
	KT_ASSERT(bed_make(&b));
	arch_irq_restore(b.f);
	other = (this_cpu() + 1) % nr_cpus;
	while (n < 2)
		t[n++] = kthread_run_on(other, "ktest-hog", hog, NULL);
	for (tries = 0; tries < 5; tries++)
		KT_ASSERT(!tick_pulls(&b, other, 0, 1)); /* one waits: not worth it */
	while (n < HOGS)
		t[n++] = kthread_run_on(other, "ktest-hog", hog, NULL);
	for (tries = 0; tries < 5; tries++)
		KT_ASSERT(!tick_pulls(&b, other, 3, HOGS - 1)); /* not yet */
	for (tries = 0; tries < 50 && !tick_pulls(&b, other, 0, HOGS - 1); tries++)
		thread_sleep_ns(MS, false);
	KT_ASSERT(tries < 50);
	while (n > 0)
		kthread_stop(t[--n]);
	KT_ASSERT(bed_quiet(&b));
	bed_end(&b);
}
