/* tracker_lives_test.c - the end of a lock: what it leaves behind, what is found when it comes too
 * early, and that nobody who follows the records looks at a lock that may be gone. */
#include <sys/mman.h>
#include "tracker_fixture.h"

static const struct bb_lock *row_at(uint64_t lock)
{
	for (unsigned i = 0; i < LOCKS; i++)
		if (locks[i].lock == lock)
			return &locks[i];
	return NULL;
}
static const struct bb_lock *obituary_of(const struct track_lock *l)
{
	for (unsigned i = 0; i < LOCKS; i++)
		if (locks[i].lock == addr(l) && locks[i].dead)
			return &locks[i];
	return NULL;
}
/* Somebody waits for it and gets it, so that it has a row. */
static void contend(struct track_lock *l)
{
	be(7, 1);
	track_block_begin(l, BB_WAIT_MUTEX, 0x70);
	track_block_end(l);
	take(l, 0x71);
	drop(l, 0x72);
}

/* ---- a good end ------------------------------------------------------------------------------ */

static void row_goes_with_the_lock(void **state)
{
	contend(&m1);
	assert_non_null(row_at(addr(&m1)));
	track_lock_fini(&m1, 0, 0x10);
	assert_null(row_at(addr(&m1)));
	assert_non_null(row_at(BB_LOCK_GONE));
	assert_int_equal(m1.magic, TRACK_DEAD);
	assert_int_equal(m1.tag, 0);
	track_lock_init(&m1,
			&mutex_class); /* the same place serves again, with nothing of before */
	contend(&m1);
	assert_null(row_at(BB_LOCK_GONE));
	assert_int_equal(row_at(addr(&m1))->waits, 1);
	assert_int_equal(row_at(addr(&m1))->history_next, 1);
	assert_int_equal(reports(), 0);
}

/* Rows of others that lie behind the gap are found all the same. */
static void gap_does_not_end_a_search(void **state)
{
	static struct track_lock many[48];

	for (unsigned i = 0; i < 48; i++) {
		track_lock_init(&many[i], &mutex_class);
		contend(&many[i]);
	}
	for (unsigned i = 0; i < 48; i += 2)
		track_lock_fini(&many[i], 0, 1);
	for (unsigned i = 1; i < 48; i += 2) {
		uint64_t at = addr(&many[i]), hash = (at >> 3) * 0x9e3779b97f4a7c15ull >> 32;

		if (!many[i].stats)
			continue; /* found no room */
		for (unsigned k = 0; locks[(hash + k) % LOCKS].lock != at; k++)
			assert_true(k < 16 && locks[(hash + k) % LOCKS].lock != 0);
	}
	assert_int_equal(reports(), 0);
}

/* A thousand locks come and go: the table is as empty as before. */
static void rows_are_not_used_up(void **state)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct track_lock *l = malloc(sizeof(*l));

		track_lock_init(l, &mutex_class);
		contend(l);
		assert_non_null(l->stats);
		track_lock_fini(l, 0, 1);
		free(l);
	}
	for (unsigned i = 0; i < LOCKS; i++)
		assert_true(locks[i].lock <= BB_LOCK_GONE);
	assert_int_equal(reports(), 0);
}

/* ---- too early ------------------------------------------------------------------------------- */

static void freed_while_another_holds_it(void **state)
{
	const struct bb_report *r;
	const struct bb_lock *s;

	be(2, 0);
	take(&m1, 0x10);
	be(3, 1);
	track_lock_fini(&m1, 0, 0x20);
	r = only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED);
	assert_int_equal(r->lock, addr(&m1));
	assert_int_equal(r->class, mutex_class.index);
	assert_int_equal(r->site, 0x10);
	assert_int_equal(r->site2, 0x20);
	assert_int_equal(r->task, 3);
	s = obituary_of(&m1);
	assert_non_null(s);
	assert_int_equal(s->owner, 3);
	assert_int_equal(s->release_site, 0x20);
	assert_true(s->release_ticks > tasks[2].held[0].ticks);
}

