/* sched/sched.h - the scheduler: per-CPU run queues ordered by virtual run time, preemptive,
 * balanced. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include <lib/cpu.h>
#include <sync/park.h>
#include <sync/preempt.h>
#include <arch/thread.h>

/* Makes the boot context the boot CPU's idle thread. Before any lock is taken that counts. */
void sched_init_early(void);
/* After box_build(): the boot thread's entry moves into the task table. */
void thread_adopt_boot(void);
/* The CPU whose ring and entry it uses; a switch sets it otherwise. */
void thread_runs_on(struct thread *t, unsigned int cpu);
/* Run queues and task table are ready; needs slab. */
void sched_init(void);
/* Gives up the CPU: to another thread if the current one is parked or preempted. */
void schedule(void);
void sched_yield(void);
/* Arch exit paths: reschedule if asked for. Interrupts masked on entry and return. */
void sched_preempt_irq(void);
/* Timer interrupt. */
void sched_tick(void);
void __noreturn sched_idle_loop(void);
/* The idle thread for a CPU about to be started; ERR_PTR(-ENOMEM). Thread context. */
struct thread *sched_secondary_idle(unsigned int cpu) must_check;
/* Starts every secondary CPU and waits for each (2 s limit, then a message and it stays off).
 * Thread context, boot CPU. */
void cpus_start(void);

/* Creates a thread that is not yet runnable; name is cut to 31 bytes. `proc`/`mm` NULL for kernel
 * threads. ERR_PTR(-ENOMEM), ERR_PTR(-EAGAIN) when the task table is full. May sleep. */
struct thread *thread_create(const char *name, void (*entry)(void *), void *arg, u32 pid, u32 ppid);
/* First wake. */
void thread_run(struct thread *t);
void thread_set_name(struct thread *t, const char *name);
void __noreturn thread_exit(int code);
void thread_get(struct thread *t);
void thread_put(struct thread *t);
/* Marks for death and ends its killable and interruptible waits. Any context but NMI. */
void thread_kill(struct thread *t);
/* Whether a signal that is not blocked waits to be handled; if so, ends an interruptible wait. The
 * keeper of signals calls it whenever that changes. Any context but NMI. */
void thread_set_signal(struct thread *t, bool pending);
/* Sleeps at least ns. Returns 0, or -EINTR if killed (killable = true). */
int thread_sleep_ns(u64 ns, bool killable);
/* How long the current thread has run, in ticks. */
u64 thread_run_ticks(void);
u32 tid_alloc(void); /* next thread or process id, never 0 */

/* kernel threads */
struct thread *kthread_run(const char *name, void (*entry)(void *), void *arg);
struct thread *kthread_run_on(unsigned int cpu, const char *name, void (*entry)(void *), void *arg);
bool kthread_should_stop(void);
/* Asks it to stop, waits until it has exited, returns its exit code. */
int kthread_stop(struct thread *t);
void __noreturn kthread_exit(int code);

/* What idle does before it sleeps, set once by the watchdog; fn: interrupts masked. */
void sched_set_idle_hook(void (*fn)(void));
/* The last reference to a thread is gone (task/ frees what hangs on it). Returns whether it keeps
 * the thread's entry in the task table and will free it; false for kernel threads. */
extern bool (*sched_thread_free)(struct thread *t);
/* Offers an entry of the task table to the next thread. Any context but NMI. */
void sched_entry_free(struct bb_task *b);

#endif
