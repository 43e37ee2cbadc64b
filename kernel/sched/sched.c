/* sched.c - the scheduler.
 *
 * Model. A thread is running on one CPU (rq->curr), queued in one CPU's tree, or off (sleeping,
 * new, dead). bb->state says which to a reader and is written only here, under the lock of the run
 * queue of bb->cpu, which covers all of a thread's scheduling state. bb->cpu of a queued thread
 * changes only with both queues' locks held; of one that is off, under its old queue's lock.
 *
 * Sleeping. park_prepare() stores park_state and is a full barrier; park_until() leaves the CPU
 * only if park_state is still set under the lock; unpark() clears it under the same lock: no
 * wake-up is lost. A thread that is preempted between the two stays queued. A deadline is a timer
 * in the thread that unparks it. Whoever ends waits of a mode (thread_kill) stores its mark, then
 * looks at park_state under the lock; the sleeper stores park_state, then looks for the mark: one
 * of the two sees the other.
 *
 * Switching. The run queue lock is taken by prev and released by next (sched_finish): its record of
 * holding is handed over. Preemption count is the thread's own, so it survives the switch.
 *
 * Fairness. vruntime advances with time run, weighted. The leftmost runs. A waking thread starts at
 * the queue's minimum less a small credit, at least. Each queue counts by itself: a thread that
 * moves takes along how far it is ahead of the minimum or behind it, so that moving pays nobody.
 * Ticks exist only on CPUs that are not idle.
 *
 * Balance. An idle CPU pulls; a busy one looks every BALANCE_TICKS. A wake prefers the old CPU,
 * then an idle one. Lock order: two run queues in CPU order. */
#include <irq/irq.h>
#include <irq/timer.h>
#include <lib/bug.h>
#include <lib/errno.h>
#include <mm/vm.h>
#include <sync/lock_order.h>
#include <sync/wait.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "sched_private.h"

#define SLICE_NS            4000000ull
#define WAKE_CREDIT_NS      3000000ull
#define WAKE_GRANULARITY_NS 1000000ull
#define MOST_AHEAD_NS       (4 * SLICE_NS) /* whoever sleeps loses what it is ahead by more */
#define BALANCE_TICKS       8u

DEFINE_LOCK_CLASS(rq_class, "sched.runqueue", BB_LK_SPIN, RANK_RUNQUEUE);
DEFINE_PER_CPU(struct cpu_rq, run_queue) = {.lock = SPINLOCK_INIT(rq_class)};

static void (*idle_hook)(void);

void sched_set_idle_hook(void (*fn)(void))
{
	idle_hook = fn;
}

static struct cpu_rq *this_rq(void)
{
	return this_cpu_ptr(&run_queue);
}

static void set_need_resched(unsigned int cpu)
{
	struct bb_cpu *c = *per_cpu_ptr(&trace_cpu, cpu);

	if (!atomic_xchg(&c->need_resched, 1) && cpu != this_cpu())
		ipi_resched(cpu);
}

/* ---- the tree ------------------------------------------------------------------------------- */

static void set_state_at(struct thread *t, u32 state, u64 now)
{
	struct bb_task *b = t->bb;

	TRACE_FACT(b->sched_seq, b->sched_seq + 1);
	smp_wmb();
	WRITE_ONCE(b->state, state);
	TRACE_FACT(b->since, now);
	smp_wmb();
	TRACE_FACT(b->sched_seq, b->sched_seq + 1);
}

void sched_set_state(struct thread *t, u32 state)
{
	set_state_at(t, state, arch_ticks());
}

static void publish_len(struct cpu_rq *rq, unsigned int cpu)
{
	struct bb_cpu *c = *per_cpu_ptr(&trace_cpu, cpu);

	WRITE_ONCE(c->queue_len, rq->nr);
}

static void enqueue(struct cpu_rq *rq, struct thread *t) NO_TSA
{
	struct rb_node **link = &rq->tree.node, *parent = NULL;

	ASSERT(!t->queued && spin_is_held(&rq->lock));
	while (*link) {
		parent = *link;
		link = t->vruntime < rb_entry(parent, struct thread, run_node)->vruntime
			       ? &parent->left
			       : &parent->right;
	}
	rb_link(&t->run_node, parent, link);
	rb_insert_fixup(&rq->tree, &t->run_node);
	t->queued = true;
	WRITE_ONCE(t->bb->on_queue, 1);
	rq->nr++;
	publish_len(rq, t->bb->cpu);
}

