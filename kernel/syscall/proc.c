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

long sys_fork(void)
{
	return process_fork(arch_user_frame(), SIGCHLD, 0);
}

long sys_vfork(void)
{
	return process_fork(arch_user_frame(), CLONE_VFORK | CLONE_VM | SIGCHLD, 0);
}

long sys_clone(unsigned long flags, unsigned long stack, void __user *parent_tid, unsigned long a3,
	       unsigned long a4)
{
	struct clone_args args = {
		.flags = flags,
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = (u32 __user *)(ARCH_CLONE_CTID == 3 ? a3 : a4),
		.tls = ARCH_CLONE_TLS == 3 ? a3 : a4,
	};

	return process_clone(arch_user_frame(), &args);
}

long sys_execve(const char __user *path, const void __user *argv, const void __user *envp)
{
	return process_exec(path, argv, envp);
}

long sys_exit(int code)
{
	process_exit(status_of_exit(code));
}

/* One thread a process: the same. */
long sys_exit_group(int code)
{
	process_exit(status_of_exit(code));
}

long sys_wait4(s32 pid, void __user *status, int options, void __user *rusage)
{
	return process_wait4(pid, status, options, rusage);
}

long sys_kill(s32 pid, int sig)
{
	return process_kill(pid, sig);
}

long sys_tkill(s32 tid, int sig)
{
	return tid <= 0 ? -EINVAL : process_kill(tid, sig);
}

long sys_tgkill(s32 pid, s32 tid, int sig)
{
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	return pid == tid ? process_kill(tid, sig) : -ESRCH;
}

long sys_rt_sigaction(int sig, const void __user *uact, void __user *uold, size_t size)
{
	struct sig_action act, old;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (uact && copy_from_user(&act, uact, sizeof(act)))
		return -EFAULT;
	err = process_sigaction(sig, uact ? &act : NULL, &old);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

long sys_rt_sigprocmask(int how, const void __user *uset, void __user *uold, size_t size)
{
	u64 set, old;
	int err;

	if (size != SIGSET_SIZE)
		return -EINVAL;
	if (uset && copy_from_user(&set, uset, sizeof(set)))
		return -EFAULT;
	err = process_sigprocmask(how, uset ? &set : NULL, &old);
	if (!err && uold && copy_to_user(uold, &old, sizeof(old)))
		err = -EFAULT;
	return err;
}

long sys_rt_sigpending(void __user *uset, size_t size)
{
	u64 set = process_sigpending();

	if (size > SIGSET_SIZE)
		return -EINVAL;
	return copy_to_user(uset, &set, size);
}

long sys_getpid(void)
{
	return current_process()->pid;
}

long sys_gettid(void)
{
	return current_process()->pid;
}

long sys_getppid(void)
{
	return process_ppid();
}

/* Everything runs as root. */
long sys_getuid(void)
{
	return 0;
}

long sys_geteuid(void)
{
	return 0;
}

long sys_getgid(void)
{
	return 0;
}

long sys_getegid(void)
{
	return 0;
}

long sys_setpgid(s32 pid, s32 pgid)
{
	return process_setpgid(pid, pgid);
}

long sys_getpgid(s32 pid)
{
	return process_getpgid(pid);
}

long sys_getpgrp(void)
{
	return process_getpgid(0);
}

long sys_getsid(s32 pid)
{
	return process_getsid(pid);
}

long sys_setsid(void)
{
	return process_setsid();
}

long sys_set_tid_address(void __user *tid)
{
	struct process *p = current_process();

	p->clear_child_tid = tid;
	return p->pid;
}

/* Longer names are cut, as on Linux. */
static long set_name(const char __user *from)
{
	char name[PR_NAME_LEN];
	ssize_t len = strncpy_from_user(name, from, sizeof(name));

	if (len < 0 && len != -ENAMETOOLONG)
		return len;
	strscpy(current_process()->name, name, sizeof(name));
	thread_set_name(current_thread(), name);
	return 0;
}

long sys_prctl(int option, unsigned long a1, unsigned long a2, unsigned long a3, unsigned long a4)
{
	char name[PR_NAME_LEN] = {0};

	switch (option) {
	case PR_GET_NAME:
		strscpy(name, current_process()->name, sizeof(name)); /* nothing behind its end */
		return copy_to_user((void __user *)a1, name, sizeof(name));
	case PR_SET_NAME:
		return set_name((const char __user *)a1);
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
long sys_prlimit64(s32 pid, unsigned int which, const void __user *unew, void __user *uold)
{
	struct rlimit64 now = limit_of(which), want;

	if (which >= RLIM_NLIMITS)
		return -EINVAL;
	if (pid != 0 && (u32)pid != current_process()->pid)
		return -ESRCH;
	if (unew) {
		if (copy_from_user(&want, unew, sizeof(want)))
			return -EFAULT;
		if (want.cur != now.cur || want.max != now.max)
			return -EPERM;
	}
	if (uold && copy_to_user(uold, &now, sizeof(now)))
		return -EFAULT;
	return 0;
}

#define RUSAGE_SELF     0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD   1

/* User and system time are not told apart: all counts as user time. */
long sys_getrusage(int who, void __user *usage)
{
	struct user_rusage ru = {0};
	u64 ns;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	ns = who == RUSAGE_CHILDREN ? process_child_run_ns() : process_run_ns();
	ru.utime.sec = (s64)(ns / NSEC_PER_SEC);
	ru.utime.usec = (s64)(ns % NSEC_PER_SEC / 1000);
	return copy_to_user(usage, &ru, sizeof(ru));
}

long sys_times(void __user *tms)
{
	struct user_tms t = {
		.utime = (s64)(process_run_ns() / (NSEC_PER_SEC / USER_HZ)),
		.cutime = (s64)(process_child_run_ns() / (NSEC_PER_SEC / USER_HZ)),
	};

	if (tms && copy_to_user(tms, &t, sizeof(t)))
		return -EFAULT;
	return (long)(time_ns() / (NSEC_PER_SEC / USER_HZ));
}

long sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

long sys_sched_getaffinity(s32 pid, size_t size, void __user *umask)
{
	struct cpumask mask = {0};
	size_t bytes = (nr_cpus + 63) / 64 * sizeof(u64);

	if (size < bytes || size % sizeof(u64))
		return -EINVAL;
	if (pid != 0 && process_getpgid(pid) < 0)
		return -ESRCH;
	for_each_online_cpu (c)
		cpumask_set(&mask, c);
	return copy_to_user(umask, mask.bits, bytes) ? -EFAULT : (long)bytes;
}

long sys_getcpu(void __user *ucpu, void __user *unode, void __user *unused)
{
	u32 cpu, node = 0;

	preempt_disable();
	cpu = this_cpu();
	preempt_enable();
	if (ucpu && copy_to_user(ucpu, &cpu, sizeof(cpu)))
		return -EFAULT;
	if (unode && copy_to_user(unode, &node, sizeof(node)))
		return -EFAULT;
	return 0;
}

/* x86-64 only: the numbers are asm/prctl.h's. */
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003

long sys_arch_prctl(int code, unsigned long addr)
{
	unsigned long fs;

	switch (code) {
	case ARCH_SET_FS:
		if (addr >= USER_END)
			return -EPERM;
		arch_set_tls(addr);
		return 0;
	case ARCH_GET_FS:
		fs = arch_get_tls();
		return copy_to_user((void __user *)addr, &fs, sizeof(fs));
	}
	return -EINVAL;
}
