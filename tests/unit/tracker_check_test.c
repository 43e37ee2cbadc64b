/* tracker_check_test.c - what the tracker's checks say, and when they must not speak: the silent
 * cases are cases of their own, so that each check can fail both ways. */
#include <pthread.h>
#include "tracker_fixture.h"

/* ---- checks -------------------------------------------------------------------------------- */
static void self_deadlock(void **state)
{
	const struct bb_report *r;

	be(3, 0);
	take(&m1, 0x10);
	ring.head = 6;
	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x20);
	r = only_report(BB_V_SELF, BB_CHK_SELF);
	assert_int_equal(r->lock, addr(&m1));
	assert_int_equal(r->class, mutex_class.index);
	assert_int_equal(r->site, 0x10);
	assert_int_equal(r->site2, 0x20);
	assert_int_equal(r->task, 4);
	assert_int_equal(r->count, 1);
	assert_int_equal(r->event, BB_EVENT(0, 6));
}

static void self_deadlock_spinning(void **state)
{
	be(3, 1);
	take(&spin, 0x10);
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x20);
	assert_int_equal(only_report(BB_V_SELF, BB_CHK_SELF)->cpu, 1);
}

static void interrupt_spins_for_its_task(void **state)
{
	be(3, 1);
	take(&spin, 0x10);
	host_irq_depth = 1;
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x20);
	assert_int_equal(reports(), 0); /* might be another CPU's: waits for the threshold */
	track_spin_still(&spin, 0x20);
	assert_int_equal(only_report(BB_V_IRQ_SELF, BB_CHK_SELF)->task, 4);
}

static void interrupt_spins_for_another_cpu(void **state)
{
	be(3, 1);
	take(&spin, 0x10);
	be(4, 0);
	host_irq_depth = 1;
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x20);
	track_spin_still(&spin, 0x20);
	assert_int_equal(reports(), 0);
}

/* Task i holds lock i and waits for lock i + 1; the last closes the circle. */
static void closes_a_cycle(unsigned n, uint32_t kind)
{
	struct track_lock *l[3] = {&m1, &m2, &m3};

	for (unsigned i = 0; i < n; i++) {
		be(i, i % CPUS);
		take(l[i], 0x10 + i);
	}
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(reports(), 0);
		be(i, i % CPUS);
		track_block_begin(l[(i + 1) % n], kind, 0x20 + i);
		if (i + 1 < n)
			sleep_as(i);
	}
	assert_int_equal(only_report(BB_V_CYCLE, BB_CHK_CYCLE)->site2, 0x20 + n - 1);
	assert_int_equal(trace_box.reports[0].lock, addr(l[0])); /* the wait that closed it */
	assert_int_equal(trace_box.reports[0].task, 1);
}
static void cycle_of_two(void **state)
{
	closes_a_cycle(2, BB_WAIT_MUTEX);
}
static void cycle_of_three(void **state)
{
	closes_a_cycle(3, BB_WAIT_MUTEX);
}
static void cycle_of_writers(void **state)
{
	closes_a_cycle(3, BB_WAIT_WRITE);
}

static void cycle_of_readers(void **state)
{
	closes_a_cycle(3, BB_WAIT_READ);
}

/* A wait for something else than a lock ends the chain, whatever its object looks like. */
static void event_is_no_lock(void **state)
{
	be(1, 1);
	take(&m1, 1);
	track_wait_begin(&(struct track_wait){.object = &m2, .kind = BB_WAIT_QUEUE}, 2);
	sleep_as(1);
	be(0, 0);
	take(&m2, 3);
	track_block_begin(&m1, BB_WAIT_MUTEX, 4);
	assert_int_equal(reports(), 0);
}

/* What is no lock any more is not followed. */
static void dead_lock_ends_the_chain(void **state)
{
	be(0, 0);
	take(&m1, 1);
	m1.magic = 0;
	track_block_begin(&m1, BB_WAIT_MUTEX, 2);
	assert_int_equal(reports(), 0);
}