static void freed_by_its_holder(void **state)
{
	be(2, 0);
	take(&m1, 0x10);
	take(&m2, 0x11);
	track_lock_fini(&m1, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED)->task, 3);
	track_freed(&m1, sizeof(m1), 0x21); /* the memory goes next: that is the same mistake */
	assert_int_equal(reports(), 1);
}

static void freed_while_a_reader_is_inside(void **state)
{
	be(4, 0);
	m1.owner = TRACK_SHARED | 1;
	track_acquired(&m1, BB_HOLD_SHARED, 0x10, 0);
	be(3, 1);
	track_lock_fini(&m1, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED)->task, 5);
	assert_int_equal(obituary_of(&m1)->owner, 0);
}

static void freed_while_an_interrupt_holds_it(void **state)
{
	be(4, 1);
	host_irq_depth = 1;
	take(&spin, 0x10);
	host_irq_depth = 0;
	be(3, 0);
	track_lock_fini(&spin, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED)->task, BB_OWNER_CPU | 1);
}

/* The holder's list was full: it is named, the place is not known. */
static void freed_while_held_without_an_entry(void **state)
{
	m1.owner = 6;
	be(3, 0);
	track_lock_fini(&m1, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED)->task, 6);
	assert_int_equal(trace_box.reports[0].site, 0);
}

/* Of a semaphore or a wait queue the caller says that somebody is queued. */
static void freed_while_waited_for(void **state)
{
	static struct track_class queue_class = {.name = "test.queue", .kind = BB_LK_WAITQ};
	struct track_wait w = {.object = &spin, .class = &queue_class, .kind = BB_WAIT_QUEUE};

	track_class_add(&queue_class);
	be(2, 0);
	track_wait_begin(&w, 0x10);
	sleep_as(2);
	be(3, 1);
	track_lock_fini(&spin, 1, 0x20);
	only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED_WAIT);
	assert_int_equal(trace_box.reports[0].class, queue_class.index);
	assert_int_equal(trace_box.reports[0].site, 0x10);
	assert_int_equal(trace_box.reports[0].site2, 0x20);
	assert_int_equal(trace_box.reports[0].task, 3);
	assert_int_equal(obituary_of(&spin)->class, queue_class.index);
}

/* A woken waiter that has not run yet still has its record: nobody is queued, nothing is wrong. */
static void woken_waiter_is_no_waiter(void **state)
{
	struct track_wait w = {.object = &spin, .kind = BB_WAIT_QUEUE};

	be(2, 0);
	track_wait_begin(&w, 0x10);
	sleep_as(2);
	be(3, 1);
	track_lock_fini(&spin, 0, 0x20);
	assert_int_equal(reports(), 0);
	assert_null(obituary_of(&spin));
}

static void freed_while_it_was_being_granted(void **state)
{
	be(2, 0);
	take(&m1, 0x10);
	be(4, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x30);
	sleep_as(4);
	be(2, 0);
	track_released(&m1, BB_HOLD_EXCL, 0x11);
	m1.owner = 5; /* task 4, which has not run yet */
	track_granted(&m1, 5);
	track_lock_fini(&m1, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED_WAIT)->task, 5);
	assert_int_equal(trace_box.reports[0].site, 0x30);
}

static void freed_while_a_cpu_spins(void **state)
{
	be(2, 0);
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x10);
	be(3, 1);
	track_lock_fini(&spin, 0, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED_WAIT)->task, 3);
}

/* With the checks off nobody speaks, and the obituary is written all the same. */
static void checks_off_leaves_the_obituary(void **state)
{
	trace_box.control.checks_on = 0;
	be(2, 0);
	take(&m1, 0x10);
	be(3, 1);
	track_lock_fini(&m1, 0, 0x20);
	track_freed(&m1, sizeof(m1), 0x20);
	assert_int_equal(reports(), 0);
	assert_int_equal(obituary_of(&m1)->release_site, 0x20);
	assert_int_equal(tasks[2].nheld, 1);
}

/* The row of the dead is not the next lock's at that place. */
static void next_lock_has_a_row_of_its_own(void **state)
{
	contend(&m1);
	be(2, 0);
	take(&m1, 0x10);
	track_lock_fini(&m1, 0, 0x20);
	track_lock_init(&m1, &mutex_class);
	contend(&m1);
	assert_ptr_not_equal(m1.stats, obituary_of(&m1));
	assert_int_equal(m1.stats->lock, addr(&m1));
	assert_int_equal(m1.stats->dead, 0);
}

