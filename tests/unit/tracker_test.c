/* tracker_test.c - the lock and wait tracker: what it records and what its checks say.
 *
 * A small machine: 2 CPUs and 8 task slots in the real tables of a black box. "Being" a task or an
 * interrupt is setting the port's thread-locals. Sites are plain numbers. Checks that must not
 * speak are cases of their own, so that each check can fail both ways. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

#define TASKS 8
#define CPUS 2
#define LOCKS 64

static struct bb_task tasks[TASKS];
static struct bb_cpu cpus[CPUS];
static struct bb_lock locks[LOCKS];
static struct bb_ring ring;
static uint64_t ring_data[(256 + BB_RING_SPARE) * 2];
static struct track_class spin_class = {.name = "test.spin", .kind = BB_LK_SPIN, .rank = 7};
static struct track_class mutex_class = {.name = "test.mutex", .kind = BB_LK_MUTEX};
static struct track_lock spin, m1, m2, m3;

static int setup(void **state)
{
	memset(tasks, 0, sizeof(tasks));
	memset(cpus, 0, sizeof(cpus));
	memset(locks, 0, sizeof(locks));
	memset(trace_box.reports, 0, sizeof(trace_box.reports));
	memset(trace_box.counters, 0, sizeof(trace_box.counters));
	track_tables.tasks = tasks;
	track_tables.ntasks = TASKS;
	track_tables.cpus = cpus;
	track_tables.ncpus = CPUS;
	track_tables.locks = locks;
	track_tables.nlocks = LOCKS;
	for (uint32_t i = 0; i < TASKS; i++) {
		tasks[i].tid = 100 + i;
		tasks[i].state = BB_ST_RUNNABLE;
	}
	cpus[1].cpu = 1;
	memset(&ring, 0, sizeof(ring));
	ring.units = 256;
	ring.data_virt = (uint64_t)(uintptr_t)ring_data;
	host_ring = &ring;
	host_report_count = 0;
	host_irq_depth = host_irqs_off = 0;
	trace_box.control.checks_on = 1;
	track_lock_init(&spin, &spin_class);
	track_lock_init(&m1, &mutex_class);
	track_lock_init(&m2, &mutex_class);
	track_lock_init(&m3, &mutex_class);
	return 0;
}

/* From here on this thread is task `slot`, running on `cpu`. */
static void be(uint32_t slot, uint32_t cpu)
{
	host_cpu = &cpus[cpu];
	host_task = &tasks[slot];
	cpus[cpu].current = slot + 1;
	tasks[slot].cpu = cpu;
	tasks[slot].state = BB_ST_RUNNING;
}
static void sleep_as(uint32_t slot)
{
	tasks[slot].state = BB_ST_BLOCKED;
	for (uint32_t c = 0; c < CPUS; c++)
		if (cpus[c].current == slot + 1)
			cpus[c].current = 0;
}
static void take(struct track_lock *l, uint64_t site)
{
	track_acquired(l, BB_HOLD_EXCL, site, 0x5000);
}
static void drop(struct track_lock *l, uint64_t site)
{
	track_released(l, BB_HOLD_EXCL, site);
}
static unsigned reports(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BOX_REPORTS; i++)
		n += trace_box.reports[i].seq != 0;
	assert_int_equal(n, host_report_count);
	return n;
}
static const struct bb_report *only_report(uint32_t verdict, uint32_t check)
{
	assert_int_equal(reports(), 1);
	assert_int_equal(trace_box.reports[0].seq % 2, 0);
	assert_int_equal(trace_box.reports[0].verdict, verdict);
	assert_int_equal(trace_box.reports[0].check, check);
	assert_int_equal(host_last_report.verdict, verdict);
	return &trace_box.reports[0];
}
static uint64_t addr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* ---- records ------------------------------------------------------------------------------- */
static void class_has_a_row(void **state)
{
	uint32_t index = spin_class.index;

	assert_true(index != 0 && mutex_class.index != 0 && index != mutex_class.index);
	assert_string_equal(trace_box.classes[index].name, "test.spin");
	assert_int_equal(trace_box.classes[index].kind, BB_LK_SPIN);
	assert_int_equal(trace_box.classes[index].rank, 7);
	track_class_add(&spin_class); /* again: the same */
	assert_int_equal(spin_class.index, index);
}