/* A sleeper and a spinner: the spinner sees it once past its threshold. */
static void cycle_of_mixed_kinds(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&spin, 2);
	be(0, 0);
	track_spin_begin(&spin, BB_WAIT_SPIN, 3);
	track_spin_still(&spin, 3);
	assert_int_equal(reports(), 0);
	be(1, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* The other has stored its wait but still runs: the edge counts all the same. */
static void cycle_with_one_about_to_sleep(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&m2, 2);
	be(0, 0);
	track_block_begin(&m2, BB_WAIT_MUTEX, 3);
	be(1, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* CPU 1's record says that its task spins for m2; the interrupt on top of that task holds m1 and
 * will let it go: who spins for m1 and holds m2 waits for an interrupt, not for a circle. */
static void interrupt_is_not_the_spinner_below(void **state)
{
	be(0, 0);
	take(&m2, 1);
	be(1, 1);
	track_spin_begin(&m2, BB_WAIT_SPIN, 2);
	host_irq_depth = 1;
	take(&m1, 3);
	host_irq_depth = 0;
	be(0, 0);
	track_spin_begin(&m1, BB_WAIT_SPIN, 4);
	track_spin_still(&m1, 4);
	assert_int_equal(reports(), 0);
	/* and when the interrupt spins for the same one, it is */
	trace_box.control.checks_on = 0;
	be(1, 1);
	host_irq_depth = 1;
	track_spin_begin(&m2, BB_WAIT_SPIN, 5);
	track_spin_still(&m2, 5);
	host_irq_depth = 0;
	trace_box.control.checks_on = 1;
	be(0, 0);
	track_spin_still(&m1, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* A task cannot go on while an interrupt on top of it spins: that is its wait as well. */
static void interrupt_spins_on_top_of_the_holder(void **state)
{
	be(1, 1);
	take(&m1, 1);
	host_irq_depth = 1;
	track_spin_begin(&m2, BB_WAIT_SPIN, 2);
	host_irq_depth = 0;
	be(0, 0);
	take(&m2, 3);
	track_spin_begin(&m1, BB_WAIT_SPIN, 4);
	track_spin_still(&m1, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
	/* the record of a CPU that runs another task is not this one's */
	forget_reports(0);
	cpus[1].current = 7;
	track_spin_still(&m1, 5);
	cpus[1].current = 2;
	tasks[1].state = BB_ST_RUNNABLE;
	track_spin_still(&m1, 5);
	tasks[1].state = BB_ST_RUNNING;
	assert_int_equal(reports(), 0);
	/* another CPU's interrupt has nothing to do with it */
	forget_reports(0);
	cpus[1].wait.arg = BB_OWNER_CPU | 0;
	track_spin_still(&m1, 5);
	assert_int_equal(reports(), 0);
}

/* On its way to sleep a task holds the run queue's lock and has its wait on record: whoever spins
 * for the run queue, holding what it waits for, sees no circle: that lock is let go of. */
static void spin_lock_of_one_about_to_sleep(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 2);
	take(&spin, 3);
	be(0, 0);
	track_spin_begin(&spin, BB_WAIT_SPIN, 4);
	track_spin_still(&spin, 4);
	tasks[1].state = BB_ST_BLOCKED;
	track_spin_still(&spin, 4);
	assert_int_equal(reports(), 0);
}

static void chain_without_cycle(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&m2, 2);
	track_block_begin(&m1, BB_WAIT_MUTEX, 3);
	sleep_as(1);
	be(2, 1);
	track_block_begin(&m2, BB_WAIT_MUTEX, 4);
	sleep_as(2);
	be(0, 0);
	track_block_begin(&m3, BB_WAIT_MUTEX, 5);
	track_block_end(&m3);
	take(&m3, 6);
	drop(&m3, 7);
	drop(&m1, 8);
	assert_int_equal(reports(), 0);
}

/* A cycle among others is theirs: who waits behind it neither loops for ever nor claims it. */
static void foreign_cycle_ends(void **state)
{
	trace_box.control.checks_on = 0;
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&m2, 2);
	track_block_begin(&m1, BB_WAIT_MUTEX, 3);
	sleep_as(1);
	be(0, 0);
	track_block_begin(&m2, BB_WAIT_MUTEX, 4);
	sleep_as(0);
	trace_box.control.checks_on = 1;
	be(2, 0);
	track_block_begin(&m1, BB_WAIT_MUTEX, 5);
	assert_int_equal(reports(), 0);
	sleep_as(2);
	track_scan_waits(0); /* the scan finds it from inside */
	assert_true(reports() >= 1);
	assert_int_equal(trace_box.reports[0].verdict, BB_V_CYCLE);
	assert_true(trace_box.reports[0].site2 == 3 || trace_box.reports[0].site2 == 4);
}

static void orphan_on_leave(void **state)
{
	const struct bb_report *r;

	be(5, 1);
	take(&m1, 0x10);
	ring.cpu = 1;
	track_leaving(0x30);
	r = only_report(BB_V_ORPHAN, BB_CHK_LEAVE);
	assert_int_equal(r->lock, addr(&m1));
	assert_int_equal(r->site, 0x10);
	assert_int_equal(r->site2, 0x30);
	assert_int_equal(r->task, 6);
	assert_int_equal(tasks[5].left_site, 0x30);
	assert_true(tasks[5].left_ticks != 0);
	assert_true(tasks[5].held[0].mode & BB_HOLD_LEFT);
	assert_int_equal(tasks[5].held_seq % 2, 0);
	take(&m2, 0x11);
	track_leaving(0x31); /* the first departure is the one to tell */
	drop(&m2, 0x12);
	assert_int_equal(reports(), 2); /* of each lock */
	forget_reports(1);
	assert_int_equal(tasks[5].left_site, 0x30);
	assert_int_equal(reports(), 1);
	assert_int_equal(r->count, 1); /* and is told once */
	tasks[5].mode = BB_MODE_USER;
	tasks[5].user_epoch++;
	be(0, 0);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x40);
	assert_int_equal(reports(), 2);
	assert_int_equal(trace_box.reports[1].verdict, BB_V_ORPHAN);
	assert_int_equal(trace_box.reports[1].check, BB_CHK_ORPHAN);
	assert_int_equal(trace_box.reports[1].task, 6);
	assert_int_equal(trace_box.reports[1].site2, 0x40);
}

static void leaving_with_nothing_is_silent(void **state)
{
	be(5, 1);
	take(&m1, 1);
	drop(&m1, 2);
	track_leaving(3);
	assert_int_equal(tasks[5].left_site, 0);
	assert_int_equal(reports(), 0);
}

static void exit_with_a_lock(void **state)
{
	const struct bb_report *r;

	be(1, 0);
	take(&m1, 0x10);
	track_task_exit(0x20);
	r = only_report(BB_V_ORPHAN, BB_CHK_EXIT);
	assert_int_equal(r->site, 0x10);
	assert_int_equal(r->site2, 0x20);
	tasks[1].state = BB_ST_DEAD;
	be(2, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x30);
	assert_int_equal(reports(), 2);
	assert_int_equal(trace_box.reports[1].verdict, BB_V_ORPHAN);
	/* where is on record with the checks off as well */
	trace_box.control.checks_on = 0;
	be(3, 1);
	track_task_exit(0x40);
	assert_int_equal(tasks[3].left_site, 0);
	take(&m2, 0x50);
	track_task_exit(0x60);
	assert_int_equal(tasks[3].left_site, 0x60);
	assert_int_equal(reports(), 2);
	trace_box.control.checks_on = 1;
}

/* Task 5 died with m1. Who has its slot now holds nothing, whatever the lock's word says. */
static void slot_of_the_dead_is_reused(void **state)
{
	be(5, 1);
	take(&m1, 1);
	memset(&tasks[5], 0, sizeof(tasks[5]));
	be(0, 0);
	take(&m2, 2);
	track_block_begin(&m1, BB_WAIT_MUTEX, 3); /* the slot is empty: an orphan */
	assert_int_equal(only_report(BB_V_ORPHAN, BB_CHK_ORPHAN)->task, 6);
	sleep_as(0);
	be(5, 1);
	track_block_begin(&m2, BB_WAIT_MUTEX, 4); /* no circle */
	track_block_end(&m2);
	track_block_begin(&m1, BB_WAIT_MUTEX, 5); /* and not by itself */
	sleep_as(5);
	track_scan_waits(0);
	assert_int_equal(reports(), 1);
}

/* Of two entries for one lock the newer counts: the older is what an unlock by another left. */
static void remainder_is_no_orphan(void **state)
{
	be(1, 0);
	take(&m1, 0x10);
	be(2, 1);
	drop(&m1, 0x20);
	only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK);
	tasks[1].user_epoch++;
	be(1, 0);
	take(&m1, 0x11);
	be(3, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x30);
	assert_int_equal(reports(), 1);
}

