/* sync_test.c - kernel/sync and the tracker with real threads: exclusion, hand-over, no lost
 * wake-up, clean records afterwards, and deadlocks that are named while they happen. Plain data
 * stands under each lock, so that the thread sanitizer sees a lock that does not order its users.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <lib/atomic.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <sync/mutex.h>
#include <sync/poll.h>
#include <arch/cpu.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <tracing/tracker.h>
#include "kernel/arch/host/host.h"

#define CPUS   4u
#define ROUNDS 4000u

DEFINE_LOCK_CLASS(spin_class, "test.spin", BB_LK_SPIN, 0);
DEFINE_LOCK_CLASS(mutex_class, "test.mutex", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(mutex2_class, "test.mutex2", BB_LK_MUTEX, 0);
DEFINE_LOCK_CLASS(rw_class, "test.rw", BB_LK_RWLOCK, 0);
DEFINE_LOCK_CLASS(sem_class, "test.sem", BB_LK_SEM, 0);
DEFINE_LOCK_CLASS(done_class, "test.done", BB_LK_COMPLETION, 0);
DEFINE_LOCK_CLASS(slots_class, "test.slots", BB_LK_WAITQ, 0);
DEFINE_LOCK_CLASS(turn_class, "test.turn", BB_LK_WAITQ, 0);

static DEFINE_SPINLOCK(spin, spin_class);
static DEFINE_MUTEX(mutex, mutex_class);
static DEFINE_MUTEX(mutex2, mutex2_class);
static struct rwlock rw;
static struct semaphore sem;
static u64 counter, twin; /* plain: under the lock of the test */

/* After each test: nothing held, nothing waited for, nothing reported. */
static void assert_clean(void)
{
	assert_int_equal(host_locks_held(), 0);
	for_each_cpu (c)
		assert_int_equal(track_tables.tasks[c].wait.kind, 0);
	assert_int_equal(host_reports(NULL), 0);
}

static void spin_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		spin_lock(&spin);
		counter++;
		spin_unlock(&spin);
	}
}

static void spin_lock_excludes(void **state)
{
	counter = 0;
	host_run(CPUS, spin_body, NULL);
	assert_int_equal(counter, CPUS * ROUNDS);
	assert_clean();
}

static void mutex_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		if (i % 8 || !mutex_trylock(&mutex))
			mutex_lock(&mutex);
		counter++;
		mutex_unlock(&mutex);
	}
}

static void mutex_excludes_and_hands_over(void **state)
{
	counter = 0;
	host_run(CPUS, mutex_body, NULL);
	assert_int_equal(counter, CPUS * ROUNDS);
	assert_false(mutex_is_locked(&mutex));
	assert_clean();
}

static u32 torn, readers_now, readers_most;

static void rw_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		if (i % 4 == this_cpu() % 4) {
			rw_write_lock(&rw);
			counter++;
			twin++;
			rw_write_unlock(&rw);
			continue;
		}
		rw_read_lock(&rw);
		u32 now = atomic_add_fetch(&readers_now, 1), most = atomic_load(&readers_most);

		while (now > most && !atomic_try_cmpxchg(&readers_most, &most, now))
			;
		if (counter != twin)
			atomic_add_fetch(&torn, 1);
		if (i % 16 == 0)
			arch_cpu_relax();
		atomic_sub_fetch(&readers_now, 1);
		rw_read_unlock(&rw);
	}
}

static void rwlock_separates_writers(void **state)
{
	rw_init(&rw, &rw_class);
	counter = twin = 0;
	host_run(CPUS, rw_body, NULL);
	assert_int_equal(torn, 0);
	assert_int_equal(counter, CPUS * ROUNDS / 4);
	assert_true(readers_most > 1);
	assert_clean();
}

static u32 inside, most_inside;

