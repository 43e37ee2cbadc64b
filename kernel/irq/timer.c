/* timer.c - per-CPU one-shot timers and the tick.
 *
 * Theory. Each CPU keeps its timers in a tree by deadline under its own lock; the hardware timer is
 * set to the earliest of the tree and of the scheduler's tick. A timer's function runs in interrupt
 * context with the lock released and `running` pointing at it, so that timer_cancel() on another
 * CPU can wait for it. */
#include <irq/timer.h>
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/percpu.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <arch/cpu.h>
#include <arch/upcalls.h>
#include <tracing/box.h>
#include <tracing/events.h>

struct timer_cpu {
	struct spinlock lock;
	struct rb_root tree;   /* under lock */
	struct timer *running; /* under lock; read by timer_cancel */
	u64 next_tick;         /* own CPU, interrupts masked; ~0 = no tick */
};
DEFINE_LOCK_CLASS(timers_class, "irq.timers", BB_LK_SPIN, RANK_TIMERS);
static DEFINE_PER_CPU(struct timer_cpu, timer_cpu) = {.lock = SPINLOCK_INIT(timers_class),
						      .next_tick = ~0ull};

#define TICK_HOOKS 2u
static void (*tick_hooks[TICK_HOOKS])(void); /* filled at boot, in the order of calling */

static u64 tick_period(void)
{
	return ns_to_ticks(NSEC_PER_SEC / TICK_HZ);
}

static void program(struct timer_cpu *t)
{
	struct rb_node *n = rb_first(&t->tree);
	u64 next = n ? rb_entry(n, struct timer, node)->deadline : ~0ull;
	struct bb_cpu *c = port_cpu();

	next = MIN(next, t->next_tick);
	if (c)
		WRITE_ONCE(c->next_timer, next);
	arch_timer_set(next);
}

void timers_init_cpu(void)
{
	arch_timer_init_cpu();
	program(this_cpu_ptr(&timer_cpu));
}

void timer_arm(struct timer *t, u64 deadline, void (*fn)(struct timer *))
{
	irqflags_t f = arch_irq_save();
	struct timer_cpu *tc = this_cpu_ptr(&timer_cpu);
	struct rb_node **link = &tc->tree.node, *parent = NULL;

	spin_lock(&tc->lock);
	ASSERT(!t->armed);
	t->deadline = deadline;
	t->fn = fn;
	t->cpu = this_cpu();
	t->armed = true;
	while (*link) {
		parent = *link;
		link = deadline < rb_entry(parent, struct timer, node)->deadline ? &parent->left
										 : &parent->right;
	}
	rb_link(&t->node, parent, link);
	rb_insert_fixup(&tc->tree, &t->node);
	program(tc);
	spin_unlock(&tc->lock);
	arch_irq_restore(f);
}

bool timer_cancel(struct timer *t)
{
	struct timer_cpu *tc = per_cpu_ptr(&timer_cpu, t->cpu);
	irqflags_t f = spin_lock_irqsave(&tc->lock);
	bool was = t->armed;

	if (was) {
		rb_erase(&tc->tree, &t->node);
		t->armed = false;
	}
	spin_unlock_irqrestore(&tc->lock, f);
	while (atomic_load_acquire(&tc->running) == t)
		arch_cpu_relax();
	return was;
}

static void run_expired(struct timer_cpu *tc, u64 now)
{
	for (;;) {
		struct rb_node *n;
		struct timer *t;
		irqflags_t f = spin_lock_irqsave(&tc->lock);

		n = rb_first(&tc->tree);
		t = n ? rb_entry(n, struct timer, node) : NULL;
		if (t && t->deadline <= now) {
			rb_erase(&tc->tree, n);
			t->armed = false;
			atomic_store_release(&tc->running, t);
		} else {
			t = NULL;
		}
		spin_unlock_irqrestore(&tc->lock, f);
		if (!t)
			return;
		t->fn(t);
		atomic_store_release(&tc->running, NULL);
	}
}

void trap_timer(struct trap_frame *tf)
{
	struct timer_cpu *tc = this_cpu_ptr(&timer_cpu);
	struct bb_cpu *c = port_cpu();
	u64 now = arch_ticks();

	trace(timer_entry);
	WRITE_ONCE(c->last_tick, now);
	WRITE_ONCE(c->ticks, c->ticks + 1);
	run_expired(tc, now);
	if (now >= tc->next_tick) {
		tc->next_tick = now + tick_period();
		for (unsigned int i = 0; i < TICK_HOOKS && tick_hooks[i]; i++)
			tick_hooks[i]();
	}
	spin_lock(&tc->lock);
	program(tc);
	spin_unlock(&tc->lock);
	trace(timer_return);
}

void timer_tick_start(void)
{
	struct timer_cpu *tc = this_cpu_ptr(&timer_cpu);
	struct bb_cpu *c = port_cpu();

	WRITE_ONCE(c->last_tick, arch_ticks());
	tc->next_tick = arch_ticks() + tick_period();
	spin_lock(&tc->lock);
	program(tc);
	spin_unlock(&tc->lock);
}

void timer_tick_stop(void)
{
	struct timer_cpu *tc = this_cpu_ptr(&timer_cpu);

	tc->next_tick = ~0ull;
	spin_lock(&tc->lock);
	program(tc);
	spin_unlock(&tc->lock);
}

void timer_add_tick_hook(void (*fn)(void))
{
	unsigned int i = 0;

	while (i < TICK_HOOKS && tick_hooks[i])
		i++;
	BUG_ON(i == TICK_HOOKS);
	atomic_store_release(&tick_hooks[i], fn);
}