/* Both facts of the orphan rule, each alone. */
static void orphan_by_epoch_or_by_mode(void **state)
{
	for (unsigned by_mode = 0; by_mode < 2; by_mode++) {
		setup(state);
		be(1, 0);
		take(&m1, 0x10);
		tasks[1].mode = by_mode ? BB_MODE_USER : BB_MODE_KERNEL;
		tasks[1].user_epoch = !by_mode;
		be(2, 1);
		track_block_begin(&m1, BB_WAIT_MUTEX, 0x30);
		only_report(BB_V_ORPHAN, BB_CHK_ORPHAN);
	}
}

/* A list that overflowed may hold what it does not show; one that did not, does not. */
static void overflowed_list_is_believed(void **state)
{
	for (unsigned lost = 0; lost < 2; lost++) {
		setup(state);
		be(0, 0);
		m1.owner = 1;
		tasks[0].held_lost = lost;
		track_block_begin(&m1, BB_WAIT_MUTEX, 1);
		assert_int_equal(reports(), lost);
	}
}

/* A list or a record that is being written proves nothing. */
static void half_written_is_not_believed(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&m2, 2);
	track_block_begin(&m1, BB_WAIT_MUTEX, 3);
	sleep_as(1);
	be(0, 0);
	tasks[1].wait_seq++;
	track_block_begin(&m2, BB_WAIT_MUTEX, 4);
	assert_int_equal(reports(), 0);
	tasks[1].wait_seq++;
	tasks[1].held_seq++;
	track_block_begin(&m2, BB_WAIT_MUTEX, 4);
	assert_int_equal(reports(), 0);
	tasks[1].held_seq++;
	track_block_begin(&m2, BB_WAIT_MUTEX, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* But what the interrupt itself interrupted stands still. */
static void interrupted_writer_is_believed(void **state)
{
	be(3, 1);
	take(&spin, 0x10);
	tasks[3].held_seq++;
	host_irq_depth = 1;
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x20);
	track_spin_still(&spin, 0x20);
	only_report(BB_V_IRQ_SELF, BB_CHK_SELF);
}

