/* poll.c - poll, ppoll, select, pselect6: one loop, several forms of asking.
 *
 * Theory. A first look asks the files what is ready and, if anything is or nobody wants to wait,
 * that is all. Otherwise each file is held, looked at again with a poll table on whose queues it
 * puts us (register, then look: what becomes ready after the look wakes us), and the thread sleeps
 * until one of those queues is woken, the time is up or it is killed. Nothing looks again because
 * time has passed. The files held keep the queues alive until poll_finish().
 *
 * select is poll over a list made from its bit sets; a descriptor that is not open, which poll
 * tells in revents, is -EBADF. Times and sets are as on Linux (fs/select.c is the ABI): what is
 * left of the time is written back, but by poll, which has a plain number.
 */
#include <lib/string.h>
#include <sync/poll.h>
#include <task/files.h>
#include <uapi/fcntl.h>
#include "clock.h"
#include "file.h"
#include "syscall.h"

struct user_pollfd {
	s32 fd;
	s16 events, revents;
};

#define FEW_FDS 16u /* so many are kept on the stack */

/* ---- the loop -------------------------------------------------------------------------------- */

static bool look_at(struct file *f, struct user_pollfd *p, struct poll_table *table)
{
	u32 now = f ? file_poll(f, table) : POLLNVAL;

	now &= (u16)p->events | POLLERR | POLLHUP | POLLNVAL;
	p->revents = (s16)now;
	return now != 0;
}

static unsigned int look_at_all(struct user_pollfd *p, size_t n)
{
	unsigned int ready = 0;

	for (size_t i = 0; i < n; i++) {
		p[i].revents = 0;
		if (p[i].fd >= 0)
			ready += look_at(fd_peek(p[i].fd), &p[i], NULL);
	}
	return ready;
}

/* Whoever sleeps: a table with room for all queues, and the files, NULL for a negative number. */
struct sleeper {
	struct poll_table table;
	struct file **files;
};

/* Those that are held; the table only the first time. */
static unsigned int look_at_held(struct sleeper *s, struct user_pollfd *p, size_t n,
				 struct poll_table *table)
{
	unsigned int ready = 0;

	for (size_t i = 0; i < n; i++)
		if (s->files[i])
			ready += look_at(s->files[i], &p[i], table);
	return ready;
}

static long sleep_until_ready(struct user_pollfd *p, size_t n, u64 deadline)
{
	size_t queues = n * POLL_QUEUES;
	struct poll_entry *entries =
		kmalloc(queues * sizeof(*entries) + n * sizeof(struct file *) + 1);
	struct sleeper s = {.files = (struct file **)(entries + queues)};
	long ready;
	int err = 0;

	if (!entries)
		return -ENOMEM;
	/* All are open, or the first look would have told; one that another thread has closed since
	 * is not looked at any more, as one that it closes while we sleep. */
	for (size_t i = 0; i < n; i++)
		s.files[i] = p[i].fd >= 0 ? fd_get(p[i].fd) : NULL;
	poll_init(&s.table, entries, (unsigned int)queues);
	ready = look_at_held(&s, p, n, &s.table);
	while (!ready && !err) {
		err = poll_sleep(&s.table, PARK_KILLABLE, deadline);
		ready = look_at_held(&s, p, n, NULL);
	}
	poll_finish(&s.table);
	for (size_t i = 0; i < n; i++)
		if (s.files[i])
			file_put(s.files[i]);
	kfree(entries);
	return ready || err == -ETIMEDOUT ? ready : -EINTR;
}

/* INT64_MAX stands for ever; so does what a counter cannot hold. */
static u64 deadline_after(u64 ns)
{
	return ns > INT64_MAX / 16 ? PARK_FOREVER : arch_ticks() + ns_to_ticks(ns) + 1;
}

static long poll_for(struct user_pollfd *p, size_t n, u64 ns)
{
	u64 deadline = ns ? deadline_after(ns) : 0;
	unsigned int ready = look_at_all(p, n);

	return ready || !ns ? (long)ready : sleep_until_ready(p, n, deadline);
}

/* ---- poll ------------------------------------------------------------------------------------ */

long do_poll(void __user *fds, size_t n, u64 timeout_ns)
{
	size_t bytes = n * sizeof(struct user_pollfd);
	struct user_pollfd few[FEW_FDS], *p = few;
	long ret;

	if (n > NR_FILES)
		return -EINVAL;
	if (n > FEW_FDS && !(p = kmalloc(bytes)))
		return -ENOMEM;
	ret = copy_from_user(p, fds, bytes);
	if (!ret)
		ret = poll_for(p, n, timeout_ns);
	if (ret >= 0 && copy_to_user(fds, p, bytes))
		ret = -EFAULT;
	if (p != few)
		kfree(p);
	return ret;
}

/* A signal mask in force for the call only: what it lets through may end the process. */
static int mask_begin(const void __user *set, size_t size, u64 *old)
{
	u64 mask;

	if (!set)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, set, sizeof(mask)))
		return -EFAULT;
	return process_sigprocmask(SIG_SETMASK, &mask, old);
}

static void mask_end(const void __user *set, const u64 *old)
{
	if (set)
		(void)process_sigprocmask(SIG_SETMASK, old, NULL);
}

/* What is left of the time; a place that cannot be written is the caller's loss, as on Linux. */
static void write_rest(struct user_timespec __user *to, u64 end)
{
	u64 now = time_ns();
	struct user_timespec ts = timespec_of(end > now ? end - now : 0);

	if (copy_to_user(to, &ts, sizeof(ts)))
		return;
}

