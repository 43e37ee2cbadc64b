/* oom.c - eats all memory, in every way that a program has: `oom [MODE...]`, all but hold without
 * an argument. Run it in a guest with little RAM. Whoever asks for too much is told so or dies of
 * SIGKILL; the eater's parent, the system and its memory are as before. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include "tap.h"

#define PAGE     4096ul
#define CHUNK    (1ul << 20)
#define SLACK_KB 512 /* caches of CPUs and slabs */

static unsigned long total_bytes(void)
{
	struct sysinfo s;

	return sysinfo(&s) == 0 ? s.totalram : 0;
}

/* Free memory once it has stopped to rise: what the dead had comes back a little later. */
static long free_kb(void)
{
	struct sysinfo s;
	unsigned long was = 0;

	while (sysinfo(&s) == 0 && s.freeram > was) {
		was = s.freeram;
		sleep_ms(100);
	}
	return (long)(s.freeram / 1024);
}

static int eat(unsigned long bytes)
{
	for (unsigned long got = 0; got < bytes; got += CHUNK) {
		char *p = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			return 1;
		for (unsigned long i = 0; i < CHUNK; i += PAGE)
			p[i] = 1;
	}
	return 0;
}

/* More than there is, page by page. */
static int touch(void)
{
	return eat(2 * total_bytes());
}

/* The same, by the kernel's own writes to user memory. */
static int copied(void)
{
	size_t size = 2 * total_bytes();
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);
	size_t done = 0;

	if (p == MAP_FAILED)
		return 1;
	while (done < size) {
		ssize_t n = read(zero, p + done, size - done);

		if (n <= 0)
			return errno == EFAULT || errno == ENOMEM ? 1 : 2;
		done += (size_t)n;
	}
	return 0;
}

static int heap(void)
{
	for (unsigned long got = 0; got < 2 * total_bytes(); got += 1000) {
		volatile char *p = malloc(1000);

		if (!p)
			return 1;
		*p = 1;
	}
	return 0;
}

/* Processes with a megabyte each, twice as many as fit; they all wait for the pipe's end. */
static int bomb(void)
{
	int p[2], n = 0, failed = 0, killed = 0, status, max = (int)(2 * total_bytes() / CHUNK);
	char c;

	if (pipe(p) != 0)
		return 2;
	while (n < max) {
		pid_t pid = fork();

		if (pid < 0) {
			failed = errno;
			break;
		}
		if (pid == 0) {
			close(p[1]);
			eat(CHUNK);
			_exit(read(p[0], &c, 1) != 0);
		}
		n++;
	}
	close(p[1]);
	close(p[0]);
	for (int i = 0; i < n; i++) {
		if (wait(&status) < 0)
			return 3;
		killed += WIFSIGNALED(status);
	}
	return failed == ENOMEM || failed == EAGAIN || (!failed && killed) ? 1 : 4;
}

/* Full pipes: memory that no page table shows. */
static int pipes(void)
{
	static char block[65536];
	pid_t pid;

	for (;;) {
		int p[2], n = 0;

		while (n < 100 && pipe(p) == 0) {
			fcntl(p[1], F_SETFL, O_NONBLOCK);
			while (write(p[1], block, sizeof(block)) > 0)
				;
			n++;
		}
		if (n < 100)
			return errno == ENOMEM || errno == ENFILE || errno == EMFILE ? 1 : 2;
		/* The table of open files is full before the memory: go on in a child. */
		pid = fork();
		if (pid < 0)
			return errno == ENOMEM || errno == EAGAIN ? 1 : 3;
		if (pid > 0) {
			int status;

			return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
				       ? WEXITSTATUS(status)
				       : 1;
		}
	}
}

/* Starts programs with as many arguments as the kernel takes, while memory is full. */
static int args(void)
{
	static char *argv[120], word[2000];
	int refused = 0;

	memset(word, 'x', sizeof(word) - 1);
	argv[0] = (char *)"/bin/true";
	for (int i = 1; i < 119; i++)
		argv[i] = word;
	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			eat(total_bytes() / 2 + i * total_bytes() / 24);
			execve("/bin/true", argv, environ);
			_exit(errno == ENOMEM ? 1 : 2);
		}
		if (pid < 0)
			continue;
		if (waitpid(pid, &status, 0) != pid)
			return 2;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			return 3;
		refused += status != 0;
	}
	return refused ? 1 : 0;
}

/* Takes all there is and keeps it: others have to live, and somebody has to give way. */
static int hold(void)
{
	char *p = mmap(NULL, 2 * total_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	int zero = open("/dev/zero", O_RDONLY);
	ssize_t n;

	while ((n = read(zero, p, CHUNK)) > 0)
		p += n;
	for (;;)
		pause();
}

/* Children that nobody waits for: memory of the kernel's own, in processes that have none. */
static int zombies(void)
{
	for (unsigned long n = 0; n < total_bytes() / 1000; n++) {
		pid_t pid = fork();

		if (pid < 0)
			return errno == ENOMEM || errno == EAGAIN ? 1 : 2;
		if (pid == 0)
			_exit(0);
	}
	return 2;
}

/* The same beside somebody with more pages than the culprit, who has to live. */
static int innocent(void)
{
	int p[2], status, bad;
	pid_t quiet, culprit;
	char c;

	if (pipe(p) != 0)
		return 2;
	quiet = fork();
	if (quiet == 0) {
		close(p[1]);
		_exit(eat(4 * CHUNK) || read(p[0], &c, 1) != 0);
	}
	sleep_ms(200);
	culprit = fork();
	if (culprit == 0) {
		close(p[1]);
		_exit(zombies());
	}
	close(p[0]);
	bad = quiet < 0 || culprit < 0 || waitpid(culprit, &status, 0) != culprit;
	bad |= waitpid(quiet, &status, WNOHANG) != 0;
	close(p[1]);
	bad |= waitpid(quiet, &status, 0) == quiet && status != 0;
	return bad ? 3 : 1;
}

static const struct mode {
	const char *name;
	int (*fn)(void);
} modes[] = {
	{"touch", touch}, {"copied", copied}, {"heap", heap},         {"bomb", bomb},
	{"pipes", pipes}, {"args", args},     {"innocent", innocent},
};

/* Only when asked for: it ends when somebody else needs memory. */
static const struct mode keeper = {"hold", hold};

static void run(const struct mode *m)
{
	long before = free_kb(), after;
	int status = in_child(m->fn);

	after = free_kb();
	ok((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		   (WIFEXITED(status) && WEXITSTATUS(status) == 1),
	   "%s: told or killed, wait status 0x%x", m->name, (unsigned int)status);
	ok(after + SLACK_KB > before, "%s: memory is back, %+ld KiB", m->name, after - before);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], keeper.name) == 0) {
		run(&keeper);
		return tap_end();
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		int wanted = argc < 2;

		for (int a = 1; a < argc; a++)
			wanted |= strcmp(argv[a], modes[i].name) == 0;
		if (wanted)
			run(&modes[i]);
	}
	return tap_end();
}
