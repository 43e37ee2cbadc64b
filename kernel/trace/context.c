/* context.c - which context holds the locks that are taken here: the thread's own, or that of the
 * interrupt on top of it (tracing/held.h). */
#include <lib/percpu.h>
#include <trace/glue.h>
#include <arch/thread.h>
#include <tracing/tracker.h>

/* A CPU's contexts: of an interrupt, and of what is on top of one or may be: an NMI hits anywhere.
 * Empty until trace_context_cpu_init(). */
static DEFINE_PER_CPU(struct track_context, irq_context);
static DEFINE_PER_CPU(struct track_context, deep_context);

void trace_context_cpu_init(unsigned int cpu, struct bb_cpu *box)
{
	track_context_cpu(per_cpu_ptr(&irq_context, cpu), box, 0);
	track_context_cpu(per_cpu_ptr(&deep_context, cpu), box, 1);
}

/* The own context of a level, as it is when the level begins. */
static void put_in_force(struct thread *t, const struct track_context *c)
{
	t->hold = *c;
	if (unlikely(track_all_locks()))
		track_divert(&t->hold, 0);
}

void trace_irq_enter(unsigned int depth)
{
	struct thread *t = arch_current();

	if (depth == 1)
		t->own = t->hold;
	put_in_force(t, this_cpu_ptr(depth == 1 ? &irq_context : &deep_context));
}

void trace_irq_exit(unsigned int depth)
{
	struct thread *t = arch_current();

	if (depth == 1)
		put_in_force(t, &t->own);
	else
		put_in_force(t, this_cpu_ptr(depth == 2 ? &irq_context : &deep_context));
}

struct track_context trace_nmi_enter(void)
{
	struct thread *t = arch_current();
	struct track_context was = {0};

	if (t) {
		was = t->hold;
		t->hold = *this_cpu_ptr(&deep_context);
	}
	return was;
}

void trace_nmi_exit(struct track_context was)
{
	struct thread *t = arch_current();

	if (t)
		t->hold = was;
}
