/* legacy.c - calls that only older ABIs have (x86-64), each in terms of its successor. */
#include <lib/clock.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include "file.h"
#include "syscall.h"

long sys_open(const unsigned long *a)
{
	return do_open(AT_FDCWD, (const char __user *)a[0], (u32)a[1], (u32)a[2]);
}

long sys_stat(const unsigned long *a)
{
	return do_stat(AT_FDCWD, (const char __user *)a[0], (void __user *)a[1], 0);
}

long sys_lstat(const unsigned long *a)
{
	return do_stat(AT_FDCWD, (const char __user *)a[0], (void __user *)a[1],
		       AT_SYMLINK_NOFOLLOW);
}

long sys_access(const unsigned long *a)
{
	return do_access(AT_FDCWD, (const char __user *)a[0], (u32)a[1]);
}

long sys_readlink(const unsigned long *a)
{
	return do_readlink(AT_FDCWD, (const char __user *)a[0], (void __user *)a[1], a[2]);
}

/* Unlike dup3, equal numbers are fine if the file is open. */
long sys_dup2(const unsigned long *a)
{
	int oldfd = (int)a[0], newfd = (int)a[1];

	if (oldfd == newfd)
		return fd_get_cloexec(oldfd) < 0 ? -EBADF : newfd;
	return do_dup_to(oldfd, newfd, 0);
}

long sys_pipe(const unsigned long *a)
{
	return do_pipe((int __user *)a[0], 0);
}

long sys_time(const unsigned long *a)
{
	s64 now = (s64)(time_wall_ns() / NSEC_PER_SEC);

	if (a[0] && copy_to_user((void __user *)a[0], &now, sizeof(now)))
		return -EFAULT;
	return now;
}

long sys_poll(const unsigned long *a)
{
	s32 ms = (s32)a[2];

	return do_poll((void __user *)a[0], (u32)a[1],
		       ms < 0 ? (u64)INT64_MAX : (u64)ms * (NSEC_PER_SEC / 1000));
}
