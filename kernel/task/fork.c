/* fork.c - new processes: fork, vfork and clone without shared memory.
 *
 * The child gets a copy of everything: address space (copy on write), table of open files, signal
 * state, registers. It is not visible to anybody before it is complete, so nothing here is undone
 * under a lock. vfork copies too: a parent that goes on running beside the child is allowed to a
 * program that follows vfork's rules. What the child must do itself at its first return to user
 * mode (set_child_tid) is left to the exit stub.
 */
#include <lib/string.h>
#include <task/files.h>
#include <arch/trap.h>
#include <arch/user.h>
#include <uapi/process.h>
#include "task.h"

#define FLAGS_DONE                                                                                 \
	(CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID |                   \
	 CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_DETACHED)

static int clone_check(const struct clone_args *args)
{
	u64 flags = args->flags;
	u64 sig = flags & CSIGNAL;

	if (flags & ~(u64)FLAGS_DONE)
		return -ENOSYS;
	if ((flags & CLONE_SETTLS) && args->tls >= USER_END)
		return -EPERM; /* x86-64 faults in the kernel on an address that is not canonical */
	if ((flags & CLONE_VM) && !(flags & CLONE_VFORK))
		return -ENOSYS;
	/* Children announce themselves by SIGCHLD or not at all. */
	return sig == 0 || sig == SIGCHLD ? 0 : -EINVAL;
}

static struct process *process_copy(struct process *parent, const struct clone_args *args)
{
	struct process *p = process_alloc(tid_alloc());
	struct mm *mm;

	if (!p)
		return ERR_PTR(-ENOMEM);
	mm = mm_fork(parent->mm);
	if (IS_ERR(mm)) {
		process_put(p);
		return ERR_PTR(PTR_ERR(mm));
	}
	p->mm = mm;
	p->cwd = parent->cwd;
	inode_get(p->cwd);
	p->umask = parent->umask;
	p->sigmask = parent->sigmask;
	p->exit_signal = args->flags & CSIGNAL;
	strscpy(p->name, parent->name, sizeof(p->name));
	spin_lock(&process_tree_lock);
	memcpy(p->actions, parent->actions, sizeof(p->actions));
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	spin_unlock(&process_tree_lock);
	files_copy(p, parent);
	if (args->flags & CLONE_CHILD_SETTID)
		p->set_child_tid = args->child_tid;
	if (args->flags & CLONE_CHILD_CLEARTID)
		p->clear_child_tid = args->child_tid;
	return p;
}

static void process_copy_undo(struct process *p)
{
	files_close_all(p);
	inode_put(p->cwd);
	mm_put(p->mm);
	process_put(p);
}

static long clone_once(const struct trap_frame *parent, const struct clone_args *args)
{
	struct process *self = current_process(), *p;
	struct trap_frame frame = *parent;
	struct thread *t;
	u32 pid;

	p = process_copy(self, args);
	if (IS_ERR(p))
		return PTR_ERR(p);
	pid = p->pid;
	t = thread_create(p->name, NULL, NULL, pid, self->pid);
	if (IS_ERR(t)) {
		process_copy_undo(p);
		return PTR_ERR(t);
	}
	process_attach(p, t);
	if (args->flags & CLONE_SETTLS) {
		/* The copy takes its thread pointer from ours. */
		unsigned long ours = arch_get_tls();

		arch_set_tls(args->tls);
		arch_thread_copy_user(t);
		arch_set_tls(ours);
	} else {
		arch_thread_copy_user(t);
	}
	if (args->stack)
		trap_set_sp(&frame, args->stack);
	arch_fork_frame(t, &frame);
	if ((args->flags & CLONE_PARENT_SETTID) &&
	    copy_to_user(args->parent_tid, &pid, sizeof(pid)))
		pid = p->pid; /* as Linux: a bad address is the caller's loss */
	spin_lock(&process_tree_lock);
	process_link(p, self);
	spin_unlock(&process_tree_lock);
	thread_run(t);
	return pid;
}

long process_clone(const struct trap_frame *parent, const struct clone_args *args)
{
	long ret = clone_check(args);

	if (ret)
		return ret;
	ret = clone_once(parent, args);
	for (u32 n = 0; ret == -ENOMEM && n < ROOM_TRIES && process_make_room(); n++)
		ret = clone_once(parent, args);
	return ret;
}

long process_fork(const struct trap_frame *parent, u64 flags, unsigned long stack)
{
	struct clone_args args = {.flags = flags, .stack = stack};

	return process_clone(parent, &args);
}
