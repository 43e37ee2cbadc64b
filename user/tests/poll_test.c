/* poll_test.c - poll, ppoll, select, pselect6: what they tell, and that whoever sleeps in them is
 * woken by what happens and not by the time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include "tap.h"

#define ROUNDS 200

static pid_t child(void (*fn)(int, int), int a, int b)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn(a, b);
		_exit(0);
	}
	return pid;
}

static int ended(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static int poll_one(int fd, short events, int ms)
{
	struct pollfd p = {fd, events, 0};
	int n = poll(&p, 1, ms);

	return n == 1 ? p.revents : -n;
}

static void echo(int rd, int wr)
{
	char c;

	for (int i = 0; i < ROUNDS; i++)
		if (poll_one(rd, POLLIN, -1) != POLLIN || read(rd, &c, 1) != 1 ||
		    write(wr, &c, 1) != 1)
			_exit(1);
}

/* Whoever looked again every few milliseconds would need seconds. */
static void test_speed(void)
{
	int a[2], b[2], good = 0;
	double start;
	char c = 'x';
	pid_t pid;

	if (pipe(a) < 0 || pipe(b) < 0)
		return;
	pid = child(echo, a[0], b[1]);
	start = now_s();
	for (int i = 0; i < ROUNDS; i++)
		good += write(a[1], &c, 1) == 1 && poll_one(b[0], POLLIN, -1) == POLLIN &&
			read(b[0], &c, 1) == 1;
	start = now_s() - start;
	ok(good == ROUNDS && ended(pid) == 0 && start < 1.5, "%d round trips in %.3f s", good,
	   start);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static void write_later(int fd, int ms)
{
	sleep_ms(ms);
	if (write(fd, "w", 1) != 1)
		_exit(1);
}

static void close_later(int fd, int ms)
{
	(void)fd; /* the exit closes it */
	sleep_ms(ms);
}

static void drain_later(int fd, int ms)
{
	static char buf[8192];

	sleep_ms(ms);
	if (read(fd, buf, sizeof(buf)) != sizeof(buf))
		_exit(1);
}

static void sleep_in_poll(int fd, int unused)
{
	(void)unused;
	poll_one(fd, POLLIN, -1);
}

static void test_wakes(void)
{
	struct pollfd p[3];
	static char fill[4096];
	int fd[2], other[2], late[2];
	double start;
	pid_t pid;

	if (pipe(fd) < 0 || pipe(other) < 0 || pipe(late) < 0)
		return;
	start = now_s();
	ok(poll_one(fd[0], POLLIN, 30) == 0 && now_s() - start >= 0.03, "poll waits its time");
	start = now_s();
	ok(poll(NULL, 0, 20) == 0 && now_s() - start >= 0.02, "for nothing at all, too");

	for (int i = 0; i < 2; i++)
		p[i] = (struct pollfd){i ? other[0] : fd[0], POLLIN, 9};
	p[2] = (struct pollfd){late[0], POLLIN, 9};
	pid = child(write_later, late[1], 30);
	ok(poll(p, 3, 10000) == 1 && !p[0].revents && !p[1].revents && p[2].revents == POLLIN,
	   "the last of three wakes it");
	ok(ended(pid) == 0, "the writer is content");

	pid = child(close_later, fd[1], 30);
	close(fd[1]);
	ok(poll_one(fd[0], POLLIN, 10000) == POLLHUP, "the last writer's end wakes it");
	ended(pid);
	close(fd[0]);

	fcntl(other[1], F_SETFL, O_NONBLOCK);
	while (write(other[1], fill, sizeof(fill)) > 0)
		;
	ok(poll_one(other[1], POLLOUT, 10) == 0, "a full pipe has no room");
	pid = child(drain_later, other[0], 30);
	ok(poll_one(other[1], POLLOUT, 10000) == POLLOUT, "whoever makes room wakes it");
	ok(ended(pid) == 0, "the reader is content");

	if (pipe(fd) < 0)
		return;
	pid = child(sleep_in_poll, fd[0], 0);
	sleep_ms(20);
	kill(pid, SIGKILL);
	ok(ended(pid) == SIGKILL, "a kill ends it");
}

static void read_one(int fd, int unused)
{
	char c;

	(void)unused;
	if (read(fd, &c, 1) != 1)
		_exit(1);
}

/* A wake-up is for one reader; what it leaves is for the next. */
static void test_readers(void)
{
	pid_t pid[3];
	int fd[2], good = 0;

	if (pipe(fd) < 0)
		return;
	for (int i = 0; i < 3; i++)
		pid[i] = child(read_one, fd[0], 0);
	sleep_ms(30);
	ok(write(fd[1], "abc", 3) == 3, "three bytes at once");
	for (int i = 0; i < 3; i++)
		good += wait_limit(pid[i], 20) == 0;
	ok(good == 3, "wake three readers of one byte each: %d", good);
	close(fd[0]);
	close(fd[1]);
}

static void test_select(void)
{
	struct timeval tv = {0, 30000};
	fd_set in, out;
	double start;
	int fd[2];
	pid_t pid;

	if (pipe(fd) < 0)
		return;
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd[0], &in);
	FD_SET(fd[1], &out);
	ok(select(fd[1] + 1, &in, &out, NULL, NULL) == 1 && !FD_ISSET(fd[0], &in) &&
		   FD_ISSET(fd[1], &out),
	   "select: room, no data");
	FD_SET(fd[0], &in);
	start = now_s();
	ok(select(fd[0] + 1, &in, NULL, NULL, &tv) == 0 && !FD_ISSET(fd[0], &in) &&
		   now_s() - start >= 0.03,
	   "select waits its time and clears the set");
	pid = child(write_later, fd[1], 30);
	FD_SET(fd[0], &in);
	tv = (struct timeval){100, 0};
	ok(select(fd[0] + 1, &in, NULL, NULL, &tv) == 1 && FD_ISSET(fd[0], &in), "data wakes it");
	ok(ended(pid) == 0, "the writer is content");
	FD_SET(fd[1], &out);
	FD_SET(fd[0], &in);
	ok(select(fd[1] + 1, &in, &out, NULL, NULL) == 2, "both sets count");
	FD_ZERO(&in);
	FD_SET(60, &in); /* Linux ignores what lies behind its table, of 64 at least */
	ok(select(61, &in, NULL, NULL, NULL) == -1 && errno == EBADF, "not open: EBADF");
	ok(select(-1, NULL, NULL, NULL, NULL) == -1 && errno == EINVAL, "negative: EINVAL");
	tv = (struct timeval){-1, 0};
	ok(select(0, NULL, NULL, NULL, &tv) == -1 && errno == EINVAL, "negative time: EINVAL");
	close(fd[0]);
	close(fd[1]);
}