static void acquire_fills_an_entry(void **state)
{
	const struct bb_held *h = &tasks[2].held[0];

	be(2, 1);
	tasks[2].user_epoch = 9;
	ring.cpu = 1;
	ring.head = 5;
	track_acquired(&m1, BB_HOLD_EXCL | BB_HOLD_IRQOFF, 0x111, 0x7700);
	assert_int_equal(tasks[2].nheld, 1);
	assert_int_equal(tasks[2].held_seq % 2, 0);
	assert_int_equal(h->lock, addr(&m1));
	assert_int_equal(h->site, 0x111);
	assert_int_equal(h->sp, 0x7700);
	assert_int_equal(h->event, BB_EVENT(1, 5));
	assert_int_equal(h->class, mutex_class.index);
	assert_int_equal(h->mode, BB_HOLD_EXCL | BB_HOLD_IRQOFF);
	assert_int_equal(h->epoch, 9);
	assert_true(h->ticks != 0);
	assert_int_equal(m1.owner, 3);
	assert_int_equal(m1.taken_site, 0x111);
	assert_true(track_task_holds(&tasks[2]));
	drop(&m1, 0x112);
	assert_int_equal(tasks[2].nheld, 0);
	assert_int_equal(h->lock, 0);
	assert_int_equal(m1.owner, 0);
	assert_int_equal(m1.release_site, 0x112);
	assert_false(track_task_holds(&tasks[2]));
	assert_int_equal(reports(), 0);
}

static void shared_has_no_owner(void **state)
{
	be(0, 0);
	track_acquired(&m1, BB_HOLD_SHARED, 1, 0);
	assert_int_equal(m1.owner, 0);
	be(1, 1);
	track_acquired(&m1, BB_HOLD_SHARED, 2, 0);
	track_released(&m1, BB_HOLD_SHARED, 3);
	assert_int_equal(tasks[0].nheld, 1);
	assert_int_equal(tasks[1].nheld, 0);
	assert_int_equal(reports(), 0);
}

/* Any order of release leaves the others in the order of acquiring. */
static void release_out_of_order(void **state)
{
	struct track_lock *l[3] = {&m1, &m2, &m3};
	static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

	be(0, 0);
	for (int o = 0; o < 6; o++) {
		int gone[3] = {0};

		for (int i = 0; i < 3; i++)
			take(l[i], 10 + i);
		for (int i = 0; i < 3; i++) {
			int left = 0;

			drop(l[order[o][i]], 20);
			gone[order[o][i]] = 1;
			for (int k = 0; k < 3; k++) {
				if (gone[k])
					continue;
				assert_int_equal(tasks[0].held[left].lock, addr(l[k]));
				assert_int_equal(tasks[0].held[left].site, 10 + k);
				left++;
			}
			assert_int_equal(tasks[0].nheld, left);
			assert_int_equal(tasks[0].held[left].lock, 0);
		}
	}
	assert_int_equal(reports(), 0);
}