static void sem_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		if (i % 8 || !sem_try_down(&sem))
			sem_down(&sem);
		u32 now = atomic_add_fetch(&inside, 1), most = atomic_load(&most_inside);

		while (now > most && !atomic_try_cmpxchg(&most_inside, &most, now))
			;
		if (i % 16 == 0)
			arch_cpu_relax();
		atomic_sub_fetch(&inside, 1);
		sem_up(&sem);
	}
}

static void semaphore_counts(void **state)
{
	sem_init(&sem, 2, &sem_class);
	host_run(CPUS, sem_body, NULL);
	assert_int_equal(most_inside, 2);
	assert_int_equal(sem.count, 2);
	assert_clean();
}

static struct completion *asked; /* atomic */

/* CPU 0 asks with a completion on its stack, CPU 1 answers; the data under it is plain. */
static void completion_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		if (this_cpu() == 0) {
			struct completion c;

			completion_init(&c, &done_class);
			counter = i;
			atomic_store_release(&asked, &c);
			wait_for_completion(&c);
			if (twin != i)
				atomic_add_fetch(&torn, 1);
		} else {
			struct completion *c;

			while (!(c = atomic_load_acquire(&asked)))
				arch_cpu_relax();
			atomic_store(&asked, NULL);
			twin = counter;
			complete(c);
		}
	}
}

static void completion_on_a_stack(void **state)
{
	torn = 0;
	host_run(2, completion_body, NULL);
	assert_int_equal(torn, 0);
	assert_clean();
}

static struct wait_queue turn_queue = WAIT_QUEUE_INIT(turn_queue, turn_class);
static u32 turn; /* atomic: whose turn it is, counted on */

/* A ring of CPUs passes one token; whoever misses a wake-up stops all of them. */
static void turn_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS / 4; i++) {
		wait_event(&turn_queue, atomic_load_acquire(&turn) % CPUS == this_cpu(),
			   BB_WAIT_QUEUE, 0);
		counter++;
		atomic_add_fetch(&turn, 1);
		wake_up_all(&turn_queue);
	}
}

static void no_wake_up_is_lost(void **state)
{
	counter = turn = 0;
	host_run(CPUS, turn_body, NULL);
	assert_int_equal(counter, CPUS * (ROUNDS / 4));
	assert_clean();
}

/* ---- what ends a wait, and whom a wake-up is for ------------------------------------------------
 */

static struct wait_queue slots = WAIT_QUEUE_INIT(slots, slots_class);
static u32 tokens, taken; /* atomic */
static bool stop;         /* atomic */

static bool take_token(void)
{
	u32 n = atomic_load(&tokens);

	while (n)
		if (atomic_try_cmpxchg(&tokens, &n, n - 1))
			return true;
	return false;
}

/* CPU 0 brings tokens one by one, the others each take one at a time: a token whose only wake-up
 * ends with somebody who cannot use it stays, and so does everybody. */
static void token_body(void *arg)
{
	bool got = false;

	if (this_cpu() == 0) {
		for (u32 i = 0; i < ROUNDS; i++) {
			atomic_add_fetch(&tokens, 1);
			wake_up(&slots);
		}
		while (atomic_load(&taken) < ROUNDS)
			arch_cpu_relax();
		atomic_store(&stop, true);
		wake_up_all(&slots);
		return;
	}
	for (;;) {
		wait_event_exclusive(&slots, (got = take_token()) || atomic_load(&stop),
				     BB_WAIT_QUEUE, 0);
		if (!got)
			return;
		atomic_add_fetch(&taken, 1);
	}
}

static void exclusive_wakes_are_not_lost(void **state)
{
	host_run(CPUS, token_body, NULL);
	assert_int_equal(taken, ROUNDS);
	assert_clean();
}

static struct wait_queue order = WAIT_QUEUE_INIT(order, slots_class);

/* One thread puts three kinds of waiters on a queue and wakes. */
static u32 woken[4];
static struct waiter w[4];

static void count_wake(struct waiter *me)
{
	woken[me - w]++;
}

