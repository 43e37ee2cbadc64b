/* pipe_test.c - pipes: data, end of file, blocking, non-blocking, broken pipe, several writers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include "tap.h"

#define BIG 300000

static int write_into_broken(void)
{
	int fd[2];

	if (pipe(fd) < 0)
		return 1;
	close(fd[0]);
	return write(fd[1], "x", 1) < 0 ? 2 : 3; /* SIGPIPE comes first */
}

static int ignore_broken(void)
{
	int fd[2];

	signal(SIGPIPE, SIG_IGN);
	if (pipe(fd) < 0)
		return 1;
	close(fd[0]);
	return write(fd[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2;
}

static int is_pending(int sig)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, sig) == 1;
}

/* Half of a write is done when the reader goes: the signal comes beside the count. */
static int half_into_broken(void)
{
	static char buf[200000];
	sigset_t set;
	ssize_t n;
	int fd[2];

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (pipe(fd) < 0)
		return 1;
	if (fork() == 0) {
		close(fd[1]);
		read(fd[0], buf, 5000);
		sleep_ms(50);
		_exit(0);
	}
	close(fd[0]);
	n = write(fd[1], buf, sizeof(buf));
	wait(NULL);
	if (n <= 0 || n >= (ssize_t)sizeof(buf))
		return 2;
	return is_pending(SIGPIPE) ? 0 : 3;
}

static void test_big(void)
{
	static unsigned char buf[4096];
	int fd[2], good = 1, status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(fd) < 0)
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < BIG;) {
			size_t len = i % 3001 + 1;

			for (size_t k = 0; k < len; k++)
				buf[k] = (unsigned char)((i + k) % 251);
			if (write(fd[1], buf, len) != (ssize_t)len)
				_exit(1);
			i += len;
		}
		_exit(0);
	}
	close(fd[1]);
	while ((got = read(fd[0], buf, sizeof(buf))) > 0)
		for (ssize_t k = 0; k < got; k++, n++)
			good &= buf[k] == n % 251;
	ok(got == 0 && n >= BIG && good, "%zu bytes in order, then end of file", n);
	ok(waitpid(pid, &status, 0) == pid && status == 0, "the writer is content");
	close(fd[0]);
}

static void test_writers(void)
{
	int fd[2], seen[4] = {0}, torn = 0;
	char rec[64];

	if (pipe(fd) < 0)
		return;
	fflush(stdout);
	for (int w = 0; w < 4; w++)
		if (fork() == 0) {
			memset(rec, 'a' + w, sizeof(rec));
			for (int i = 0; i < 200; i++)
				if (write(fd[1], rec, sizeof(rec)) != sizeof(rec))
					_exit(1);
			_exit(0);
		}
	close(fd[1]);
	for (size_t have = 0;;) {
		ssize_t got = read(fd[0], rec + have, sizeof(rec) - have);

		if (got <= 0)
			break;
		have += (size_t)got;
		if (have < sizeof(rec))
			continue;
		have = 0;
		for (size_t i = 1; i < sizeof(rec); i++)
			torn += rec[i] != rec[0];
		if (rec[0] >= 'a' && rec[0] < 'e')
			seen[rec[0] - 'a']++;
	}
	for (int w = 0; w < 4; w++)
		wait(NULL);
	ok(!torn && seen[0] == 200 && seen[1] == 200 && seen[2] == 200 && seen[3] == 200,
	   "four writers: every record whole");
	close(fd[0]);
}

int main(void)
{
	struct pollfd p;
	int fd[2], status, full = 0;
	char c = 0;

	ok(pipe2(fd, O_NONBLOCK | O_CLOEXEC) == 0, "pipe2");
	ok(fcntl(fd[0], F_GETFD) == FD_CLOEXEC && (fcntl(fd[1], F_GETFL) & O_NONBLOCK),
	   "its flags");
	ok(read(fd[0], &c, 1) == -1 && errno == EAGAIN, "empty: EAGAIN");
	p = (struct pollfd){fd[0], POLLIN, 0};
	ok(poll(&p, 1, 20) == 0, "poll: nothing to read");
	ok(write(fd[1], "q", 1) == 1 && poll(&p, 1, 1000) == 1 && p.revents == POLLIN,
	   "poll: readable");
	ok(read(fd[0], &c, 1) == 1 && c == 'q', "the byte");
	while (full < 10000 && write(fd[1], "0123456789abcdef", 16) == 16)
		full++;
	ok(full >= 256 && full < 10000 && errno == EAGAIN, "full: EAGAIN after %d bytes",
	   full * 16);
	ok(write(fd[0], "x", 1) == -1 && errno == EBADF, "writing to the read end: EBADF");
	ok(lseek(fd[0], 0, SEEK_SET) == -1 && errno == ESPIPE, "no position: ESPIPE");
	close(fd[0]);
	close(fd[1]);
	test_big();
	test_writers();
	status = in_child(write_into_broken);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "a broken pipe kills");
	ok(in_child(ignore_broken) == 0, "EPIPE when SIGPIPE is ignored");
	ok(in_child(half_into_broken) == 0, "SIGPIPE also when a part was written");
	return tap_end();
}