/* More locks than entries: the surplus is counted, its releases are no errors. */
static void held_list_overflows(void **state)
{
	struct track_lock many[BB_MAX_HELD + 3];

	be(0, 0);
	for (int i = 0; i < BB_MAX_HELD + 3; i++) {
		track_lock_init(&many[i], &mutex_class);
		take(&many[i], i);
	}
	assert_int_equal(tasks[0].nheld, BB_MAX_HELD);
	assert_int_equal(tasks[0].held_lost, 3);
	assert_int_equal(tasks[0].held[BB_MAX_HELD - 1].lock, addr(&many[BB_MAX_HELD - 1]));
	assert_int_equal(many[BB_MAX_HELD + 2].owner, 1);
	for (int i = BB_MAX_HELD + 3; i-- > 0;)
		drop(&many[i], 1);
	assert_int_equal(tasks[0].nheld, 0);
	assert_int_equal(tasks[0].held_lost, 0);
	assert_int_equal(reports(), 0);
	drop(&m1, 0x99); /* and the next real error is one */
	assert_int_equal(reports(), 1);
}

static void owner_words(void **state)
{
	host_task = NULL;
	host_cpu = NULL;
	assert_int_equal(track_self(), 0);
	host_irq_depth = 1;
	assert_int_equal(track_self(), 0);
	host_irq_depth = 0;
	be(7, 1);
	assert_int_equal(track_self(), 8);
	host_irq_depth = 1;
	assert_int_equal(track_self(), BB_OWNER_CPU | 1);
}

/* Before tables exist nothing is recorded and nothing breaks. */
static void too_early(void **state)
{
	host_task = NULL;
	host_cpu = NULL;
	host_ring = NULL;
	take(&m1, 1);
	track_spin_begin(&spin, BB_WAIT_SPIN, 2);
	track_spin_still(&spin, 2);
	track_spin_end(&spin);
	track_block_begin(&m2, NULL, BB_WAIT_MUTEX, 0, 3);
	track_block_end(&m2, NULL);
	drop(&m1, 4);
	track_leaving(5);
	track_task_exit(6);
	track_might_sleep(7);
	track_scan_waits(0);
	assert_int_equal(m1.owner, 0);
	assert_int_equal(reports(), 0);
}

static void interrupt_has_its_own_list(void **state)
{
	be(0, 1);
	take(&m1, 1);
	host_irq_depth = 1;
	take(&spin, 2);
	assert_int_equal(cpus[1].nheld, 1);
	assert_int_equal(cpus[1].held[0].lock, addr(&spin));
	assert_int_equal(cpus[1].held[0].site, 2);
	assert_int_equal(tasks[0].nheld, 1);
	assert_int_equal(spin.owner, BB_OWNER_CPU | 1);
	for (int i = 0; i < BB_MAX_IRQ_HELD; i++)
		track_acquired(&m2, BB_HOLD_SHARED, 3, 0);
	assert_int_equal(cpus[1].nheld, BB_MAX_IRQ_HELD);
	assert_int_equal(cpus[1].held_lost, 1);
	for (int i = 0; i < BB_MAX_IRQ_HELD; i++)
		track_released(&m2, BB_HOLD_SHARED, 3);
	drop(&spin, 4);
	host_irq_depth = 0;
	drop(&m1, 5);
	assert_int_equal(cpus[1].nheld, 0);
	assert_int_equal(tasks[0].nheld, 0);
	assert_int_equal(reports(), 0);
}

static void wait_records(void **state)
{
	const struct bb_wait *w = &tasks[1].wait;

	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	ring.cpu = 1;
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x222);
	assert_int_equal(tasks[1].wait_seq % 2, 0);
	assert_int_equal(w->object, addr(&m1));
	assert_int_equal(w->site, 0x222);
	assert_int_equal(w->kind, BB_WAIT_MUTEX);
	assert_int_equal(w->class, mutex_class.index);
	assert_int_equal(w->owner, 1);
	assert_true(w->ticks != 0);
	track_block_end(&m1, NULL);
	assert_int_equal(w->object, 0);
	assert_int_equal(w->kind, BB_WAIT_NONE);
	track_block_begin(NULL, &tasks[5], BB_WAIT_CHILD, 77, 0x223);
	assert_int_equal(w->object, addr(&tasks[5]));
	assert_int_equal(w->kind, BB_WAIT_CHILD);
	assert_int_equal(w->arg, 77);
	assert_int_equal(w->class, 0);
	track_block_end(NULL, &tasks[5]);
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x224);
	assert_int_equal(cpus[1].wait.object, addr(&m1));
	assert_int_equal(cpus[1].wait.kind, BB_WAIT_SPIN);
	assert_int_equal(cpus[1].wait.owner, 1);
	assert_int_equal(w->kind, BB_WAIT_NONE);
	track_spin_end(&m1);
	assert_int_equal(cpus[1].wait.object, 0);
	assert_int_equal(cpus[1].wait_seq % 2, 0);
	assert_int_equal(reports(), 0);
}