static void dequeue(struct cpu_rq *rq, struct thread *t)
{
	rb_erase(&rq->tree, &t->run_node);
	t->queued = false;
	WRITE_ONCE(t->bb->on_queue, 0);
	rq->nr--;
	publish_len(rq, t->bb->cpu);
}

/* From a queue with one minimum to one with another. */
static void rescale(struct thread *t, u64 from, u64 to)
{
	s64 ahead = (s64)(t->vruntime - from);

	t->vruntime = ahead < 0 && (u64)-ahead > to ? 0 : to + (u64)ahead;
}

static struct thread *leftmost(struct cpu_rq *rq)
{
	struct rb_node *n = rb_first(&rq->tree);

	return n ? rb_entry(n, struct thread, run_node) : NULL;
}

static void update_curr(struct cpu_rq *rq)
{
	struct thread *t = rq->curr, *left;
	u64 now = arch_ticks(), ran = now - t->exec_start, least;

	if ((s64)ran <= 0)
		return;
	t->exec_start = now;
	WRITE_ONCE(t->bb->run_ticks, t->bb->run_ticks + ran);
	if (t == rq->idle)
		return;
	t->vruntime += ticks_to_ns(ran) * 1024 / t->weight;
	/* Never back: newcomers start near it, and a chain of them would pull it down for ever,
	 * away from who is queued already. */
	left = leftmost(rq);
	least = left ? MIN(left->vruntime, t->vruntime) : t->vruntime;
	rq->min_vruntime = MAX(rq->min_vruntime, least);
}

u64 thread_run_ticks(void)
{
	irqflags_t f = arch_irq_save();
	struct thread *t = arch_current();
	s64 ran = (s64)(arch_ticks() - t->exec_start);
	u64 sum = t->bb->run_ticks + (u64)MAX(ran, 0);

	arch_irq_restore(f);
	return sum;
}

/* ---- the switch ----------------------------------------------------------------------------- */

/* On the new thread's stack: the second half of the switch. Interrupts masked. */
static void sched_finish(struct thread *prev) NO_TSA
{
	struct cpu_rq *rq = this_rq();
	bool dead = prev->dead;

	spin_release_raw(&rq->lock);
	preempt_enable_noresched();
	if (dead)
		thread_bury(prev);
}

static bool pull_one(struct cpu_rq *rq, u32 min_len);

/* Interrupts masked. preempt: the current thread did not ask, so it stays runnable. */
static void switch_away(bool preempt) NO_TSA
{
	struct cpu_rq *rq = this_rq();
	struct bb_cpu *cpu = port_cpu();
	struct thread *prev = rq->curr, *next;
	u32 park, left_as = BB_ST_RUNNABLE;

	preempt_disable();
	if (!rq->nr && !preempt && prev != rq->idle)
		pull_one(rq, 1);
	spin_lock(&rq->lock);
	preempt_enable_noresched();
	WRITE_ONCE(cpu->need_resched, 0);
	update_curr(rq);
	park = preempt ? PARK_NONE : atomic_load(&prev->park_state);
	if (prev->dead)
		left_as = prev->zombie ? BB_ST_ZOMBIE : BB_ST_DEAD;
	else if (park && prev != rq->idle)
		left_as = park == PARK_KERNEL ? BB_ST_BLOCKED : BB_ST_SLEEPING;
	else if (prev != rq->idle)
		enqueue(rq, prev);
	next = leftmost(rq);
	if (next)
		dequeue(rq, next);
	else
		next = rq->idle;
	if (next == prev) {
		spin_unlock(&rq->lock);
		return;
	}
	next->exec_start = next->slice_start = arch_ticks();
	/* From here the lock is next's: a dead or sleeping prev is never seen to hold it. */
	spin_hand_over(&rq->lock, prev->bb, next->bb);
	set_state_at(prev, left_as, next->exec_start);
	set_state_at(next, BB_ST_RUNNING, next->exec_start);
	trace(sched_switch, prev->bb->tid, prev->bb->state, next->bb->tid, next->bb->prio);
	TRACE_FACT(prev->bb->switch_sp, arch_sp());
	TRACE_FACT(prev->bb->switch_fp, arch_fp());
	TRACE_FACT(prev->bb->switch_pc, RET_IP);
	next->ring = prev->ring;
	next->cpu_box = cpu;
	rq->curr = next;
	WRITE_ONCE(cpu->current, next->slot + 1);
	WRITE_ONCE(cpu->mode, next == rq->idle ? BB_MODE_IDLE : BB_MODE_KERNEL);
	if (prev == rq->idle)
		timer_tick_start();
	else if (next == rq->idle)
		timer_tick_stop();
	mm_switch(next->mm);
	sched_finish(arch_switch_to(prev, next));
}