static void order_body(void *arg)
{
	for (unsigned int i = 0; i < 4; i++) {
		w[i] = (struct waiter){.wake = count_wake, .exclusive = i < 2};
		waitq_add(&order, &w[i]);
	}
	/* The two that came last stand before those that are exclusive. */
	assert_ptr_equal(list_first_entry(&order.waiters, struct waiter, link), &w[2]);
	assert_int_equal(wake_up(&order), 3);
	assert_true(woken[0] == 1 && woken[1] == 0 && woken[2] == 1 && woken[3] == 1);
	assert_int_equal(wake_up_all(&order), 4);
	assert_true(woken[0] == 2 && woken[1] == 1 && woken[2] == 2 && woken[3] == 2);
	for (unsigned int i = 0; i < 4; i++)
		waitq_remove(&order, &w[i]);
	assert_false(waitq_has_waiters(&order));
	assert_int_equal(wake_up(&order), 0);
}

static void wake_up_order(void **state)
{
	host_run(1, order_body, NULL);
	assert_clean();
}

static struct wait_queue doors[2] = {WAIT_QUEUE_INIT(doors[0], slots_class),
				     WAIT_QUEUE_INIT(doors[1], slots_class)};
static u32 rung[2], heard[2]; /* atomic */

/* CPU 0 polls two doors at which CPUs 1 and 2 ring, each once the last ring was heard. */
static void poll_body(void *arg)
{
	struct poll_entry entries[2];
	struct poll_table t;

	if (this_cpu() != 0) {
		u32 door = this_cpu() - 1;

		for (u32 i = 1; i <= ROUNDS / 4; i++) {
			atomic_store_release(&rung[door], i);
			wake_up(&doors[door]);
			while (atomic_load_acquire(&heard[door]) < i)
				arch_cpu_relax();
		}
		return;
	}
	poll_init(&t, entries, 2);
	poll_wait(&t, &doors[0]);
	poll_wait(&t, &doors[1]);
	while (heard[0] < ROUNDS / 4 || heard[1] < ROUNDS / 4) {
		bool any = false;

		for (unsigned int i = 0; i < 2; i++)
			if (atomic_load_acquire(&rung[i]) > heard[i]) {
				atomic_store_release(&heard[i], heard[i] + 1);
				any = true;
			}
		if (!any)
			assert_int_equal(poll_sleep(&t, PARK_KERNEL, PARK_FOREVER), 0);
	}
	poll_finish(&t);
}

static void poll_hears_every_queue(void **state)
{
	host_run(3, poll_body, NULL);
	assert_int_equal(heard[0], ROUNDS / 4);
	assert_int_equal(heard[1], ROUNDS / 4);
	assert_false(waitq_has_waiters(&doors[0]));
	assert_clean();
}

static int ends[2];

/* Nobody wakes: the time ends the wait of CPU 0, CPU 0 then kills the waiter on CPU 1. */
static void end_body(void *arg)
{
	if (this_cpu() == 0) {
		ends[0] = wait_event_until(&order, false, false, PARK_KILLABLE,
					   arch_ticks() + 30000000, BB_WAIT_QUEUE, 0);
		host_kill(1);
	} else {
		ends[1] = wait_event_killable(&order, false, BB_WAIT_QUEUE, 0);
	}
}

static void time_and_kill_end_a_wait(void **state)
{
	host_run(2, end_body, NULL);
	assert_int_equal(ends[0], -ETIMEDOUT);
	assert_int_equal(ends[1], -ERESTARTSYS);
	assert_false(waitq_has_waiters(&order));
	assert_clean();
}

/* ---- waiters of a mutex that are killed ------------------------------------------------------ */

static DEFINE_MUTEX(queued_for, mutex_class);
static u32 victim;                    /* CPU: first, second or last in the queue */
static u32 outcomes;                  /* atomic: how many have come back */
static int came[CPUS];                /* what mutex_lock_killable() said */
static u32 served[CPUS], nserved;     /* in this order; under queued_for */
static u32 arrived;                   /* atomic */
static u32 lonely, kept, cut, broken; /* atomic */