/* An interrupt that spins on top of a spinner leaves the record empty; the spinner restores it. */
static void spinner_restores_its_record(void **state)
{
	be(0, 0);
	track_spin_begin(&spin, BB_WAIT_SPIN, 0x31);
	host_irq_depth = 1;
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x32);
	track_spin_end(&m1);
	host_irq_depth = 0;
	assert_int_equal(cpus[0].wait.object, 0);
	track_spin_still(&spin, 0x31);
	assert_int_equal(cpus[0].wait.object, addr(&spin));
	assert_int_equal(cpus[0].wait.site, 0x31);
}

/* An interrupt inside the writing of the same record: odd until the outer writer is done. */
static void nested_writer_keeps_it_odd(void **state)
{
	be(0, 0);
	cpus[0].wait_seq = 7; /* the interrupted writer is between begin and end */
	track_spin_begin(&m1, BB_WAIT_SPIN, 1);
	assert_int_equal(cpus[0].wait_seq % 2, 1);
	assert_true(cpus[0].wait_seq > 7);
	track_spin_end(&m1);
	assert_int_equal(cpus[0].wait_seq % 2, 1);
}

static void contention_has_a_history(void **state)
{
	const struct bb_lock *s;

	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 2);
	s = m1.stats;
	assert_non_null(s);
	assert_true(s >= locks && s < locks + LOCKS);
	assert_int_equal(s->lock, addr(&m1));
	assert_int_equal(s->class, mutex_class.index);
	assert_int_equal(s->owner, 1);
	assert_int_equal(s->waits, 1);
	be(0, 0);
	drop(&m1, 3);
	be(1, 1);
	track_block_end(&m1, NULL);
	take(&m1, 4);
	assert_int_equal(s->owner, 2);
	assert_int_equal(s->history_next, 1);
	assert_int_equal(s->history[0].owner, 1);
	assert_int_equal(s->history[0].site, 1);
	assert_int_equal(s->release_site, 3);
	drop(&m1, 5);
	for (int i = 0; i < 5; i++) {
		take(&m1, 10 + i);
		drop(&m1, 20);
	}
	assert_int_equal(s->history_next, 7);
	assert_int_equal(s->history[6 % BB_LOCK_HISTORY].site, 14);
	assert_int_equal(s->history[3 % BB_LOCK_HISTORY].site, 11);
}

static void hand_over_moves_the_entry(void **state)
{
	be(0, 0);
	take(&m2, 8);
	take(&spin, 9);
	tasks[1].user_epoch = 4;
	track_hand_over(&spin, &tasks[0], &tasks[1]);
	assert_int_equal(tasks[0].nheld, 1);
	assert_int_equal(tasks[0].held[0].lock, addr(&m2));
	assert_int_equal(tasks[1].nheld, 1);
	assert_int_equal(tasks[1].held[0].lock, addr(&spin));
	assert_int_equal(tasks[1].held[0].site, 9);
	assert_int_equal(tasks[1].held[0].epoch, 4);
	assert_int_equal(spin.owner, 2);
	be(1, 0);
	drop(&spin, 10);
	assert_int_equal(tasks[1].nheld, 0);
	track_hand_over(&spin, &tasks[0], &tasks[1]); /* not held: nothing moves */
	assert_int_equal(tasks[1].nheld, 0);
	assert_int_equal(reports(), 0);
}