void schedule(void)
{
	irqflags_t f = arch_irq_save();

	switch_away(false);
	arch_irq_restore(f);
}

void sched_preempt_irq(void)
{
	struct bb_cpu *c = port_cpu();

	while (c && READ_ONCE(c->need_resched) && READ_ONCE(*preempt_count_ptr()) == 0) {
		switch_away(true);
		c = port_cpu();
	}
}

void sched_yield(void)
{
	irqflags_t f = arch_irq_save();
	struct cpu_rq *rq = this_rq();

	/* Whoever queues a thread that should run before us asks for the switch itself. */
	if (rq->curr != rq->idle && READ_ONCE(rq->nr)) {
		spin_lock(&rq->lock);
		struct rb_node *last = rb_last(&rq->tree);

		if (last)
			rq->curr->vruntime =
				MAX(rq->curr->vruntime,
				    rb_entry(last, struct thread, run_node)->vruntime + 1);
		spin_unlock(&rq->lock);
		switch_away(true);
	}
	arch_irq_restore(f);
}

void thread_start(struct thread *prev, void (*entry)(void *), void *arg)
{
	sched_finish(prev);
	arch_irq_enable();
	entry(arg);
	thread_exit(0);
}

void thread_start_fork(struct thread *prev)
{
	sched_finish(prev);
}

/* ---- waking --------------------------------------------------------------------------------- */

static void sched_park_prepare(enum park_mode mode)
{
	__atomic_store_n(&arch_current()->park_state, (u32)mode, __ATOMIC_SEQ_CST);
	smp_mb();
}

static void sched_park_cancel(void)
{
	atomic_store(&arch_current()->park_state, PARK_NONE);
}

/* Has come what ends waits of this mode? */
static bool cut_short(const struct thread *t, enum park_mode mode)
{
	return (mode >= PARK_KILLABLE && atomic_load(&t->kill_pending)) ||
	       (mode == PARK_INTERRUPTIBLE && atomic_load(&t->signal_pending));
}

static void park_timeout(struct timer *timer)
{
	unpark(container_of(timer, struct thread, park_timer));
}

static int sched_park_until(enum park_mode mode, u64 deadline)
{
	struct thread *t = arch_current();
	bool timed = deadline != PARK_FOREVER, late = timed && arch_ticks() >= deadline;

	if (!late && !cut_short(t, mode)) {
		if (timed)
			timer_arm(&t->park_timer, deadline, park_timeout);
		if (atomic_load(&t->park_state))
			schedule();
		if (timed)
			late = !timer_cancel(&t->park_timer);
	}
	sched_park_cancel();
	if (cut_short(t, mode))
		return -ERESTARTSYS;
	return late ? -ETIMEDOUT : 0;
}

static struct cpu_rq *lock_thread_rq(struct thread *t, irqflags_t *f) NO_TSA
{
	for (;;) {
		u32 cpu = READ_ONCE(t->bb->cpu);
		struct cpu_rq *rq = per_cpu_ptr(&run_queue, cpu);

		*f = spin_lock_irqsave(&rq->lock);
		if (likely(READ_ONCE(t->bb->cpu) == cpu))
			return rq;
		spin_unlock_irqrestore(&rq->lock, *f);
	}
}

static bool cpu_is_idle(unsigned int c)
{
	struct cpu_rq *rq = per_cpu_ptr(&run_queue, c);

	return READ_ONCE(rq->curr) == READ_ONCE(rq->idle) && !READ_ONCE(rq->nr);
}

