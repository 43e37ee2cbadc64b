/* tracker_race_test.c - the checks while everybody is busy: no deadlock is possible here, so every
 * report is a false one, and a false report is the worst fault of a tracker.
 *
 * Theory. Each worker thread is a CPU with one task at a time. Two mutexes and two spin locks are
 * nested only in the order outer, inner, table; `leaf` is also taken by "interrupts", brackets that
 * a worker opens at any point where it holds no spin lock that needs them off, in the middle of its
 * own spinning too. Between rounds tasks go to user mode and come back, or die and leave their slot
 * to another. Each waiter looks at its chain all the time, and one thread scans all waits. More
 * threads than host CPUs: they stop at any instruction, for long. Only the tracker's view is
 * tested, so the locks are as simple as can be.
 *
 * What threads meet only once in a year is then made to happen: the look at a chain is
 * single-stepped (x86-64's trap flag), and at chosen instructions the machine steps from one state
 * to the next. Each state is free of deadlocks; a walk that mixes them is not. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#define CPUS 4
#include "tracker_fixture.h"

#define ROUNDS 20000u

struct test_lock {
	struct track_lock track;
};
static struct test_lock outer, inner, table, leaf;
static int stop_scan;
static uint64_t waited, scans;

#define SET(f, v) __atomic_store_n(&(f), (v), __ATOMIC_RELEASE)

static int try_take(struct test_lock *l)
{
	uint32_t none = 0;

	return __atomic_compare_exchange_n(&l->track.owner, &none, track_self(), 0,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
static void release(struct test_lock *l, uint64_t site)
{
	track_released(&l->track, BB_HOLD_EXCL, site);
	SET(l->track.owner, 0);
}

static void interrupt(unsigned depth);

static void spin_for(struct test_lock *l, uint64_t site, int interrupts, unsigned depth)
{
	if (!try_take(l)) {
		__atomic_fetch_add(&waited, 1, __ATOMIC_RELAXED);
		track_spin_begin(&l->track, BB_WAIT_SPIN, site);
		while (!try_take(l)) {
			track_spin_still(&l->track, site);
			if (interrupts)
				interrupt(depth);
			sched_yield();
		}
		track_spin_end(&l->track);
	}
	track_acquired(&l->track, BB_HOLD_EXCL, site, 0);
}

/* Takes the leaf in the CPU's own name, on top of whatever the worker was doing. */
static void interrupt(unsigned depth)
{
	if (depth)
		return;
	host_irq_depth = 1;
	spin_for(&leaf, 0x50, 0, 1);
	sched_yield();
	release(&leaf, 0x51);
	host_irq_depth = 0;
}

static void sleep_for(struct test_lock *l, uint64_t site)
{
	if (!try_take(l)) {
		__atomic_fetch_add(&waited, 1, __ATOMIC_RELAXED);
		track_block_begin(&l->track, BB_WAIT_MUTEX, site);
		SET(host_task->state, BB_ST_BLOCKED);
		SET(host_cpu->current, 0);
		while (!try_take(l))
			sched_yield();
		SET(host_cpu->current, track_self());
		SET(host_task->state, BB_ST_RUNNING);
		track_block_end(&l->track);
	}
	track_acquired(&l->track, BB_HOLD_EXCL, site, 0);
}