static void not_killed(void)
{
	atomic_store(&arch_current()->kill_pending, false);
}

static u32 queue_length(void)
{
	irqflags_t f = queue_lock(&queued_for.queue);
	struct list_head *l;
	u32 n = 0;

	for (l = queued_for.queue.waiters.next; l != &queued_for.queue.waiters; l = l->next)
		n++;
	queue_unlock(&queued_for.queue, f);
	return n;
}

static void until_queued(u32 n)
{
	while (queue_length() != n)
		arch_cpu_relax();
}

static void until_come(u32 n)
{
	while (atomic_load_acquire(&outcomes) < n)
		arch_cpu_relax();
}

/* CPU 0 holds, the others queue in their order, and one of them is killed there. */
static void place_body(void *arg)
{
	u32 me = this_cpu();

	if (me == 0) {
		mutex_lock(&queued_for);
		atomic_store(&arrived, 1);
		until_queued(CPUS - 1);
		host_kill(victim);
		until_come(1);
		atomic_store(&lonely, queue_length());
		mutex_unlock(&queued_for);
		return;
	}
	while (!atomic_load(&arrived))
		arch_cpu_relax();
	until_queued(me - 1);
	came[me] = mutex_lock_killable(&queued_for);
	if (!came[me]) {
		served[nserved++] = me;
		mutex_unlock(&queued_for);
	}
	atomic_add_fetch(&outcomes, 1);
	not_killed();
}

static void a_killed_waiter_leaves_the_queue(void **state)
{
	for (victim = 1; victim < CPUS; victim++) {
		arrived = outcomes = nserved = 0;
		host_run(CPUS, place_body, NULL);
		assert_int_equal(lonely, CPUS - 2);
		assert_int_equal(nserved, CPUS - 2);
		for (u32 c = 1; c < CPUS; c++)
			assert_int_equal(came[c], c == victim ? -ERESTARTSYS : 0);
		assert_true(served[0] < served[1]); /* the others keep their places */
		assert_int_equal(queued_for.track.owner, 0);
		assert_clean();
	}
}

/* The only waiter is killed: the word must forget that there was one. Killed already, it does not
 * wait at all, but takes what is free. */
static void last_body(void *arg)
{
	if (this_cpu() == 0) {
		mutex_lock(&queued_for);
		atomic_store(&arrived, 1);
		until_queued(1);
		host_kill(1);
		until_come(2);
		atomic_store(&lonely, atomic_load(&queued_for.track.owner));
		mutex_unlock(&queued_for);
		atomic_store(&arrived, 2);
		return;
	}
	while (!atomic_load(&arrived))
		arch_cpu_relax();
	for (u32 i = 0; i < 2; i++) {
		came[i] = mutex_lock_killable(&queued_for);
		atomic_add_fetch(&outcomes, 1);
	}
	while (atomic_load(&arrived) < 2)
		arch_cpu_relax();
	came[2] = mutex_lock_killable(&queued_for);
	if (!came[2])
		mutex_unlock(&queued_for);
	not_killed();
}

static void the_last_waiter_takes_its_mark_along(void **state)
{
	arrived = outcomes = 0;
	host_run(2, last_body, NULL);
	assert_int_equal(lonely, 1); /* CPU 0 alone: no TRACK_WAITERS */
	assert_int_equal(came[0], -ERESTARTSYS);
	assert_int_equal(came[1], -ERESTARTSYS);
	assert_int_equal(came[2], 0);
	assert_int_equal(queued_for.track.owner, 0);
	assert_clean();
}

/* Kill and hand-over in each order, with and without time in between. */
static void hand_over(u32 round)
{
	if (round % 4 == 0) {
		mutex_unlock(&queued_for);
		until_come(1);
		host_kill(1);
	} else if (round % 4 == 1) {
		host_kill(1);
		until_come(1);
		mutex_unlock(&queued_for);
	} else if (round % 4 == 2) {
		mutex_unlock(&queued_for);
		host_kill(1);
	} else {
		host_kill(1);
		mutex_unlock(&queued_for);
	}
}

