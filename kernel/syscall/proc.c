/* proc.c - system calls of processes: marshalling between registers, user memory and task/. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/string.h>
#include <task/process.h>
#include <arch/cpu.h>
#include <arch/user.h>
#include <uapi/process.h>
#include "syscall.h"

#define SIGSET_SIZE 8u

long sys_fork(const unsigned long *a)
{
	return process_fork(arch_user_frame(), SIGCHLD, 0);
}

long sys_vfork(const unsigned long *a)
{
	return process_fork(arch_user_frame(), CLONE_VFORK | CLONE_VM | SIGCHLD, 0);
}

long sys_clone(const unsigned long *a)
{
	struct clone_args args = {
		.flags = a[0],
		.stack = a[1],
		.parent_tid = (u32 __user *)a[2],
		.child_tid = (u32 __user *)a[ARCH_CLONE_CTID],
		.tls = a[ARCH_CLONE_TLS],
	};

	return process_clone(arch_user_frame(), &args);
}

long sys_execve(const unsigned long *a)
{
	return process_exec((const char __user *)a[0], (const unsigned long __user *)a[1],
			    (const unsigned long __user *)a[2]);
}

long sys_exit(const unsigned long *a)
{
	process_exit((int)(a[0] & 0xff) << 8);
}

/* One thread a process: the same. */
long sys_exit_group(const unsigned long *a)
{
	process_exit((int)(a[0] & 0xff) << 8);
}

long sys_wait4(const unsigned long *a)
{
	return process_wait4((s32)a[0], (int __user *)a[1], (int)a[2], (void __user *)a[3]);
}

long sys_kill(const unsigned long *a)
{
	return process_kill((s32)a[0], (int)a[1]);
}

long sys_tkill(const unsigned long *a)
{
	return (s32)a[0] <= 0 ? -EINVAL : process_kill((s32)a[0], (int)a[1]);
}

long sys_tgkill(const unsigned long *a)
{
	if ((s32)a[0] <= 0 || (s32)a[1] <= 0)
		return -EINVAL;
	return a[0] == a[1] ? process_kill((s32)a[1], (int)a[2]) : -ESRCH;
}

