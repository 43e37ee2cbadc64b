/* process.c - processes: their allocation, the family tree, groups and sessions.
 *
 * Theory. A process is found through the tree (process_all, its parent's children) as long as it
 * has not been waited for; that membership is one reference. Its thread holds the second one,
 * dropped when the last reference to the thread goes (sched_thread_free), so current_process() is
 * good to the thread's last instruction, even after somebody has waited for it. The last of the two
 * gives back the entry in the task table: a zombie is there to see.
 *
 * process_tree_lock, a spin lock, guards what process.h marks [T]. It is a leaf for this folder:
 * under it only wait queues are woken and threads marked for death. What sleeps (closing files,
 * freeing an address space) happens outside it, by the process itself, in process_exit().
 *
 * p->thread is NULL from the moment the process is a zombie: whoever finds it non-NULL under the
 * lock may use the thread as long as it holds the lock.
 */
#define LOG_TAG "process"
#include <ipc/pipe.h>
#include <lib/atomic.h>
#include <lib/bug.h>
#include <lib/clock.h>
#include <lib/string.h>
#include <sync/lock_order.h>
#include <task/files.h>
#include "task.h"

DEFINE_LOCK_CLASS(process_tree_class, "process.tree", BB_LK_SPIN, RANK_PROCESS_TREE);
DEFINE_LOCK_CLASS(process_files_class, "process.files", BB_LK_MUTEX, RANK_PROCESS_FILES);
DEFINE_LOCK_CLASS(process_child_class, "process.child", BB_LK_WAITQ, 0);
DEFINE_SPINLOCK(process_tree_lock, process_tree_class);
LIST_HEAD(process_all);
static unsigned int nr_processes;
struct process *process_one;

struct process *process_alloc(u32 pid)
{
	struct process *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->pid = p->pgid = p->sid = pid;
	p->refs = 1;
	p->umask = 022;
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->all_link);
	waitq_init(&p->child_wait, &process_child_class);
	mutex_init(&p->files_lock, &process_files_class);
	return p;
}

void process_put(struct process *p)
{
	if (atomic_sub_fetch(&p->refs, 1u))
		return;
	if (p->bb)
		sched_entry_free(p->bb);
	waitq_fini(&p->child_wait);
	mutex_fini(&p->files_lock);
	kfree(p);
}

void process_set_parent(struct process *p, struct process *parent)
{
	list_del(&p->sibling); /* an empty list's head before there is a parent */
	p->parent = parent;
	if (parent)
		list_add_tail(&p->sibling, &parent->children);
	WRITE_ONCE(p->bb->ppid, parent ? parent->pid : 0);
}

void process_link(struct process *p, struct process *parent)
{
	process_set_parent(p, parent);
	list_add_tail(&p->all_link, &process_all);
	nr_processes++;
}

void process_unlink(struct process *p)
{
	process_set_parent(p, NULL);
	list_del(&p->all_link);
	nr_processes--;
}

void process_attach(struct process *p, struct thread *t)
{
	atomic_fetch_add(&p->refs, 1u);
	p->thread = t;
	p->bb = t->bb;
	t->mm = p->mm;
	t->proc = p;
	files_note(p);
}

static bool process_thread_free(struct thread *t)
{
	if (!t->proc)
		return false;
	process_put(t->proc);
	return true;
}

static void raise_broken_pipe(void)
{
	if (current_process()) /* the kernel may write, too */
		process_raise(SIGPIPE);
}

void process_init(void)
{
	sched_thread_free = process_thread_free;
	vdso_init();
	pipe_broken = raise_broken_pipe;
}

unsigned int process_count(void)
{
	return atomic_load(&nr_processes);
}

struct process *process_find(s32 pid)
{
	struct process *p;

	list_for_each_entry (p, &process_all, all_link)
		if (p->pid == (u32)pid)
			return p;
	return NULL;
}

/* ---- kill ----------------------------------------------------------------------------------- */

void signal_post(struct process *p, int sig)
{
	if (sig == 0 || p->zombie)
		return;
	p->sig_pending |= SIG_BIT(sig);
	signal_act(p);
}

int process_kill(s32 pid, int sig)
{
	struct process *self = current_process(), *p;
	bool found = false;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	spin_lock(&process_tree_lock);
	if (pid > 0) {
		p = process_find(pid);
		if (p) {
			found = true;
			signal_post(p, sig);
		}
	} else {
		u32 group = pid == 0 ? self->pgid : (u32)-pid;

		list_for_each_entry (p, &process_all, all_link) {
			if (pid == -1 ? p->pid == 1 || p == self : p->pgid != group)
				continue;
			found = true;
			signal_post(p, sig);
		}
	}
	spin_unlock(&process_tree_lock);
	return found ? 0 : -ESRCH;
}

void process_raise(int sig)
{
	spin_lock(&process_tree_lock);
	signal_post(current_process(), sig);
	spin_unlock(&process_tree_lock);
}

/* ---- groups, sessions, identity ------------------------------------------------------------- */

u32 process_ppid(void)
{
	struct process *p = current_process();
	u32 ppid;

	spin_lock(&process_tree_lock);
	ppid = p->parent ? p->parent->pid : 0;
	spin_unlock(&process_tree_lock);
	return ppid;
}

long process_setpgid(s32 pid, s32 pgid)
{
	struct process *self = current_process(), *p, *q;
	long ret = 0;

	if (pid < 0 || pgid < 0)
		return -EINVAL;
	spin_lock(&process_tree_lock);
	p = pid == 0 ? self : process_find(pid);
	if (!p || (p != self && p->parent != self)) {
		ret = -ESRCH;
		goto out;
	}
	if (p->sid != self->sid || p->sid == p->pid) {
		ret = -EPERM; /* another session's, or a session leader */
		goto out;
	}
	if (pgid == 0)
		pgid = (s32)p->pid;
	if ((u32)pgid != p->pid) {
		ret = -EPERM; /* the group must exist in this session */
		list_for_each_entry (q, &process_all, all_link)
			if (q->pgid == (u32)pgid && q->sid == p->sid)
				ret = 0;
	}
	if (ret == 0)
		p->pgid = (u32)pgid;
out:
	spin_unlock(&process_tree_lock);
	return ret;
}

long process_getpgid(s32 pid)
{
	struct process *p;
	long ret = -ESRCH;

	spin_lock(&process_tree_lock);
	p = pid == 0 ? current_process() : process_find(pid);
	if (p)
		ret = p->pgid;
	spin_unlock(&process_tree_lock);
	return ret;
}

long process_getsid(s32 pid)
{
	struct process *p;
	long ret = -ESRCH;

	spin_lock(&process_tree_lock);
	p = pid == 0 ? current_process() : process_find(pid);
	if (p)
		ret = p->sid;
	spin_unlock(&process_tree_lock);
	return ret;
}

long process_setsid(void)
{
	struct process *self = current_process(), *p;
	long ret = self->pid;

	spin_lock(&process_tree_lock);
	list_for_each_entry (p, &process_all, all_link)
		if (p->pgid == self->pid)
			ret = -EPERM;
	if (ret > 0)
		self->sid = self->pgid = self->pid;
	spin_unlock(&process_tree_lock);
	return ret;
}

u64 process_run_ns(void)
{
	return ticks_to_ns(thread_run_ticks());
}

u64 process_child_run_ns(void)
{
	return atomic_load(&current_process()->child_run_ns);
}
