/* legacy.c - calls that only older ABIs have (x86-64), each in terms of its successor. */
#include <lib/clock.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include "file.h"
#include "syscall.h"

long sys_open(const char __user *path, unsigned int flags, u32 mode)
{
	return do_open(AT_FDCWD, path, flags, mode);
}

long sys_stat(const char __user *path, void __user *stat)
{
	return do_stat(AT_FDCWD, path, stat, 0);
}

long sys_lstat(const char __user *path, void __user *stat)
{
	return do_stat(AT_FDCWD, path, stat, AT_SYMLINK_NOFOLLOW);
}

long sys_access(const char __user *path, u32 mode)
{
	return do_access(AT_FDCWD, path, mode);
}

long sys_readlink(const char __user *path, void __user *buf, size_t size)
{
	return do_readlink(AT_FDCWD, path, buf, size);
}

/* Unlike dup3, equal numbers are fine if the file is open. */
long sys_dup2(int oldfd, int newfd)
{
	if (oldfd == newfd)
		return fd_get_cloexec(oldfd) < 0 ? -EBADF : newfd;
	return do_dup_to(oldfd, newfd, 0);
}

long sys_pipe(void __user *fds)
{
	return do_pipe(fds, 0);
}

long sys_time(void __user *t)
{
	s64 now = (s64)(time_wall_ns() / NSEC_PER_SEC);

	if (t && copy_to_user(t, &now, sizeof(now)))
		return -EFAULT;
	return now;
}

long sys_poll(void __user *fds, unsigned int n, int timeout)
{
	s32 ms = timeout;

	return do_poll(fds, n, ms < 0 ? (u64)INT64_MAX : (u64)ms * (NSEC_PER_SEC / 1000));
}