static void moment_body(void *arg)
{
	for (u32 i = 0; i < ROUNDS / 4; i++) {
		u32 other;

		if (this_cpu() == 0) {
			mutex_lock(&queued_for);
			counter++;
			atomic_store(&outcomes, 0);
			atomic_store_release(&arrived, i + 1);
			until_queued(1);
			hand_over(i);
			until_come(1);
			if (mutex_is_locked(
				    &queued_for)) /* granted to somebody who does not know */
				atomic_add_fetch(&broken, 1);
			atomic_store_release(&turn, i + 1);
			continue;
		}
		while (atomic_load_acquire(&arrived) != i + 1)
			arch_cpu_relax();
		if (!mutex_lock_killable(&queued_for)) {
			other = thread_kill_pending();
			counter++;
			mutex_unlock(&queued_for);
			atomic_add_fetch(&kept, other);
		} else {
			atomic_add_fetch(&cut, 1);
		}
		atomic_store_release(&outcomes, 1);
		while (atomic_load_acquire(&turn) != i + 1)
			arch_cpu_relax();
		not_killed();
	}
}

static void killed_while_it_is_handed_the_lock(void **state)
{
	counter = arrived = turn = kept = cut = broken = 0;
	host_run(2, moment_body, NULL);
	assert_int_equal(broken, 0);
	assert_int_equal(counter, ROUNDS / 4 * 2 - cut);
	assert_true(kept > 0 && cut >= ROUNDS / 16);
	assert_clean();
}

/* The others fight for the lock; again and again CPU 0 has it until two queue, and kills one of the
 * others, by turns, right before or right after it lets go. */
static void crowd_body(void *arg)
{
	u32 me = this_cpu();

	for (u32 i = 0; me == 0 && i < ROUNDS / 16; i++) {
		mutex_lock(&queued_for);
		counter++;
		while (queue_length() < 2)
			arch_cpu_relax();
		if (i & 1)
			host_kill(1 + i % (CPUS - 1));
		mutex_unlock(&queued_for);
		if (!(i & 1))
			host_kill(1 + i % (CPUS - 1));
	}
	if (me == 0)
		atomic_store(&stop, true);
	while (!atomic_load(&stop)) {
		not_killed();
		if (mutex_lock_killable(&queued_for)) {
			atomic_add_fetch(&cut, 1);
			continue;
		}
		counter++;
		atomic_add_fetch(&kept, 1);
		mutex_unlock(&queued_for);
	}
}

static void kills_lose_no_grant(void **state)
{
	counter = cut = kept = 0;
	stop = false;
	host_run(CPUS, crowd_body, NULL);
	assert_int_equal(counter, ROUNDS / 16 + kept);
	assert_true(cut > 0);
	assert_int_equal(queued_for.track.owner, 0);
	assert_clean();
}

/* ---- deadlocks: each in a process of its own, whose threads stay where they are ------------- */

static void abba_body(void *arg)
{
	struct mutex *first = this_cpu() ? &mutex2 : &mutex;
	struct mutex *second = this_cpu() ? &mutex : &mutex2;

	mutex_lock(first);
	atomic_add_fetch(&arrived, 1);
	while (atomic_load(&arrived) < 2)
		arch_cpu_relax();
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static void self_body(void *arg)
{
	mutex_lock(&mutex);
	mutex_lock(&mutex);
}

/* Exit status: the verdict that was reported, 100 for none, 101 if nobody hung. */
static int deadlock(unsigned int cpus, void (*body)(void *))
{
	u32 verdict;
	pid_t pid = fork();
	int status;

	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		return WEXITSTATUS(status);
	}
	if (host_run_for(cpus, 1000, body, NULL) == cpus)
		_exit(101);
	_exit(host_reports(&verdict) ? (int)verdict : 100);
}