/* An interrupt's list is looked at as a task's is. */
static void interrupt_must_have_it(void **state)
{
	be(1, 1);
	host_irq_depth = 1;
	take(&m1, 1);
	track_spin_begin(&m2, BB_WAIT_SPIN, 2);
	host_irq_depth = 0;
	be(0, 0);
	take(&m2, 3);
	cpus[1].held_seq++;
	track_spin_begin(&m1, BB_WAIT_SPIN, 4);
	track_spin_still(&m1, 4);
	assert_int_equal(reports(), 0);
	cpus[1].held_seq++;
	cpus[1].held[0].lock = addr(&m3);
	track_spin_still(&m1, 4);
	assert_int_equal(reports(), 0);
	cpus[1].held[0].lock = addr(&m1);
	track_spin_still(&m1, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* A reader that wants to write, or to read again behind a writer, waits for itself. */
static void reader_waits_for_itself(void **state)
{
	be(0, 0);
	track_acquired(&m1, BB_HOLD_SHARED, 1, 0);
	be(1, 1);
	track_acquired(&m1, BB_HOLD_SHARED, 2, 0);
	track_released(&m1, BB_HOLD_SHARED, 3);
	track_block_begin(&m1, BB_WAIT_WRITE, 4); /* the other reader will leave */
	assert_int_equal(reports(), 0);
	track_block_end(&m1);
	be(0, 0);
	track_block_begin(&m1, BB_WAIT_WRITE, 5);
	assert_int_equal(only_report(BB_V_SELF, BB_CHK_SELF)->task, 1);
	assert_int_equal(trace_box.reports[0].site2, 5);
}

static void unlock_by_another(void **state)
{
	be(1, 0);
	take(&m1, 0x10);
	be(2, 1);
	drop(&m1, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK)->site, 0x20);
	assert_int_equal(trace_box.reports[0].count, 2); /* by the list and by the word */
	assert_int_equal(tasks[1].nheld, 1); /* what task 1 was told it holds stays told */
}

static void unlock_twice(void **state)
{
	be(1, 0);
	take(&m1, 0x10);
	drop(&m1, 0x20);
	assert_int_equal(reports(), 0);
	drop(&m1, 0x30);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK)->site, 0x30);
	assert_int_equal(trace_box.reports[0].site2, 0x20); /* where it had been released */
}

