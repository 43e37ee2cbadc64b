/* tracker_test.c - what the lock and wait tracker records: held lists, owners, waits, histories,
 * hand-over; and that a concurrent reader sees whole entries. */
#include <pthread.h>
#include "tracker_fixture.h"

/* ---- records ------------------------------------------------------------------------------- */
static void class_has_a_row(void **state)
{
	static struct track_class late = {.name = "test.late", .kind = BB_LK_SPIN};
	uint32_t index = spin_class.index;

	assert_true(index != 0 && mutex_class.index != 0 && index != mutex_class.index);
	assert_string_equal(trace_box.classes[index].name, "test.spin");
	assert_int_equal(trace_box.classes[index].kind, BB_LK_SPIN);
	assert_int_equal(trace_box.classes[index].rank, 7);
	track_class_add(&spin_class); /* again: the same */
	assert_int_equal(spin_class.index, index);
	track_class_add(&late);
	assert_int_equal(late.index, mutex_class.index + 1); /* that used no number up */
}

static void acquire_fills_an_entry(void **state)
{
	const struct bb_held *h = &tasks[2].held[0];

	be(2, 1);
	tasks[2].user_epoch = 9;
	ring.cpu = 1;
	ring.head = 5;
	m1.owner = track_self();
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
	assert_true(track_task_holds(&tasks[2]));
	drop(&m1, 0x112);
	assert_int_equal(tasks[2].nheld, 0);
	assert_int_equal(m1.owner, 0);
	assert_int_equal(m1.release_site, 0x112);
	assert_false(track_task_holds(&tasks[2]));
	assert_int_equal(reports(), 0);
}