static void obituaries_are_few(void **state)
{
	static struct track_lock many[40];
	unsigned n = 0;

	be(2, 0);
	for (unsigned i = 0; i < 40; i++) {
		track_lock_init(&many[i], &mutex_class);
		many[i].owner = 5;
		track_lock_fini(&many[i], 0, 0x20);
	}
	for (unsigned i = 0; i < LOCKS; i++)
		n += locks[i].dead;
	assert_int_equal(n, 16);
	contend(&m1);
	assert_non_null(m1.stats);
}

/* ---- a use afterwards ------------------------------------------------------------------------ */

static void used_after_its_end(void **state)
{
	be(2, 0);
	track_lock_fini(&m1, 0, 0x20);
	assert_int_equal(reports(), 0);
	take(&m1, 0x30);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_DEAD)->site, 0x30);
	assert_int_equal(trace_box.reports[0].site2, 0x20);
	assert_int_equal(trace_box.reports[0].class, mutex_class.index);
	assert_int_equal(m1.tag, 0); /* the short way stays closed */
	drop(&m1, 0x31);
	assert_int_equal(reports(), 2);
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x32);
	track_spin_end(&m1);
	assert_int_equal(reports(), 3);
	track_lock_fini(&m1, 0, 0x33); /* and an end twice */
	assert_int_equal(reports(), 4);
	assert_int_equal(trace_box.reports[3].check, BB_CHK_DEAD);
	assert_null(row_at(addr(&m1)));
}

/* In freed memory every word is rubbish: it is told apart from a lock, and not followed. */
static void used_in_wiped_memory(void **state)
{
	struct track_lock copy;

	be(2, 0);
	track_lock_fini(&m1, 0, 0x20);
	memset(&m1, 0x6b, sizeof(m1));
	copy = m1;
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x30);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_DEAD)->site, 0x30);
	assert_int_equal(trace_box.reports[0].class, 0);
	track_spin_still(&m1, 0x30);
	track_spin_end(&m1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x31);
	track_block_end(&m1);
	track_granted(&m1, 3);
	track_lock_fini(&m1, 1, 0x32);
	track_acquired(&m1, BB_HOLD_EXCL, 0x33, 0);
	track_released(&m1, BB_HOLD_EXCL, 0x34);
	assert_false(track_lock_alive(&m1, 0x35));
	assert_memory_equal(&m1, &copy, sizeof(m1)); /* nor written to: it is another's */
	for (unsigned i = 0; i < BOX_REPORTS && trace_box.reports[i].seq; i++)
		assert_int_equal(trace_box.reports[i].check, BB_CHK_DEAD);
}

/* ---- memory goes ------------------------------------------------------------------------------
 */

static void memory_over_a_held_lock(void **state)
{
	struct {
		uint64_t before[4];
		struct track_lock lock;
		uint64_t after[4];
	} object;

	track_lock_init(&object.lock, &mutex_class);
	be(2, 0);
	take(&m1, 0x0f);
	take(&object.lock, 0x10);
	track_freed(&object.before, sizeof(object.before), 0x20); /* up to it */
	track_freed(&object.after, sizeof(object.after), 0x20);   /* behind it */
	assert_int_equal(reports(), 0);
	track_freed(&object, sizeof(object), 0x21);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_FREED)->lock, addr(&object.lock));
	assert_int_equal(trace_box.reports[0].site, 0x10);
	assert_int_equal(trace_box.reports[0].site2, 0x21);
	forget_reports(0);
	drop(&object.lock, 0x11);
	track_freed(&object, sizeof(object), 0x22);
	assert_int_equal(reports(), 0);
}

/* ---- the walk ---------------------------------------------------------------------------------
 */