static void let_term_through(int fd, int wait_in_select)
{
	sigset_t term, none;
	fd_set in;
	struct pollfd p = {fd, POLLIN, 0};

	sigemptyset(&none);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	raise(SIGTERM);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	if (wait_in_select)
		pselect(fd + 1, &in, NULL, NULL, NULL, &none);
	else
		ppoll(&p, 1, NULL, &none);
}

static void test_masks(void)
{
	struct timespec ts = {100, 0};
	struct pollfd p;
	sigset_t none;
	int fd[2];

	if (pipe(fd) < 0)
		return;
	sigemptyset(&none);
	for (int i = 0; i < 2; i++)
		ok(ended(child(let_term_through, fd[0], i)) == SIGTERM,
		   "%s lets a signal through its mask", i ? "pselect" : "ppoll");
	p = (struct pollfd){fd[1], POLLOUT, 0};
	ok(syscall(SYS_ppoll, &p, 1, &ts, &none, 8) == 1 && p.revents == POLLOUT, "ppoll");
	ok(ts.tv_sec == 99 && ts.tv_nsec > 0, "says how much time is left: %ld s", (long)ts.tv_sec);
	ok(syscall(SYS_ppoll, &p, 1, NULL, &none, 7) == -1 && errno == EINVAL,
	   "a mask of another size: EINVAL");
	ts = (struct timespec){0, 1000000000};
	ok(syscall(SYS_ppoll, &p, 1, &ts, NULL, 8) == -1 && errno == EINVAL, "10^9 ns: EINVAL");
	ok(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL) == -1 && errno == EINVAL,
	   "pselect6: the same");
	ts = (struct timespec){0, 20000000};
	ok(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &ts, NULL) == 0 && ts.tv_sec == 0 &&
		   ts.tv_nsec == 0,
	   "pselect6: nothing is left of the time");
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_wakes();
	test_speed();
	test_readers();
	test_select();
	test_masks();
	return tap_end();
}