/* Of two holds of one lock the newer goes first. */
static void newest_hold_goes_first(void **state)
{
	be(0, 0);
	track_acquired(&m1, BB_HOLD_SHARED, 1, 0);
	track_acquired(&m1, BB_HOLD_SHARED, 2, 0);
	track_released(&m1, BB_HOLD_SHARED, 3);
	assert_int_equal(tasks[0].nheld, 1);
	assert_int_equal(tasks[0].held[0].site, 1);
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

/* The tick may divert a context in the middle of the short way on, which has seen the limit and not
 * yet the stack. The stack that it finds cannot be written: nothing may fit on it. */
static void diverted_on_the_way(void **state)
{
	struct track_context task, interrupt;

	track_context_task(&task, &tasks[2], 2);
	track_context_cpu(&interrupt, &cpus[1], 0);
	for (int i = 0; i < 2; i++) {
		struct track_context *c = i ? &interrupt : &task;
		uint32_t max = c->max;
		uint64_t word;
		struct bb_held *h;

		assert_int_equal(max, i ? BB_MAX_IRQ_HELD : BB_MAX_HELD);
		assert_true(track_room(c->stack, max, &word, &h));
		track_divert(c, 0);
		assert_int_equal(c->max, 0);
		assert_false(track_room(c->stack, max, &word, &h));
		assert_false(track_room(c->stack, c->max, &word, &h));
		assert_int_equal(track_newest(c->stack, *track_count(c->stack))->lock, 0);
		track_undivert(c);
		assert_true(track_room(c->stack, c->max, &word, &h));
	}
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
	track_block_begin(&m2, BB_WAIT_MUTEX, 3);
	track_block_end(&m2);
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

/* An interrupt inside an interrupt, or an NMI, may hit in the middle of a push on the CPU's stack:
 * what it takes is counted there and written nowhere. */
static void nested_interrupt_writes_nothing(void **state)
{
	struct bb_held half;

	be(0, 1);
	host_irq_depth = 1;
	take(&spin, 2);
	memset(&cpus[1].held[1], 0x5a, sizeof(half)); /* a push in progress */
	half = cpus[1].held[1];
	host_irq_depth = 2;
	assert_int_equal(track_self(), BB_OWNER_CPU | 1);
	take(&m1, 3);
	assert_int_equal(cpus[1].nheld, 1);
	assert_int_equal(cpus[1].held_lost, 1);
	drop(&m1, 4);
	assert_int_equal(cpus[1].held_lost, 0);
	assert_memory_equal(&cpus[1].held[1], &half, sizeof(half));
	host_irq_depth = 1;
	drop(&spin, 5);
	assert_int_equal(cpus[1].nheld, 0);
	assert_int_equal(reports(), 0);
}

/* The word of a held stack: a push changes both halves at once, a pop the count alone. */
static void word_of_the_stack(void **state)
{
	uint64_t before, pushed;

	be(0, 0);
	before = track_task_stack(&tasks[0])->word;
	take(&m1, 1);
	pushed = track_task_stack(&tasks[0])->word;
	assert_int_equal(pushed - before, TRACK_PUSHED);
	drop(&m1, 2);
	assert_int_equal(track_task_stack(&tasks[0])->word, pushed - (1ull << 32));
	take(&m2, 3); /* same count, other word */
	assert_int_not_equal(track_task_stack(&tasks[0])->word, pushed);
	take(&m3, 4);
	pushed = track_task_stack(&tasks[0])->word;
	drop(&m2, 5); /* not the newest */
	assert_int_equal((uint32_t)track_task_stack(&tasks[0])->word, (uint32_t)pushed + 2);
	drop(&m3, 6);
}

/* A lock that was waited for goes the long way, keeps statistics, and returns to the short one. */
static void short_way_closes_and_opens(void **state)
{
	be(0, 0);
	assert_true(m1.tag != 0);
	track_block_begin(&m1, BB_WAIT_MUTEX, 1);
	track_block_end(&m1);
	assert_int_equal(m1.tag, 0);
	for (unsigned i = 0; i < 40; i++) {
		take(&m1, 2);
		assert_int_equal(m1.tag, 0);
		drop(&m1, 3);
	}
	for (unsigned i = 0; i < 40; i++) {
		take(&m1, 2);
		drop(&m1, 3);
	}
	assert_true(m1.tag == HELD_TAG(mutex_class.index, BB_HOLD_EXCL));
	track_block_begin(&m1, BB_WAIT_MUTEX, 1);
	assert_int_equal(m1.tag, 0);
	track_block_end(&m1);
}

static void wait_records(void **state)
{
	const struct bb_wait *w = &tasks[1].wait;

	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	ring.cpu = 1;
	track_block_begin(&m1, BB_WAIT_MUTEX, 0x222);
	assert_int_equal(tasks[1].wait_seq % 2, 0);
	assert_int_equal(w->object, addr(&m1));
	assert_int_equal(w->site, 0x222);
	assert_int_equal(w->kind, BB_WAIT_MUTEX);
	assert_int_equal(w->class, mutex_class.index);
	assert_int_equal(w->owner, 1);
	assert_true(w->ticks != 0);
	track_block_end(&m1);
	assert_int_equal(w->object, 0);
	assert_int_equal(w->kind, BB_WAIT_NONE);
	track_wait_begin(
		&(struct track_wait){.object = &tasks[5], .kind = BB_WAIT_CHILD, .arg = 77}, 0x223);
	assert_int_equal(w->object, addr(&tasks[5]));
	assert_int_equal(w->kind, BB_WAIT_CHILD);
	assert_int_equal(w->arg, 77);
	assert_int_equal(w->class, 0);
	track_wait_needs(BB_OWNER_CPU | 3, 3); /* the wait itself is the same one */
	assert_int_equal(tasks[1].wait_seq % 2, 0);
	assert_int_equal(w->owner, BB_OWNER_CPU | 3);
	assert_int_equal(w->arg, 3);
	assert_int_equal(w->object, addr(&tasks[5]));
	assert_int_equal(w->kind, BB_WAIT_CHILD);
	assert_int_equal(w->site, 0x223);
	track_wait_end();
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
	/* a short spin of an interrupt leaves the record alone */
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x32);
	track_spin_end(&m1);
	assert_int_equal(cpus[0].wait.object, addr(&spin));
	/* a long one takes it, and clears it */
	track_spin_begin(&m1, BB_WAIT_SPIN, 0x32);
	track_spin_still(&m1, 0x32);
	assert_int_equal(cpus[0].wait.object, addr(&m1));
	track_spin_end(&m1);
	host_irq_depth = 0;
	assert_int_equal(cpus[0].wait.object, 0);
	track_spin_still(&spin, 0x31);
	assert_int_equal(cpus[0].wait.object, addr(&spin));
	assert_int_equal(cpus[0].wait.site, 0x31);
}

/* A contended lock is found as the format says: from its address's place forwards, and no two
 * share an entry. */
static void contended_locks_are_found(void **state)
{
	static struct track_lock many[40];
	unsigned found = 0;

	be(0, 0);
	for (unsigned i = 0; i < 40; i++) {
		uint64_t at = addr(&many[i]) >> 3;

		track_lock_init(&many[i], &mutex_class);
		track_block_begin(&many[i], BB_WAIT_MUTEX, 1);
		track_block_end(&many[i]);
		at = at * 0x9e3779b97f4a7c15ull >> 32;
		while (locks[at % LOCKS].lock && locks[at % LOCKS].lock != addr(&many[i]))
			at++;
		if (locks[at % LOCKS].lock) {
			found++;
			assert_ptr_equal(many[i].stats, &locks[at % LOCKS]);
			assert_int_equal(locks[at % LOCKS].waits, 1);
		}
	}
	assert_true(found > 35); /* a full neighbourhood may refuse one */
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

/* Holding for more than a hundredth of a second is an event, if the clock is known. */
static void long_hold_is_an_event(void **state)
{
	uint64_t hz = trace_box.header.clock_hz;

	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
	trace_box.control.event_on[EV_lock_long_hold] = 1;
	be(0, 0);
	trace_box.header.clock_hz = 1ull << 60;
	take(&m1, 1);
	drop(&m1, 2);
	assert_int_equal((uint32_t)ring.head, 0);
	trace_box.header.clock_hz = 1000; /* ten ticks are too long; a thousand would not be */
	take(&m1, 3);
	tasks[0].held[0].ticks = port_ticks() - 20;
	drop(&m1, 4);
	assert_int_equal((uint32_t)ring.head, 1);
	trace_box.header.clock_hz = hz;
	memset(trace_box.control.event_on, 0, BB_MAX_EVENTS);
}

/* ---- frames -------------------------------------------------------------------------------- */
#define NOINLINE __attribute__((noinline))
#define HERE     ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define FRAME    ((uint64_t)(uintptr_t)__builtin_frame_address(0))

/* After a call that is last in its function: no jump instead of it. */
#define STAY() __asm__ volatile("" ::: "memory")

static NOINLINE void lock_m1(void)
{
	m1.owner = track_self();
	track_acquired(&m1, BB_HOLD_EXCL, HERE, FRAME - 16);
	STAY();
}
static NOINLINE void unlock_m1(void)
{
	track_released(&m1, BB_HOLD_EXCL, HERE);
	m1.owner = 0;
	STAY();
}
static NOINLINE void unlock_helper(void)
{
	unlock_m1();
	STAY();
}
static uint64_t acquirer_frame, acquirer_return;

/* 0 keeps the lock; 1 and 2 release it here, 2 by a function of its own. */
static NOINLINE void acquirer(int release)
{
	const struct bb_held *h = &tasks[0].held[0];

	lock_m1();
	acquirer_frame = FRAME;
	acquirer_return = HERE;
	assert_int_equal(h->sp + h->frame * 8ull, acquirer_frame);
	assert_int_equal(h->caller, (uint32_t)acquirer_return);
	if (release == 1)
		unlock_m1();
	else if (release == 2)
		unlock_helper();
	STAY();
}
static NOINLINE void kept_by_a_helper(void)
{
	acquirer(0);
	STAY();
}

static void entry_names_the_acquiring_frame(void **state)
{
	be(0, 0);
	acquirer(1);
	assert_int_equal(tasks[0].nheld, 0);
	acquirer(2);
	acquirer(0);
	track_hand_over(&m1, &tasks[0], &tasks[1]);
	assert_int_equal(tasks[1].held[0].lock, addr(&m1));
	assert_int_equal(tasks[1].held[0].frame, 0); /* no frame of that task's stack */
	assert_int_equal(tasks[1].held[0].caller, 0);
	assert_int_equal(tasks[1].held[0].sp, 0);
	/* a site that is on no frame, a stack pointer that cannot be: unknown */
	track_acquired(&m2, BB_HOLD_EXCL, 0x77, FRAME - 64);
	assert_int_equal(tasks[0].held[0].frame, 0);
	track_acquired(&m3, BB_HOLD_EXCL, HERE, FRAME - 0x100000);
	assert_int_equal(tasks[0].held[1].frame, 0);
	assert_int_equal(tasks[0].held[1].caller, 0);
	assert_int_equal(reports(), 0);
}

static NOINLINE void waits(uint32_t expected)
{
	track_wait_begin(&(struct track_wait){.object = &tasks[0], .kind = BB_WAIT_QUEUE}, 1);
	assert_int_equal(tasks[0].held[0].mode, BB_HOLD_EXCL | expected);
	assert_int_equal(tasks[0].held_seq % 2, 0);
	track_wait_end();
	STAY();
}
static NOINLINE void waits_deeper(uint32_t expected)
{
	waits(expected);
	STAY();
}
static NOINLINE void waits_while_it_holds(void)
{
	lock_m1();
	waits(0);
	waits_deeper(0);
	STAY();
}

/* A task that begins to wait notes which of its locks were taken by functions that are gone, at
 * whatever depth it waits. */
static void returned_is_noted_before_a_wait(void **state)
{
	uint32_t seq;

	be(0, 0);
	waits_while_it_holds();
	waits(BB_HOLD_RETURNED);
	seq = tasks[0].held_seq;
	waits_deeper(BB_HOLD_RETURNED);
	assert_int_equal(tasks[0].held_seq, seq); /* nothing new, nothing written */
	unlock_m1();
	acquirer(0);
	waits_deeper(BB_HOLD_RETURNED);
	waits(BB_HOLD_RETURNED);
	unlock_m1();
	take(&m1, 0x77); /* unknown says nothing */
	waits(0);
	assert_int_equal(reports(), 0);
}

/* Only a release after the acquiring function's return counts, also if the frame of the function
 * that releases has the very place of the one that took the lock. */
static void returned_holds_are_counted(void **state)
{
	const uint64_t *returned = &trace_box.classes[mutex_class.index].returned;
	uint64_t before = *returned;

	be(0, 0);
	acquirer(1);
	acquirer(2);
	take(&m2, 1);
	drop(&m2, 2);
	assert_int_equal(*returned, before);
	acquirer(0);
	unlock_helper();
	assert_int_equal(*returned, before + 1);
	kept_by_a_helper();
	unlock_m1();
	assert_int_equal(*returned, before + 2);
	assert_int_equal(tasks[0].nheld, 0);
	assert_int_equal(reports(), 0);
}

static void contention_has_a_history(void **state)
{
	const struct bb_lock *s;

	be(0, 0);
	take(&m1, 1);
	be(1, 1);
	track_block_begin(&m1, BB_WAIT_MUTEX, 2);
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
	track_block_end(&m1);
	take(&m1, 4);
	assert_int_equal(s->owner, 2);
	assert_int_equal(s->history_next, 1);
	assert_int_equal(s->history[0].owner, 1);
	assert_int_equal(s->history[0].site, 1);
	assert_int_equal(s->release_site, 3);
	assert_int_equal(s->history[0].held, s->release_ticks - s->history[0].ticks);
	assert_true(s->history[0].held > 0);
	drop(&m1, 5);
	assert_int_equal(s->owner, 0);
	for (int i = 0; i < 5; i++) {
		take(&m1, 10 + i);
		drop(&m1, 20);
	}
	assert_int_equal(s->history_next, 7);
	assert_int_equal(s->history[6 % BB_LOCK_HISTORY].site, 14);
	assert_int_equal(s->history[3 % BB_LOCK_HISTORY].site, 11);
	track_acquired(&m1, BB_HOLD_SHARED, 30, 0);
	track_released(&m1, BB_HOLD_SHARED, 31);
	assert_int_equal(s->history[7 % BB_LOCK_HISTORY].site, 30);
	assert_int_equal(s->history[7 % BB_LOCK_HISTORY].owner, 2); /* a reader has a name too */
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
	spin.owner = 2; /* whoever hands it over writes the word */
	be(1, 0);
	drop(&spin, 10);
	assert_int_equal(tasks[1].nheld, 0);
	track_hand_over(&spin, &tasks[0], &tasks[1]); /* not held: nothing moves */
	assert_int_equal(tasks[1].nheld, 0);
	assert_int_equal(reports(), 0);
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
		const uint64_t *word = (const uint64_t *)(const void *)&t->held_seq;
		uint64_t before = LOAD(*word);
		uint32_t n = (uint32_t)(before >> 32), wseq;
		uint64_t lock[3], site[3], object, wsite;

		for (int i = 0; i < 3; i++) {
			lock[i] = LOAD(t->held[i].lock);
			site[i] = LOAD(t->held[i].site);
		}
		if (!(before & 1) && LOAD(*word) == before) {
			int ok = n <= 3;

			for (uint32_t i = 0; i < n && i < 3; i++)
				ok &= site[i] == lock[i] + 1;
			*(ok ? &reader_good : &reader_bad) += 1;
		}
		wseq = LOAD(t->wait_seq);
		object = LOAD(t->wait.object);
		wsite = LOAD(t->wait.site);
		if (!(wseq & 1) && LOAD(t->wait_seq) == wseq)
			*((object ? wsite == object + 2 : !wsite) ? &reader_good : &reader_bad) +=
				1;
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
		track_wait_begin(&(struct track_wait){.object = &tasks[round % TASKS],
						      .kind = BB_WAIT_QUEUE},
				 addr(&tasks[round % TASKS]) + 2);
		track_wait_end();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(class_has_a_row),
		T(acquire_fills_an_entry),
		T(newest_hold_goes_first),
		T(shared_has_no_owner),
		T(release_out_of_order),
		T(held_list_overflows),
		T(diverted_on_the_way),
		T(owner_words),
		T(too_early),
		T(interrupt_has_its_own_list),
		T(nested_interrupt_writes_nothing),
		T(word_of_the_stack),
		T(short_way_closes_and_opens),
		T(wait_records),
		T(spinner_restores_its_record),
		T(nested_writer_keeps_it_odd),
		T(long_hold_is_an_event),
		T(entry_names_the_acquiring_frame),
		T(returned_is_noted_before_a_wait),
		T(returned_holds_are_counted),
		T(contended_locks_are_found),
		T(contention_has_a_history),
		T(hand_over_moves_the_entry),
		T(reader_sees_whole_entries),
	};

	track_class_add(&spin_class);
	track_class_add(&mutex_class);
	return cmocka_run_group_tests_name("tracker", tests, NULL, NULL);
}
