/* exit_stub.c - the border between user mode and the kernel, in C.
 *
 * trap_exit_to_user() is the one way out: every return and every first entry passes it, with
 * interrupts masked from its last look at the pending work to the return instruction. It is where a
 * lock that its owner carries out of the kernel is found: after this point nobody can ever release
 * it. The site that a report shows is the one that somebody noted (task_leaving_here(), the
 * dispatcher), else the entry code's call.
 *
 * bb->mode and bb->user_epoch are the reader's facts: written here only, by the thread itself, the
 * epoch before the mode, so that whoever sees USER also sees the departure counted.
 */
#define LOG_TAG "trap"
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/printk.h>
#include <arch/irqflags.h>
#include <arch/upcalls.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "task.h"

void task_leaving_here(void)
{
	struct thread *t = current_thread();

	if (track_task_holds(t->bb))
		t->proc->leaving_site = RET_IP;
}

unsigned long task_here(void)
{
	return RET_IP;
}

/* clone's CLONE_CHILD_SETTID. A bad address is ignored, as on Linux. */
static void write_child_tid(struct process *p)
{
	u32 __user *to = p->set_child_tid;
	u32 pid = p->pid;

	p->set_child_tid = NULL;
	if (copy_to_user(to, &pid, sizeof(pid)))
		pr_debug("%s (pid %u): child_tid address is bad", p->name, pid);
}

/* Who marks a thread for death names no signal when the kernel itself wants it gone. */
static u32 killer(struct process *p)
{
	u32 sig = atomic_load(&p->kill_sig);

	return sig ? sig : SIGKILL;
}

static bool exit_resched(const struct thread *t)
{
	return READ_ONCE(t->cpu_box->need_resched);
}

static bool exit_has_work(const struct thread *t)
{
	return exit_resched(t) || atomic_load(&t->kill_pending) || t->proc->set_child_tid;
}

/* Everything that must happen before user code may run. Interrupts masked on entry and return. */
static void __noinline exit_work(struct thread *t)
{
	for (;;) {
		if (exit_resched(t)) {
			arch_irq_enable();
			schedule();
		} else if (atomic_load(&t->kill_pending)) {
			arch_irq_enable();
			process_exit(status_of_signal(killer(t->proc)));
		} else if (t->proc->set_child_tid) {
			arch_irq_enable();
			write_child_tid(t->proc);
		} else {
			return;
		}
		arch_irq_disable();
	}
}

/* Whoever notes a site does so holding a lock, so no older one is left to be found here. */
static void __noinline leave_with_locks(struct thread *t, unsigned long here)
{
	u64 site = t->proc->leaving_site;

	t->proc->leaving_site = 0;
	track_leaving(site ? site : here);
}

void trap_exit_to_user(struct trap_frame *tf)
{
	struct thread *t = current_thread();
	struct bb_task *bb = t->bb;

	arch_irq_disable();
	if (unlikely(exit_has_work(t)))
		exit_work(t);
	if (track_task_holds(bb))
		leave_with_locks(t, RET_IP);
	if (TRACING)
		bb->user_epoch++;
	smp_wmb();
	TRACE_FACT(bb->mode, BB_MODE_USER);
}

void trap_enter_from_user(struct trap_frame *tf)
{
	TRACE_FACT(current_thread()->bb->mode, BB_MODE_KERNEL);
}

void trap_exception(struct trap_frame *tf, int sig, const char *what, u64 code, unsigned long addr)
{
	struct process *p;

	trace(exception, sig, trap_pc(tf), code);
	if (!trap_from_user(tf))
		oops(tf, what, code, addr);
	arch_irq_enable();
	p = current_process();
	pr_info("%s (pid %u) killed: %s at 0x%lx pc 0x%lx", p->name, p->pid, what, addr,
		trap_pc(tf));
	process_exit(status_of_signal((u32)sig));
}
