/* arch/thread.h - a schedulable thread, kernel or user. What a reader of the black box needs
 * (state, CPU, held locks, waits, preempt count, names) lives only in its entry `bb`: one truth. */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include <lib/list.h>
#include <lib/rbtree.h>
#include <lib/timer.h>
#include <arch/context.h>
#include <arch/percpu.h>
#include <tracing/blackbox.h>
#include <tracing/config.h>
#include <tracing/held.h>

#define KSTACK_SIZE (16 * 1024ul)

/* One interrupt level in preempt_count_of(). */
#define PREEMPT_IRQ      (1u << 16)
#define PREEMPT_IRQ_MASK 0x00ff0000u

struct process;
struct mm;
struct cpu_rq;

struct thread {
	/* Offsets of the first four are known to entry code (asm-offsets). */
	unsigned long kstack_top;  /* user entries start here */
	unsigned long kstack_base; /* lowest address; the guard page is below */
	struct bb_task *bb;
	u64 stack_canary;

	/* Holding locks (tracing/held.h): the context in force, and while an interrupt is on top
	 * its own. Where it runs, set at each switch to it. */
	struct track_context hold;
#if TRACING
	struct track_context own;
#else
	u32 preempt_count; /* see preempt_count_of() */
#endif
	struct bb_ring *ring;
	struct bb_cpu *cpu_box;

	struct arch_thread arch;

	struct process *proc; /* NULL: kernel thread */
	struct mm *mm;        /* address space, NULL: kernel thread */
	u32 slot;             /* index of bb in the task table */
	u32 refs;             /* atomic */

	/* under the run queue lock of bb->cpu */
	struct rb_node run_node;
	u64 vruntime;   /* ns, weighted */
	u64 exec_start; /* ticks */
	u64 slice_start;
	u32 weight;
	bool queued;    /* in the run queue's tree */
	u32 park_state; /* atomic; enum park_mode it is about to sleep in, 0 none */
	bool pinned;    /* stays on its CPU */
	bool dead;      /* switch away for the last time */
	bool zombie;    /* own: its entry stays after its end, until somebody has waited for it */

	struct timer park_timer; /* own: ends its park_until() */

	bool kill_pending;   /* atomic: die at the next exit to user mode or killable wait */
	bool signal_pending; /* atomic: a signal that is not blocked waits to be handled */
	void (*entry)(void *);
	void *arg;
	/* kthread */
	bool should_stop; /* atomic */
	int exit_code;
	struct completion *exited;
	struct list_head all_link; /* under thread_list_lock */
};

/* Bits 0-15: preempt_disable() nesting, 16-23: interrupt depth. In the black box if anybody reads
 * that. */
static inline u32 *preempt_count_of(struct thread *t)
{
#if TRACING
	return &t->bb->preempt_count;
#else
	return &t->preempt_count;
#endif
}

static inline struct thread *current_thread(void)
{
	return arch_current();
}

#endif
