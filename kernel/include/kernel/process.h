/* process.h - processes: address space, open files, family. One thread each in this version. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <kernel/sched.h>
#include <kernel/vfs.h>
#include <kernel/vm.h>

#define NR_FILES 256

struct process {
	u32 pid;
	u32 refs; /* atomic */
	struct thread *thread;
	struct mm *mm;
	struct inode *cwd;
	struct process *parent;	  /* [T] */
	struct list_head children; /* [T] */
	struct list_head sibling; /* [T] */
	struct wait_queue child_wait;
	bool zombie; /* [T] */
	int status; /* as wait4 gives it [T] */
	struct mutex files_lock;
	struct file *files[NR_FILES]; /* under files_lock */
	u64 cloexec[NR_FILES / 64];
	u64 sigmask;
	u32 umask;
	u32 clear_child_tid_set;
	u32 __user *clear_child_tid;
	char name[32];
}; /* [T] = under process_tree_lock */

static inline struct process *current_process(void)
{
	return current_thread()->proc;
}
void process_init(void);
/* The first program, pid 1: tries init= from the command line, then /sbin/init. Panics with a
 * clear message when there is none. */
void process_start_init(void);
long process_fork(const struct trap_frame *parent, u64 flags, unsigned long stack);
/* Replaces the current program; returns only on error. */
long process_exec(const char __user *path, const unsigned long __user *argv,
		  const unsigned long __user *envp);
void __noreturn process_exit(int status); /* status as wait4 gives it */
long process_wait4(s32 pid, int __user *status, int options, void __user *rusage);
int process_kill(s32 pid, int sig);

#endif
