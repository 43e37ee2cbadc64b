/* fd.c - system calls on descriptors: dup, fcntl, pipe, ioctl. */
#include <ipc/pipe.h>
#include <lib/atomic.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include "file.h"
#include "syscall.h"

static long dup_from(int fd, unsigned int min, bool cloexec)
{
	struct file *f = fd_get(fd);
	int ret;

	if (!f)
		return -EBADF;
	ret = fd_install(f, min, cloexec);
	if (ret < 0)
		file_put(f);
	return ret;
}

long sys_dup(int fd)
{
	return dup_from(fd, 0, false);
}

long do_dup_to(int oldfd, int newfd, u32 flags)
{
	return fd_dup_to(oldfd, newfd, flags & O_CLOEXEC);
}

long sys_dup3(int oldfd, int newfd, unsigned int flags)
{
	if ((flags & ~(unsigned long)O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return do_dup_to(oldfd, newfd, flags);
}

static long fcntl_flags(int fd, bool set, u32 flags)
{
	const u32 may_change = O_APPEND | O_NONBLOCK;
	struct file *f = fd_get(fd);
	long ret = 0;
	u32 now;

	if (!f)
		return -EBADF;
	now = atomic_load(&f->flags);
	if (!set)
		ret = now;
	else if (now & O_PATH)
		ret = -EBADF;
	else /* other holders of the file may be doing the same */
		while (!atomic_try_cmpxchg(&f->flags, &now,
					   (now & ~may_change) | (flags & may_change)))
			;
	file_put(f);
	return ret;
}

long sys_fcntl(int fd, int cmd, unsigned long arg)
{
	int err;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_from(fd, arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return fcntl_flags(fd, false, 0);
	case F_SETFL:
		return fcntl_flags(fd, true, arg);
	}
	err = fd_get_cloexec(fd);
	return err < 0 ? err : -EINVAL;
}

long do_pipe(int __user *out, u32 flags)
{
	struct file *f[2];
	int fd[2], err;

	if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = pipe_create(f, flags & O_NONBLOCK);
	if (err)
		return err;
	err = fd_install_pair(f, flags & O_CLOEXEC, fd);
	if (err) {
		file_put(f[0]);
		file_put(f[1]);
		return err;
	}
	if (copy_to_user(out, fd, sizeof(fd))) {
		fd_close(fd[0]);
		fd_close(fd[1]);
		return -EFAULT;
	}
	return 0;
}

long sys_pipe2(void __user *fds, unsigned int flags)
{
	return do_pipe(fds, flags);
}

long sys_ioctl(int fd, unsigned int cmd, unsigned long arg)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_ioctl(f, cmd, arg);
	file_put(f);
	return ret;
}
