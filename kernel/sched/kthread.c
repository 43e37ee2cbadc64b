/* kthread.c - kernel threads: run, stop, exit code. The creator holds a reference until
 * kthread_stop(); threads that are never stopped keep it for ever, which costs nothing. */
#include <lib/bug.h>
#include <mm/mm.h>
#include <sync/wait.h>
#include "sched_private.h"

DEFINE_LOCK_CLASS(kthread_exit_class, "kthread.exited", BB_LK_COMPLETION, 0);

static struct thread *kthread_make(const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t = thread_create(name, entry, arg, 0, 0);
	struct completion *c;

	if (IS_ERR(t))
		return t;
	c = kzalloc(sizeof(*c));
	if (!c) {
		thread_put(t);
		return ERR_PTR(-ENOMEM);
	}
	completion_init(c, &kthread_exit_class);
	completion_ended_by(c, t);
	t->exited = c;
	thread_get(t);
	return t;
}

struct thread *kthread_run(const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t = kthread_make(name, entry, arg);

	if (!IS_ERR(t))
		thread_run(t);
	return t;
}

struct thread *kthread_run_on(unsigned int cpu, const char *name, void (*entry)(void *), void *arg)
{
	struct thread *t = kthread_make(name, entry, arg);

	if (IS_ERR(t))
		return t;
	t->bb->cpu = cpu;
	t->pinned = true;
	thread_run(t);
	return t;
}

bool kthread_should_stop(void)
{
	return atomic_load_acquire(&arch_current()->should_stop);
}

int kthread_stop(struct thread *t)
{
	int code;

	atomic_store_release(&t->should_stop, true);
	unpark(t);
	wait_for_completion(t->exited);
	code = t->exit_code;
	completion_fini(t->exited);
	kfree(t->exited);
	t->exited = NULL;
	thread_put(t);
	return code;
}

void kthread_exit(int code)
{
	thread_exit(code);
}
