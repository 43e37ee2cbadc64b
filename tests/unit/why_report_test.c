/* why_report_test.c - locks with two owners, and what the guest's own run-time checks saw: alone,
 * as evidence of another verdict, half written, stale. */
#include "why_fixture.h"

#include <string.h>

static void test_two_owners(void **state)
{
	enum { HANGS, SHARED, BOTH_SHARED, SAME, GONE, UNUSED, OTHER_LOCK, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct look l;

		begin(MUTEX);
		task(2, "x", BB_ST_RUNNING);
		task(3, "y", BB_ST_RUNNING);
		fx_run(&f, 2, 0);
		fx_run(&f, 3, 1);
		(twin == BOTH_SHARED ? fx_share : fx_hold)(&f.tasks[2], FX_LOCK(1), class_a,
							   FX_LOAD_INIT, 98);
		(twin == SHARED || twin == BOTH_SHARED ? fx_share : fx_hold)(
			twin == SAME ? &f.tasks[2] : &f.tasks[3],
			twin == OTHER_LOCK ? FX_LOCK(2) : FX_LOCK(1), class_a, FX_PIPE_READ, 99);
		if (twin == GONE)
			f.tasks[3].user_epoch++;
		if (twin == UNUSED) { /* a remainder in a slot that nobody has */
			f.tasks[2].state = BB_ST_NONE;
			f.cpus[0].current = 1;
		}
		look(&l, &f);
		if (twin == HANGS) {
			expect(&l, BB_V_CORRUPT_LOCK, TD_R_TWO_OWNERS, 0);
			says(&l, "lock a has two owners at once: x (pid 12) and y (pid 13).");
			says(&l, "BUG: nothing hangs yet, but it will.");
			assert_non_null(strstr(l.json, "\"reason\":\"two-owners\""));
		} else if (twin == GONE) {
			expect(&l, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 0);
		} else {
			assert_int_equal(l.a.n, 0);
		}
		done(&l, &f);
	}
}

/* What the checks of the guest saw speaks alone only where it can only be a bug. */
static void test_reports_alone(void **state)
{
	static const struct {
		uint32_t check, verdict, kind;
		const char *text;
	} r[] = {
		{BB_CHK_UNLOCK, BB_V_CORRUPT_LOCK, BB_V_CORRUPT_LOCK,
		 "was released by x (pid 12), which did not hold it"},
		{BB_CHK_UNINIT, BB_V_CORRUPT_LOCK, BB_V_CORRUPT_LOCK, "was never initialised"},
		{BB_CHK_DEAD, BB_V_CORRUPT_LOCK, BB_V_CORRUPT_LOCK, "after it was destroyed"},
		{BB_CHK_FREED, BB_V_CORRUPT_LOCK, BB_V_CORRUPT_LOCK, "freed at  sys_wait4"},
		{BB_CHK_FREED_WAIT, BB_V_CORRUPT_LOCK, BB_V_CORRUPT_LOCK,
		 "x (pid 12) waited for it"},
		{BB_CHK_SLEEP, BB_V_OWNER_SLEEPING, BB_V_OWNER_SLEEPING, "sleeps at sys_wait4"},
		{BB_CHK_LEAVE, BB_V_ORPHAN, BB_V_ORPHAN, "left at   sys_wait4"},
		{BB_CHK_EXIT, BB_V_ORPHAN, BB_V_ORPHAN, "which left without releasing it"},
		{BB_CHK_SELF, BB_V_SELF, BB_V_NONE, NULL},
		{BB_CHK_CYCLE, BB_V_CYCLE, BB_V_NONE, NULL},
		{BB_CHK_ORPHAN, BB_V_ORPHAN, BB_V_NONE, NULL},
		{BB_CHK_HOLD, BB_V_NONE, BB_V_NONE, NULL},
		{BB_CHK_WATCHDOG, BB_V_STARVED, BB_V_NONE, NULL},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(r) / sizeof(r[0]); i++)
		for (int half = 0; half < 2; half++) {
			struct bb_report *b;

			begin(MUTEX);
			task(2, "x", BB_ST_RUNNING);
			fx_run(&f, 2, 0);
			b = fx_report(r[i].verdict, r[i].check, FX_LOCK(1), FX_PIPE_READ, FX_WAIT4,
				      3, 99);
			b->seq |= (uint32_t)half; /* being written: says nothing */
			if (half || !r[i].kind)
				healthy(&f);
			else
				hangs(&f, r[i].kind, TD_R_REPORT, 0, r[i].text);
		}
}