long sys_rt_sigaction(const unsigned long *a)
{
	struct sig_action act, old;
	int err;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a[1] && copy_from_user(&act, (const void __user *)a[1], sizeof(act)))
		return -EFAULT;
	err = process_sigaction((int)a[0], a[1] ? &act : NULL, &old);
	if (!err && a[2] && copy_to_user((void __user *)a[2], &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

long sys_rt_sigprocmask(const unsigned long *a)
{
	u64 set, old;
	int err;

	if (a[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a[1] && copy_from_user(&set, (const void __user *)a[1], sizeof(set)))
		return -EFAULT;
	err = process_sigprocmask((int)a[0], a[1] ? &set : NULL, &old);
	if (!err && a[2] && copy_to_user((void __user *)a[2], &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

long sys_rt_sigpending(const unsigned long *a)
{
	u64 set = process_sigpending();

	if (a[1] > SIGSET_SIZE)
		return -EINVAL;
	return copy_to_user((void __user *)a[0], &set, a[1]);
}

long sys_getpid(const unsigned long *a)
{
	return current_process()->pid;
}

long sys_gettid(const unsigned long *a)
{
	return current_process()->pid;
}

long sys_getppid(const unsigned long *a)
{
	return process_ppid();
}

/* Everything runs as root. */
long sys_getuid(const unsigned long *a)
{
	return 0;
}

long sys_geteuid(const unsigned long *a)
{
	return 0;
}

long sys_getgid(const unsigned long *a)
{
	return 0;
}

long sys_getegid(const unsigned long *a)
{
	return 0;
}

long sys_setpgid(const unsigned long *a)
{
	return process_setpgid((s32)a[0], (s32)a[1]);
}

long sys_getpgid(const unsigned long *a)
{
	return process_getpgid((s32)a[0]);
}

long sys_getpgrp(const unsigned long *a)
{
	return process_getpgid(0);
}

long sys_getsid(const unsigned long *a)
{
	return process_getsid((s32)a[0]);
}

long sys_setsid(const unsigned long *a)
{
	return process_setsid();
}

long sys_set_tid_address(const unsigned long *a)
{
	struct process *p = current_process();

	p->clear_child_tid = (u32 __user *)a[0];
	return p->pid;
}

long sys_prctl(const unsigned long *a)
{
	char name[PR_NAME_LEN] = {0};

	if ((int)a[0] == PR_GET_NAME) {
		memcpy(name, current_process()->name, PR_NAME_LEN - 1);
		return copy_to_user((void __user *)a[1], name, sizeof(name));
	}
	if ((int)a[0] == PR_SET_NAME) {
		ssize_t len = strncpy_from_user(name, (const char __user *)a[1], sizeof(name));

		if (len < 0 && len != -ENAMETOOLONG)
			return len;
		/* Longer names are cut, as on Linux. */
		if (len == -ENAMETOOLONG &&
		    copy_from_user(name, (const void __user *)a[1], sizeof(name) - 1))
			return -EFAULT;
		strscpy(current_process()->name, name, sizeof(name));
		thread_set_name(current_thread(), name);
		return 0;
	}
	return -EINVAL;
}

static struct rlimit64 limit_of(u32 which)
{
	switch (which) {
	case RLIMIT_STACK:
		return (struct rlimit64){8ul << 20, 8ul << 20};
	case RLIMIT_NOFILE:
		return (struct rlimit64){NR_FILES, NR_FILES};
	case RLIMIT_CORE:
		return (struct rlimit64){0, 0};
	}
	return (struct rlimit64){RLIM_INFINITY, RLIM_INFINITY};
}

/* Limits are the kernel's own and cannot be changed. */
long sys_prlimit64(const unsigned long *a)
{
	u32 which = (u32)a[1];
	struct rlimit64 now = limit_of(which), want;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if ((s32)a[0] != 0 && (u32)a[0] != current_process()->pid)
		return -ESRCH;
	if (a[2]) {
		if (copy_from_user(&want, (const void __user *)a[2], sizeof(want)))
			return -EFAULT;
		if (want.cur != now.cur || want.max != now.max)
			return -EPERM;
	}
	if (a[3] && copy_to_user((void __user *)a[3], &now, sizeof(now)))
		return -EFAULT;
	return 0;
}

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

/* User and system time are not told apart: all counts as user time. */
long sys_getrusage(const unsigned long *a)
{
	int who = (int)a[0];
	struct user_rusage ru = {0};
	u64 ns;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	ns = who == RUSAGE_CHILDREN ? process_child_run_ns() : process_run_ns();
	ru.utime.sec = (s64)(ns / NSEC_PER_SEC);
	ru.utime.usec = (s64)(ns % NSEC_PER_SEC / 1000);
	return copy_to_user((void __user *)a[1], &ru, sizeof(ru));
}

long sys_times(const unsigned long *a)
{
	struct user_tms t = {
		.utime = (s64)(process_run_ns() / (NSEC_PER_SEC / USER_HZ)),
		.cutime = (s64)(process_child_run_ns() / (NSEC_PER_SEC / USER_HZ)),
	};

	if (a[0] && copy_to_user((void __user *)a[0], &t, sizeof(t)))
		return -EFAULT;
	return (long)(time_ns() / (NSEC_PER_SEC / USER_HZ));
}

long sys_sched_yield(const unsigned long *a)
{
	sched_yield();
	return 0;
}

long sys_sched_getaffinity(const unsigned long *a)
{
	struct cpumask mask = {0};
	size_t bytes = (nr_cpus + 63) / 64 * sizeof(u64);

	if (a[1] < bytes || a[1] % sizeof(u64))
		return -EINVAL;
	if ((s32)a[0] != 0 && process_getpgid((s32)a[0]) < 0)
		return -ESRCH;
	for_each_online_cpu (c)
		cpumask_set(&mask, c);
	return copy_to_user((void __user *)a[2], mask.bits, bytes) ? -EFAULT : (long)bytes;
}

long sys_getcpu(const unsigned long *a)
{
	u32 cpu, node = 0;

	preempt_disable();
	cpu = this_cpu();
	preempt_enable();
	if (a[0] && copy_to_user((void __user *)a[0], &cpu, sizeof(cpu)))
		return -EFAULT;
	if (a[1] && copy_to_user((void __user *)a[1], &node, sizeof(node)))
		return -EFAULT;
	return 0;
}

/* x86-64 only: the numbers are asm/prctl.h's. */
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

long sys_arch_prctl(const unsigned long *a)
{
	unsigned long fs;

	switch ((int)a[0]) {
	case ARCH_SET_FS:
		if (a[1] >= USER_END)
			return -EPERM;
		arch_set_tls(a[1]);
		return 0;
	case ARCH_GET_FS:
		fs = arch_get_tls();
		return copy_to_user((void __user *)a[1], &fs, sizeof(fs));
	}
	return -EINVAL;
}