static void never_initialised(void **state)
{
	struct track_lock raw;

	memset(&raw, 0, sizeof(raw));
	be(1, 0);
	take(&raw, 0x10);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNINIT)->lock, addr(&raw));
	drop(&raw, 0x20);
	memset(&raw, 0x6b, sizeof(raw.magic));
	assert_int_equal(trace_box.reports[0].class, 0);
}

static void sleeping_under_a_spin_lock(void **state)
{
	be(1, 0);
	take(&m1, 1);
	track_might_sleep(2);
	assert_int_equal(reports(), 0); /* a mutex may be held asleep */
	take(&spin, 3);
	track_might_sleep(4);
	assert_int_equal(only_report(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP)->site, 3);
	assert_int_equal(trace_box.reports[0].site2, 4);
}

static void sleeping_with_interrupts_off(void **state)
{
	be(1, 0);
	host_irqs_off = 1;
	track_might_sleep(0x44);
	assert_int_equal(only_report(BB_V_OWNER_SLEEPING, BB_CHK_SLEEP)->site, 0x44);
}

static void reports_are_deduplicated(void **state)
{
	be(1, 0);
	for (int i = 0; i < 5; i++)
		drop(&m1, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK)->count, 5);
	drop(&m2, 0x20); /* another lock of the class, the same place: the same finding */
	assert_int_equal(reports(), 1);
	drop(&m1, 0x21);
	assert_int_equal(reports(), 2);
	drop(&spin, 0x20);
	assert_int_equal(reports(), 3);
}

static void full_table_counts_the_rest(void **state)
{
	const struct bb_counter *lost;

	be(1, 0);
	for (uint32_t i = 0; i < BOX_REPORTS + 5; i++)
		assert_int_equal(track_report(BB_V_CYCLE, BB_CHK_CYCLE, &m1, 1000 + i, 0, 0),
				 i < BOX_REPORTS);
	lost = box_counter("reports_lost");
	assert_non_null(lost);
	assert_int_equal(lost->value, 5);
}

/* Each lock that a dying task holds is named. */
static void exit_names_every_lock(void **state)
{
	be(1, 0);
	take(&m1, 0x10);
	take(&spin, 0x11);
	track_task_exit(0x20);
	assert_int_equal(reports(), 2);
}

/* The scan looks at sleepers of both kinds and at nobody who runs. */
static void scan_looks_at_sleepers(void **state)
{
	static const struct {
		uint32_t state;
		unsigned found;
	} kinds[] = {
		{BB_ST_RUNNING, 0}, {BB_ST_RUNNABLE, 0}, {BB_ST_SLEEPING, 1}, {BB_ST_BLOCKED, 1}};

	for (unsigned i = 0; i < 4; i++) {
		setup(state);
		trace_box.control.checks_on = 0;
		be(0, 0);
		take(&m1, 0x10);
		track_block_begin(&m1, BB_WAIT_MUTEX, 0x20);
		trace_box.control.checks_on = 1;
		tasks[0].state = kinds[i].state;
		track_scan_waits(0);
		assert_int_equal(reports(), kinds[i].found);
	}
}

static void checks_off_still_records(void **state)
{
	struct track_lock raw;

	memset(&raw, 0, sizeof(raw));
	trace_box.control.checks_on = 0;
	be(1, 0);
	take(&m1, 0x10);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x20);
	assert_int_equal(tasks[1].wait.object, addr(&m1));
	track_block_end(&m1);
	track_leaving(0x30);
	assert_int_equal(tasks[1].left_site, 0x30);
	assert_true(tasks[1].held[0].mode & BB_HOLD_LEFT);
	track_task_exit(0x31);
	host_irqs_off = 1;
	track_might_sleep(0x32);
	host_irqs_off = 0;
	be(2, 1);
	drop(&m1, 0x33);
	drop(&m2, 0x34);
	take(&raw, 0x35);
	track_scan_waits(0);
	assert_int_equal(reports(), 0);
}

