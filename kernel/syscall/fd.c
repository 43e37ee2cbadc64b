/* fd.c - system calls on descriptors: dup, fcntl, pipe, ioctl, poll. */
#include <ipc/pipe.h>
#include <lib/clock.h>
#include <sched/sched.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include <uapi/process.h>
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

long sys_dup(const unsigned long *a)
{
	return dup_from((int)a[0], 0, false);
}

long do_dup_to(int oldfd, int newfd, u32 flags)
{
	return fd_dup_to(oldfd, newfd, flags & O_CLOEXEC);
}

long sys_dup3(const unsigned long *a)
{
	if ((a[2] & ~(unsigned long)O_CLOEXEC) || (int)a[0] == (int)a[1])
		return -EINVAL;
	return do_dup_to((int)a[0], (int)a[1], (u32)a[2]);
}

static long fcntl_flags(int fd, bool set, u32 flags)
{
	const u32 may_change = O_APPEND | O_NONBLOCK;
	struct file *f = fd_get(fd);
	long ret = 0;

	if (!f)
		return -EBADF;
	if (set)
		f->flags = (f->flags & ~may_change) | (flags & may_change);
	else
		ret = f->flags;
	file_put(f);
	return ret;
}

long sys_fcntl(const unsigned long *a)
{
	int fd = (int)a[0], err;

	switch ((int)a[1]) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_from(fd, (unsigned int)a[2], (int)a[1] == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(fd);
	case F_SETFD:
		return fd_set_cloexec(fd, a[2] & FD_CLOEXEC);
	case F_GETFL:
		return fcntl_flags(fd, false, 0);
	case F_SETFL:
		return fcntl_flags(fd, true, (u32)a[2]);
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

long sys_pipe2(const unsigned long *a)
{
	return do_pipe((int __user *)a[0], (u32)a[1]);
}

long sys_ioctl(const unsigned long *a)
{
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = file_ioctl(f, (unsigned int)a[1], a[2]);
	file_put(f);
	return ret;
}

/* ---- poll
 * ------------------------------------------------------------------------------------------ Files
 * tell what is ready now but keep no list of pollers, so a poll that must wait looks again every
 * POLL_STEP_NS. Late by that much at most; a program that sleeps in poll costs 200 looks/s. */
#define POLL_STEP_NS (5 * 1000 * 1000ull)

struct user_pollfd {
	s32 fd;
	s16 events, revents;
};

static unsigned int poll_look(struct user_pollfd *p, size_t n)
{
	unsigned int ready = 0;

	for (size_t i = 0; i < n; i++) {
		struct file *f;
		u32 now = POLLNVAL;

		p[i].revents = 0;
		if (p[i].fd < 0)
			continue;
		f = fd_get(p[i].fd);
		if (f) {
			now = file_poll(f, NULL) & ((u16)p[i].events | POLLERR | POLLHUP | POLLNVAL);
			file_put(f);
		}
		p[i].revents = (s16)now;
		ready += now != 0;
	}
	return ready;
}

long do_poll(void __user *fds, size_t n, u64 timeout_ns)
{
	size_t bytes = n * sizeof(struct user_pollfd);
	u64 start = time_ns();
	struct user_pollfd *p;
	long ret;

	if (n > NR_FILES)
		return -EINVAL;
	p = kmalloc(bytes + 1);
	if (!p)
		return -ENOMEM;
	ret = copy_from_user(p, fds, bytes);
	while (!ret) {
		u64 gone = time_ns() - start;

		ret = poll_look(p, n);
		if (ret || gone >= timeout_ns)
			break;
		ret = thread_sleep_ns(MIN(timeout_ns - gone, POLL_STEP_NS), true);
	}
	if (ret >= 0 && copy_to_user(fds, p, bytes))
		ret = -EFAULT;
	kfree(p);
	return ret;
}

/* The signal mask has no effect: no handler can run meanwhile. */
long sys_ppoll(const unsigned long *a)
{
	struct user_timespec ts;
	u64 ns = INT64_MAX;

	if (a[2]) {
		if (copy_from_user(&ts, (const void __user *)a[2], sizeof(ts)))
			return -EFAULT;
		if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (s64)NSEC_PER_SEC)
			return -EINVAL;
		if ((u64)ts.sec < INT64_MAX / NSEC_PER_SEC - 1)
			ns = (u64)ts.sec * NSEC_PER_SEC + (u64)ts.nsec;
	}
	return do_poll((void __user *)a[0], (u32)a[1], ns);
}