/* ---- checks -------------------------------------------------------------------------------- */
static void self_deadlock(void **state)
{
	const struct bb_report *r;

	be(3, 0);
	take(&m1, 0x10);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x20);
	r = only_report(BB_V_SELF, BB_CHK_SELF);
	assert_int_equal(r->lock, addr(&m1));
	assert_int_equal(r->class, mutex_class.index);
	assert_int_equal(r->site, 0x10);
	assert_int_equal(r->site2, 0x20);
	assert_int_equal(r->task, 4);
	assert_int_equal(r->count, 1);
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
		track_block_begin(l[(i + 1) % n], NULL, kind, 0, 0x20 + i);
		if (i + 1 < n)
			sleep_as(i);
	}
	assert_int_equal(only_report(BB_V_CYCLE, BB_CHK_CYCLE)->site2, 0x20 + n - 1);
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 4);
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
	track_block_begin(&m2, NULL, BB_WAIT_MUTEX, 0, 3);
	be(1, 1);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 4);
	only_report(BB_V_CYCLE, BB_CHK_CYCLE);
}

static void chain_without_cycle(void **state)
{
	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	take(&m2, 2);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 3);
	sleep_as(1);
	be(2, 1);
	track_block_begin(&m2, NULL, BB_WAIT_MUTEX, 0, 4);
	sleep_as(2);
	be(0, 0);
	track_block_begin(&m3, NULL, BB_WAIT_MUTEX, 0, 5);
	track_block_end(&m3, NULL);
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 3);
	sleep_as(1);
	be(0, 0);
	track_block_begin(&m2, NULL, BB_WAIT_MUTEX, 0, 4);
	sleep_as(0);
	trace_box.control.checks_on = 1;
	be(2, 0);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 5);
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
	track_leaving(0x31); /* the first departure is the one to tell */
	assert_int_equal(tasks[5].left_site, 0x30);
	assert_int_equal(reports(), 1);
	tasks[5].mode = BB_MODE_USER;
	tasks[5].user_epoch++;
	be(0, 0);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x40);
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x30);
	assert_int_equal(reports(), 2);
	assert_int_equal(trace_box.reports[1].verdict, BB_V_ORPHAN);
}

static void unlock_by_another(void **state)
{
	be(1, 0);
	take(&m1, 0x10);
	be(2, 1);
	drop(&m1, 0x20);
	assert_int_equal(only_report(BB_V_CORRUPT_LOCK, BB_CHK_UNLOCK)->site, 0x20);
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

static void checks_off_still_records(void **state)
{
	struct track_lock raw;

	memset(&raw, 0, sizeof(raw));
	trace_box.control.checks_on = 0;
	be(1, 0);
	take(&m1, 0x10);
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x20);
	assert_int_equal(tasks[1].wait.object, addr(&m1));
	track_block_end(&m1, NULL);
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 0x20);
	sleep_as(1);
	track_scan_waits(0);
	assert_int_equal(reports(), 0); /* the owner runs */
	tasks[0].mode = BB_MODE_USER; /* and now it has left with the lock */
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 1);
	m1.owner = BB_OWNER_CPU | 4000;
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 2);
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
	track_block_begin(&m1, NULL, BB_WAIT_MUTEX, 0, 2);
	assert_int_equal((uint32_t)ring.head, before + 2);
	assert_int_equal(ring_data[1] >> 20 & 0xfff, EV_lock_wait);
	assert_int_equal(ring_data[4], 101); /* the owner as a thread id */
	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
}

/* ---- consistency under a reader ------------------------------------------------------------ */
/* The writer keeps class == low site bits and so on; a copy between two equal even looks at the
 * sequence word must agree with itself. */
static int reader_stop;
static uint64_t reader_good, reader_bad;

