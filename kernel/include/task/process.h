/* task/process.h - processes: address space, open files, family. One thread each in this version.
 */
#ifndef TASK_PROCESS_H
#define TASK_PROCESS_H

#include <fs/vfs.h>
#include <mm/vm.h>
#include <sched/sched.h>
#include <uapi/signal.h>

#define NR_FILES 256

struct process {
	u32 pid;
	u32 refs; /* atomic */
	struct thread *thread;
	struct bb_task *bb; /* its entry in the task table, as long as refs > 0 */
	struct mm *mm;      /* changed by its own thread, under [T]: whoever has that may look */
	struct inode *cwd;
	struct process *parent;    /* [T] */
	struct list_head children; /* [T] */
	struct list_head sibling;  /* [T] */
	struct wait_queue child_wait;
	bool zombie; /* [T] */
	int status;  /* as wait4 gives it [T] */
	struct mutex files_lock;
	struct file *files[NR_FILES]; /* under files_lock */
	u64 cloexec[NR_FILES / 64];
	u64 sigmask;
	u32 umask;
	u32 clear_child_tid_set;
	u32 __user *clear_child_tid;
	char name[32];
	struct list_head all_link; /* [T] */
	u32 pgid, sid;             /* [T] */
	u32 __user *set_child_tid; /* written at the child's first return to user mode, then NULL */
	struct sig_action actions[NSIG]; /* [T] */
	u64 sig_pending;                 /* [T] */
	u64 leaving_site; /* own: where it is about to leave the kernel, 0 = nobody noted it */
	u32 exit_signal;  /* to the parent at its end; 0 = none; set at birth */
	u32 kill_sig;     /* atomic: signal that ended it, 0 = none yet */
	u64 run_ns, child_run_ns; /* CPU time at its end; of children waited for [T] */
};                                /* [T] = under process_tree_lock */

static inline struct process *current_process(void)
{
	return current_thread()->proc;
}
void process_init(void);
/* The first program, pid 1: tries init= from the command line, then /sbin/init. Panics with a
 * clear message when there is none. */
void process_start_init(void);
long process_fork(const struct trap_frame *parent, u64 flags, unsigned long stack);
/* The same with all of clone's arguments. Memory is never shared: CLONE_VM is only accepted
 * together with CLONE_VFORK, and gives a copy. Child's pid, -EINVAL, -ENOSYS, -ENOMEM, -EAGAIN. */
struct clone_args {
	u64 flags;
	unsigned long stack, tls;
	u32 __user *parent_tid, *child_tid;
};
long process_clone(const struct trap_frame *parent, const struct clone_args *args);
/* /dev/urandom, open from before the first program on: getrandom reads it. */
extern struct file *task_random;
/* Replaces the current program; returns only on error. */
long process_exec(const char __user *path, const unsigned long __user *argv,
		  const unsigned long __user *envp);
void __noreturn process_exit(int status); /* status as wait4 gives it */
static inline int status_of_exit(int code)
{
	return (code & 0xff) << 8;
}
long process_wait4(s32 pid, int __user *status, int options, void __user *rusage);
int process_kill(s32 pid, int sig);
/* Raises sig for the current process, as a write to a broken pipe does. */
void process_raise(int sig);
/* Signal state of the current process. -EINVAL for numbers out of range. Kernel pointers. */
int process_sigaction(int sig, const struct sig_action *act, struct sig_action *old);
int process_sigprocmask(int how, const u64 *set, u64 *old);
u64 process_sigpending(void);
/* Process groups and sessions, as the system calls of these names. pid 0 = the current process. */
long process_setpgid(s32 pid, s32 pgid);
long process_getpgid(s32 pid);
long process_getsid(s32 pid);
long process_setsid(void);
u32 process_ppid(void);
/* CPU time in ns of the current process, and of the children it has waited for. */
u64 process_run_ns(void);
u64 process_child_run_ns(void);
unsigned int process_count(void);

#endif