/* Only waits that are old enough, and asleep, are the scan's business. */
static void scan_finds_what_became_hopeless(void **state)
{
	be(0, 0);
	take(&m1, 0x10);
	be(1, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x20);
	sleep_as(1);
	track_scan_waits(0);
	assert_int_equal(reports(), 0); /* the owner runs */
	tasks[0].mode = BB_MODE_USER;   /* and now it has left with the lock */
	track_scan_waits(1ull << 60);
	assert_int_equal(reports(), 0); /* too young */
	track_scan_waits(0);
	assert_int_equal(only_report(BB_V_ORPHAN, BB_CHK_ORPHAN)->site2, 0x20);
	assert_int_equal(trace_box.reports[0].task, 1);
}

/* Damaged owner words and objects end the walk, they are not followed. */
static void walk_survives_garbage(void **state)
{
	be(0, 0);
	m1.owner = 0x7fffffff;
	track_block_begin(&m1, BB_WAIT_MUTEX, 1);
	m1.owner = BB_OWNER_CPU | 4000;
	track_block_begin(&m1, BB_WAIT_MUTEX, 2);
	assert_int_equal(reports(), 0);
}

static void events_follow(void **state)
{
	uint32_t before;

	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
	trace_box.control.event_on[EV_lock_wait] = 1;
	trace_box.control.event_on[EV_report] = 1;
	be(1, 0);
	take(&m1, 1);
	before = (uint32_t)ring.head;
	track_block_begin(&m1, BB_WAIT_MUTEX, 2);
	assert_int_equal((uint32_t)ring.head, before + 2);
	assert_int_equal(ring_data[1] >> 20 & 0xfff, EV_lock_wait);
	assert_int_equal(ring_data[4], 101); /* the owner as a thread id */
	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
}

/* Two threads, each a task on its own CPU, report the same finding: one row, nothing lost. */
static void *report_often(void *arg)
{
	host_task = &tasks[(uintptr_t)arg];
	host_cpu = &cpus[(uintptr_t)arg];
	for (int i = 0; i < 1000; i++)
		track_report(BB_V_CYCLE, BB_CHK_CYCLE, &m1, i % 4, 0, 0);
	return NULL;
}
static void reports_from_two_cpus(void **state)
{
	pthread_t t[2];
	uint64_t sum = 0;
	unsigned rows = 0;

	host_cpu = NULL;
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, report_often, (void *)i), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	for (unsigned i = 0; i < BOX_REPORTS; i++) {
		sum += trace_box.reports[i].count;
		rows += trace_box.reports[i].seq != 0;
	}
	assert_int_equal(sum, 2000);
	assert_int_equal(rows, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(self_deadlock),
		T(self_deadlock_spinning),
		T(interrupt_spins_for_its_task),
		T(interrupt_spins_for_another_cpu),
		T(cycle_of_two),
		T(cycle_of_three),
		T(cycle_of_writers),
		T(cycle_of_readers),
		T(event_is_no_lock),
		T(dead_lock_ends_the_chain),
		T(cycle_of_mixed_kinds),
		T(cycle_with_one_about_to_sleep),
		T(interrupt_spins_on_top_of_the_holder),
		T(interrupt_is_not_the_spinner_below),
		T(spin_lock_of_one_about_to_sleep),
		T(chain_without_cycle),
		T(foreign_cycle_ends),
		T(orphan_on_leave),
		T(leaving_with_nothing_is_silent),
		T(exit_with_a_lock),
		T(slot_of_the_dead_is_reused),
		T(remainder_is_no_orphan),
		T(orphan_by_epoch_or_by_mode),
		T(overflowed_list_is_believed),
		T(half_written_is_not_believed),
		T(interrupted_writer_is_believed),
		T(interrupt_must_have_it),
		T(reader_waits_for_itself),
		T(unlock_by_another),
		T(unlock_twice),
		T(never_initialised),
		T(sleeping_under_a_spin_lock),
		T(sleeping_with_interrupts_off),
		T(reports_are_deduplicated),
		T(full_table_counts_the_rest),
		T(exit_names_every_lock),
		T(scan_looks_at_sleepers),
		T(checks_off_still_records),
		T(scan_finds_what_became_hopeless),
		T(walk_survives_garbage),
		T(events_follow),
		T(reports_from_two_cpus),
	};

	track_class_add(&spin_class);
	track_class_add(&mutex_class);
	return cmocka_run_group_tests_name("tracker checks", tests, NULL, NULL);
}
