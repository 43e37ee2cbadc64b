/* thread.c - birth and death of threads.
 *
 * Theory. A thread's entry in the black box's task table is taken at birth and cleared at the last
 * reference, or, for a process, when it has been waited for as well: so an unreaped child is there
 * to see, without a stack (state ZOMBIE, the thread's `zombie`). References: one for being alive
 * (dropped by the reaper after the last switch away), one for each holder of a pointer. A dead
 * thread's stack is freed by the reaper thread, because freeing a mapping needs interrupts on.
 * Slots: a free-slot bitmap under slot_lock; slots 0.. are the idle threads'. */
#include <irq/timer.h>
#include <lib/bug.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/lock_order.h>
#include <sync/wait.h>
#include <trace/glue.h>
#include <arch/boot.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "sched_private.h"

#define LOG_TAG "sched"
#include <lib/printk.h>

#define DEFAULT_WEIGHT 1024
#define DEFAULT_PRIO   120 /* Linux's nice 0 */

DEFINE_LOCK_CLASS(slot_class, "sched.slots", BB_LK_SPIN, RANK_SCHED_SLOTS);
static DEFINE_SPINLOCK(slot_lock, slot_class);
static u32 slot_hint; /* under slot_lock */

DEFINE_LOCK_CLASS(grave_class, "sched.grave", BB_LK_SPIN, RANK_SCHED_GRAVE);
static DEFINE_SPINLOCK(grave_lock, grave_class);
static LIST_HEAD(grave); /* dead threads, by all_link, under grave_lock */
DEFINE_LOCK_CLASS(grave_wait_class, "sched.dead", BB_LK_WAITQ, 0);
static struct wait_queue grave_wait = WAIT_QUEUE_INIT(grave_wait, grave_wait_class);

bool (*sched_thread_free)(struct thread *t);

/* The boot context: a thread before there is memory. Its entry moves to the table later. */
static struct bb_task boot_task = {.name = "idle/0",
				   .flags = BB_TASK_IDLE | BB_TASK_KTHREAD,
				   .state = BB_ST_RUNNING,
				   .syscall = -1,
				   .prio = DEFAULT_PRIO};
static struct bb_cpu boot_cpu; /* likewise, until trace_cpus_init() */
static struct thread boot_thread = {
	.bb = &boot_task, .weight = DEFAULT_WEIGHT, .refs = 1, .pinned = true};

void sched_init_early(void)
{
	park_ops = &sched_park_ops;
	boot_thread.kstack_base = boot_task.stack_base = (unsigned long)boot_stack;
	boot_thread.kstack_top = boot_task.stack_top = (unsigned long)boot_stack_top;
	track_context_task(&boot_thread.hold, &boot_task, 0);
	boot_thread.ring = &trace_early_ring;
	boot_thread.cpu_box = &boot_cpu;
	arch_set_current(&boot_thread);
	track_tables.tasks = &boot_task;
	track_tables.ntasks = 1;
}

void thread_adopt_boot(void)
{
	track_tables.tasks[0] = boot_task;
	boot_thread.bb = &track_tables.tasks[0];
	track_context_task(&boot_thread.hold, boot_thread.bb, 0);
}

void thread_runs_on(struct thread *t, unsigned int cpu)
{
	t->ring = *per_cpu_ptr(&trace_ring, cpu);
	t->cpu_box = *per_cpu_ptr(&trace_cpu, cpu);
}

static void name_copy(char *d, const char *s)
{
	char buf[BB_NAME_LEN] = {0};

	strscpy(buf, s, sizeof(buf));
	memcpy(d, buf, sizeof(buf));
}

static s64 slot_take(void)
{
	irqflags_t f = spin_lock_irqsave(&slot_lock);
	s64 found = -1;

	for (u32 i = 0; i < track_tables.ntasks; i++) {
		u32 s = (slot_hint + i) % track_tables.ntasks;

		if (track_tables.tasks[s].state == BB_ST_NONE && s != 0) {
			track_tables.tasks[s].state = BB_ST_NEW;
			slot_hint = s + 1;
			found = s;
			break;
		}
	}
	spin_unlock_irqrestore(&slot_lock, f);
	return found;
}

struct thread *thread_alloc(const char *name, u32 tid, u32 pid, u32 ppid, u32 flags)
{
	struct thread *t = kzalloc(sizeof(*t));
	void *stack = kstack_alloc();
	struct bb_task *b;
	s64 slot;

	if (!t || !stack)
		goto no_memory;
	slot = slot_take();
	if (slot < 0) {
		static bool said;

		if (!atomic_xchg(&said, true))
			pr_warn("the task table's %u entries are in use: boot with tasks=N for "
				"more",
				track_tables.ntasks);
		kstack_free(stack);
		kfree(t);
		return ERR_PTR(-EAGAIN);
	}
	b = &track_tables.tasks[slot];
	t->bb = b;
	t->slot = (u32)slot;
	track_context_task(&t->hold, b, t->slot);
	t->kstack_base = (unsigned long)stack;
	t->kstack_top = t->kstack_base + KSTACK_SIZE;
	t->refs = 1;
	t->weight = DEFAULT_WEIGHT;
	list_init(&t->all_link);
	b->ident_seq++;
	smp_wmb();
	b->tid = tid;
	b->pid = pid;
	b->ppid = ppid;
	b->flags = flags;
	name_copy(b->name, name);
	b->stack_base = t->kstack_base;
	b->stack_top = t->kstack_top;
	b->start_ticks = b->since = arch_ticks();
	b->syscall = -1;
	b->prio = DEFAULT_PRIO;
	b->cpu = this_cpu();
	*preempt_count_of(t) = 1; /* as if it had been switched away inside schedule() */
	smp_wmb();
	b->ident_seq++;
	return t;
no_memory:
	if (stack)
		kstack_free(stack);
	kfree(t);
	return ERR_PTR(-ENOMEM);
}

