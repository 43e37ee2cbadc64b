/* why_lock_test.c - the edges of the verdicts about locks. Each test builds a hang and its twins,
 * which are one condition short of it and must be healthy. */
#include "why_fixture.h"

#include <string.h>

/* ---- destroyed in use -------------------------------------------------------------------------
 */

/* From the tables alone, as with the checks off. The twins are what looks like it and is not. */
static void test_freed_while_held(void **state)
{
	enum { HANGS, NOBODY_WAITS, EXITED, TAKEN_AGAIN, LET_GO, TWINS };
	struct look l;

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		begin(MUTEX);
		trace_box.control.checks_on = 0;
		fx_hold(task(2, "owner", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 90);
		fx_run(&f, 2, 0);
		if (twin != NOBODY_WAITS && twin != LET_GO)
			waiter(3, 91);
		fx_free(FX_LOCK(1), twin != NOBODY_WAITS, FX_PIPE_READ, 92);
		if (twin == EXITED)
			f.tasks[2].state = BB_ST_ZOMBIE;
		if (twin == TAKEN_AGAIN) { /* the memory is another lock's: not two owners */
			fx_hold(task(4, "next", BB_ST_RUNNING), FX_LOCK(1), class_b, FX_WAIT4, 93);
			fx_run(&f, 4, 1);
			fx_wait(task(5, "later", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), class_b,
				FX_WAIT4, 94);
		}
		if (twin == LET_GO) {
			fx_release(&f.tasks[2], FX_LOCK(1), FX_WAIT4);
			healthy(&f);
			continue;
		}
		look(&l, &f);
		expect(&l, BB_V_CORRUPT_LOCK, TD_R_FREED_HELD, twin != NOBODY_WAITS);
		assert_int_equal(l.a.n, 1);
		says(&l, "Cause: lock a was freed while owner (pid 12) held it.");
		says(&l, "taken at  load_init");
		says(&l, "freed at  pipe_read");
		says_not(&l, "later");
		if (twin == NOBODY_WAITS)
			says(&l, "BUG: nothing hangs yet");
		else
			says(&l, "Waiting: waiter (pid 13)  in ext2_lookup");
		done(&l, &f);
	}
}

static void test_freed_while_waited_for(void **state)
{
	struct look l;

	(void)state;
	for (int twin = 0; twin < 2; twin++) {
		uint32_t done_class;

		begin(MUTEX);
		trace_box.control.checks_on = 0;
		done_class = fx_class("done", BB_LK_COMPLETION, 0);
		fx_wait_for(task(3, "waiter", BB_ST_BLOCKED), BB_WAIT_COMPLETION, FX_LOCK(1),
			    done_class, 0, FX_WAIT4, 91);
		busy(4);
		fx_free(FX_LOCK(1), true, FX_PIPE_READ, twin ? 90.5 : 92);
		if (twin) { /* it began to wait for what came after the dead one */
			healthy(&f);
			continue;
		}
		look(&l, &f);
		expect(&l, BB_V_CORRUPT_LOCK, TD_R_FREED_WAITED, 1);
		says(&l, "Cause: completion done was freed while waiter (pid 13) waited for it.");
		says(&l, "waits at  sys_wait4");
		says(&l, "freed at  pipe_read");
		assert_non_null(strstr(l.json, "\"freed\":{\"site\""));
		done(&l, &f);
	}
}

/* ---- orphans --------------------------------------------------------------------------------- */

/* Each of the three signs that a holder has left the kernel suffices, and without one it is well.
 */
