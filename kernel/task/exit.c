/* exit.c - the end of a process, and waiting for it.
 *
 * Theory. process_exit() runs in the dying thread. It gives back what may sleep first (files,
 * directory, address space), then, in one step under process_tree_lock, becomes a zombie, hands its
 * children to pid 1 and wakes the parent. From then on a waiter may take it out of the tree; the
 * thread's own reference keeps the structure alive through thread_exit().
 *
 * A waiter looks and takes under process_tree_lock; the same lock is held around the zombie's mark
 * and its wake-up, so that no child's end falls between a waiter's look and its sleep.
 */
#define LOG_TAG "process"
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <task/call.h>
#include <task/files.h>
#include <arch/cpu.h>
#include <tracing/events.h>
#include <uapi/process.h>
#include "task.h"

/* pid 1 has ended: a test boot is over, any other system is lost. */
static void __noreturn init_ended(int status)
{
	if (cmdline_is("exit", "poweroff")) {
		pr_info("init ended with status 0x%x: power off", (unsigned int)status);
		arch_poweroff(status == 0);
	}
	if (status & 0x7f)
		panic("init exited: killed by signal %d", status & 0x7f);
	panic("init exited with status %d", status >> 8 & 0xff);
}

static void process_give_back(struct process *p)
{
	static const u32 zero;
	struct mm *mm = p->mm;

	/* Only for who shares the memory, as on Linux: no process waits for a word of its own. */
	if (p->clear_child_tid && atomic_load(&mm->users) > 1 &&
	    copy_to_user(p->clear_child_tid, &zero, sizeof(zero)))
		p->clear_child_tid = NULL; /* unmapped meanwhile: nobody can look there */
	files_close_all(p);
	inode_put(p->cwd);
	spin_lock(&process_tree_lock);
	p->mm = NULL;
	spin_unlock(&process_tree_lock);
	mm_activate(NULL);
	mm_put(mm);
}

/* p is a zombie of its parent's, newly or by adoption. */
static void process_tell_parent(struct process *p) REQUIRES(process_tree_lock)
{
	signal_post(p->parent, (int)p->exit_signal);
	wake_up_all(&p->parent->child_wait);
}

/* Children of p become pid 1's. */
static void process_orphan_children(struct process *p) REQUIRES(process_tree_lock)
{
	struct process *c, *next;

	list_for_each_entry_safe (c, next, &p->children, sibling) {
		process_set_parent(c, process_one);
		c->exit_signal = SIGCHLD;
		if (c->zombie)
			process_tell_parent(c);
	}
}

void __noreturn process_exit(int status)
{
	struct process *p = current_process();
	u64 run_ns = process_run_ns();
	bool reaped;

	if (p->pid == 1)
		init_ended(status);
	process_give_back(p);

	call_end_if_any(current_thread()->bb, 0); /* a zombie is in no call */
	spin_lock(&process_tree_lock);
	p->status = status;
	p->run_ns = run_ns;
	p->thread = NULL;
	p->zombie = true;
	process_orphan_children(p);
	reaped = signal_children_reap_themselves(p->parent);
	current_thread()->zombie = !reaped;
	process_tell_parent(p);
	if (reaped)
		process_unlink(p);
	spin_unlock(&process_tree_lock);
	if (reaped)
		process_put(p);
	thread_exit(status);
}

/* ---- wait4 ---------------------------------------------------------------------------------- */

enum look { LOOK_NONE, LOOK_RUNNING, LOOK_FOUND };

static bool wait_matches(const struct process *c, const struct process *self, s32 pid)
{
	if (pid > 0)
		return c->pid == (u32)pid;
	if (pid == -1)
		return true;
	return c->pgid == (pid == 0 ? self->pgid : (u32)-pid);
}

/* Looks for a child that has ended and takes it out of the tree. */
static enum look wait_look(struct process *self, s32 pid, struct process **out)
{
	enum look found = LOOK_NONE;
	struct process *c;

	spin_lock(&process_tree_lock);
	list_for_each_entry (c, &self->children, sibling) {
		if (!wait_matches(c, self, pid))
			continue;
		found = LOOK_RUNNING;
		if (!c->zombie)
			continue;
		process_unlink(c);
		self->child_run_ns += c->run_ns + c->child_run_ns;
		*out = c;
		found = LOOK_FOUND;
		break;
	}
	spin_unlock(&process_tree_lock);
	return found;
}

static int wait_report(const struct process *c, int __user *status, void __user *rusage)
{
	u64 us = (c->run_ns + c->child_run_ns) / 1000;
	struct user_rusage ru = {.utime = {(s64)(us / 1000000), (s64)(us % 1000000)}};

	if (status && copy_to_user(status, &c->status, sizeof(c->status)))
		return -EFAULT;
	if (rusage && copy_to_user(rusage, &ru, sizeof(ru)))
		return -EFAULT;
	return 0;
}

long process_wait4(s32 pid, int __user *status, int options, void __user *rusage)
{
	struct process *self = current_process(), *c = NULL;
	enum look found = LOOK_NONE;
	long ret;

	if ((u32)options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (options & WNOHANG) {
		found = wait_look(self, pid, &c);
	} else {
		/* The condition takes the child; once c is set it must not take another. */
		ret = wait_event_killable(&self->child_wait,
					  c || (found = wait_look(self, pid, &c)) != LOOK_RUNNING,
					  BB_WAIT_CHILD, (u32)pid);
		if (ret)
			return -EINTR;
	}
	if (found == LOOK_NONE)
		return -ECHILD;
	if (found == LOOK_RUNNING)
		return 0;
	ret = wait_report(c, status, rusage);
	if (ret == 0)
		ret = c->pid;
	process_put(c);
	return ret;
}