/* A report about what the tables show too is evidence of that verdict, the first one is enough. */
static void test_reports_corroborate(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	fx_hold(task(2, "x", BB_ST_ZOMBIE), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	waiter(3, 5);
	fx_report(BB_V_ORPHAN, BB_CHK_EXIT, FX_LOCK(1), FX_LOAD_INIT, FX_PIPE_READ, 3, 4);
	fx_report(BB_V_ORPHAN, BB_CHK_ORPHAN, FX_LOCK(1), FX_LOAD_INIT, FX_WAIT4, 3, 6);
	look(&l, &f);
	expect(&l, BB_V_ORPHAN, TD_R_DEAD, 1);
	assert_int_equal(l.a.n, 1);
	assert_true(l.a.v[0].has_report);
	says(&l, "exited at pipe_read");
	done(&l, &f);

	begin(MUTEX); /* of another lock: a verdict of its own */
	fx_hold(task(2, "x", BB_ST_ZOMBIE), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	waiter(3, 5);
	fx_report(BB_V_ORPHAN, BB_CHK_EXIT, FX_LOCK(2), FX_LOAD_INIT, FX_PIPE_READ, 3, 4);
	look(&l, &f);
	assert_int_equal(l.a.n, 2);
	assert_false(l.a.v[0].has_report);
	assert_true(l.a.v[1].has_report);
	done(&l, &f);
}

/* The watchdog's word about a CPU counts until that CPU ticks again. */
static void test_watchdog_report(void **state)
{
	enum { HANGS, TICKED, FAR_CPU, STUCK_ANYWAY, BOTH, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct look l;
		struct bb_report *r;

		begin(SPIN);
		task(2, "deaf", BB_ST_RUNNING);
		fx_run(&f, 2, 1);
		f.cpus[1].last_tick = fx_ticks(twin == TICKED ? 99.5 : twin == BOTH ? 90 : 98.5);
		if (twin == STUCK_ANYWAY) {
			fx_hold(&f.tasks[2], FX_LOCK(1), class_a, FX_LOAD_INIT, 90);
			fx_spin(&f, 1, FX_LOCK(1), class_a, FX_WAIT4, 91);
		}
		r = fx_report(BB_V_CPU_DEAD, BB_CHK_WATCHDOG, 0, FX_PIPE_READ, 0, 0, 99);
		r->cpu = twin == FAR_CPU ? 9 : 1;
		look(&l, &f);
		if (twin == HANGS || twin == BOTH) {
			expect(&l, BB_V_CPU_DEAD, twin == BOTH ? TD_R_NONE : TD_R_REPORT,
			       twin == BOTH);
			assert_int_equal(l.a.n, 1);
			assert_true(l.a.v[0].has_report);
			assert_int_equal(l.a.v[0].cpu, 1);
			says(&l, twin == BOTH ? "HUNG: 1 task can never run again."
					      : "HUNG: cpu1 does nothing any more.");
		} else if (twin == STUCK_ANYWAY) {
			expect(&l, BB_V_SELF, TD_R_NONE, 1);
			assert_int_equal(l.a.n, 1);
		} else {
			assert_int_equal(l.a.n, 0);
		}
		done(&l, &f);
	}
}

/* The report goes to the CPU it is about, not to the first that is dead. */
static void test_report_of_the_second_cpu(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	for (uint32_t c = 0; c < 2; c++) {
		task(2 + c, "deaf", BB_ST_RUNNING);
		fx_run(&f, 2 + c, c);
		f.cpus[c].last_tick = fx_ticks(90);
	}
	waiter(4, 100);
	f.tasks[4].wait.kind = BB_WAIT_TTY; /* the newest stamp */
	fx_report(BB_V_CPU_DEAD, BB_CHK_WATCHDOG, 0, FX_PIPE_READ, 0, 0, 99)->cpu = 1;
	look(&l, &f);
	assert_int_equal(l.a.n, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(l.a.v[i].has_report, l.a.v[i].cpu == 1);
	done(&l, &f);
}

/* The look at a device's queue that found a request missing: evidence of that verdict only. */
static void test_report_of_a_queue(void **state)
{
	(void)state;
	for (int twin = 0; twin < 2; twin++) {
		struct bb_queue *q;
		struct look l;

		begin(MUTEX);
		q = fx_queue(3, 3, 3, 2);
		q->looks = BB_QUEUE_LOOKS;
		q->looked = 2;
		q->unseen_since = fx_ticks(97);
		fx_report(BB_V_MISSING_IRQ, BB_CHK_QUEUE, 0, FX_PIPE_READ, 0, 0, 99)->site =
			twin ? 1
			     : trace_box.header.virt_base +
					(uint64_t)((uint8_t *)q - (uint8_t *)&trace_box);
		look(&l, &f);
		expect(&l, BB_V_MISSING_IRQ, TD_R_UNSEEN, 0);
		assert_int_equal(l.a.n, 1);
		assert_int_equal(l.a.v[0].has_report, !twin);
		done(&l, &f);
	}
	begin(MUTEX); /* it came since */
	fx_report(BB_V_MISSING_IRQ, BB_CHK_QUEUE, 0, FX_PIPE_READ, 0, 0, 99);
	healthy(&f);
}

/* Each report is evidence of the verdict about its own lock; the first one stays. */
static void test_reports_of_two_locks(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	for (uint32_t i = 1; i < 3; i++) {
		fx_hold(task(1 + i, "x", BB_ST_ZOMBIE), FX_LOCK(i), class_a, FX_LOAD_INIT, i);
		fx_wait(task(3 + i, "w", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(i), class_a,
			FX_WAIT4, 5);
	}
	fx_report(BB_V_ORPHAN, BB_CHK_ORPHAN, FX_LOCK(2), FX_PIPE_READ, 0, 4, 4);
	fx_report(BB_V_ORPHAN, BB_CHK_ORPHAN, FX_LOCK(2), FX_WAIT4, 0, 4, 6);
	look(&l, &f);
	assert_int_equal(l.a.n, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(l.a.v[i].has_report, l.a.v[i].lock == FX_LOCK(2));
	for (uint32_t i = 0; i < 2; i++)
		if (l.a.v[i].has_report)
			assert_int_equal(l.a.v[i].report.site, FX_SITE(FX_PIPE_READ));
	done(&l, &f);
}

/* Lines without an ELF: of a call, of a call in an inlined function, and none where there is none.
 */
static void test_lines(void **state)
{
	static const struct {
		uint64_t addr;
		bool ret;
		const char *text;
	} want[] = {
		{FX_LINE(0), true, "load_init kernel/task/exec.c:212"},
		{FX_LINE(1), true, "list_add kernel/include/lib/list.h:5"},
		{FX_LINE(2), true, "load_init"},
		{FX_LINE(0) + 1, true, "load_init"},
		{FX_LINE(0) - 1, true, "load_init"},
		{FX_LINE(0), false, "load_init"}, /* the instruction there is not the call */
		{FX_LINE(0) + (1ull << 32), true, "0xffff800100001800"},
	};
	struct td_place p;
	struct look l;
	char text[256];

	(void)state;
	fx_open(&f);
	look(&l, &f);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		td_place(&l.s.names, want[i].addr, want[i].ret, &p);
		td_place_text(&p, 0, text, sizeof(text));
		assert_string_equal(text, want[i].text);
	}
	done(&l, &f);

	/* A place whose texts lie outside their section has no line. */
	fx_open(&f);
	fx_seal(&f);
	memset(f.mem + fx_section(&f, BB_SEC_PLACES)->offset, 0xff, sizeof(struct bb_place));
	look(&l, &f);
	td_place(&l.s.names, FX_LINE(0), true, &p);
	td_place_text(&p, 0, text, sizeof(text));
	assert_string_equal(text, "load_init");
	done(&l, &f);
}

/* Each twin is one condition short of a program that spins in a call which does not exist. */
static void test_asks_in_vain(void **state)
{
	enum { SPINS, ONCE, LONG_AGO, RARELY, WAITS, ENDED, TWINS };

	(void)state;
	for (int twin = SPINS; twin < TWINS; twin++) {
		struct bb_task *t;
		struct look l;

		begin(MUTEX);
		t = fx_task(&f, 2, 7, 1, "loop", twin == ENDED ? BB_ST_ZOMBIE : BB_ST_RUNNING);
		if (twin == WAITS) {
			t->state = BB_ST_SLEEPING;
			fx_wait(t, BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 99.99);
		} else if (twin != ENDED) {
			fx_run(&f, 2, 0);
		}
		t->run_ticks = 500000000ull;
		t->missing = 12345;
		t->missing_count = twin == ONCE ? 1 : 1048211;
		t->missing_ticks = fx_ticks(twin == LONG_AGO ? 98.5 : 99.99);
		if (twin == RARELY) { /* 20 a second */
			t->missing_count = 1000;
			t->run_ticks = 50 * 1000000000ull;
		}
		look(&l, &f);
		assert_int_equal(l.a.n, 0);
		if (twin == SPINS) {
			says(&l,
			     "         loop (pid 7) spins in system call 12345 (sys_12345), which "
			     "this kernel does not have: -ENOSYS 1,048,211 times, last 10.0 ms "
			     "ago\n");
			assert_non_null(strstr(l.json, "\"asks_in_vain\":[{\"task\":"));
			assert_non_null(strstr(l.json, "\"call\":12345,\"name\":\"sys_12345\","
						       "\"count\":1048211,\"last_ns\":"));
		} else {
			says_not(&l, "spins");
			assert_non_null(strstr(l.json, "\"asks_in_vain\":[],"));
		}
		done(&l, &f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_in_vain),
		cmocka_unit_test(test_two_owners),
		cmocka_unit_test(test_reports_alone),
		cmocka_unit_test(test_reports_corroborate),
		cmocka_unit_test(test_watchdog_report),
		cmocka_unit_test(test_report_of_the_second_cpu),
		cmocka_unit_test(test_report_of_a_queue),
		cmocka_unit_test(test_reports_of_two_locks),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