long sys_ppoll(void __user *fds, unsigned int n, void __user *ts, const void __user *set,
	       size_t size)
{
	u64 ns = INT64_MAX, start = time_ns(), old;
	long ret;

	if (ts && (ret = timespec_get(ts, &ns)))
		return ret;
	ret = mask_begin(set, size, &old);
	if (ret)
		return ret;
	ret = do_poll(fds, n, ns);
	mask_end(set, &old);
	if (ts)
		write_rest(ts, start + ns);
	return ret;
}

/* ---- select ---------------------------------------------------------------------------------- */

#define SET_WORDS (NR_FILES / 64)

/* Its three sets, in the order of the arguments, and what each means to poll. */
enum { SET_IN, SET_OUT, SET_EX, SETS };
static const struct {
	u32 asks, told;
} set_events[SETS] = {
	[SET_IN] = {POLLIN, POLLIN | POLLHUP | POLLERR},
	[SET_OUT] = {POLLOUT, POLLOUT | POLLERR},
	[SET_EX] = {POLLPRI, POLLPRI},
};

struct select_sets {
	u64 bits[SETS][SET_WORDS];
};

static size_t set_bytes(unsigned int n)
{
	return (n + 63) / 64 * sizeof(u64);
}

static int sets_get(struct select_sets *s, u64 __user *const user[SETS], unsigned int n)
{
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < SETS; i++)
		if (user[i] && copy_from_user(s->bits[i], user[i], set_bytes(n)))
			return -EFAULT;
	return 0;
}

static int sets_put(const struct select_sets *s, u64 __user *const user[SETS], unsigned int n)
{
	for (unsigned int i = 0; i < SETS; i++)
		if (user[i] && copy_to_user(user[i], s->bits[i], set_bytes(n)))
			return -EFAULT;
	return 0;
}

static unsigned int list_of_sets(const struct select_sets *s, unsigned int n, struct user_pollfd *p)
{
	unsigned int used = 0;

	for (unsigned int fd = 0; fd < n; fd++) {
		u32 events = 0;

		for (unsigned int i = 0; i < SETS; i++)
			if (s->bits[i][fd / 64] >> (fd % 64) & 1)
				events |= set_events[i].asks;
		if (events)
			p[used++] = (struct user_pollfd){.fd = (s32)fd, .events = (s16)events};
	}
	return used;
}

/* Leaves in the sets what was asked for and is so; how many bits that is, or -EBADF. */
static long sets_of_list(struct select_sets *s, const struct user_pollfd *p, unsigned int used)
{
	struct select_sets asked = *s;
	long n = 0;

	memset(s, 0, sizeof(*s));
	for (unsigned int k = 0; k < used; k++) {
		unsigned int fd = (unsigned int)p[k].fd;

		if (p[k].revents & POLLNVAL)
			return -EBADF;
		for (unsigned int i = 0; i < SETS; i++)
			if ((p[k].revents & (s16)set_events[i].told) &&
			    (asked.bits[i][fd / 64] >> (fd % 64) & 1)) {
				s->bits[i][fd / 64] |= 1ull << (fd % 64);
				n++;
			}
	}
	return n;
}

/* count: one more than the highest number. Each set may be NULL. */
static long do_select(int count, void __user *in, void __user *out, void __user *ex, u64 ns)
{
	u64 __user *const user[SETS] = {in, out, ex};
	unsigned int n = MIN((unsigned int)count, NR_FILES), used;
	struct user_pollfd *p;
	struct select_sets s;
	long ret;

	if (count < 0)
		return -EINVAL;
	ret = sets_get(&s, user, n);
	if (ret)
		return ret;
	p = kmalloc(n * sizeof(*p) + 1);
	if (!p)
		return -ENOMEM;
	used = list_of_sets(&s, n, p);
	ret = poll_for(p, used, ns);
	if (ret >= 0)
		ret = sets_of_list(&s, p, used);
	kfree(p);
	if (ret >= 0 && sets_put(&s, user, n))
		ret = -EFAULT;
	return ret;
}

long sys_pselect6(int n, void __user *in, void __user *out, void __user *ex, void __user *ts,
		  const void __user *mask)
{
	struct {
		unsigned long set, size;
	} sig = {0, 0};
	u64 ns = INT64_MAX, start = time_ns(), old;
	long ret;

	if (mask && copy_from_user(&sig, mask, sizeof(sig)))
		return -EFAULT;
	if (ts && (ret = timespec_get(ts, &ns)))
		return ret;
	ret = mask_begin((const void __user *)sig.set, sig.size, &old);
	if (ret)
		return ret;
	ret = do_select(n, in, out, ex, ns);
	mask_end((const void __user *)sig.set, &old);
	if (ts)
		write_rest(ts, start + ns);
	return ret;
}

/* x86-64 only. More than a second of microseconds is allowed. */
long sys_select(int n, void __user *in, void __user *out, void __user *ex, void __user *utv)
{
	u64 ns = INT64_MAX, start = time_ns(), now;
	struct user_timeval tv;
	long ret;

	if (utv) {
		if (copy_from_user(&tv, utv, sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		tv.sec = MIN(tv.sec, (s64)(INT64_MAX / NSEC_PER_SEC / 2));
		ns = MIN((u64)tv.sec * NSEC_PER_SEC + MIN((u64)tv.usec, 1ull << 50) * 1000,
			 (u64)INT64_MAX);
	}
	ret = do_select(n, in, out, ex, ns);
	now = time_ns();
	if (utv) {
		ns = start + ns > now ? start + ns - now : 0;
		tv = (struct user_timeval){(s64)(ns / NSEC_PER_SEC),
					   (s64)(ns % NSEC_PER_SEC / 1000)};
		if (copy_to_user(utv, &tv, sizeof(tv)))
			return ret; /* the caller's loss, as on Linux */
	}
	return ret;
}
