/* why_pipe_test.c - processes that wait for each other by pipes, with read or poll, and who is
 * known to have which end open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <tracing/tracker.h>
#include "look.h"

#define DATA(n) (void *)(uintptr_t)(FX_IMAGE + 0x900000ull + 64 * (n))

static void polls(struct bb_task *t, uint32_t arg)
{
	fx_wait(t, BB_WAIT_POLL, (uintptr_t)DATA(1), t->wait.class, FX_PIPE_READ, 90);
	t->wait.arg = arg;
}

/* Three processes: a reads a pipe that b and c may write, b one that a may, c does what the test
 * says. Who waits for a pipe waits for any of those who have its other end open. */
static void pipes(struct box_fixture *f)
{
	uint32_t data;

	fx_open(f);
	data = fx_class("pipe.data", BB_LK_WAITQ, 0);
	fx_wait_for(fx_task(f, 2, 5, 1, "a", BB_ST_SLEEPING), BB_WAIT_PIPE, (uintptr_t)DATA(1),
		    data, 0, FX_PIPE_READ, 90);
	fx_wait_for(fx_task(f, 3, 6, 1, "b", BB_ST_SLEEPING), BB_WAIT_PIPE, (uintptr_t)DATA(2),
		    data, 0, FX_PIPE_READ, 91);
	fx_task(f, 4, 7, 5, "c", BB_ST_SLEEPING);
	track_end_opened(&f->tasks[3], DATA(1));
	track_end_opened(&f->tasks[2], DATA(2));
}

static void test_knot_of_pipes(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	pipes(&f);
	track_end_opened(&f.tasks[2], DATA(1)); /* its own end does not help it */
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	says(&l, "a (pid 5) waits for a pipe (pipe.data), whose other end is open in b (pid 6)");
	says(&l, "b (pid 6) waits for a pipe (pipe.data), whose other end is open in a (pid 5)");
	says(&l, "close the ends of pipes that a process does not use");
	done(&l, &f);

	/* Somebody else waits behind them, for any of both. */
	pipes(&f);
	fx_wait(&f.tasks[4], BB_WAIT_PIPE, (uintptr_t)DATA(3), 0, FX_PIPE_READ, 92);
	track_end_opened(&f.tasks[2], DATA(3));
	track_end_opened(&f.tasks[3], DATA(3));
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 3);
	done(&l, &f);

	/* The classic: a parent that waits for its child's end has the pipe open that it reads. */
	fx_open(&f);
	fx_wait(fx_task(&f, 2, 5, 1, "parent", BB_ST_SLEEPING), BB_WAIT_CHILD, 0x1000, 0, FX_WAIT4,
		90);
	fx_wait(fx_task(&f, 3, 6, 5, "child", BB_ST_SLEEPING), BB_WAIT_PIPE, (uintptr_t)DATA(1), 0,
		FX_PIPE_READ, 91);
	track_end_opened(&f.tasks[2], DATA(1));
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	says(&l, "child (pid 6) waits for a pipe, whose other end is open in parent (pid 5)");
	says(&l, "parent (pid 5) waits for a child, which needs child (pid 6)");
	done(&l, &f);

	fx_open(&f);
	fx_wait(fx_task(&f, 2, 5, 1, "alone", BB_ST_SLEEPING), BB_WAIT_PIPE, (uintptr_t)DATA(1), 0,
		FX_PIPE_READ, 91);
	track_end_opened(&f.tasks[2], DATA(1));
	look(&l, &f);
	expect(&l, BB_V_SELF, TD_R_NONE, 1);
	says(&l, "alone (pid 5) waits for a pipe, whose other end only it has open itself");
	done(&l, &f);

	pipes(&f); /* with poll instead of read: the same knot */
	polls(&f.tasks[2], BB_POLL_FOREVER | 1);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	says(&l,
	     "a (pid 5) waits for a file to be ready (pipe.data), whose other end is open in b");
	done(&l, &f);
}

/* Each is the knot of above, one condition short. */
static void test_no_knot_of_pipes(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	for (int i = 0; i < 8; i++) {
		pipes(&f);
		switch (i) {
		case 0: /* one more writer, which waits for a key */
			track_end_opened(&f.tasks[4], DATA(1));
			fx_wait(&f.tasks[4], BB_WAIT_TTY, 0x1000, 0, FX_PIPE_READ, 90);
			break;
		case 1: /* a writer on its way to do it */
			track_end_opened(&f.tasks[4], DATA(2));
			f.tasks[4].state = BB_ST_RUNNABLE;
			f.tasks[4].since = fx_ticks(99.9);
			f.tasks[4].on_queue = 1;
			break;
		case 2: /* what c has open, nobody knows */
			for (uint64_t k = 0; k <= BB_MAX_ENDS; k++)
				track_end_opened(&f.tasks[4], DATA(10 + k));
			assert_int_equal(f.tasks[4].ends_lost, 1);
			fx_wait(&f.tasks[4], BB_WAIT_TTY, 0x1000, 0, FX_PIPE_READ, 90);
			break;
		case 3: /* a young wait on a machine that works */
			f.tasks[3].wait.ticks = fx_ticks(99.8);
			fx_run(&f, 4, 1);
			break;
		case 4: /* closed meanwhile: then b has read the end of the file */
			track_end_closed(&f.tasks[2], DATA(2));
			break;
		case 5: /* a waits for any of two */
			polls(&f.tasks[2], BB_POLL_FOREVER | 2);
			break;
		case 6: /* or for one, but not for ever */
			polls(&f.tasks[2], 1);
			break;
		case 7: /* an older kernel did not say */
			fx_wait(&f.tasks[2], BB_WAIT_POLL, (uintptr_t)DATA(1), 0, FX_PIPE_READ, 90);
			break;
		}
		look(&l, &f);
		if (l.a.n)
			fail_msg("case %d: verdict %u", i, l.a.v[0].kind);
		done(&l, &f);
	}
}

static void test_ends_are_counted(void **state)
{
	struct box_fixture f;
	struct bb_task *t;

	(void)state;
	fx_open(&f);
	t = fx_task(&f, 2, 5, 1, "a", BB_ST_SLEEPING);
	track_end_opened(t, DATA(1));
	track_end_opened(t, DATA(1));
	track_end_opened(t, DATA(2));
	assert_int_equal(t->ends[0].count, 2);
	track_end_closed(t, DATA(1));
	assert_int_equal(t->ends[0].object, (uintptr_t)DATA(1));
	track_end_closed(t, DATA(1));
	assert_int_equal(t->ends[0].object, 0);
	assert_int_equal(t->ends[1].object, (uintptr_t)DATA(2));
	for (uint64_t k = 0; k < BB_MAX_ENDS; k++)
		track_end_opened(t, DATA(3 + k));
	assert_int_equal(t->ends_lost, 1);
	track_end_closed(t, DATA(3 + BB_MAX_ENDS - 1)); /* the one that found no room */
	assert_int_equal(t->ends_lost, 0);
	track_end_closed(t, DATA(99));
	assert_int_equal(t->ends_lost, 0);
	fx_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_knot_of_pipes),
		cmocka_unit_test(test_no_knot_of_pipes),
		cmocka_unit_test(test_ends_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
