/* park_ktest.c - the one way to sleep: what ends it, and that no end of it is lost, wherever
 * between prepare and sleep it comes. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/ktest.h>
#include <sched/sched.h>

#define MS 1000000ull

static u64 in_ms(u64 ms)
{
	return arch_ticks() + ns_to_ticks(ms * MS);
}

KTEST(park_times_out_and_not_early)
{
	u64 deadline = in_ms(5);

	park_prepare(PARK_KERNEL);
	KT_EQ(park_until(PARK_KERNEL, deadline), -ETIMEDOUT);
	KT_ASSERT(arch_ticks() >= deadline);
	KT_ASSERT(!arch_current()->park_timer.armed);
	park_prepare(PARK_KERNEL);
	KT_EQ(park_until(PARK_KERNEL, 1), -ETIMEDOUT); /* past: does not sleep */
	KT_EQ(arch_current()->park_state, PARK_NONE);
}

/* Between prepare and sleep anything may happen: the wake-up, also while preempted. */
struct call {
	struct thread *sleeper;
	bool prepared; /* atomic */
};

static void wake_it(void *arg)
{
	struct call *c = arg;

	while (!atomic_load_acquire(&c->prepared))
		sched_yield();
	unpark(c->sleeper);
}

KTEST(park_preempted_after_prepare)
{
	for (int i = 0; i < 20; i++) {
		struct thread *self = arch_current(), *t;
		struct call c = {.sleeper = self};
		u64 limit = in_ms(2000);

		park_prepare(PARK_KERNEL);
		unpark(self);
		KT_EQ(park_until(PARK_KERNEL, in_ms(2000)), 0);

		t = kthread_run("ktest-waker", wake_it, &c);
		KT_ASSERT(!IS_ERR(t));
		park_prepare(PARK_KERNEL);
		atomic_store_release(&c.prepared, true);
		while (READ_ONCE(self->park_state) && arch_ticks() < limit)
			sched_yield(); /* preempted, so still runnable */
		KT_EQ(park_until(PARK_KERNEL, in_ms(2000)), 0);
		KT_ASSERT(arch_ticks() < limit);
		kthread_stop(t);
	}
}

struct parker {
	enum park_mode mode;
	u64 ms;
	int result;
	bool ready, done; /* atomic */
	bool late;        /* what ends it comes between prepare and sleep, from itself */
};

static void park_once(void *arg)
{
	struct parker *p = arg;

	park_prepare(p->mode);
	atomic_store_release(&p->ready, true);
	if (p->late)
		thread_kill(arch_current());
	p->result = park_until(p->mode, in_ms(p->ms));
	atomic_store_release(&p->done, true);
}

/* Its result. Stopping it would wake it, so its end comes first. */
static int result(struct thread *t, struct parker *p)
{
	u64 limit = in_ms(3000);

	while (!atomic_load_acquire(&p->done) && arch_ticks() < limit)
		sched_yield();
	KT_ASSERT(atomic_load(&p->done));
	kthread_stop(t);
	return p->result;
}

static struct thread *start(struct parker *p)
{
	struct thread *t = kthread_run("ktest-parker", park_once, p);

	KT_ASSERT(!IS_ERR(t));
	while (!atomic_load_acquire(&p->ready))
		sched_yield();
	return t;
}

static int killed(enum park_mode mode, bool asleep)
{
	struct parker p = {.mode = mode, .ms = mode == PARK_KERNEL ? 30 : 10000};
	struct thread *t = start(&p);
	u64 limit = in_ms(2000);

	while (asleep && READ_ONCE(t->bb->state) != BB_ST_BLOCKED &&
	       READ_ONCE(t->bb->state) != BB_ST_SLEEPING && arch_ticks() < limit)
		sched_yield();
	thread_kill(t);
	return result(t, &p);
}

KTEST(park_is_ended_by_a_kill)
{
	struct parker p = {.mode = PARK_KILLABLE, .ms = 10000, .late = true};
	struct thread *t = start(&p);

	KT_EQ(result(t, &p), -ERESTARTSYS);
	for (int asleep = 0; asleep < 2; asleep++) {
		KT_EQ(killed(PARK_KILLABLE, asleep), -ERESTARTSYS);
		KT_EQ(killed(PARK_INTERRUPTIBLE, asleep), -ERESTARTSYS);
		KT_EQ(killed(PARK_KERNEL, asleep), -ETIMEDOUT); /* a kill must not end it */
	}
}

/* The kill at any moment around prepare and sleep: whichever comes first, the sleep ends. */
KTEST(park_against_kill)
{
	for (u32 i = 0; i < 300; i++) {
		struct parker p = {.mode = PARK_KILLABLE, .ms = 5000};
		struct thread *t = kthread_run("ktest-parker", park_once, &p);

		for (u32 turns = i * 37 % 2000; turns--;)
			barrier();
		thread_kill(t);
		KT_EQ(result(t, &p), -ERESTARTSYS);
	}
}

KTEST(park_interruptible_ends_by_a_signal)
{
	struct parker p = {.mode = PARK_INTERRUPTIBLE, .ms = 5000};
	struct parker q = {.mode = PARK_KILLABLE, .ms = 30};
	struct thread *t = start(&p), *u = start(&q);

	thread_set_signal(t, true);
	thread_set_signal(u, true);
	KT_EQ(result(t, &p), -ERESTARTSYS);
	KT_EQ(result(u, &q), -ETIMEDOUT);
}

KTEST(sleep_ends_by_a_kill)
{
	struct thread *self = arch_current();
	u64 start = time_ns();

	thread_kill(self);
	KT_EQ(thread_sleep_ns(2000 * MS, true), -EINTR);
	KT_ASSERT(time_ns() - start < 1000 * MS);
	KT_EQ(thread_sleep_ns(2 * MS, false), 0);
	atomic_store(&self->kill_pending, false);
}