static void one_round(uint32_t r)
{
	switch (r % 7) {
	case 0: /* all of them, nested */
		sleep_for(&outer, 0x10);
		sleep_for(&inner, 0x11);
		spin_for(&table, 0x12, 1, 0);
		spin_for(&leaf, 0x13, 0, 1);
		release(&leaf, 0x14);
		release(&table, 0x15);
		release(&inner, 0x16);
		release(&outer, 0x17);
		break;
	case 1: /* one after the other, against the order: nothing is nested */
		spin_for(&table, 0x20, 1, 0);
		release(&table, 0x21);
		sleep_for(&inner, 0x22);
		release(&inner, 0x23);
		sleep_for(&outer, 0x24);
		release(&outer, 0x25);
		break;
	case 2: /* released in the order of acquiring */
		sleep_for(&outer, 0x30);
		sleep_for(&inner, 0x31);
		release(&outer, 0x32);
		interrupt(0);
		release(&inner, 0x33);
		break;
	case 3:
		sleep_for(&inner, 0x40);
		spin_for(&table, 0x41, 1, 0);
		release(&inner, 0x42);
		release(&table, 0x43);
		break;
	case 4:
		spin_for(&table, 0x44, 1, 0);
		spin_for(&leaf, 0x45, 0, 1);
		release(&table, 0x46);
		release(&leaf, 0x47);
		break;
	case 5: /* out and in again, as a system call does */
		track_leaving(0x60);
		SET(host_task->user_epoch, host_task->user_epoch + 1);
		SET(host_task->mode, BB_MODE_USER);
		sched_yield();
		SET(host_task->mode, BB_MODE_KERNEL);
		break;
	case 6: /* dies; the slot is another's at once */
		SET(host_cpu->current, 0);
		SET(host_task->state, BB_ST_DEAD);
		sched_yield();
		SET(host_task->tid, host_task->tid + 100);
		SET(host_task->user_epoch, 0);
		SET(host_task->state, BB_ST_RUNNING);
		SET(host_cpu->current, track_self());
	}
}

static void *work(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	be(me, me);
	for (uint32_t r = 0; r < ROUNDS; r++)
		one_round((r * 2654435761u + me * 40503u) >> 7);
	SET(host_task->state, BB_ST_DEAD);
	return NULL;
}

static void *scan(void *arg)
{
	while (!__atomic_load_n(&stop_scan, __ATOMIC_ACQUIRE)) {
		track_scan_waits(0);
		scans++;
		sched_yield();
	}
	return NULL;
}

static void nobody_is_accused(void **state)
{
	pthread_t workers[CPUS], scanner;

	track_lock_init(&outer.track, &mutex_class);
	track_lock_init(&inner.track, &mutex_class);
	track_lock_init(&table.track, &spin_class);
	track_lock_init(&leaf.track, &spin_class);
	host_ring = NULL; /* one ring a thread would prove nothing here */
	assert_int_equal(pthread_create(&scanner, NULL, scan, NULL), 0);
	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, work, (void *)i), 0);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(workers[i], NULL);
	SET(stop_scan, 1);
	pthread_join(scanner, NULL);
	for (unsigned i = 0; i < BOX_REPORTS; i++) {
		const struct bb_report *r = &trace_box.reports[i];

		if (r->seq)
			print_error("false report: verdict %u, check %u, site %#llx, %#llx, "
				    "%llu times\n",
				    r->verdict, r->check, (unsigned long long)r->site,
				    (unsigned long long)r->site2, (unsigned long long)r->count);
	}
	assert_int_equal(reports(), 0);
	assert_true(waited > 100 && scans > 100); /* or it was no test */
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(tasks[i].nheld + tasks[i].held_lost, 0);
		assert_int_equal(cpus[i].nheld + cpus[i].held_lost, 0);
		assert_int_equal(tasks[i].wait.object, 0);
		assert_int_equal(cpus[i].wait.object, 0);
	}
}

/* Two workers share a lock in memory of its own, until the last one destroys it: the scan must not
 * look at it then. Under the address sanitizer it dies if it does. */
struct object {
	struct test_lock lock;
	uint32_t refs;
};
static struct object *shared[CPUS / 2];

static struct object *meet(uint32_t me)
{
	struct object **place = &shared[me / 2], *o;

	if (me % 2) {
		while (!(o = __atomic_load_n(place, __ATOMIC_ACQUIRE)))
			sched_yield();
		SET(*place, NULL);
		return o;
	}
	o = malloc(sizeof(*o));
	o->refs = 2;
	track_lock_init(&o->lock.track, &mutex_class);
	SET(*place, o);
	while (__atomic_load_n(place, __ATOMIC_ACQUIRE))
		sched_yield();
	return o;
}