static void test_left_kernel(void **state)
{
	(void)state;
	for (int sign = 0; sign < 4; sign++) {
		begin(MUTEX);
		fx_hold(task(2, "owner", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_run(&f, 2, 0);
		waiter(3, 99.5);
		if (sign == 0)
			f.tasks[2].user_epoch++;
		else if (sign == 1)
			f.tasks[2].mode = BB_MODE_USER;
		else if (sign == 2)
			f.tasks[2].held[0].mode |= BB_HOLD_LEFT;
		if (sign == 3)
			healthy(&f);
		else
			hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 1, "which has left the kernel");
	}
	begin(MUTEX); /* it left before it took the lock; the count may have wrapped since */
	task(2, "owner", BB_ST_RUNNING)->user_epoch = UINT32_MAX;
	fx_hold(&f.tasks[2], FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_run(&f, 2, 0);
	waiter(3, 99.5);
	f.tasks[2].held[0].epoch = 0;
	healthy(&f);
}

/* How often a lock was carried into user mode, when nobody noted where. */
static void test_left_words(void **state)
{
	(void)state;
	for (uint32_t times = 1; times < 3; times++) {
		begin(MUTEX);
		fx_hold(task(2, "owner", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_run(&f, 2, 0);
		f.tasks[2].user_epoch += times;
		hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 0,
		      times == 1 ? "gone to user mode 1 time\n" : "gone to user mode 2 times\n");
	}
	begin(MUTEX); /* left in the middle of its life */
	task(2, "owner", BB_ST_RUNNING)->user_epoch = 4;
	fx_hold(&f.tasks[2], FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_run(&f, 2, 0);
	f.tasks[2].user_epoch++;
	f.tasks[2].left_site = FX_SITE(FX_ENTER_USER);
	f.tasks[2].left_ticks = fx_ticks(99.2);
	hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 0, "to user mode, lock in hand");
}

static void test_idle_holder(void **state)
{
	(void)state;
	for (int twin = 0; twin < 5; twin++) {
		begin(MUTEX);
		fx_hold(&f.tasks[0], FX_LOCK(1), class_a, FX_LOAD_INIT, twin == 1 ? 99.995 : 99.98);
		waiter(3, 99.99);
		busy(4); /* a quiet machine would make times not matter */
		if (twin == 2)
			f.cpus[0].mode = BB_MODE_KERNEL; /* it is doing something */
		if (twin == 3)
			f.tasks[0].cpu = 7;
		if (twin == 4) { /* another task runs there */
			task(5, "other", BB_ST_RUNNING);
			fx_run(&f, 5, 0);
			f.cpus[0].mode = BB_MODE_IDLE;
		}
		if (twin)
			healthy(&f);
		else
			hangs(&f, BB_V_ORPHAN, TD_R_IDLE, 1, "the idle task of cpu0, which idles");
	}
	begin(MUTEX); /* nothing can move: it was taken a moment ago, and will stay so */
	fx_hold(&f.tasks[0], FX_LOCK(1), class_a, FX_LOAD_INIT, 99.995);
	waiter(3, 99.999);
	hangs(&f, BB_V_ORPHAN, TD_R_IDLE, 1, NULL);
}

static void test_dead_holder(void **state)
{
	(void)state;
	for (int twin = 0; twin < 5; twin++) {
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "dead", BB_ST_RUNNING);
		if (twin == 2)
			fx_share(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		else
			fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		t->state = twin == 3 ? BB_ST_NONE : BB_ST_ZOMBIE;
		if (twin == 1 || twin == 2) { /* taken since: the dead one's entry is a remainder */
			fx_hold(task(3, "next", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT,
				99);
			fx_run(&f, 3, 1);
		}
		if (twin == 4) { /* still on its way out, on a CPU */
			fx_run(&f, 2, 0);
			t->state = BB_ST_ZOMBIE;
		}
		waiter(4, 99.9);
		if (twin == 1 || twin == 4)
			healthy(&f);
		else
			hangs(&f, BB_V_ORPHAN, TD_R_DEAD, 1, "which has exited");
	}
}

/* A task asleep whose stack is shorter than where it took the lock. */
static void test_frame_gone(void **state)
{
	enum {
		HANGS,
		NOTED,
		YOUNG,
		MARGIN,
		CURRENT,
		TORN_SCHED,
		TORN_HELD,
		RUNS,
		CALLERS,
		NO_STACK,
		LATER,
		SP_BELOW,
		TWINS
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "leaker", BB_ST_SLEEPING);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		t->held[0].sp = t->switch_sp - 0x800;
		fx_wait(t, BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
		waiter(3, twin == YOUNG ? 99.1 : 98.9);
		if (twin == NOTED) { /* it saw so itself: no need of the stack */
			t->held[0].sp = t->switch_sp + 64;
			t->held[0].mode |= BB_HOLD_RETURNED;
		} else if (twin == MARGIN) {
			t->held[0].sp = t->switch_sp - 256;
		} else if (twin == CURRENT) {
			fx_run(&f, 2, 0);
			t->state = BB_ST_SLEEPING; /* about to switch */
		} else if (twin == TORN_SCHED) {
			t->sched_seq = 1;
		} else if (twin == TORN_HELD) {
			t->held_seq = 1;
		} else if (twin == RUNS) {
			t->state = BB_ST_RUNNABLE;
			t->on_queue = 1;
			t->since = fx_ticks(99.9);
			t->cpu = 1;
		} else if (twin == CALLERS) {
			trace_box.classes[class_a].returned = 1;
		} else if (twin == NO_STACK) {
			t->switch_sp = t->stack_top;
		} else if (twin == LATER) {
			t->switch_sp = t->stack_base;
		} else if (twin == SP_BELOW) {
			t->held[0].sp = t->stack_base;
		}
		if (twin == HANGS || twin == NOTED)
			hangs(&f, BB_V_ORPHAN, TD_R_FRAME_GONE, 1, "now in    pipe_read");
		else
			healthy(&f);
	}
}

/* ---- cycles ---------------------------------------------------------------------------------- */

/* x holds 1 and waits for 2, y holds 2 and waits for 1. */
static void test_cycle_twins(void **state)
{
	(void)state;
	for (int twin = 0; twin < 5; twin++) {
		begin(MUTEX);
		fx_hold(task(2, "x", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		fx_hold(task(3, "y", BB_ST_BLOCKED), FX_LOCK(2), class_b, FX_PIPE_READ, 1);
		fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_EXT2_LOOKUP, 99.9);
		fx_wait(&f.tasks[3], BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
		if (twin == 1) { /* asleep by its record, but still on its CPU */
			fx_run(&f, 3, 0);
			f.tasks[3].state = BB_ST_BLOCKED;
		} else if (twin == 2) { /* woken, has not run yet */
			f.tasks[3].state = BB_ST_RUNNABLE;
			f.tasks[3].on_queue = 1;
			f.tasks[3].since = fx_ticks(99.95);
		} else if (twin == 3) { /* nobody has it, for a moment */
			fx_release(&f.tasks[3], FX_LOCK(2), FX_PIPE_READ);
			busy(9);
		} else if (twin == 4) {
			f.tasks[3].wait.kind = BB_WAIT_KINDS; /* of a later version */
		}
		if (twin)
			healthy(&f);
		else
			hangs(&f, BB_V_CYCLE, TD_R_NONE, 2, "take b and a in one order everywhere");
	}
}

/* Every member of the circle is named with what it holds, once. */
static void test_cycle_of_three(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	for (uint32_t i = 0; i < 3; i++)
		fx_hold(task(2 + i, i ? i == 1 ? "y" : "z" : "x", BB_ST_BLOCKED), FX_LOCK(1 + i),
			class_a, FX_LOAD_INIT + i, 1);
	for (uint32_t i = 0; i < 3; i++)
		fx_wait(&f.tasks[2 + i], BB_WAIT_MUTEX, FX_LOCK(1 + (i + 1) % 3), class_a, FX_WAIT4,
			2);
	fx_wait(task(5, "behind", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(3), class_a, FX_PIPE_READ,
		3);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 4);
	assert_int_equal(l.a.n, 1);
	assert_int_equal(l.a.v[0].nring, 3);
	says(&l, "3 tasks wait for each other in a circle");
	says(&l, "x (pid 12) waits for mutex a, held by y (pid 13)");
	says(&l, "z (pid 14) waits for mutex a, held by x (pid 12)");
	says(&l, "Also stuck behind them: behind (pid 15) waits for mutex a");
	done(&l, &f);
}

/* Two circles that have nothing in common are two verdicts; one that hangs on the other is not. */
static void test_two_cycles(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	for (uint32_t i = 0; i < 4; i++)
		fx_hold(task(2 + i, "t", BB_ST_BLOCKED), FX_LOCK(1 + i), class_a, FX_LOAD_INIT, 1);
	for (uint32_t i = 0; i < 4; i++)
		fx_wait(&f.tasks[2 + i], BB_WAIT_MUTEX, FX_LOCK(1 + (i ^ 1)), class_a, FX_WAIT4, 2);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	assert_int_equal(l.a.n, 2);
	says(&l, "And:   2 tasks wait");
	done(&l, &f);
}

/* A task that hangs for a better reason is no member of a circle. */
static void test_orphan_in_a_circle(void **state)
{
	(void)state;
	begin(MUTEX);
	fx_hold(task(2, "x", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_hold(task(3, "y", BB_ST_BLOCKED), FX_LOCK(2), class_b, FX_PIPE_READ, 1);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_EXT2_LOOKUP, 3);
	fx_wait(&f.tasks[3], BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_WAIT4, 3);
	f.tasks[3].user_epoch = 1; /* y has been in user mode since */
	hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 2, NULL);
}

/* ---- readers and writers --------------------------------------------------------------------- */

static void test_readers(void **state)
{
	struct bb_task *t;

	(void)state;
	begin(BB_LK_RWLOCK); /* two readers hold, a writer waits: it needs both, one is stuck */
	fx_share(task(2, "r1", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_run(&f, 2, 0);
	fx_share(task(3, "r2", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 2);
	fx_hold(task(4, "w", BB_ST_BLOCKED), FX_LOCK(2), class_b, FX_LOAD_INIT, 2);
	fx_wait(&f.tasks[4], BB_WAIT_WRITE, FX_LOCK(1), class_a, FX_WAIT4, 3);
	fx_wait(&f.tasks[3], BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_WAIT4, 3);
	hangs(&f, BB_V_CYCLE, TD_R_NONE, 2, "w (pid 14)");

	begin(BB_LK_RWLOCK); /* a reader beside a shared holder that hangs: nothing blocks it */
	t = task(2, "r1", BB_ST_SLEEPING);
	fx_share(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_wait(task(3, "r2", BB_ST_BLOCKED), BB_WAIT_READ, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
	fx_wait(t, BB_WAIT_READ, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
	healthy(&f);

	begin(BB_LK_RWLOCK); /* a reader behind a writer who holds: the one who queues is no matter
			      */
	t = task(2, "w1", BB_ST_RUNNING);
	fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_run(&f, 2, 0);
	fx_hold(task(3, "r", BB_ST_BLOCKED), FX_LOCK(2), class_b, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[3], BB_WAIT_READ, FX_LOCK(1), class_a, FX_WAIT4, 99.5);
	fx_wait(task(4, "w2", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(1), class_a, FX_WAIT4, 99.4);
	f.tasks[4].wait.site = FX_SITE(FX_PIPE_READ);
	healthy(&f);

	/* a reader queues behind a writer, who waits for a reader, who waits for the first one */
	begin(BB_LK_RWLOCK);
	fx_share(task(2, "r1", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_hold(task(3, "r2", BB_ST_BLOCKED), FX_LOCK(2), class_b, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_WAIT4, 99);
	fx_wait(&f.tasks[3], BB_WAIT_READ, FX_LOCK(1), class_a, FX_PIPE_READ, 99);
	fx_wait(task(4, "w", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(1), class_a, FX_EXT2_LOOKUP,
		98);
	hangs(&f, BB_V_CYCLE, TD_R_NONE, 3, "behind w (pid 14)");
}

static void test_self_twins(void **state)
{
	(void)state;
	for (int twin = 0; twin < 4; twin++) {
		begin(SPIN);
		fx_hold(task(2, "walker", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_run(&f, 2, 1);
		if (twin == 1) { /* another task's lock, and that one runs */
			fx_release(&f.tasks[2], FX_LOCK(1), FX_LOAD_INIT);
			fx_hold(task(3, "other", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_WAIT4,
				99.9);
			fx_run(&f, 3, 0);
		}
		if (twin >= 2)
			f.cpus[1].irq_depth = 1;
		fx_spin(&f, 1, FX_LOCK(1), class_a, FX_PIPE_READ, 99.95);
		if (twin == 3) /* the interrupt came on top of a task that does not hold it */
			f.cpus[1].current = 1;
		if (twin == 0)
			hangs(&f, BB_V_SELF, TD_R_NONE, 1, "which it holds itself");
		else if (twin == 2)
			hangs(&f, BB_V_IRQ_SELF, TD_R_NONE, 2, "pipe_read");
		else
			healthy(&f);
	}
	begin(BB_LK_RWLOCK); /* reads again what it reads: allowed while no writer waits */
	fx_share(task(2, "r", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_wait(&f.tasks[2], BB_WAIT_READ, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
	healthy(&f);
	begin(BB_LK_RWLOCK); /* but not a write of what it reads */
	fx_share(task(2, "r", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_wait(&f.tasks[2], BB_WAIT_WRITE, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
	hangs(&f, BB_V_SELF, TD_R_NONE, 1, NULL);
}

/* A handler's lock is its own: its CPU is no task that could be off the CPU. */
static void test_handler_holds(void **state)
{
	(void)state;
	begin(SPIN);
	busy(9);
	fx_hold_irq(&f.cpus[1], FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	f.cpus[1].irq_depth = 1;
	task(3, "spinner", BB_ST_RUNNING);
	fx_run(&f, 3, 0);
	fx_spin(&f, 0, FX_LOCK(1), class_a, FX_WAIT4, 99.5);
	healthy(&f);
}

/* A lock that its waiter has itself, but which it took before it was last in user mode, is an
 * orphan and nothing more; and an owner that hangs is not to blame for being off the CPU. */
static void test_one_cause_a_node(void **state)
{
	(void)state;
	begin(MUTEX);
	fx_hold(task(2, "x", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_EXT2_LOOKUP, 3);
	f.tasks[2].user_epoch++;
	hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 1, NULL);

	begin(SPIN);
	fx_hold(task(2, "x", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_hold(task(3, "gone", BB_ST_ZOMBIE), FX_LOCK(2), class_b, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_EXT2_LOOKUP, 3);
	hangs(&f, BB_V_ORPHAN, TD_R_DEAD, 1, NULL);
}

/* A task preempted while it waited for a lock of its own: no interrupt handler waits. */
static void test_spin_without_owner_word(void **state)
{
	(void)state;
	for (uint32_t irq = 0; irq < 2; irq++) {
		begin(SPIN);
		fx_hold(task(2, "walker", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_run(&f, 2, 1);
		f.cpus[1].irq_depth = irq;
		fx_spin(&f, 1, FX_LOCK(1), class_a, FX_PIPE_READ, 99.95);
		f.cpus[1].wait.arg = 0; /* as boxes of 1.0 have it */
		hangs(&f, irq ? BB_V_IRQ_SELF : BB_V_SELF, TD_R_NONE, 1 + irq, NULL);
	}
	begin(SPIN); /* an interrupt on top of the one who spins is not the one who spins */
	fx_hold(task(2, "walker", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_run(&f, 2, 1);
	fx_spin(&f, 1, FX_LOCK(1), class_a, FX_PIPE_READ, 99.95);
	f.cpus[1].irq_depth = 1;
	hangs(&f, BB_V_SELF, TD_R_NONE, 1, NULL);
}

/* A third task waits at the same lock, and a fourth for the task. */
static void test_self_words(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	fx_hold(task(2, "walker", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_PIPE_READ, 99.1);
	waiter(3, 99.2);
	fx_wait_arg(fx_task(&f, 4, 1, 0, "parent", BB_ST_SLEEPING), BB_WAIT_CHILD, 12, FX_WAIT4, 3);
	look(&l, &f);
	expect(&l, BB_V_SELF, TD_R_NONE, 3);
	says(&l, "Cause: walker (pid 12) waits for lock a, which it holds itself.");
	says(&l, "again at  pipe_read   t=99.100 s");
	says(&l, "Waiting: waiter (pid 13)  in ext2_lookup");
	says(&l, "Also stuck behind them: parent (pid 1) waits for a child");
	says(&l, "Fix hint: pipe_read() is reached with a held");
	says(&l, "HUNG: 3 tasks can never run again.");
	done(&l, &f);
}

/* ---- holders that are off the CPU ------------------------------------------------------------ */

static void test_owner_sleeping(void **state)
{
	(void)state;
	for (int twin = 0; twin < 6; twin++) {
		struct bb_task *t;

		begin(twin == 1 ? MUTEX : SPIN);
		t = task(2, "sleeper", twin == 5 ? BB_ST_BLOCKED : BB_ST_SLEEPING);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_wait(t, BB_WAIT_TIMER, 0, 0, FX_PIPE_READ, 99);
		t->since = fx_ticks(twin == 2 ? 99.95 : 99.85);
		if (twin == 3) {
			fx_run(&f, 2, 0);
			t->state = BB_ST_SLEEPING;
		}
		if (twin == 4)
			t->sched_seq = 1;
		if (twin == 0 || twin == 5)
			hangs(&f, BB_V_OWNER_SLEEPING, TD_R_REPORT, 0,
			      "sleeps at pipe_read   t=99.000 s");
		else
			healthy(&f);
	}
}

/* The holder of lock 1, for which somebody waits, is off its CPU for a reason. */
static void test_owner_not_running(void **state)
{
	enum {
		OFFLINE,
		DEAD,
		STOPPED,
		STARVED,
		NO_WAITER,
		YOUNG,
		NOT_QUEUED_YET,
		TICKS,
		RUNS_THERE,
		BLOCKED,
		TWINS
	};
	static const struct {
		uint32_t reason;
		const char *text;
	} want[TWINS] = {
		[OFFLINE] = {TD_R_CPU_OFFLINE, "whose cpu1 is offline"},
		[DEAD] = {TD_R_CPU_DEAD, "on cpu1, which has had no timer tick for 3.0 s.\n"
					 "       taken at  load_init   t=80.000 s  (event 0:1841)\n"
					 "       interrupts off since t=97.000 s  at pipe_read\n"},
		[STOPPED] = {TD_R_STOPPED, "which is stopped"},
		[STARVED] = {TD_R_STARVED, "which is runnable but has not run for 11.0 s"},
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "owner", BB_ST_RUNNABLE);
		t->cpu = 1;
		t->on_queue = 1;
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 80);
		t->since = fx_ticks(twin == YOUNG ? 90.5 : twin == OFFLINE ? 99.9 : 89);
		if (twin != NO_WAITER)
			waiter(3, 90);
		task(4, "hog", BB_ST_RUNNING);
		fx_run(&f, 4, 1);
		if (twin == OFFLINE)
			f.cpus[1].online = 0;
		if (twin == DEAD || twin == TICKS) {
			fx_run(&f, 2, 1);
			f.tasks[4].state = BB_ST_SLEEPING;
			f.cpus[1].last_tick = fx_ticks(twin == DEAD ? 97 : 98.5);
			f.cpus[1].irqs_off_since = fx_ticks(97);
			f.cpus[1].irqs_off_site = FX_SITE(FX_PIPE_READ);
		}
		if (twin == RUNS_THERE)
			fx_run(&f, 2, 1), f.tasks[4].state = BB_ST_SLEEPING;
		if (twin == STOPPED)
			t->state = BB_ST_STOPPED;
		if (twin == BLOCKED) {
			t->state = BB_ST_BLOCKED;
			fx_wait(t, BB_WAIT_IO, 0x1000, 0, FX_PIPE_READ, 80);
		}
		if (twin == NOT_QUEUED_YET) {
			t->on_queue = 0;
			t->since = fx_ticks(99.95);
		}
		if (twin == DEAD) /* that its CPU is dead is no second finding */
			hangs(&f, BB_V_OWNER_NOT_RUNNING, TD_R_CPU_DEAD, 2, want[DEAD].text);
		else if (want[twin].reason)
			hangs(&f, BB_V_OWNER_NOT_RUNNING, want[twin].reason, 1, want[twin].text);
		else
			healthy(&f);
	}
}

static void test_preempted(void **state)
{
	(void)state;
	for (int twin = 0; twin < 5; twin++) {
		struct bb_task *t;

		begin(SPIN);
		t = task(2, "owner", BB_ST_RUNNABLE);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		t->on_queue = 1;
		t->cpu = twin == 3; /* 3: it waits for the other CPU, on which somebody else runs */
		t->since = fx_ticks(99.9);
		busy(4);
		task(3, "spinner", BB_ST_RUNNING);
		fx_run(&f, 3, 0);
		f.tasks[3].preempt_count = twin != 1 && twin != 2;
		if (twin == 2)
			f.cpus[0].irqs_off_since = fx_ticks(99.9);
		fx_spin(&f, 0, twin == 4 ? FX_LOCK(2) : FX_LOCK(1), class_a, FX_WAIT4, 99.95);
		if (twin == 0 || twin == 2)
			hangs(&f, BB_V_OWNER_NOT_RUNNING, TD_R_PREEMPTED, 1,
			      "which was preempted on cpu0 by spinner (pid 13);");
		else
			healthy(&f);
	}
}

/* ---- starved --------------------------------------------------------------------------------- */

static void test_starved_twins(void **state)
{
	enum { HANGS, FEW, YOUNG, SPINS, NO_STATISTICS, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct bb_task *t;
		/* as many others as there can be: tasks and interrupts */
		uint32_t rounds = FX_TASKS + FX_CPUS + (twin == FEW ? 0 : 1);

		begin(MUTEX);
		t = task(2, "taker", BB_ST_RUNNING);
		fx_run(&f, 2, 0);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 80);
		if (twin == SPINS) {
			task(3, "spinner", BB_ST_RUNNING);
			fx_run(&f, 3, 1);
			fx_spin(&f, 1, FX_LOCK(1), class_a, FX_WAIT4, 85);
			f.cpus[1].wait.kind = BB_WAIT_MUTEX;
		} else {
			waiter(3, twin == YOUNG ? 90.5 : 89.5);
		}
		for (uint32_t i = 0; i < rounds; i++) {
			fx_release(t, FX_LOCK(1), FX_PIPE_READ);
			fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 99.99);
		}
		if (twin == NO_STATISTICS)
			fx_locks[1].stats->lock = 0;
		if (twin == HANGS)
			hangs(&f, BB_V_STARVED, TD_R_PASSED_OVER, 1,
			      "got and released it 19 times");
		else
			healthy(&f);
	}
}

/* A spinner of an older box, whose record nobody claims; a spin wait off the CPU: no lost wake-up.
 */
static void test_spin_is_no_lost_wakeup(void **state)
{
	(void)state;
	begin(SPIN);
	busy(9);
	fx_wait(task(3, "t", BB_ST_BLOCKED), BB_WAIT_SPIN, FX_LOCK(1), class_a, FX_WAIT4, 50);
	healthy(&f);
	begin(SPIN);
	busy(9);
	task(3, "spinner", BB_ST_RUNNING);
	fx_run(&f, 3, 0);
	fx_spin(&f, 0, FX_LOCK(1), class_a, FX_WAIT4, 50);
	f.cpus[0].wait.kind = BB_WAIT_WRITE;
	healthy(&f);
}

/* Who is never to blame for being off the CPU: the idle task, the dead, a slot on no CPU. */
static void test_never_off_the_cpu(void **state)
{
	(void)state;
	for (int twin = 0; twin < 2; twin++) {
		begin(MUTEX);
		busy(9);
		fx_hold(twin ? task(2, "far", BB_ST_STOPPED) : &f.tasks[0], FX_LOCK(1), class_a,
			FX_LOAD_INIT, 99.995);
		waiter(3, 99.999);
		f.tasks[2].cpu = 77;
		if (!twin) {
			f.cpus[0].mode = BB_MODE_KERNEL;
			f.tasks[0].state = BB_ST_STOPPED;
		}
		healthy(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_freed_while_held),
		cmocka_unit_test(test_freed_while_waited_for),
		cmocka_unit_test(test_left_kernel),
		cmocka_unit_test(test_left_words),
		cmocka_unit_test(test_idle_holder),
		cmocka_unit_test(test_dead_holder),
		cmocka_unit_test(test_frame_gone),
		cmocka_unit_test(test_cycle_twins),
		cmocka_unit_test(test_cycle_of_three),
		cmocka_unit_test(test_two_cycles),
		cmocka_unit_test(test_orphan_in_a_circle),
		cmocka_unit_test(test_readers),
		cmocka_unit_test(test_self_twins),
		cmocka_unit_test(test_handler_holds),
		cmocka_unit_test(test_one_cause_a_node),
		cmocka_unit_test(test_spin_without_owner_word),
		cmocka_unit_test(test_self_words),
		cmocka_unit_test(test_owner_sleeping),
		cmocka_unit_test(test_owner_not_running),
		cmocka_unit_test(test_preempted),
		cmocka_unit_test(test_starved_twins),
		cmocka_unit_test(test_spin_is_no_lost_wakeup),
		cmocka_unit_test(test_never_off_the_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
