/* sched_ktest.c - threads, preemption, balance, placement, sleeping. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <arch/cpu.h>
#include "sched_ktest.h"
#include "sched_private.h"

static void return_code(void *arg)
{
	kthread_exit((int)(long)arg);
}

KTEST(kthread_exit_code)
{
	for (long i = 0; i < 50; i++) {
		struct thread *t = kthread_run("ktest-exit", return_code, (void *)i);

		KT_ASSERT(!IS_ERR(t));
		KT_EQ(kthread_stop(t), i);
	}
}

static void until_stopped(void *arg)
{
	u64 *turns = arg;

	while (!kthread_should_stop())
		atomic_fetch_add(turns, 1);
}

/* More busy threads than CPUs: each must run although none ever yields. */
KTEST(preemption_is_fair)
{
	struct thread *t[16];
	u64 turns[16] = {0};
	unsigned int n = nr_cpus + 2 < 16 ? nr_cpus + 2 : 16;

	for (unsigned int i = 0; i < n; i++)
		t[i] = kthread_run("ktest-hog", until_stopped, &turns[i]);
	thread_sleep_ns(300000000, false);
	for (unsigned int i = 0; i < n; i++)
		kthread_stop(t[i]);
	for (unsigned int i = 0; i < n; i++)
		KT_ASSERT(turns[i] > 0);
}

static void note_cpu(void *arg)
{
	u32 *seen = arg;

	while (!kthread_should_stop())
		atomic_store(seen, this_cpu() + 1);
}

/* As many busy threads as CPUs end up one on each. */
KTEST(balance_spreads)
{
	struct thread *t[8];
	u32 seen[8] = {0};
	unsigned int n = nr_cpus < 8 ? nr_cpus : 8;
	u64 used = 0, limit = time_ns() + 5 * NSEC_PER_SEC;

	for (unsigned int i = 0; i < n; i++)
		t[i] = kthread_run("ktest-spread", note_cpu, &seen[i]);
	do {
		thread_sleep_ns(20000000, false);
		used = 0;
		for (unsigned int i = 0; i < n; i++)
			if (atomic_load(&seen[i]))
				used |= 1ull << (atomic_load(&seen[i]) - 1);
	} while ((unsigned int)__builtin_popcountll(used) + (n > 1) < n && time_ns() < limit);
	for (unsigned int i = 0; i < n; i++)
		kthread_stop(t[i]);
	KT_ASSERT((unsigned int)__builtin_popcountll(used) + (n > 1) >= n);
}

KTEST(sleep_is_long_enough)
{
	for (u64 ms = 1; ms <= 16; ms *= 2) {
		u64 start = time_ns();

		KT_EQ(thread_sleep_ns(ms * 1000000, false), 0);
		KT_ASSERT(time_ns() - start >= ms * 1000000);
	}
}

struct relay {
	const struct bb_task *hog;
	u64 ran, start; /* what the hog had run when the first runner ran, and when that was */
	u64 took;
	u32 left;
	bool started, over; /* atomic */
};

/* Starts its successor, then ends. */
static void relay_run(void *arg)
{
	struct relay *r = arg;
	struct thread *next = NULL;

	if (!r->started) {
		r->ran = READ_ONCE(r->hog->run_ticks);
		r->start = arch_ticks();
		r->started = true;
	}
	if (r->left-- > 0)
		next = kthread_run_on(0, "ktest-relay", relay_run, r);
	if (next && !IS_ERR(next))
		return;
	r->ran = READ_ONCE(r->hog->run_ticks) - r->ran;
	r->took = arch_ticks() - r->start;
	atomic_store_release(&r->over, true);
}

/* A chain of newcomers, each started by the one before, must not push aside who is there already:
 * they start neither ahead of who runs, nor does a queue's clock, near which they start, go back.
 */
KTEST(newcomers_do_not_starve)
{
	u64 turns = 0;
	struct thread *hog = kthread_run_on(0, "ktest-hog", until_stopped, &turns);
	struct relay r = {.hog = hog->bb, .left = 1500};

	thread_sleep_ns(50000000, false);
	KT_ASSERT(!IS_ERR(kthread_run_on(0, "ktest-relay", relay_run, &r)));
	while (!atomic_load_acquire(&r.over))
		thread_sleep_ns(10000000, false);
	if (r.ran * 8 < r.took)
		ktest_fail(__FILE__, __LINE__, "the hog had an eighth of the time", r.ran, r.took);
	kthread_stop(hog);
}

struct pinned {
	bool sleeps;
	u64 turns, wrong;
};

static void pinned(void *arg)
{
	struct pinned *p = arg;

	while (!kthread_should_stop()) {
		if (p->sleeps)
			thread_sleep_ns(1000000, false);
		p->wrong += this_cpu() != nr_cpus - 1;
		p->turns++;
	}
}

/* Several want one CPU while the others idle: no idle CPU may pull one over, and a wake-up may not
 * place one elsewhere. */
KTEST(pinned_stays)
{
	struct pinned p[4] = {{.sleeps = true}};
	struct thread *t[4];

	for (int i = 0; i < 4; i++)
		t[i] = kthread_run_on(nr_cpus - 1, "ktest-pinned", pinned, &p[i]);
	thread_sleep_ns(100000000, false);
	for (int i = 0; i < 4; i++) {
		kthread_stop(t[i]);
		KT_EQ(p[i].wrong, 0);
		KT_ASSERT(p[i].turns > 0);
	}
}

