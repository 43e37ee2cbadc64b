/* why_test.c - the edges of the other verdicts: other CPUs' answers, CPUs, children, timers; the
 * order of several verdicts; tables half written, stale, hostile. */
#include "why_fixture.h"

#include <string.h>

/* ---- other CPUs' answers --------------------------------------------------------------------- */

/* A task waits with a lock in hand for cpu1's answer; cpu1 wants that lock. */
static void test_ipi(void **state)
{
	enum {
		TASK_SPINS,
		HANDLER_SPINS,
		DEAD_CPU,
		IRQS_ON,
		NO_SPIN,
		OFFLINE,
		NO_CPU,
		NOT_CURRENT,
		TWINS
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct bb_cpu *c;

		begin(SPIN);
		c = &f.cpus[1];
		fx_hold(task(2, "caller", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
		fx_run(&f, 2, 0);
		task(3, "target", BB_ST_RUNNING);
		fx_run(&f, 3, 1);
		c->irq_depth = twin == HANDLER_SPINS;
		c->irqs_off_since = twin == IRQS_ON || twin == HANDLER_SPINS ? 0 : fx_ticks(99);
		if (twin != NO_SPIN && twin != DEAD_CPU)
			fx_spin(&f, 1, FX_LOCK(1), class_a, FX_PIPE_READ, 99.5);
		fx_wait_arg(&f.tasks[2], BB_WAIT_IPI, twin == NO_CPU ? 9 : 1, FX_WAIT4, 99.6);
		if (twin == OFFLINE)
			c->online = 0;
		if (twin == DEAD_CPU)
			c->last_tick = fx_ticks(90);
		if (twin == NOT_CURRENT) { /* a record that its writer has left behind */
			f.cpus[0].current = 1;
			f.tasks[2].state = BB_ST_RUNNABLE;
			f.tasks[2].on_queue = 1;
			f.tasks[2].since = fx_ticks(99.9);
			f.cpus[0].mode = BB_MODE_KERNEL;
		}
		if (twin == TASK_SPINS)
			hangs(&f, BB_V_CYCLE, TD_R_NONE, 2,
			      "caller (pid 12) waits for an answer of cpu1, which needs target");
		else if (twin == HANDLER_SPINS)
			hangs(&f, BB_V_CYCLE, TD_R_NONE, 3, "cpu1's interrupt handler");
		else if (twin == DEAD_CPU)
			hangs(&f, BB_V_CPU_DEAD, TD_R_NONE, 2,
			      "Also stuck behind them: caller (pid 12) waits for an answer of "
			      "cpu1");
		else
			healthy(&f);
	}
}

/* A dead CPU holds up who waits for its answer, not who waits for another's. */
static void test_answers_of_others(void **state)
{
	(void)state;
	begin(SPIN);
	task(2, "caller", BB_ST_RUNNING);
	fx_run(&f, 2, 0);
	task(3, "deaf", BB_ST_RUNNING);
	fx_run(&f, 3, 1);
	f.cpus[1].last_tick = fx_ticks(90);
	fx_wait_arg(&f.tasks[2], BB_WAIT_IPI, 0, FX_WAIT4, 99.6);
	fx_wait(task(4, "t", BB_ST_SLEEPING), BB_WAIT_CHILD, 0, 0, FX_WAIT4, 99.9);
	f.tasks[4].wait.arg = 1; /* a pid, no CPU */
	hangs(&f, BB_V_CPU_DEAD, TD_R_NONE, 1, NULL);
}

/* A wait of another kind whose end somebody known has in hand. */
static void test_known_waker(void **state)
{
	enum { HANGS, DEAD, NOBODY, ITSELF, HANDLER, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		begin(MUTEX);
		busy(9);
		fx_hold(task(2, "x", BB_ST_BLOCKED), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		fx_wait(&f.tasks[2], BB_WAIT_COMPLETION, FX_IMAGE, 0, FX_PIPE_READ, 99.9);
		f.tasks[2].wait.owner = twin == NOBODY    ? 0
					: twin == ITSELF  ? 3
					: twin == HANDLER ? BB_OWNER_CPU | 1
							  : 4;
		fx_wait(task(3, "y", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_WAIT4,
			99.9);
		if (twin == DEAD)
			f.tasks[3].state = BB_ST_DEAD;
		if (twin == HANGS)
			hangs(&f, BB_V_CYCLE, TD_R_NONE, 2,
			      "x (pid 12) waits for a completion, which needs y (pid 13)");
		else
			healthy(&f);
	}
}

/* ---- runnable tasks and silent CPUs ---------------------------------------------------------- */

static void test_stranded(void **state)
{
	enum {
		NO_QUEUE,
		IDLE_CPU,
		YOUNG,
		YOUNG_QUEUED,
		TORN,
		CURRENT,
		CPU_BUSY,
		IN_IRQ,
		OFFLINE,
		CRASHED,
		FAR_CPU,
		TWINS
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct look l;
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "a", BB_ST_RUNNABLE);
		t->cpu = twin == FAR_CPU ? 9 : 0;
		t->waker = BB_OWNER_CPU | 1;
		t->switch_pc = FX_SITE(FX_WAIT4);
		t->on_queue = twin == IDLE_CPU || twin >= CPU_BUSY || twin == YOUNG_QUEUED;
		t->since = fx_ticks(twin == YOUNG          ? 99.95
				    : twin == YOUNG_QUEUED ? 99.1
				    : twin == NO_QUEUE     ? 99.85
							   : 98.9);
		if (twin == TORN)
			t->sched_seq = 1;
		if (twin == CURRENT) {
			fx_run(&f, 2, 0);
			t->state = BB_ST_RUNNABLE;
		}
		if (twin == CPU_BUSY)
			f.cpus[0].mode = BB_MODE_KERNEL;
		if (twin == IN_IRQ)
			f.cpus[0].irq_depth = 1;
		if (twin == OFFLINE)
			f.cpus[0].online = 0;
		if (twin == CRASHED) {
			trace_box.crash.valid = 1;
			t->on_queue = 0;
		}
		look(&l, &f);
		if (twin == NO_QUEUE || twin == IDLE_CPU) {
			expect(&l, BB_V_STRANDED, twin ? TD_R_IDLE_CPU : TD_R_NO_QUEUE, 1);
			says(&l, twin ? "in the run queue of cpu0 since t=98.900 s, but cpu0 idles"
				      : "runnable but in no run queue, since t=99.850 s");
			says(&l, "last woken by cpu1's interrupt handler");
			says(&l, "left its CPU in sys_wait4");
		} else {
			assert_int_equal(l.a.n, 0);
		}
		done(&l, &f);
	}
}

static void test_silent_cpu(void **state)
{
	enum { HANGS, QUEUED, NEVER_TICKED, TICKED, IDLES, OFFLINE, CRASHED, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct look l;

		begin(MUTEX);
		task(2, "deaf", BB_ST_RUNNING);
		fx_run(&f, 2, 1);
		f.cpus[1].last_tick = fx_ticks(twin == TICKED ? 98.1 : 97.9);
		if (twin == NEVER_TICKED)
			f.cpus[1].last_tick = 0;
		if (twin == QUEUED) { /* behind it in its queue; not those of the other CPU */
			for (uint32_t i = 3; i < 5; i++) {
				task(i, "queued", BB_ST_RUNNABLE)->on_queue = 1;
				f.tasks[i].cpu = i == 3;
				f.tasks[i].since = fx_ticks(99.5);
			}
			task(5, "late", BB_ST_RUNNABLE)->cpu = 1; /* in no queue, but since now */
			f.tasks[5].since = fx_ticks(99.95);
		}
		if (twin == IDLES)
			f.cpus[1].mode = BB_MODE_IDLE;
		if (twin == OFFLINE)
			f.cpus[1].online = 0;
		trace_box.crash.valid = twin == CRASHED;
		look(&l, &f);
		if (twin <= NEVER_TICKED) {
			expect(&l, BB_V_CPU_DEAD, TD_R_NONE, twin == QUEUED ? 2 : 1);
			assert_int_equal(l.a.n, 1);
			assert_int_equal(l.a.v[0].cpu, 1);
			says(&l, "it runs   deaf (pid 12), in kernel mode");
			says(&l, "`hs bt cpu1` in GDB");
			if (twin == QUEUED)
				says(&l, "Also stuck behind them: queued (pid 13)");
		} else {
			assert_int_equal(l.a.n, 0);
		}
		done(&l, &f);
	}
}

/* Who spins for a lock with interrupts off gets no ticks either: because of the lock. */
static void test_silent_because_of_a_lock(void **state)
{
	(void)state;
	for (int irq = 0; irq < 2; irq++) {
		begin(SPIN);
		fx_hold(task(2, "left", BB_ST_SLEEPING), FX_LOCK(1), class_a, FX_LOAD_INIT, 10);
		f.tasks[2].user_epoch++;
		task(3, "spinner", BB_ST_RUNNING);
		fx_run(&f, 3, 1);
		f.cpus[1].irq_depth = (uint32_t)irq;
		f.cpus[1].irqs_off_since = fx_ticks(50);
		f.cpus[1].last_tick = fx_ticks(50);
		fx_spin(&f, 1, FX_LOCK(1), class_a, FX_WAIT4, 50);
		hangs(&f, BB_V_ORPHAN, TD_R_LEFT_KERNEL, irq ? 2 : 1, NULL);
	}
}

/* The NMI's look at a silent CPU is worth a word if it came after the last tick. */
static void test_silent_cpu_seen(void **state)
{
	(void)state;
	for (int twin = 0; twin < 2; twin++) {
		struct look l;

		begin(MUTEX);
		task(2, "deaf", BB_ST_RUNNING);
		fx_run(&f, 2, 1);
		f.cpus[1].last_tick = fx_ticks(50);
		f.cpus[1].nmi_pc = FX_SITE(FX_PIPE_READ);
		f.cpus[1].nmi_ticks = fx_ticks(twin ? 49 : 51);
		f.tasks[2].mode = BB_MODE_USER;
		look(&l, &f);
		expect(&l, BB_V_CPU_DEAD, TD_R_NONE, 1);
		says(&l, "in user mode");
		(twin ? says_not : says)(&l, "seen at   pipe_read");
		(twin ? says : says_not)(&l, "`hs bt cpu1`");
		done(&l, &f);
	}
}

/* ---- waits that nobody can end --------------------------------------------------------------- */

static void test_free_lock(void **state)
{
	enum { HANGS, YOUNG, HELD, SPINS, LOST_ENTRY, TWINS };

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "owner", BB_ST_SLEEPING);
		if (twin == LOST_ENTRY) /* its list is full: it may have the lock unseen */
			for (uint32_t i = 0; i < BB_MAX_HELD; i++)
				fx_hold(t, FX_LOCK(2), class_b, FX_LOAD_INIT, 1);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		fx_wait(t, BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
		busy(4);
		if (twin == SPINS) {
			task(3, "spinner", BB_ST_RUNNING);
			fx_run(&f, 3, 0);
			fx_spin(&f, 0, FX_LOCK(1), class_a, FX_WAIT4, 50);
		} else {
			waiter(3, twin == YOUNG ? 99.1 : 98.9);
		}
		if (twin != HELD && twin != LOST_ENTRY)
			fx_release(t, FX_LOCK(1), FX_PIPE_READ);
		if (twin == HANGS)
			hangs(&f, BB_V_LOST_WAKEUP, TD_R_FREE_LOCK, 1, "released  pipe_read");
		else
			healthy(&f);
	}
	begin(MUTEX); /* nothing moves: even a wait that has just begun will not end */
	waiter(3, 99.9);
	hangs(&f, BB_V_LOST_WAKEUP, TD_R_FREE_LOCK, 1, "which nobody holds");
}

/* The waiter saw an owner that has ended since, or whose slot is another task's. */
static void test_owner_gone(void **state)
{
	(void)state;
	for (int twin = 0; twin < 4; twin++) {
		struct bb_task *t;

		begin(twin == 3 ? SPIN : MUTEX);
		t = task(2, "gone", BB_ST_SLEEPING);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		busy(4);
		if (twin == 3) { /* a spinner too: an owner that is gone will not come back */
			task(3, "spinner", BB_ST_RUNNING);
			fx_run(&f, 3, 0);
			fx_spin(&f, 0, FX_LOCK(1), class_a, FX_WAIT4, 50);
		} else {
			waiter(3, twin == 2 ? 99.5 : 50);
		}
		t->held[0].lock = 0; /* wiped with the slot */
		t->nheld = 0;
		if (twin == 1)
			t->start_ticks = fx_ticks(60);
		else
			t->state = BB_ST_DEAD;
		if (twin == 2)
			healthy(&f);
		else
			hangs(&f, BB_V_ORPHAN, TD_R_OWNER_GONE, 1, "which no longer exists");
	}
}

/* The entry of an owner whose list overflowed is not there, but the waiter knows the owner: what
 * that one waits for, the waiter needs. */
static void test_overflowed_list(void **state)
{
	(void)state;
	for (int twin = 0; twin < 2; twin++) {
		struct bb_task *t;

		begin(MUTEX);
		t = task(2, "hoarder", BB_ST_BLOCKED);
		for (uint32_t i = 0; i < BB_MAX_HELD; i++)
			fx_hold(t, FX_LOCK(3 + i % 8), class_b, FX_LOAD_INIT, 1);
		fx_hold(t, FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
		assert_int_equal(t->held_lost, 1);
		fx_hold(task(3, "y", BB_ST_BLOCKED), FX_LOCK(2), class_a, FX_PIPE_READ, 1);
		fx_wait(t, BB_WAIT_MUTEX, FX_LOCK(2), class_a, FX_EXT2_LOOKUP, 99.9);
		fx_wait(&f.tasks[3], BB_WAIT_MUTEX, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
		busy(4);
		if (twin) {
			t->held_lost = 0;
			healthy(&f);
		} else {
			hangs(&f, BB_V_CYCLE, TD_R_NONE, 2, "which needs hoarder (pid 12)");
		}
	}
	begin(SPIN); /* the same of an interrupt handler */
	for (uint32_t i = 0; i < BB_MAX_IRQ_HELD; i++)
		fx_hold_irq(&f.cpus[1], FX_LOCK(3 + i), class_b, FX_LOAD_INIT, 1);
	fx_hold_irq(&f.cpus[1], FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	f.cpus[1].irq_depth = 1;
	fx_hold(task(3, "y", BB_ST_RUNNING), FX_LOCK(2), class_a, FX_PIPE_READ, 1);
	fx_run(&f, 3, 0);
	fx_spin(&f, 0, FX_LOCK(1), class_a, FX_WAIT4, 99.9);
	fx_spin(&f, 1, FX_LOCK(2), class_a, FX_WAIT4, 99.9);
	hangs(&f, BB_V_CYCLE, TD_R_NONE, 3, "cpu1's interrupt handler");
}

static void test_children(void **state)
{
	enum {
		NO_CHILD,
		ZOMBIE,
		YOUNG_WAIT,
		YOUNG_ZOMBIE,
		ALIVE,
		ONE_OF_TWO,
		OTHERS,
		DEAD,
		WANTED,
		WANTED_ALIVE,
		THREAD,
		ANY_OF_GROUP,
		TWINS
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		bool group = twin == ANY_OF_GROUP;

		begin(MUTEX);
		busy(9);
		fx_wait_arg(fx_task(&f, 2, 5, 1, "parent", BB_ST_SLEEPING), BB_WAIT_CHILD,
			    twin == WANTED || twin == WANTED_ALIVE ? 6
			    : group                                ? (uint32_t)-7
								   : 0,
			    FX_WAIT4, twin == YOUNG_WAIT ? 99.1 : 98.9);
		if (twin == ZOMBIE || twin == YOUNG_ZOMBIE || twin == ONE_OF_TWO) {
			fx_task(&f, 3, 6, 5, "child", BB_ST_ZOMBIE)->since =
				fx_ticks(twin == YOUNG_ZOMBIE ? 99.1 : 98.9);
		} else if (twin == ALIVE || twin == WANTED_ALIVE || group) {
			fx_wait(fx_task(&f, 3, 6, 5, "child", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0,
				FX_PIPE_READ, 2);
		} else if (twin == OTHERS) {
			fx_wait(fx_task(&f, 3, 6, 4, "stranger", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0,
				FX_PIPE_READ, 2);
		} else if (twin == DEAD) {
			fx_task(&f, 3, 6, 5, "dead", BB_ST_DEAD);
		} else if (twin == THREAD) { /* of the same process: not a child */
			fx_wait(fx_task(&f, 3, 5, 5, "thread", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0,
				FX_PIPE_READ, 2);
			f.tasks[3].tid = 6;
		}
		if (twin == ONE_OF_TWO || twin == WANTED)
			fx_wait(fx_task(&f, 4, 7, 5, "other", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0,
				FX_PIPE_READ, 2);
		if (twin == ZOMBIE)
			hangs(&f, BB_V_LOST_WAKEUP, TD_R_ZOMBIE_CHILD, 1,
			      "waits for a child that has already exited");
		else if (twin == NO_CHILD || twin == OTHERS || twin == DEAD || twin == WANTED ||
			 twin == THREAD)
			hangs(&f, BB_V_NO_WAKER, TD_R_NO_CHILD, 1,
			      "waits for a child, but it has none that could exit");
		else
			healthy(&f);
	}
	begin(MUTEX); /* quiet: times do not matter */
	fx_wait_arg(fx_task(&f, 2, 5, 1, "parent", BB_ST_SLEEPING), BB_WAIT_CHILD, 0, FX_WAIT4,
		    99.99);
	fx_task(&f, 3, 6, 5, "child", BB_ST_ZOMBIE)->since = fx_ticks(99.99);
	hangs(&f, BB_V_LOST_WAKEUP, TD_R_ZOMBIE_CHILD, 1, NULL);
}

static void test_no_timer(void **state)
{
	(void)state;
	for (int twin = 0; twin < 4; twin++) {
		begin(MUTEX);
		fx_wait(task(2, "sleeper", BB_ST_SLEEPING), twin == 3 ? BB_WAIT_TTY : BB_WAIT_TIMER,
			0, 0, FX_PIPE_READ, 99);
		f.cpus[0].next_timer = UINT64_MAX;
		f.cpus[1].next_timer = twin == 1 ? fx_ticks(200) : UINT64_MAX;
		if (twin == 2)
			busy(4);
		if (twin)
			healthy(&f);
		else
			hangs(&f, BB_V_NO_WAKER, TD_R_NO_TIMER, 1, "no CPU has a timer programmed");
	}
	begin(MUTEX); /* an offline CPU's timer wakes nobody */
	fx_wait(task(2, "sleeper", BB_ST_SLEEPING), BB_WAIT_TIMER, 0, 0, FX_PIPE_READ, 99);
	f.cpus[0].next_timer = UINT64_MAX;
	f.cpus[1].online = 0;
	hangs(&f, BB_V_NO_WAKER, TD_R_NO_TIMER, 1, "waits at  pipe_read");
}

/* A quiet machine whose waits are all of the kind that somebody outside ends. */
static void test_quiet_and_young(void **state)
{
	static const uint32_t kinds[] = {BB_WAIT_TTY,    BB_WAIT_TIMER,      BB_WAIT_QUEUE,
					 BB_WAIT_FUTEX,  BB_WAIT_PIPE,       BB_WAIT_SOCKET,
					 BB_WAIT_SIGNAL, BB_WAIT_COMPLETION, BB_WAIT_IO,
					 BB_WAIT_POLL,   BB_WAIT_RECLAIM};

	(void)state;
	for (int young = 0; young < 2; young++) {
		begin(MUTEX);
		for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			fx_wait(task(2 + i, "t", BB_ST_SLEEPING), kinds[i], 0x1000, 0, FX_PIPE_READ,
				young ? 99.9999 : 1);
			f.tasks[2 + i].since = fx_ticks(young ? 99.9999 : 1);
		}
		healthy(&f);
	}
}

/* ---- spreading and order --------------------------------------------------------------------- */

/* A parent of several hangs if all of them do, and none has ended. */
static void test_spread_to_parents(void **state)
{
	for (int twin = 0; twin < 5; twin++) {
		struct look l;

		(void)state;
		begin(MUTEX);
		busy(9);
		fx_hold(fx_task(&f, 2, 20, 99, "gone", BB_ST_ZOMBIE), FX_LOCK(1), class_a,
			FX_LOAD_INIT, 1);
		fx_wait_arg(fx_task(&f, 3, 5, 1, "sh", BB_ST_SLEEPING), BB_WAIT_CHILD,
			    twin == 3 ? 6 : 0, FX_WAIT4, 2);
		for (uint32_t i = 0; i < 2; i++) {
			fx_task(&f, 4 + i, 6 + i, 5, "child", BB_ST_BLOCKED);
			if (i && (twin == 1 || twin == 3))
				fx_wait(&f.tasks[5], BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
			else if (i && twin == 2)
				f.tasks[5].state = BB_ST_ZOMBIE, f.tasks[5].since = fx_ticks(99.9);
			else
				fx_wait(&f.tasks[4 + i], BB_WAIT_MUTEX, FX_LOCK(1), class_a,
					FX_WAIT4, 2);
		}
		if (twin == 4) /* the grandparent too */
			fx_wait_arg(fx_task(&f, 6, 1, 0, "init", BB_ST_SLEEPING), BB_WAIT_CHILD, 0,
				    FX_WAIT4, 2);
		look(&l, &f);
		expect(&l, BB_V_ORPHAN, TD_R_DEAD,
		       twin == 0   ? 3
		       : twin == 1 ? 1
		       : twin == 2 ? 1
		       : twin == 3 ? 2
				   : 3);
		assert_int_equal(l.a.n, 1);
		done(&l, &f);
	}
}

/* Certain before likely, with waiters before without, many before few, early before late. */
static void test_order(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	/* an orphan without a waiter */
	fx_hold(task(2, "o1", BB_ST_ZOMBIE), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	/* stranded, one is stuck */
	task(3, "lost", BB_ST_RUNNABLE);
	/* orphans: with one waiter, taken later; with two; with one, taken earlier */
	fx_hold(task(4, "o2", BB_ST_ZOMBIE), FX_LOCK(2), class_a, FX_LOAD_INIT, 5);
	fx_hold(task(5, "o3", BB_ST_ZOMBIE), FX_LOCK(3), class_a, FX_LOAD_INIT, 9);
	fx_hold(task(6, "o4", BB_ST_ZOMBIE), FX_LOCK(4), class_a, FX_LOAD_INIT, 4);
	for (uint32_t i = 0; i < 4; i++)
		fx_wait(task(7 + i, "w", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(i < 2 ? 3 : i),
			class_a, FX_WAIT4, 10);
	f.tasks[9].wait.object = FX_LOCK(2);
	f.tasks[10].wait.object = FX_LOCK(4);
	look(&l, &f);
	assert_int_equal(l.a.n, 5);
	assert_int_equal(l.a.v[0].node, 5);
	assert_int_equal(l.a.v[1].node, 6);
	assert_int_equal(l.a.v[2].node, 4);
	assert_int_equal(l.a.v[3].kind, BB_V_STRANDED);
	assert_int_equal(l.a.v[4].node, 2);
	says(&l, "And 2 more; see --full.");
	for (uint32_t i = 0; i < 5; i++) /* after the sort each stuck node still knows its cause */
		for (uint32_t k = 0; k < l.a.v[i].nstuck; k++)
			assert_int_equal(l.a.cause[l.a.v[i].stuck[k]], i);
	done(&l, &f);
}

/* An interrupt handler hangs; the task under it hangs with it, and who waits for that task. */
static void test_under_a_handler(void **state)
{
	struct look l;

	(void)state;
	begin(SPIN);
	fx_hold(task(2, "gone", BB_ST_ZOMBIE), FX_LOCK(1), class_a, FX_LOAD_INIT, 1);
	fx_hold(task(3, "under", BB_ST_RUNNING), FX_LOCK(2), class_b, FX_LOAD_INIT, 1);
	fx_run(&f, 3, 1);
	f.cpus[1].irq_depth = 1;
	fx_spin(&f, 1, FX_LOCK(1), class_a, FX_PIPE_READ, 99);
	fx_wait(task(4, "w", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(2), class_b, FX_WAIT4, 99.5);
	look(&l, &f);
	expect(&l, BB_V_ORPHAN, TD_R_DEAD, 3);
	assert_int_equal(l.a.v[0].ndirect, 1);
	says(&l, "Waiting: cpu1's interrupt handler  in pipe_read");
	says(&l, "Also stuck behind them: under (pid 13)");
	done(&l, &f);
}

/* ---- tables that cannot be trusted ----------------------------------------------------------- */

/* One stamp far in the future must not make everything else old. */
static void test_hostile_stamps(void **state)
{
	(void)state;
	for (int where = 0; where < 6; where++) {
		uint64_t far = fx_ticks(100000);

		begin(MUTEX);
		busy(9);
		far = where == 5 ? UINT64_MAX : fx_ticks(100000);
		waiter(3, 99.9); /* young: of a free lock */
		fx_wait(task(2, "t", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
		if (where == 0)
			f.tasks[2].since = far;
		else if (where == 1)
			f.tasks[2].wait.ticks = far;
		else if (where == 2)
			f.cpus[0].last_tick = far;
		else if (where == 3)
			f.cpus[0].wait = (struct bb_wait){.kind = BB_WAIT_SPIN, .ticks = far};
		else
			f.tasks[2].since = far;
		healthy(&f);
	}
	begin(MUTEX); /* a stamp in the near future is "now" */
	busy(9);
	waiter(3, 99.5);
	fx_wait(task(2, "t", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 100.6);
	hangs(&f, BB_V_LOST_WAKEUP, TD_R_FREE_LOCK, 1, NULL);
}

/* What an offline CPU says it runs or waits for is of another day. */
static void test_offline_cpu(void **state)
{
	struct look l;

	(void)state;
	begin(SPIN);
	fx_wait(task(2, "t", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
	f.cpus[1].current = 3;
	f.cpus[1].mode = BB_MODE_KERNEL;
	fx_spin(&f, 1, FX_LOCK(1), class_a, FX_WAIT4, 2);
	fx_hold_irq(&f.cpus[1], FX_LOCK(2), class_b, FX_WAIT4, 2);
	f.cpus[1].online = 0;
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	assert_false(l.s.model.task[2].current);
	assert_int_equal(l.s.model.nholders, 0);
	assert_int_equal(l.s.model.wait[2].kind, BB_WAIT_TTY);
	assert_true(l.s.model.quiet);
	done(&l, &f);
}

/* One runnable task, and time goes on to matter. */
static void test_not_quiet(void **state)
{
	(void)state;
	for (int twin = 0; twin < 5; twin++) {
		begin(MUTEX);
		waiter(3, 99.9); /* of a free lock: hangs at once only if nothing can move */
		task(2, "t", twin == 1 ? BB_ST_RUNNABLE : BB_ST_RUNNING);
		f.tasks[2].on_queue = 1;
		f.tasks[2].since = fx_ticks(99.9);
		if (twin == 0)
			f.tasks[2].state = BB_ST_NONE;
		if (twin == 3) {
			f.tasks[2].state = BB_ST_NONE;
			f.cpus[1].irq_depth = 1;
		}
		if (twin == 4) {
			f.tasks[2].state = BB_ST_NONE;
			f.cpus[0].mode = BB_MODE_KERNEL;
		}
		if (twin)
			healthy(&f);
		else
			hangs(&f, BB_V_LOST_WAKEUP, TD_R_FREE_LOCK, 1, NULL);
	}
}

/* Counts and indices beyond their tables; the last task slot is as good as any. */
static void test_bounds(void **state)
{
	struct look l;

	(void)state;
	begin(MUTEX);
	fx_hold(task(FX_TASKS - 1, "last", BB_ST_RUNNING), FX_LOCK(1), class_a, FX_LOAD_INIT, 99);
	fx_run(&f, FX_TASKS - 1, 1);
	waiter(3, 99.5);
	f.tasks[FX_TASKS - 1].mode = BB_MODE_USER;
	look(&l, &f);
	expect(&l, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 1);
	says(&l, "held by last (pid 25)");
	assert_int_equal(td_model_owner(&l.s.model, FX_TASKS), FX_TASKS - 1);
	assert_int_equal(td_model_owner(&l.s.model, FX_TASKS + 1), TD_NOBODY);
	assert_int_equal(td_model_owner(&l.s.model, 0), TD_NOBODY);
	assert_int_equal(td_model_owner(&l.s.model, BB_OWNER_CPU | FX_CPUS), TD_NOBODY);
	assert_int_equal(l.s.model.cpu[1].current, FX_TASKS - 1);
	done(&l, &f);

	begin(MUTEX);
	f.cpus[0].current = FX_TASKS + 1;
	f.cpus[1].current = UINT32_MAX;
	task(2, "t", BB_ST_RUNNABLE)->waker = FX_TASKS + 1;
	f.tasks[2].nheld = UINT32_MAX;
	f.cpus[0].nheld = UINT32_MAX;
	f.tasks[3].state = 99;
	look(&l, &f);
	assert_int_equal(l.s.model.cpu[0].current, TD_NOBODY);
	assert_int_equal(l.s.model.cpu[1].current, TD_NOBODY);
	assert_int_equal(l.s.model.nholders, 0);
	assert_false(l.s.model.task[3].used);
	expect(&l, BB_V_STRANDED, TD_R_NO_QUEUE, 1);
	says_not(&l, "last woken by");
	done(&l, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipi),
		cmocka_unit_test(test_answers_of_others),
		cmocka_unit_test(test_known_waker),
		cmocka_unit_test(test_stranded),
		cmocka_unit_test(test_silent_cpu),
		cmocka_unit_test(test_silent_because_of_a_lock),
		cmocka_unit_test(test_silent_cpu_seen),
		cmocka_unit_test(test_free_lock),
		cmocka_unit_test(test_owner_gone),
		cmocka_unit_test(test_overflowed_list),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_no_timer),
		cmocka_unit_test(test_quiet_and_young),
		cmocka_unit_test(test_spread_to_parents),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_under_a_handler),
		cmocka_unit_test(test_hostile_stamps),
		cmocka_unit_test(test_offline_cpu),
		cmocka_unit_test(test_not_quiet),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
