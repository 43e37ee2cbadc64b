/* reader_test.c - verdicts of tracedump on boxes made by the real producer: each kind of hang, and
 * what must not be called one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <tracing/tracker.h>
#include "look.h"

#define MUTEX BB_LK_MUTEX
#define SPIN  BB_LK_SPIN

static void test_healthy(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	fx_open(&f);
	fx_wait(fx_task(&f, 2, 1, 0, "init", BB_ST_SLEEPING), BB_WAIT_CHILD, 0, 0, FX_WAIT4, 2);
	fx_wait(fx_task(&f, 3, 2, 1, "sh", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 3);
	look(&l, &f);
	assert_int_equal(l.status, 0);
	assert_string_equal(l.text,
			    "healthy: 2 tasks, 2 waiting (1 for a key, 1 for a child); nothing "
			    "is stuck.\n");
	done(&l, &f);
}

/* Who burns the CPUs: the most time first, alike ones together. */
static void test_busy(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	for (int twin = 0; twin < 3; twin++) {
		fx_open(&f);
		fx_wait(fx_task(&f, 2, 1, 0, "init", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_WAIT4,
			2);
		for (uint32_t i = 3; i < (twin ? 5 : 10); i++) {
			fx_task(&f, i, i + 10, i < 9 ? 1 : 7, i < 8 ? "sh" : "yes", BB_ST_RUNNABLE);
			f.tasks[i].run_ticks = 1000000000ull * i / (twin == 2 ? 4 : 1);
			f.tasks[i].on_queue = 1;
			f.tasks[i].cpu = i & 1;
			f.tasks[i].since = fx_ticks(99.5);
		}
		fx_run(&f, 3, 0);
		fx_run(&f, 4, 1);
		look(&l, &f);
		assert_int_equal(l.a.n, 0);
		if (twin == 0) {
			says(&l, "nothing is stuck.\n"
				 "         7 tasks share 2 CPUs:\n"
				 "           5 x sh, children of init (pid 1), have had 25.0 s of "
				 "CPU time\n"
				 "           2 x yes have had 17.0 s of CPU time\n");
		} else if (twin == 1) {
			says(&l, "nothing is stuck.\n"
				 "         busy: 2 x sh, children of init (pid 1), have had 7.0 s "
				 "of CPU "
				 "time\n");
		} else { /* 0.75 and 1.0 */
			says(&l, "have had 1.8 s of CPU time\n");
		}
		done(&l, &f);
	}
	fx_open(&f); /* a little work is no word */
	fx_task(&f, 2, 7, 1, "sh", BB_ST_RUNNING);
	fx_run(&f, 2, 0);
	f.tasks[2].since = fx_ticks(99.9);
	look(&l, &f);
	assert_string_equal(l.text, "healthy: 1 task, 0 waiting; nothing is stuck.\n");
	done(&l, &f);
}

static void test_unreaped(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	for (uint32_t n = 0; n < 3; n++) {
		fx_open(&f);
		fx_wait(fx_task(&f, 2, 4, 1, "sh", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ,
			2);
		for (uint32_t i = 0; i < n; i++)
			fx_task(&f, 3 + i, 9 + i, 4, "sleep", BB_ST_ZOMBIE)->since =
				fx_ticks(97 - i);
		fx_task(&f, 7, 20, 4, "true", BB_ST_ZOMBIE)->since = fx_ticks(99.5);
		look(&l, &f);
		assert_int_equal(l.a.n, 0);
		if (!n)
			says_not(&l, "unreaped");
		else
			says(&l,
			     n == 1 ? "1 unreaped child: sleep (pid 9) of pid 4, ended 3.0 s ago.\n"
				    : "2 unreaped children; the oldest: sleep (pid 10) of pid 4, "
				      "ended 4.0 s ago.\n");
		done(&l, &f);
	}
}

/* A contended lock whose owner runs, or waits for a disk, is busy and not stuck. */
static void test_contended_is_healthy(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	fx_open(&f);
	c = fx_class("inode", MUTEX, 0);
	fx_hold(fx_task(&f, 2, 1, 0, "a", BB_ST_RUNNING), FX_LOCK(1), c, FX_LOAD_INIT, 99);
	fx_run(&f, 2, 0);
	fx_wait(fx_task(&f, 3, 2, 1, "b", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), c,
		FX_EXT2_LOOKUP, 99.5);
	fx_hold(fx_task(&f, 4, 3, 1, "c", BB_ST_BLOCKED), FX_LOCK(2), c, FX_LOAD_INIT, 90);
	fx_wait(&f.tasks[4], BB_WAIT_IO, 0x1000, 0, FX_PIPE_READ, 90);
	fx_wait(fx_task(&f, 5, 4, 1, "d", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(2), c,
		FX_EXT2_LOOKUP, 91);
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	done(&l, &f);
}

static void test_orphan_left_kernel(void **state)
{
	struct box_fixture f;
	struct look l;
	struct bb_task *init;
	uint32_t c;

	(void)state;
	fx_open(&f);
	c = fx_class("ext2.root", MUTEX, 0);
	init = fx_task(&f, 2, 1, 0, "init", BB_ST_SLEEPING);
	fx_hold(init, FX_LOCK(1), c, FX_LOAD_INIT, 0.412);
	init->user_epoch = 3;
	init->left_site = FX_SITE(FX_ENTER_USER);
	init->left_ticks = fx_ticks(0.431);
	fx_wait(init, BB_WAIT_CHILD, 0, 0, FX_WAIT4, 2);
	for (uint32_t i = 0; i < 3; i++)
		fx_wait(fx_task(&f, 3 + i, 7 + i, 1, i ? i == 1 ? "ls" : "cat" : "sh",
				BB_ST_BLOCKED),
			BB_WAIT_MUTEX, FX_LOCK(1), c, FX_EXT2_LOOKUP, 3);
	look(&l, &f);
	expect(&l, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 4);
	assert_int_equal(l.a.v[0].ndirect, 3);
	says(&l, "HUNG: 4 tasks can never run again.");
	says(&l, "Cause: lock ext2.root is held by init (pid 1), which has left the kernel.");
	says(&l, "taken at  load_init   t=0.412 s  (event 0:1841)");
	says(&l, "left at   enter_user   t=0.431 s  - that call never returns");
	says(&l, "Waiting: sh (pid 7), ls (pid 8), cat (pid 9)  in ext2_lookup");
	says(&l, "Also stuck behind them: init (pid 1) waits for a child");
	says(&l, "Fix hint: release ext2.root before enter_user().");
	done(&l, &f);
}

static void test_orphan_without_waiter(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	fx_open(&f);
	fx_hold(fx_task(&f, 2, 1, 0, "init", BB_ST_RUNNING), FX_LOCK(1), fx_class("x", MUTEX, 0),
		FX_LOAD_INIT, 1);
	fx_run(&f, 2, 0);
	f.tasks[2].mode = BB_MODE_USER;
	look(&l, &f);
	expect(&l, BB_V_ORPHAN, TD_R_LEFT_KERNEL, 0);
	says(&l, "0 tasks wait yet; the next one to take it hangs");
	done(&l, &f);
}

static void test_orphan_dead_and_frame_gone(void **state)
{
	struct box_fixture f;
	struct look l;
	struct bb_task *t;
	uint32_t c;

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		fx_open(&f);
		c = fx_class("pipe", MUTEX, 0);
		t = fx_task(&f, 2, 5, 1, "leaker", gone ? BB_ST_SLEEPING : BB_ST_ZOMBIE);
		fx_hold(t, FX_LOCK(1), c, FX_LOAD_INIT, 1);
		if (gone) {
			t->held[0].sp = t->stack_base + 0x2000; /* deeper than where it sleeps */
			fx_wait(t, BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
		}
		fx_wait(fx_task(&f, 3, 6, 1, "b", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), c,
			FX_EXT2_LOOKUP, 3);
		look(&l, &f);
		expect(&l, BB_V_ORPHAN, gone ? TD_R_FRAME_GONE : TD_R_DEAD, 1);
		done(&l, &f);
	}
}

static void test_cycle(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t a, b;

	(void)state;
	fx_open(&f);
	a = fx_class("a", MUTEX, 1);
	b = fx_class("b", MUTEX, 2);
	fx_hold(fx_task(&f, 2, 5, 1, "x", BB_ST_BLOCKED), FX_LOCK(1), a, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_MUTEX, FX_LOCK(2), b, FX_EXT2_LOOKUP, 2);
	fx_hold(fx_task(&f, 3, 6, 1, "y", BB_ST_BLOCKED), FX_LOCK(2), b, FX_PIPE_READ, 1);
	fx_wait(&f.tasks[3], BB_WAIT_MUTEX, FX_LOCK(1), a, FX_WAIT4, 2);
	/* z only waits for the circle */
	fx_wait(fx_task(&f, 4, 7, 1, "z", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), a, FX_WAIT4,
		3);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 3);
	assert_int_equal(l.a.v[0].nring, 2);
	assert_int_equal(l.a.n, 1);
	says(&l, "Fix hint: sys_wait4() takes a while holding b, against the declared order.");
	done(&l, &f);
}

/* A waits for a thread's end with a lock that the thread waits for. Who alone can end a wait for an
 * event is in the record, or it is nobody's business: then nothing is proved. */
static void test_cycle_through_completion(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c, done_class;

	(void)state;
	for (int named = 0; named < 2; named++) {
		fx_open(&f);
		c = fx_class("demo.left", MUTEX, 0);
		done_class = fx_class("kthread.exited", BB_LK_COMPLETION, 0);
		fx_hold(fx_task(&f, 2, 5, 1, "stopper", BB_ST_BLOCKED), FX_LOCK(1), c, FX_LOAD_INIT,
			1);
		fx_wait_for(&f.tasks[2], BB_WAIT_COMPLETION, 0x1000, done_class, named ? 4 : 0,
			    FX_PIPE_READ, 2);
		fx_wait(fx_task(&f, 3, 6, 1, "stopped", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1),
			c, FX_EXT2_LOOKUP, 3);
		look(&l, &f);
		if (named) {
			expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
			says(&l, "2 tasks wait for each other in a circle.");
			says(&l,
			     "stopper (pid 5) waits for a completion (kthread.exited), which needs "
			     "stopped (pid 6)");
			says(&l,
			     "stopped (pid 6) waits for mutex demo.left, held by stopper (pid 5)");
			says(&l, "Fix hint: do not wait while holding what the other side needs.");
		} else {
			assert_int_equal(l.a.n, 0);
		}
		done(&l, &f);
	}
}

/* task A holds a mutex and spins for an IPI's answer from cpu1, which spins with interrupts off for
 * what A holds; a reader behind a writer behind the reader. */
static void test_cycle_mixed(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	fx_open(&f);
	c = fx_class("mm", SPIN, 0);
	fx_hold(fx_task(&f, 2, 5, 1, "a", BB_ST_RUNNING), FX_LOCK(1), c, FX_LOAD_INIT, 1);
	fx_task(&f, 3, 6, 1, "b", BB_ST_RUNNING);
	fx_run(&f, 2, 0);
	fx_run(&f, 3, 1);
	fx_wait_arg(&f.tasks[2], BB_WAIT_IPI, 1, FX_PIPE_READ, 2);
	fx_spin(&f, 1, FX_LOCK(1), c, FX_WAIT4, 2);
	f.cpus[1].irqs_off_since = fx_ticks(2);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	done(&l, &f);

	fx_open(&f);
	c = fx_class("rw", BB_LK_RWLOCK, 0);
	fx_share(fx_task(&f, 2, 5, 1, "reader", BB_ST_BLOCKED), FX_LOCK(1), c, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_READ, FX_LOCK(1), c, FX_EXT2_LOOKUP, 3);
	fx_wait(fx_task(&f, 3, 6, 1, "writer", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(1), c,
		FX_WAIT4, 2);
	look(&l, &f);
	expect(&l, BB_V_CYCLE, TD_R_NONE, 2);
	done(&l, &f);
}

static void test_self_and_irq_self(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	for (uint32_t irq = 0; irq < 2; irq++) {
		fx_open(&f);
		c = fx_class("queue", SPIN, 0);
		fx_hold(fx_task(&f, 2, 5, 1, "a", BB_ST_RUNNING), FX_LOCK(1), c, FX_LOAD_INIT, 1);
		fx_run(&f, 2, 1);
		f.cpus[1].irq_depth = irq;
		fx_spin(&f, 1, FX_LOCK(1), c, FX_PIPE_READ, 2);
		look(&l, &f);
		expect(&l, irq ? BB_V_IRQ_SELF : BB_V_SELF, TD_R_NONE, irq + 1);
		assert_int_equal(l.a.n, 1);
		done(&l, &f);
	}
}

static void test_owner_off_cpu(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	fx_open(&f); /* asleep with a spin lock */
	c = fx_class("rq", SPIN, 0);
	fx_hold(fx_task(&f, 2, 5, 1, "a", BB_ST_SLEEPING), FX_LOCK(1), c, FX_LOAD_INIT, 1);
	fx_wait(&f.tasks[2], BB_WAIT_TIMER, 0, 0, FX_PIPE_READ, 1.1);
	look(&l, &f);
	expect(&l, BB_V_OWNER_SLEEPING, TD_R_REPORT, 0);
	done(&l, &f);

	fx_open(&f); /* on its way off the CPU, in the middle of the switch */
	c = fx_class("timers", SPIN, 0);
	fx_hold(fx_task(&f, 2, 5, 1, "a", BB_ST_SLEEPING), FX_LOCK(1), c, FX_LOAD_INIT, 99.99);
	fx_wait(&f.tasks[2], BB_WAIT_TIMER, 0, 0, FX_PIPE_READ, 99.99);
	f.tasks[2].since = fx_ticks(99.99);
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	done(&l, &f);

	fx_open(&f); /* preempted by the one that spins for it */
	c = fx_class("rq", SPIN, 0);
	fx_hold(fx_task(&f, 2, 5, 1, "a", BB_ST_RUNNABLE), FX_LOCK(1), c, FX_LOAD_INIT, 99);
	f.tasks[2].on_queue = 1;
	f.tasks[2].since = fx_ticks(99.9);
	fx_task(&f, 3, 6, 1, "b", BB_ST_RUNNING);
	fx_run(&f, 3, 0);
	f.tasks[3].preempt_count = 1;
	fx_spin(&f, 0, FX_LOCK(1), c, FX_WAIT4, 99.95);
	look(&l, &f);
	expect(&l, BB_V_OWNER_NOT_RUNNING, TD_R_PREEMPTED, 1);
	done(&l, &f);
}

static void test_stranded_and_dead_cpu(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	fx_open(&f);
	fx_task(&f, 2, 5, 1, "a", BB_ST_RUNNABLE);
	look(&l, &f);
	expect(&l, BB_V_STRANDED, TD_R_NO_QUEUE, 1);
	says(&l, "a (pid 5) is runnable but in no run queue");
	done(&l, &f);

	fx_open(&f);
	fx_task(&f, 2, 5, 1, "a", BB_ST_RUNNING);
	fx_run(&f, 2, 1);
	f.cpus[1].last_tick = fx_ticks(90);
	f.cpus[1].irqs_off_since = fx_ticks(90);
	f.cpus[1].irqs_off_site = FX_SITE(FX_PIPE_READ);
	look(&l, &f);
	expect(&l, BB_V_CPU_DEAD, TD_R_NONE, 1);
	says(&l, "cpu1 has had no timer tick for 10.0 s");
	says(&l, "pipe_read() switched interrupts off");
	done(&l, &f);
}

static void test_no_waker(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	fx_open(&f);
	fx_wait(fx_task(&f, 2, 5, 1, "a", BB_ST_SLEEPING), BB_WAIT_CHILD, 0, 0, FX_WAIT4, 2);
	look(&l, &f);
	expect(&l, BB_V_NO_WAKER, TD_R_NO_CHILD, 1);
	done(&l, &f);

	fx_open(&f);
	c = fx_class("inode", MUTEX, 0);
	fx_wait(fx_task(&f, 2, 5, 1, "a", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), c, FX_WAIT4,
		2);
	f.tasks[2].wait.owner = 4; /* slot 3, alive, no longer holds it */
	fx_wait(fx_task(&f, 3, 6, 1, "b", BB_ST_SLEEPING), BB_WAIT_TTY, 0, 0, FX_PIPE_READ, 2);
	look(&l, &f);
	expect(&l, BB_V_LOST_WAKEUP, TD_R_FREE_LOCK, 1);
	done(&l, &f);
}

static void io_wait(struct box_fixture *f, uint32_t slot, uint32_t request, double since)
{
	fx_wait(fx_task(f, slot, slot + 10, 1, "reader", BB_ST_BLOCKED), BB_WAIT_IO,
		FX_SLOT(request) + 24, 0, FX_EXT2_LOOKUP, since);
}

static void test_missing_irq(void **state)
{
	struct box_fixture f;
	struct bb_queue *q;
	struct look l;

	(void)state;
	fx_open(&f);
	q = fx_queue(4, 4, 3, 2); /* request 2 is done and unseen, request 3 is with the device */
	q->looks = BB_QUEUE_LOOKS;
	q->looked = 2;
	q->unseen_since = fx_ticks(97);
	io_wait(&f, 2, 2, 96);
	io_wait(&f, 3, 3, 96);
	look(&l, &f);
	expect(&l, BB_V_MISSING_IRQ, TD_R_UNSEEN, 1);
	assert_int_equal(l.a.n, 1);
	assert_int_equal(l.a.v[0].stuck[0], 2);
	says(&l, "device vda has finished 1 request, but its interrupt never came");
	says(&l, "has found it so 3 times since t=97.000 s");
	says(&l, "its last interrupt was at t=50.000 s, of 2");
	says(&l, "Waiting: reader (pid 12)  in ext2_lookup");
	done(&l, &f);

	fx_open(&f); /* the interrupt came, and its handler did not look */
	q = fx_queue(3, 3, 3, 2);
	q->looks = BB_QUEUE_LOOKS;
	q->looked = 2;
	q->unseen_since = fx_ticks(97);
	q->last_irq = fx_ticks(98);
	io_wait(&f, 2, 2, 96);
	look(&l, &f);
	expect(&l, BB_V_LOST_WAKEUP, TD_R_NOT_TAKEN, 1);
	says(&l, "has interrupted since, but the handler took none");
	done(&l, &f);

	for (int healthy = 0; healthy < 3; healthy++) {
		fx_open(&f);
		q = fx_queue(3, 3, healthy == 2 ? 2 : 3, 2);
		q->looks = healthy == 0 ? BB_QUEUE_LOOKS - 1 : BB_QUEUE_LOOKS;
		q->looked = healthy == 1 ? 1 : 2; /* 1: the handler came since; 2: a slow device */
		io_wait(&f, 2, 2, 10);
		look(&l, &f);
		assert_int_equal(l.a.n, 0);
		if (healthy == 2)
			says(&l, "device vda has been working on a request for 90.0 s");
		done(&l, &f);
	}
}

/* Index arithmetic across 2^16, more requests than the queue is long, all in one. */
static void test_queue_wraps(void **state)
{
	struct box_fixture f;
	struct bb_queue *q;
	struct look l;

	(void)state;
	fx_open(&f);
	q = fx_queue(65535, 65535, 65535, 65533);
	q->seen = 65533 | 5u << 16; /* a later version may count on */
	q->looks = BB_QUEUE_LOOKS;
	q->looked = 65533;
	q->unseen_since = fx_ticks(60);
	io_wait(&f, 2, 65533 & 7, 1);
	io_wait(&f, 3, 65534 & 7, 1);
	look(&l, &f);
	expect(&l, BB_V_MISSING_IRQ, TD_R_UNSEEN, 2);
	done(&l, &f);
}

static void test_request_not_announced(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	fx_open(&f);
	fx_queue(3, 2, 2, 2);
	io_wait(&f, 2, 2, 98);
	io_wait(&f, 3, 5, 98); /* a slot that no request is in: not known to be stuck */
	look(&l, &f);
	expect(&l, BB_V_NO_WAKER, TD_R_NOT_ANNOUNCED, 1);
	says(&l, "device vda was never told of 1 request in its queue");
	says(&l, "ext2_lookup() sleeps without having notified the device");
	done(&l, &f);

	fx_open(&f); /* it called and fell asleep behind the copy of the queue */
	fx_queue(3, 2, 2, 2);
	io_wait(&f, 2, 2, 99.9);
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	done(&l, &f);

	fx_open(&f); /* its submitter still runs: it is about to call */
	fx_queue(3, 2, 2, 2);
	io_wait(&f, 2, 2, 99);
	f.tasks[2].state = BB_ST_RUNNABLE;
	f.tasks[2].on_queue = 1;
	f.tasks[2].since = fx_ticks(99.9);
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	done(&l, &f);
}

static void test_lost_io_wakeup(void **state)
{
	struct box_fixture f;
	struct look l;

	(void)state;
	for (int healthy = 0; healthy < 3; healthy++) {
		fx_open(&f);
		fx_queue(3, 3, 3, 3);
		io_wait(&f, 2, 1, healthy == 2 ? 99.9 : 90);
		f.cpus[0].irq_depth = healthy == 1; /* it may be about to wake */
		look(&l, &f);
		if (healthy)
			assert_int_equal(l.a.n, 0);
		else
			expect(&l, BB_V_LOST_WAKEUP, TD_R_IO_DONE, 1);
		done(&l, &f);
	}
}

/* Nonsense in rings and layout must not become a verdict. */
static void test_queue_nonsense(void **state)
{
	struct box_fixture f;
	struct bb_queue *q;
	struct look l;

	(void)state;
	for (int kind = 0; kind < 6; kind++) {
		fx_open(&f);
		q = fx_queue(3, 3, 3, 2);
		q->looks = BB_QUEUE_LOOKS;
		q->looked = 2;
		io_wait(&f, 2, 2, 1);
		if (kind == 0)
			q->size = 7;
		else if (kind == 1)
			q->ring_offset = UINT64_MAX - 64;
		else if (kind == 2)
			q->used_at = UINT32_MAX;
		else if (kind == 3)
			q->seen = q->looked = 40000; /* more finished than there can be */
		else if (kind == 4)
			q->size = 1u << 31;
		else
			q->name[0] = 0;
		look(&l, &f);
		assert_int_equal(l.a.n, 0);
		done(&l, &f);
	}
}

static void test_starved(void **state)
{
	struct box_fixture f;
	struct look l;
	uint32_t c;

	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		fx_open(&f);
		c = fx_class("table", BB_LK_RWLOCK, 0);
		fx_share(fx_task(&f, 2, 5, 1, "reader", BB_ST_RUNNING), FX_LOCK(1), c, FX_LOAD_INIT,
			 99.9);
		fx_run(&f, 2, 0);
		fx_wait(fx_task(&f, 3, 6, 1, "writer", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(1), c,
			FX_WAIT4, kind == 1 ? 95 : 80);
		f.tasks[3].wait.arg = kind == 3 ? 5010 : 4294967000u; /* 3: counts ran backwards */
		*fx_locks[1].stats = (struct bb_lock){
			.lock = FX_LOCK(1),
			.class = c,
			.history_next = kind == 2 ? 4294967010u : 5000,
			.history = {[3] = {.owner = 3, .site = FX_SITE(FX_PIPE_READ)}}};
		look(&l, &f);
		if (kind) { /* 1: not for long; 2: the others that queued before it */
			assert_int_equal(l.a.n, 0);
		} else {
			expect(&l, BB_V_STARVED, TD_R_PASSED_OVER, 1);
			says(&l, "writer (pid 6) waits for lock table for 20.0 s, in which others "
				 "got and released it 5296 times");
			says(&l, "taken at  load_init   by reader (pid 5)");
			says(&l, "before at pipe_read");
			says(&l, "HUNG: 1 task makes no progress.");
		}
		done(&l, &f);
	}
	fx_open(&f); /* a box of version 1.0 has no count at the start of a wait */
	c = fx_class("table", BB_LK_RWLOCK, 0);
	fx_hold(fx_task(&f, 2, 5, 1, "reader", BB_ST_RUNNING), FX_LOCK(1), c, FX_LOAD_INIT, 99.9);
	fx_run(&f, 2, 0);
	fx_wait(fx_task(&f, 3, 6, 1, "writer", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(1), c,
		FX_WAIT4, 80);
	fx_locks[1].stats->history_next = 5000;
	trace_box.header.version = 0x00010000;
	fx_seal(&f);
	fx_reseal(&f);
	trace_box.header = *(struct bb_header *)(void *)f.mem;
	look(&l, &f);
	assert_int_equal(l.a.n, 0);
	done(&l, &f);
}

static void expect_tids(const struct td_ring *r, const int32_t *want, uint32_t n)
{
	assert_int_equal(r->n, n);
	for (uint32_t i = 0; i < n; i++)
		if (r->ev[i].tid != want[i])
			fail_msg("event %u: task %d, not %d", i, r->ev[i].tid, want[i]);
}

/* Whose an event is follows from the switches; where these are not recorded it is unknown, but for
 * a tick. Never "idle" because the CPU idles now. */
static void test_who_ran(void **state)
{
	enum { RECORDED, NO_SWITCHES, NO_SCHED, STOPPED_LATER, NO_CONTROL, TWINS };
	static const int32_t want[TWINS][6] = {
		[RECORDED] = {0, 0, 7, 7, 0, 0},       [NO_SWITCHES] = {-1, -1, 7, -1, -1, -1},
		[NO_SCHED] = {-1, -1, -1, -1, -1, -1}, [STOPPED_LATER] = {0, 0, 7, 7, -1, -1},
		[NO_CONTROL] = {0, 0, 7, 7, 0, 0},
	};

	(void)state;
	for (int twin = 0; twin < TWINS; twin++) {
		bool sched = twin != NO_SCHED && twin != NO_SWITCHES;
		struct box_fixture f;
		struct look l;
		int32_t seen[6];
		uint32_t n = 0;

		fx_open(&f);
		fx_task(&f, 2, 7, 1, "sh", BB_ST_SLEEPING);
		trace_box.control.event_on[EV_sched_switch] = sched;
		trace_box.control.event_on[EV_sched_tick] = twin != NO_SCHED;
		host_ring = &f.rings[0];
		trace(irq_entry, 1);
		seen[n++] = want[twin][0];
		trace(sched_switch, 0, BB_ST_RUNNABLE, 7, 0);
		if (sched)
			seen[n++] = want[twin][1];
		trace(sched_tick, 7, 0);
		if (twin != NO_SCHED)
			seen[n++] = want[twin][2];
		trace(sched_switch, 7, BB_ST_SLEEPING, 0, 0);
		if (sched)
			seen[n++] = want[twin][3];
		trace_box.control.event_on[EV_sched_switch] = sched && twin != STOPPED_LATER;
		trace(irq_entry, 2);
		seen[n++] = want[twin][4];
		trace(irq_entry, 3);
		seen[n++] = want[twin][5];
		fx_seal(&f);
		if (twin == NO_CONTROL) {
			fx_section(&f, BB_SEC_CONTROL)->kind = 1000;
			fx_reseal(&f);
			memcpy(&trace_box, f.mem, sizeof(trace_box));
		}
		look(&l, &f);
		assert_int_equal(l.s.rings.blind,
				 twin == NO_SWITCHES || twin == NO_SCHED || twin == STOPPED_LATER);
		expect_tids(&l.s.rings.ring[0], seen, n);
		done(&l, &f);
	}
}

/* Two looks at a waiter: it hangs only if it is one wait that both have seen. */
static void test_confirm(void **state)
{
	struct box_fixture f;
	struct td_analysis before;
	struct look l;

	(void)state;
	for (int second = 0; second < 2; second++) {
		struct td_source src;
		struct td_session s;
		struct td_error e;

		fx_open(&f);
		fx_queue(3, 3, 3, 3);
		io_wait(&f, 2, 1, 90);
		look(&l, &f);
		((struct bb_task *)(void *)(f.mem + fx_section(&f, BB_SEC_TASKS)->offset))[2]
			.wait.ticks += (uint64_t)second;
		if (td_source_memory(&src, f.mem, f.size, &e) ||
		    td_session_load(&s, &src, NULL, &e))
			fail_msg("%s", e.text);
		td_analyse(&before, &s.model);
		assert_int_equal(before.n, 1);
		td_analysis_confirm(&before, &l.a);
		assert_int_equal(before.n, !second);
		td_analysis_free(&before);
		td_session_free(&s);
		td_source_close(&src);
		done(&l, &f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_healthy),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_unreaped),
		cmocka_unit_test(test_contended_is_healthy),
		cmocka_unit_test(test_orphan_left_kernel),
		cmocka_unit_test(test_orphan_without_waiter),
		cmocka_unit_test(test_orphan_dead_and_frame_gone),
		cmocka_unit_test(test_cycle),
		cmocka_unit_test(test_cycle_through_completion),
		cmocka_unit_test(test_cycle_mixed),
		cmocka_unit_test(test_self_and_irq_self),
		cmocka_unit_test(test_owner_off_cpu),
		cmocka_unit_test(test_stranded_and_dead_cpu),
		cmocka_unit_test(test_no_waker),
		cmocka_unit_test(test_missing_irq),
		cmocka_unit_test(test_queue_wraps),
		cmocka_unit_test(test_request_not_announced),
		cmocka_unit_test(test_lost_io_wakeup),
		cmocka_unit_test(test_queue_nonsense),
		cmocka_unit_test(test_starved),
		cmocka_unit_test(test_who_ran),
		cmocka_unit_test(test_confirm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