void park_until_stopped(void *arg)
{
	while (!kthread_should_stop()) {
		park_prepare(PARK_KERNEL);
		if (kthread_should_stop())
			park_cancel();
		else
			park_until(PARK_KERNEL, PARK_FOREVER);
	}
}

static bool wait_asleep(struct thread *t)
{
	u64 limit = time_ns() + 2 * NSEC_PER_SEC;

	while (READ_ONCE(t->bb->state) != BB_ST_BLOCKED && time_ns() < limit)
		sched_yield();
	return READ_ONCE(t->bb->state) == BB_ST_BLOCKED;
}

#define AHEAD_NS 4000000ull

/* One try: whether the wake-up moved it and it took along what it should. While it sleeps, it is
 * made to be ahead of its queue, whose clock is made to be far from all others. */
static bool move_once(struct thread *t)
{
	unsigned int old = t->bb->cpu, now;
	struct cpu_rq *rq = per_cpu_ptr(&run_queue, old);
	u64 least[MAX_CPUS];
	irqflags_t f = spin_lock_irqsave(&rq->lock);

	rq->min_vruntime += NSEC_PER_SEC;
	t->vruntime = rq->min_vruntime + AHEAD_NS;
	spin_unlock_irqrestore(&rq->lock, f);
	for_each_online_cpu (c)
		least[c] = READ_ONCE(per_cpu_ptr(&run_queue, c)->min_vruntime);
	unpark(t);
	KT_ASSERT(wait_asleep(t));
	now = t->bb->cpu;
	if (now == old)
		return false;
	KT_ASSERT(t->vruntime >= least[now] + AHEAD_NS);
	return t->vruntime < least[now] + 3 * AHEAD_NS; /* with what it has run since */
}

/* A thread that is ahead of its queue stays so when a wake-up puts it on another CPU. */
KTEST(a_move_pays_nobody)
{
	struct thread *t = kthread_run("ktest-mover", park_until_stopped, NULL), *hog;
	bool moved = false;
	u64 turns = 0;

	KT_ASSERT(!IS_ERR(t));
	for (int i = 0; i < 50 && !moved && nr_cpus > 1 && wait_asleep(t); i++) {
		hog = kthread_run_on(t->bb->cpu, "ktest-hog", until_stopped, &turns);
		while (!atomic_load(&turns))
			sched_yield();
		moved = move_once(t);
		kthread_stop(hog);
		turns = 0;
	}
	KT_ASSERT(moved || nr_cpus == 1);
	kthread_stop(t);
}

/* Counters of two CPUs may differ a little: time that seems to have gone back counts as none. */
KTEST(time_that_goes_back_counts_as_none)
{
	irqflags_t f = arch_irq_save();
	struct thread *t = arch_current();
	u64 ran = t->bb->run_ticks, vruntime;

	sched_tick();
	ran = t->bb->run_ticks;
	vruntime = t->vruntime;
	t->exec_start = arch_ticks() + ns_to_ticks(NSEC_PER_SEC);
	sched_tick();
	KT_EQ(t->bb->run_ticks, ran);
	KT_EQ(t->vruntime, vruntime);
	KT_EQ(thread_run_ticks(), ran);
	t->exec_start = arch_ticks();
	arch_irq_restore(f);
}

struct crowd {
	struct thread *t[24];
	u64 turns[24]; /* atomic */
	unsigned int n;
};

static void sleep_and_work(void *arg)
{
	u64 *turns = arg;

	while (!kthread_should_stop()) {
		park_prepare(PARK_KERNEL);
		park_until(PARK_KERNEL, arch_ticks() + ns_to_ticks(500000 + *turns % 7 * 100000));
		for (unsigned int i = 0; i < *turns % 13 * 1000; i++)
			barrier();
		atomic_fetch_add(turns, 1);
	}
}

static void wake_somebody(void *arg)
{
	struct crowd *c = arg;

	for (u32 i = 0; !kthread_should_stop(); i++) {
		unpark(c->t[(i * 7919u + this_cpu()) % c->n]);
		if (i % 16 == 0)
			sched_yield();
	}
}

/* Wake-ups from two sides, time-outs and idle CPUs that pull meet at the same threads: each thread
 * goes on, and each ends. */
KTEST(wakes_and_pulls_lose_nobody)
{
	struct crowd c = {.n = MIN(3 * nr_cpus, 24u)};
	struct thread *w[2];

	for (unsigned int i = 0; i < c.n; i++)
		c.t[i] = kthread_run("ktest-crowd", sleep_and_work, &c.turns[i]);
	for (int i = 0; i < 2; i++)
		w[i] = kthread_run("ktest-waker", wake_somebody, &c);
	thread_sleep_ns(300000000, false);
	for (int i = 0; i < 2; i++)
		kthread_stop(w[i]);
	for (unsigned int i = 0; i < c.n; i++) {
		KT_ASSERT(atomic_load(&c.turns[i]) > 0);
		kthread_stop(c.t[i]);
	}
}