/* Two tasks wait for each other; found afterwards, by the scan. */
static void two_wait(struct track_lock *a, struct track_lock *b)
{
	track_lock_init(a, &mutex_class);
	track_lock_init(b, &mutex_class);
	trace_box.control.checks_on = 0;
	be(0, 0);
	take(a, 0x10);
	be(1, 1);
	take(b, 0x11);
	track_block_begin(a, BB_WAIT_MUTEX, 0x20);
	sleep_as(1);
	be(0, 0);
	track_block_begin(b, BB_WAIT_MUTEX, 0x21);
	sleep_as(0);
	trace_box.control.checks_on = 1;
	be(2, 0);
}

/* The locks' memory is gone: who looks at it dies. The records say it all. */
static void walk_looks_at_no_lock(void **state)
{
	struct track_lock *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(page, MAP_FAILED);
	two_wait(&page[0], &page[1]);
	mprotect(page, 4096, PROT_NONE);
	track_scan_waits(0);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
	assert_int_equal(trace_box.reports[0].class, mutex_class.index);
	be(1, 1);
	track_leaving(0x40); /* nor do these */
	track_task_exit(0x41);
	track_might_sleep(0x42);
	assert_int_equal(reports(), 3);
	munmap(page, 4096);
}

/* With no room in the table of locks the waits themselves say who had them. */
static void walk_without_a_table(void **state)
{
	track_tables.nlocks = 0;
	two_wait(&m1, &m2);
	track_scan_waits(0);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

/* What the table says may be out of date: the owner that it names has died, or has a full list. */
static void table_alone_proves_nothing(void **state)
{
	for (unsigned dead = 0; dead < 2; dead++) {
		setup(state);
		two_wait(&m1, &m2);
		tasks[0].nheld = 0;
		tasks[0].held_lost = !dead;
		tasks[0].state = dead ? BB_ST_NONE : BB_ST_BLOCKED;
		track_scan_waits(0);
		assert_int_equal(reports(), 0);
	}
}

/* The table follows the lock, also when it was taken the short way while nobody waited. */
static void table_knows_the_owner(void **state)
{
	contend(&m1);
	assert_int_equal(m1.stats->owner, 0);
	m1.owner = 4; /* the short way */
	be(2, 0);
	track_block_begin(&m1, BB_WAIT_MUTEX, 1);
	assert_int_equal(m1.stats->owner, 4);
	m1.owner = 5;
	track_spin_still(&m1, 2);
	assert_int_equal(m1.stats->owner, 5);
}

/* ---- one deadlock is told once ----------------------------------------------------------------
 */

static void cycle_is_told_once(void **state)
{
	two_wait(&m1, &m2);
	track_scan_waits(0); /* looks at both */
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
	be(0, 0);
	track_spin_still(&m2, 0x21);
	be(1, 1);
	track_spin_still(&m1, 0x20);
	assert_true(only_report(BB_V_CYCLE, BB_CHK_CYCLE)->count >= 4);
}

/* Other places are another deadlock, also between the same locks. */
static void another_cycle_is_told(void **state)
{
	two_wait(&m1, &m2);
	track_scan_waits(0);
	tasks[0].held[0].site = 0x12;
	track_scan_waits(0);
	assert_int_equal(reports(), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(row_goes_with_the_lock),
		T(gap_does_not_end_a_search),
		T(rows_are_not_used_up),
		T(freed_while_another_holds_it),
		T(freed_by_its_holder),
		T(freed_while_a_reader_is_inside),
		T(freed_while_an_interrupt_holds_it),
		T(freed_while_held_without_an_entry),
		T(freed_while_waited_for),
		T(woken_waiter_is_no_waiter),
		T(freed_while_it_was_being_granted),
		T(freed_while_a_cpu_spins),
		T(checks_off_leaves_the_obituary),
		T(next_lock_has_a_row_of_its_own),
		T(obituaries_are_few),
		T(used_after_its_end),
		T(used_in_wiped_memory),
		T(memory_over_a_held_lock),
		T(walk_looks_at_no_lock),
		T(walk_without_a_table),
		T(table_alone_proves_nothing),
		T(table_knows_the_owner),
		T(cycle_is_told_once),
		T(another_cycle_is_told),
	};

	track_class_add(&spin_class);
	track_class_add(&mutex_class);
	return cmocka_run_group_tests_name("tracker lives", tests, NULL, NULL);
}