static void *share_and_destroy(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;

	be(me, me);
	for (uint32_t r = 0; r < ROUNDS / 10; r++) {
		struct object *o = meet(me);

		sleep_for(&o->lock, 0x80);
		sleep_for(&outer, 0x81);
		sched_yield();
		release(&outer, 0x82);
		release(&o->lock, 0x83);
		if (__atomic_sub_fetch(&o->refs, 1, __ATOMIC_ACQ_REL))
			continue;
		track_lock_fini(&o->lock.track, 0, 0x84);
		memset(o, 0x6b, sizeof(*o));
		free(o);
	}
	SET(host_task->state, BB_ST_DEAD);
	return NULL;
}

static void locks_come_and_go(void **state)
{
	pthread_t workers[CPUS], scanner;

	track_lock_init(&outer.track, &mutex_class);
	host_ring = NULL;
	waited = scans = 0;
	SET(stop_scan, 0);
	assert_int_equal(pthread_create(&scanner, NULL, scan, NULL), 0);
	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&workers[i], NULL, share_and_destroy, (void *)i),
				 0);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(workers[i], NULL);
	SET(stop_scan, 1);
	pthread_join(scanner, NULL);
	assert_int_equal(reports(), 0);
	assert_true(waited > 100 && scans > 100);
	for (unsigned i = 0; i < LOCKS; i++)
		assert_true(locks[i].lock <= BB_LOCK_GONE || locks[i].lock == addr(&outer));
}

/* Two tasks take two locks in opposite orders until they meet: then it must be said, by whoever
 * came last, without a scan. */
#define WAIT_OF(i) __atomic_load_n(&tasks[i].wait.object, __ATOMIC_ACQUIRE)

static void *take_both(void *arg)
{
	uint32_t me = (uint32_t)(uintptr_t)arg;
	struct test_lock *a = me ? &inner : &outer, *b = me ? &outer : &inner;

	be(me, me);
	for (;;) {
		while (!try_take(a))
			sched_yield();
		track_acquired(&a->track, BB_HOLD_EXCL, 0x10 + me, 0);
		if (try_take(b)) {
			track_acquired(&b->track, BB_HOLD_EXCL, 0x20 + me, 0);
			release(b, 0x30);
			release(a, 0x31);
			continue;
		}
		track_block_begin(&b->track, BB_WAIT_MUTEX, 0x40 + me);
		SET(host_task->state, BB_ST_BLOCKED);
		for (;;) {
			if (try_take(b))
				break;
			/* both are here: neither will ever get out */
			if (WAIT_OF(0) == (uintptr_t)&inner.track &&
			    WAIT_OF(1) == (uintptr_t)&outer.track) {
				return NULL;
			}
			sched_yield();
		}
		SET(host_task->state, BB_ST_RUNNING);
		track_block_end(&b->track);
		track_acquired(&b->track, BB_HOLD_EXCL, 0x50 + me, 0);
		release(b, 0x32);
		release(a, 0x33);
	}
}

static void whoever_closes_it_says_so(void **state)
{
	for (unsigned round = 0; round < 200; round++) {
		pthread_t t[2];

		setup(state);
		host_ring = NULL;
		track_lock_init(&outer.track, &mutex_class);
		track_lock_init(&inner.track, &mutex_class);
		for (uintptr_t i = 0; i < 2; i++)
			assert_int_equal(pthread_create(&t[i], NULL, take_both, (void *)i), 0);
		for (unsigned i = 0; i < 2; i++)
			pthread_join(t[i], NULL);
		assert_true(reports() >= 1);
		for (unsigned i = 0; i < reports(); i++)
			assert_int_equal(trace_box.reports[i].verdict, BB_V_CYCLE);
	}
}

#if defined(__x86_64__) && !defined(UNIT_TSAN) /* one thread: nothing for TSan to see */
/* ---- a story told between two instructions -------------------------------------------------- */
#define TRAP_FLAG  0x100ull
#define STEP_ON()  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG)
#define STEP_OFF() __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~TRAP_FLAG)
#define CHAPTERS   2