struct thread *thread_create(const char *name, void (*entry)(void *), void *arg, u32 pid, u32 ppid)
{
	u32 tid = pid ? pid : tid_alloc();
	struct thread *t = thread_alloc(name, tid, pid, ppid, pid ? 0 : BB_TASK_KTHREAD);

	if (IS_ERR(t))
		return t;
	t->entry = entry;
	t->arg = arg;
	arch_thread_init(t, entry, arg);
	trace(task_new, tid, pid, trace_str8(t->bb->name), trace_str8_2(t->bb->name));
	return t;
}

struct thread *idle_thread_create(unsigned int cpu)
{
	char name[16];
	struct thread *t;

	snprintf(name, sizeof(name), "idle/%u", cpu);
	t = thread_alloc(name, 0, 0, 0, BB_TASK_IDLE | BB_TASK_KTHREAD);
	if (IS_ERR(t))
		return t;
	t->pinned = true;
	t->bb->cpu = cpu;
	thread_runs_on(t, cpu);
	*preempt_count_of(t) = 0; /* it starts running, not switched to */
	return t;
}

void thread_set_name(struct thread *t, const char *name)
{
	WRITE_ONCE(t->bb->ident_seq, t->bb->ident_seq + 1);
	smp_wmb();
	name_copy(t->bb->name, name);
	smp_wmb();
	WRITE_ONCE(t->bb->ident_seq, t->bb->ident_seq + 1);
	trace(task_name, t->bb->tid, trace_str8(t->bb->name), trace_str8_2(t->bb->name));
}

u32 tid_alloc(void)
{
	static u32 last = 1; /* 1 is init's */
	u32 n;

	do {
		n = atomic_add_fetch(&last, 1) & 0x3fffffff;
	} while (n < 2);
	return n;
}

void thread_get(struct thread *t)
{
	atomic_fetch_add(&t->refs, 1);
}

void sched_entry_free(struct bb_task *b)
{
	/* State NONE is in the middle of the entry and offers it to the next thread: the lock keeps
	 * slot_take() from giving it away before the rest is clear. */
	irqflags_t f = spin_lock_irqsave(&slot_lock);
	u32 seq = b->ident_seq;

	WRITE_ONCE(b->ident_seq, seq + 1);
	smp_wmb();
	memset((char *)b + sizeof(b->ident_seq), 0, sizeof(*b) - sizeof(b->ident_seq));
	smp_wmb();
	WRITE_ONCE(b->ident_seq, seq + 2);
	spin_unlock_irqrestore(&slot_lock, f);
}

/* Of a thread whose stack is about to go: nothing may point there. Its last writer is gone. */
static void entry_forget_stack(struct bb_task *b)
{
	WRITE_ONCE(b->ident_seq, b->ident_seq + 1);
	WRITE_ONCE(b->sched_seq, b->sched_seq + 1);
	smp_wmb();
	b->stack_base = b->stack_top = 0;
	b->switch_sp = b->switch_fp = b->switch_pc = 0;
	smp_wmb();
	WRITE_ONCE(b->sched_seq, b->sched_seq + 1);
	WRITE_ONCE(b->ident_seq, b->ident_seq + 1);
}

void thread_put(struct thread *t)
{
	if (atomic_sub_fetch(&t->refs, 1))
		return;
	entry_forget_stack(t->bb);
	if (!sched_thread_free || !sched_thread_free(t))
		sched_entry_free(t->bb);
	kstack_free((void *)t->kstack_base);
	kfree(t);
}

void thread_exit(int code)
{
	struct thread *t = arch_current();

	t->exit_code = code;
	track_task_exit(RET_IP);
	trace(sched_exit, t->bb->tid, code);
	if (t->exited)
		complete(t->exited);
	arch_irq_disable();
	t->dead = true;
	schedule();
	panic("a dead thread ran again");
}

void thread_bury(struct thread *t) NO_TSA
{
	irqflags_t f = spin_lock_irqsave(&grave_lock);

	list_add_tail(&t->all_link, &grave);
	spin_unlock_irqrestore(&grave_lock, f);
	wake_up(&grave_wait);
}

static bool grave_empty(void)
{
	return READ_ONCE(grave.next) == &grave;
}

static void reaper(void *arg)
{
	for (;;) {
		struct thread *t = NULL;
		irqflags_t f;

		wait_event(&grave_wait, !grave_empty(), BB_WAIT_QUEUE, 0);
		f = spin_lock_irqsave(&grave_lock);
		if (!list_empty(&grave)) {
			t = list_first_entry(&grave, struct thread, all_link);
			list_del(&t->all_link);
		}
		spin_unlock_irqrestore(&grave_lock, f);
		if (t)
			thread_put(t);
	}
}

void thread_init_tables(void)
{
	struct thread *t = kthread_run("reaper", reaper, NULL);

	if (IS_ERR(t))
		panic("no memory for the reaper thread");
}

int thread_sleep_ns(u64 ns, bool killable)
{
	enum park_mode mode = killable ? PARK_KILLABLE : PARK_KERNEL;
	u64 deadline = arch_ticks() + ns_to_ticks(ns);
	struct track_wait w = {.object = &arch_current()->park_timer, .kind = BB_WAIT_TIMER};
	int err;

	track_might_sleep(RET_IP);
	track_wait_begin(&w, RET_IP);
	do {
		park_prepare(mode);
		err = park_until(mode, deadline);
	} while (!err);
	track_wait_end();
	return err == -ETIMEDOUT ? 0 : -EINTR;
}