static void abba_is_reported_as_a_cycle(void **state)
{
	assert_int_equal(deadlock(2, abba_body), BB_V_CYCLE);
}

static void second_lock_is_reported_as_self(void **state)
{
	assert_int_equal(deadlock(1, self_body), BB_V_SELF);
}

/* ---- places where nobody may hold a spin lock -------------------------------------------------
 */

static void lock_a_mutex(void)
{
	mutex_lock(&mutex);
	mutex_unlock(&mutex);
}

static void read_lock(void)
{
	rw_read_lock(&rw);
	rw_read_unlock(&rw);
}

static void write_lock(void)
{
	rw_write_lock(&rw);
	rw_write_unlock(&rw);
}

static void take_a_semaphore(void)
{
	sem_down(&sem);
	sem_up(&sem);
}

static void wait_at_a_queue(void)
{
	wait_event_until(&order, false, false, PARK_KERNEL, arch_ticks() + 1000000, BB_WAIT_QUEUE,
			 0);
}

static void poll_a_queue(void)
{
	struct poll_entry e;
	struct poll_table t;

	poll_init(&t, &e, 1);
	poll_wait(&t, &order);
	poll_sleep(&t, PARK_KERNEL, arch_ticks() + 1000000);
	poll_finish(&t);
}

static bool atomic_too;

static void sleepy_body(void *arg)
{
	void (*const *sleepy)(void) = arg;

	if (atomic_too)
		spin_lock(&spin);
	(*sleepy)();
	if (atomic_too)
		spin_unlock(&spin);
}

/* The verdict on who does it, with a spin lock or without one; 100 for none. */
static int verdict_on(void (*sleepy)(void), bool atomic)
{
	u32 verdict;
	pid_t pid = fork();
	int status;

	if (pid) {
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		return WEXITSTATUS(status);
	}
	atomic_too = atomic;
	rw_init(&rw, &rw_class);
	sem_init(&sem, 1, &sem_class);
	host_run(1, sleepy_body, &sleepy);
	_exit(host_reports(&verdict) ? (int)verdict : 100);
}

/* Whatever may sleep says so before it knows whether it must: the mistake shows without the bad
 * luck.
 */
static void sleeping_is_named_before_it_happens(void **state)
{
	void (*const sleepy[])(void) = {lock_a_mutex,     read_lock,       write_lock,
					take_a_semaphore, wait_at_a_queue, poll_a_queue};

	for (unsigned int i = 0; i < ARRAY_SIZE(sleepy); i++) {
		assert_int_equal(verdict_on(sleepy[i], true), BB_V_OWNER_SLEEPING);
		assert_int_equal(verdict_on(sleepy[i], false), 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abba_is_reported_as_a_cycle),
		cmocka_unit_test(second_lock_is_reported_as_self),
		cmocka_unit_test(sleeping_is_named_before_it_happens),
		cmocka_unit_test(spin_lock_excludes),
		cmocka_unit_test(mutex_excludes_and_hands_over),
		cmocka_unit_test(rwlock_separates_writers),
		cmocka_unit_test(semaphore_counts),
		cmocka_unit_test(completion_on_a_stack),
		cmocka_unit_test(no_wake_up_is_lost),
		cmocka_unit_test(exclusive_wakes_are_not_lost),
		cmocka_unit_test(wake_up_order),
		cmocka_unit_test(poll_hears_every_queue),
		cmocka_unit_test(a_killed_waiter_leaves_the_queue),
		cmocka_unit_test(the_last_waiter_takes_its_mark_along),
		cmocka_unit_test(killed_while_it_is_handed_the_lock),
		cmocka_unit_test(time_and_kill_end_a_wait),
		cmocka_unit_test(kills_lose_no_grant), /* they stay marked: the last one */
	};

	host_init(CPUS);
	return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