static const struct story {
	unsigned chapters;
	void (*tell)(unsigned chapter);
} *story;
static unsigned step, turn[CHAPTERS], told;

static void on_step(int sig)
{
	step++;
	while (told < story->chapters && turn[told] <= step)
		story->tell(told++);
}

/* Another task acts; the one that looks is task 0 on CPU 0. */
static void as(unsigned slot)
{
	host_task = &tasks[slot];
	host_cpu = &cpus[1];
	trace_box.control.checks_on = 0; /* its own looks are not the question */
}
static void as_looker(void)
{
	host_task = &tasks[0];
	host_cpu = &cpus[0];
	trace_box.control.checks_on = 1;
}
static void blocks_on(unsigned slot, struct track_lock *l)
{
	as(slot);
	track_block_begin(l, BB_WAIT_MUTEX, 0x70);
	tasks[slot].state = BB_ST_BLOCKED;
}
static void goes_on(unsigned slot, struct track_lock *l)
{
	as(slot);
	track_block_end(l);
	tasks[slot].state = BB_ST_RUNNING;
}
static void takes(unsigned slot, struct track_lock *l)
{
	as(slot);
	take(l, 0x71);
}
static void drops(unsigned slot, struct track_lock *l)
{
	as(slot);
	drop(l, 0x72);
}

/* 0 has m2 and asks for m1. 1 has m1; it waits for m3, gets it, gives it back; 3 takes m3 and waits
 * for m2; 1 gives m1 away and waits for m3 again. */
static void passing_by(unsigned chapter)
{
	if (chapter == 0) {
		drops(2, &m3);
		goes_on(1, &m3);
		takes(1, &m3);
		drops(1, &m3);
		takes(3, &m3);
		blocks_on(3, &m2);
	} else {
		drops(1, &m1);
		takes(4, &m1);
		blocks_on(1, &m3);
	}
	as_looker();
}
static void passing_by_begins(void)
{
	takes(0, &m2);
	takes(1, &m1);
	takes(2, &m3);
	blocks_on(1, &m3);
	as_looker();
}

static void tell_all(void **state, const struct story *s, void (*begin)(void), unsigned rounds)
{
	struct sigaction sa = {.sa_handler = on_step, .sa_flags = SA_NODEFER}, old;
	unsigned steps = 0, chapters = 0, random = 1;

	story = s;
	sigaction(SIGTRAP, &sa, &old);
	for (unsigned round = 0; round <= rounds; round++) {
		setup(state);
		host_ring = NULL;
		host_cpu = &cpus[1];
		for (unsigned i = 0; i < 5; i++)
			tasks[i].state = BB_ST_RUNNING;
		begin();
		for (unsigned i = 0; i < s->chapters; i++) {
			random = random * 1103515245u + 12345u;
			turn[i] = steps ? (random >> 8) % steps : ~0u;
			for (unsigned k = i; k > 0 && turn[k] < turn[k - 1]; k--) {
				unsigned t = turn[k];

				turn[k] = turn[k - 1];
				turn[k - 1] = t;
			}
		}
		step = told = 0;
		STEP_ON();
		track_block_begin(&m1, BB_WAIT_MUTEX, 0x40);
		STEP_OFF();
		assert_int_equal(reports(), 0);
		chapters += told;
		steps = step > steps ? step : steps;
	}
	sigaction(SIGTRAP, &old, NULL);
	assert_true(steps > 100 && chapters > rounds / 2);
}
static void no_state_is_made_up(void **state)
{
	static const struct story passing = {2, passing_by};

	tell_all(state, &passing, passing_by_begins, 400);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nobody_is_accused),
		T(locks_come_and_go),
		T(whoever_closes_it_says_so),
#ifdef TRAP_FLAG
		T(no_state_is_made_up),
#endif
	};

	track_class_add(&spin_class);
	track_class_add(&mutex_class);
	return cmocka_run_group_tests_name("tracker races", tests, NULL, NULL);
}
