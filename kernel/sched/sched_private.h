/* sched_private.h - what the files of sched share. */
#ifndef SCHED_PRIVATE_H
#define SCHED_PRIVATE_H

#include <sched/sched.h>
#include <sync/spinlock.h>

struct cpu_rq {
	struct spinlock lock;
	struct rb_root tree; /* queued threads by vruntime; all below under lock */
	u32 nr;              /* in the tree */
	u64 min_vruntime;
	struct thread *curr, *idle;
	u32 balance_countdown;
};
DECLARE_PER_CPU(struct cpu_rq, run_queue);
extern const struct park_ops sched_park_ops;

/* Fills a thread's task-table entry and registers it. */
struct thread *thread_alloc(const char *name, u32 tid, u32 pid, u32 ppid, u32 flags);
/* Gives a CPU its idle thread. */
void sched_init_cpu(unsigned int cpu, struct thread *idle);
struct thread *idle_thread_create(unsigned int cpu);
void sched_set_state(struct thread *t, u32 state);
/* After it has left its CPU for ever: hands it to the reaper. */
void thread_bury(struct thread *t);
void thread_init_tables(void);

#endif