#define LOAD(f) __atomic_load_n(&(f), __ATOMIC_ACQUIRE)
static void *read_tables(void *arg)
{
	while (!__atomic_load_n(&reader_stop, __ATOMIC_RELAXED)) {
		const struct bb_task *t = &tasks[0];
		uint32_t seq = LOAD(t->held_seq), n = LOAD(t->nheld), wseq;
		uint64_t lock[3], site[3], object, wsite;

		for (int i = 0; i < 3; i++) {
			lock[i] = LOAD(t->held[i].lock);
			site[i] = LOAD(t->held[i].site);
		}
		if (!(seq & 1) && LOAD(t->held_seq) == seq) {
			int ok = n <= 3;

			for (uint32_t i = 0; i < 3; i++)
				ok &= i < n && i < 3 ? site[i] == lock[i] + 1 : lock[i] == 0;
			*(ok ? &reader_good : &reader_bad) += 1;
		}
		wseq = LOAD(t->wait_seq);
		object = LOAD(t->wait.object);
		wsite = LOAD(t->wait.site);
		if (!(wseq & 1) && LOAD(t->wait_seq) == wseq)
			*((object ? wsite == object + 2 : !wsite) ? &reader_good : &reader_bad) += 1;
	}
	return NULL;
}

static void reader_sees_whole_entries(void **state)
{
	struct track_lock *l[3] = {&m1, &m2, &m3};
	pthread_t thread;

	be(0, 0);
	reader_stop = 0;
	reader_good = reader_bad = 0;
	assert_int_equal(pthread_create(&thread, NULL, read_tables, NULL), 0);
	for (uint32_t round = 0; round < 200000; round++) {
		struct track_lock *a = l[round % 3], *b = l[(round / 3 + 1) % 3];

		take(a, addr(a) + 1);
		if (a != b)
			take(b, addr(b) + 1);
		track_block_begin(NULL, &tasks[round % TASKS], BB_WAIT_QUEUE, 0,
				  addr(&tasks[round % TASKS]) + 2);
		track_block_end(NULL, &tasks[round % TASKS]);
		drop(a, 1);
		if (a != b)
			drop(b, 1);
	}
	__atomic_store_n(&reader_stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(reader_bad, 0);
	assert_true(reader_good > 100);
	assert_int_equal(reports(), 0);
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
	assert_true(rows >= 4 && rows <= 8); /* a tie may take a second row */
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(class_has_a_row),		  T(acquire_fills_an_entry),
		T(shared_has_no_owner),		  T(release_out_of_order),
		T(held_list_overflows),		  T(owner_words),
		T(too_early),			  T(interrupt_has_its_own_list),
		T(wait_records),		  T(spinner_restores_its_record),
		T(nested_writer_keeps_it_odd),	  T(contention_has_a_history),
		T(hand_over_moves_the_entry),	  T(self_deadlock),
		T(self_deadlock_spinning),	  T(interrupt_spins_for_its_task),
		T(interrupt_spins_for_another_cpu), T(cycle_of_two),
		T(cycle_of_three),		  T(cycle_of_writers),
		T(cycle_of_mixed_kinds),	  T(cycle_with_one_about_to_sleep),
		T(chain_without_cycle),		  T(foreign_cycle_ends),
		T(orphan_on_leave),		  T(leaving_with_nothing_is_silent),
		T(exit_with_a_lock),		  T(unlock_by_another),
		T(unlock_twice),		  T(never_initialised),
		T(sleeping_under_a_spin_lock),	  T(sleeping_with_interrupts_off),
		T(reports_are_deduplicated),	  T(full_table_counts_the_rest),
		T(checks_off_still_records),	  T(scan_finds_what_became_hopeless),
		T(walk_survives_garbage),	  T(events_follow),
		T(reader_sees_whole_entries),	  T(reports_from_two_cpus),
	};

	track_class_add(&spin_class);
	track_class_add(&mutex_class);
	return cmocka_run_group_tests_name("tracker", tests, NULL, NULL);
}
