/* signal.c - signal dispositions and masks, and death by signal.
 *
 * Model: dispositions, masks and pending sets are kept as Linux keeps them, under
 * process_tree_lock. A signal whose action is to end the process does so: the process dies when it
 * next leaves the kernel or sleeps killably. A signal with a handler stays pending: running
 * handlers, and stopping, is not part of this version (kernel/syscall/README.md). pid 1 only dies
 * of what it does itself.
 */
#include <lib/atomic.h>
#include "task.h"

#define IGNORED_BY_DEFAULT                                                                         \
	(SIG_BIT(SIGCHLD) | SIG_BIT(SIGURG) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGCONT))
#define STOP_BY_DEFAULT (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define NEVER_BLOCKED   (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))

static bool is_ignored(const struct process *p, u32 sig)
{
	u64 handler = p->actions[sig - 1].handler;

	return handler == SIG_IGN ||
	       (handler == SIG_DFL && ((SIG_BIT(sig) & IGNORED_BY_DEFAULT) || p->pid == 1));
}

/* Drops what is ignored; the first deadly one marks the process. */
void signal_act(struct process *p)
{
	for (u64 left = p->sig_pending & ~p->sigmask; left; left &= left - 1) {
		u32 sig = (u32)__builtin_ctzll(left) + 1;
		u64 bit = SIG_BIT(sig), handler = p->actions[sig - 1].handler;

		if (is_ignored(p, sig)) {
			p->sig_pending &= ~bit;
			continue;
		}
		if (handler != SIG_DFL || (bit & STOP_BY_DEFAULT) || !p->thread)
			continue;
		p->sig_pending &= ~bit;
		if (atomic_load(&p->kill_sig) == 0)
			atomic_store(&p->kill_sig, sig);
		thread_kill(p->thread);
		return;
	}
	if (p->thread)
		thread_set_signal(p->thread, (p->sig_pending & ~p->sigmask) != 0);
}

void signal_exec(struct process *p)
{
	spin_lock(&process_tree_lock);
	for (u32 i = 0; i < NSIG; i++)
		if (p->actions[i].handler != SIG_IGN)
			p->actions[i] = (struct sig_action){.handler = SIG_DFL};
	spin_unlock(&process_tree_lock);
}

bool signal_children_reap_themselves(const struct process *p)
{
	const struct sig_action *a = &p->actions[SIGCHLD - 1];

	return a->handler == SIG_IGN || (a->flags & SA_NOCLDWAIT);
}

int process_sigaction(int sig, const struct sig_action *act, struct sig_action *old)
{
	struct process *p = current_process();

	if (sig < 1 || sig > NSIG || (act && (SIG_BIT(sig) & NEVER_BLOCKED)))
		return -EINVAL;
	spin_lock(&process_tree_lock);
	if (old)
		*old = p->actions[sig - 1];
	if (act) {
		p->actions[sig - 1] = *act;
		p->actions[sig - 1].mask &= ~NEVER_BLOCKED;
		if (is_ignored(p, (u32)sig))
			p->sig_pending &= ~SIG_BIT(sig); /* blocked or not */
		signal_act(p);
	}
	spin_unlock(&process_tree_lock);
	return 0;
}

int process_sigprocmask(int how, const u64 *set, u64 *old)
{
	struct process *p = current_process();
	int ret = 0;

	spin_lock(&process_tree_lock);
	if (old)
		*old = p->sigmask;
	if (set) {
		if (how == SIG_BLOCK)
			p->sigmask |= *set;
		else if (how == SIG_UNBLOCK)
			p->sigmask &= ~*set;
		else if (how == SIG_SETMASK)
			p->sigmask = *set;
		else
			ret = -EINVAL;
		p->sigmask &= ~NEVER_BLOCKED;
		signal_act(p);
	}
	spin_unlock(&process_tree_lock);
	return ret;
}

u64 process_sigpending(void)
{
	struct process *p = current_process();
	u64 pending;

	spin_lock(&process_tree_lock);
	pending = p->sig_pending & p->sigmask;
	spin_unlock(&process_tree_lock);
	return pending;
}
