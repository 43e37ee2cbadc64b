/* sched_ktest.c - threads, preemption, balance, sleeping. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <sched/sched.h>
#include <arch/cpu.h>

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
	const u64 *turns;   /* of the hog */
	u64 before, during; /* its turns when the relay starts and until it is over */
	u32 left;
	bool over; /* atomic */
};

/* Starts its successor, then ends. */
static void relay_run(void *arg)
{
	struct relay *r = arg;
	struct thread *next = NULL;

	if (r->left-- > 0)
		next = kthread_run_on(0, "ktest-relay", relay_run, r);
	if (next && !IS_ERR(next))
		return;
	r->during = atomic_load(r->turns) - r->before;
	atomic_store_release(&r->over, true);
}

/* A chain of newcomers, each started by the one before, must not push aside who is there already:
 * a queue's clock, near which newcomers start, never goes back. */
KTEST(newcomers_do_not_starve)
{
	u64 turns = 0;
	struct relay r = {.turns = &turns, .left = 1500};
	struct thread *hog = kthread_run_on(0, "ktest-hog", until_stopped, &turns);

	KT_ASSERT(!IS_ERR(hog));
	thread_sleep_ns(50000000, false);
	r.before = atomic_load(&turns);
	KT_ASSERT(!IS_ERR(kthread_run_on(0, "ktest-relay", relay_run, &r)));
	while (!atomic_load_acquire(&r.over))
		thread_sleep_ns(10000000, false);
	KT_ASSERT(r.during > 0);
	kthread_stop(hog);
}

static void pinned(void *arg)
{
	u64 *wrong = arg;

	while (!kthread_should_stop()) {
		if (this_cpu() != nr_cpus - 1)
			(*wrong)++;
		sched_yield();
	}
}

KTEST(pinned_stays)
{
	u64 wrong = 0;
	struct thread *t = kthread_run_on(nr_cpus - 1, "ktest-pinned", pinned, &wrong);

	thread_sleep_ns(50000000, false);
	kthread_stop(t);
	KT_EQ(wrong, 0);
}