static unsigned int choose_cpu(struct thread *t)
{
	unsigned int old = t->bb->cpu;

	if (t->pinned || (cpumask_test(&cpu_online, old) && cpu_is_idle(old)))
		return old;
	for_each_online_cpu (c)
		if (cpu_is_idle(c))
			return c;
	return cpumask_test(&cpu_online, old) ? old : this_cpu();
}

/* The thread is off, its state already RUNNABLE: nobody else will queue it. */
static void place(struct cpu_rq *rq, struct thread *t, unsigned int cpu)
{
	u64 floor = rq->min_vruntime > WAKE_CREDIT_NS ? rq->min_vruntime - WAKE_CREDIT_NS : 0;

	t->vruntime = MIN(MAX(t->vruntime, floor), rq->min_vruntime + MOST_AHEAD_NS);
	enqueue(rq, t);
	trace(sched_wake, t->bb->tid, cpu);
	if (rq->curr == rq->idle || t->vruntime + WAKE_GRANULARITY_NS < rq->curr->vruntime)
		set_need_resched(cpu);
}

static void sched_unpark(struct thread *t) NO_TSA
{
	irqflags_t f;
	struct cpu_rq *rq = lock_thread_rq(t, &f), *to;
	u32 state = t->bb->state;
	unsigned int cpu;

	atomic_store(&t->park_state, PARK_NONE);
	if (state != BB_ST_BLOCKED && state != BB_ST_SLEEPING && state != BB_ST_NEW) {
		spin_unlock_irqrestore(&rq->lock, f);
		return;
	}
	cpu = choose_cpu(t);
	to = per_cpu_ptr(&run_queue, cpu);
	TRACE_FACT(t->bb->waker, track_self());
	sched_set_state(t, BB_ST_RUNNABLE);
	if (to != rq) {
		/* Between the two locks it is RUNNABLE, so another unpark leaves it alone: the
		 * state is visible before the new CPU is (sched_set_state ends with a barrier). */
		u64 from = rq->min_vruntime;

		trace(sched_migrate, t->bb->tid, t->bb->cpu, cpu);
		WRITE_ONCE(t->bb->cpu, cpu);
		spin_unlock(&rq->lock);
		spin_lock(&to->lock);
		rescale(t, from, to->min_vruntime);
	}
	/* Not ahead of who runs, or a chain of newcomers would stay ahead of all others for ever.
	 */
	if (state == BB_ST_NEW) {
		update_curr(to);
		t->vruntime = MAX(to->min_vruntime, to->curr->vruntime);
	}
	place(to, t, cpu);
	spin_unlock_irqrestore(&to->lock, f);
}

const struct park_ops sched_park_ops = {
	.prepare = sched_park_prepare,
	.until = sched_park_until,
	.cancel = sched_park_cancel,
	.unpark = sched_unpark,
	.preempt = sched_preempt_irq,
};

void thread_run(struct thread *t)
{
	sched_unpark(t);
}

bool thread_kill_pending(void)
{
	return atomic_load(&arch_current()->kill_pending);
}

/* Its mark is stored: ends a wait of `least` or of a mode that more things end. */
static void end_wait(struct thread *t, enum park_mode least) NO_TSA
{
	irqflags_t f;
	struct cpu_rq *rq;
	bool wake;

	smp_mb();
	rq = lock_thread_rq(t, &f);
	wake = atomic_load(&t->park_state) >= least;
	if (rq->curr == t)
		set_need_resched(t->bb->cpu);
	spin_unlock_irqrestore(&rq->lock, f);
	if (wake)
		sched_unpark(t);
}

void thread_kill(struct thread *t)
{
	atomic_store_release(&t->kill_pending, true);
	end_wait(t, PARK_KILLABLE);
}

void thread_set_signal(struct thread *t, bool pending)
{
	if (atomic_xchg(&t->signal_pending, pending) != pending && pending)
		end_wait(t, PARK_INTERRUPTIBLE);
}

/* ---- tick and balance ----------------------------------------------------------------------- */

/* Takes one thread from the longest queue of at least min_len waiting threads. */
static bool pull_one(struct cpu_rq *rq, u32 min_len) NO_TSA
{
	unsigned int here = this_cpu(), busiest = here;
	struct cpu_rq *from, *first, *second;
	u32 len = 0;
	bool moved = false;

	for_each_online_cpu (c) {
		u32 n = READ_ONCE(per_cpu_ptr(&run_queue, c)->nr);

		if (c != here && n > len) {
			len = n;
			busiest = c;
		}
	}
	if (len < min_len)
		return false;
	from = per_cpu_ptr(&run_queue, busiest);
	first = here < busiest ? rq : from;
	second = first == rq ? from : rq;
	spin_lock(&first->lock);
	spin_lock(&second->lock);
	for (struct rb_node *n = rb_last(&from->tree); n; n = rb_prev(n)) {
		struct thread *t = rb_entry(n, struct thread, run_node);

		if (t->pinned)
			continue;
		dequeue(from, t);
		rescale(t, from->min_vruntime, rq->min_vruntime);
		WRITE_ONCE(t->bb->cpu, here);
		trace(sched_migrate, t->bb->tid, busiest, here);
		enqueue(rq, t);
		moved = true;
		break;
	}
	spin_unlock(&second->lock);
	spin_unlock(&first->lock);
	return moved;
}

void sched_tick(void) NO_TSA
{
	struct cpu_rq *rq = this_rq();
	struct bb_cpu *cpu = port_cpu();
	struct thread *left;
	bool look;

	spin_lock(&rq->lock);
	update_curr(rq);
	left = leftmost(rq);
	if (left && (rq->curr == rq->idle ||
		     (left->vruntime < rq->curr->vruntime &&
		      ticks_to_ns(arch_ticks() - rq->curr->slice_start) >= SLICE_NS)))
		WRITE_ONCE(cpu->need_resched, 1);
	trace(sched_tick, rq->curr->bb->tid, rq->nr);
	track_tick(&rq->curr->own);
	look = rq->balance_countdown-- == 0;
	if (look)
		rq->balance_countdown = BALANCE_TICKS;
	spin_unlock(&rq->lock);
	if (look)
		pull_one(rq, rq->nr + 2);
}

/* Until the timer will end the idling; 0: it is not set. */
static u64 idle_ticks_left(const struct bb_cpu *cpu)
{
	u64 next = READ_ONCE(cpu->next_timer), now = arch_ticks();

	return next == ~0ull || next < now ? 0 : next - now;
}

void sched_idle_loop(void)
{
	struct cpu_rq *rq = this_rq();
	struct bb_cpu *cpu = port_cpu();

	cpumask_set(&cpu_online, this_cpu());
	WRITE_ONCE(cpu->online, 1);
	for (;;) {
		arch_irq_disable();
		if (!READ_ONCE(rq->nr) && !READ_ONCE(cpu->need_resched))
			pull_one(rq, 1);
		if (READ_ONCE(rq->nr) || READ_ONCE(cpu->need_resched)) {
			switch_away(false);
			arch_irq_enable();
			continue;
		}
		if (idle_hook)
			idle_hook();
		WRITE_ONCE(cpu->idle_ticks, cpu->idle_ticks + 1);
		trace(sched_idle, idle_ticks_left(cpu));
		arch_idle_wait();
	}
}

void sched_init_cpu(unsigned int cpu, struct thread *idle)
{
	struct cpu_rq *rq = per_cpu_ptr(&run_queue, cpu);
	struct bb_cpu *c = *per_cpu_ptr(&trace_cpu, cpu);

	rq->curr = rq->idle = idle;
	idle->bb->cpu = cpu;
	idle->bb->state = BB_ST_RUNNING;
	c->current = idle->slot + 1;
	c->mode = BB_MODE_IDLE;
}

struct thread *sched_secondary_idle(unsigned int cpu)
{
	struct thread *t = idle_thread_create(cpu);

	if (!IS_ERR(t))
		sched_init_cpu(cpu, t);
	return t;
}

void sched_init(void)
{
	sched_init_cpu(0, arch_current());
	cpumask_set(&cpu_online, 0);
	thread_init_tables();
	timer_add_tick_hook(sched_tick);
}

/* ---- exits from interrupts ------------------------------------------------------------------ */

void trap_exit_to_kernel(struct trap_frame *tf)
{
	/* A thread is never preempted between reserving and committing a trace record. */
	if (!trace_in_emit(trap_pc(tf)))
		sched_preempt_irq();
}
