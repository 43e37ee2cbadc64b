/* testall.c - runs the tests named in DIR/list, one after the other: `testall [DIR [PART PARTS]]`,
 * all or every PARTS-th from PART on. A test passes if it exits with 0 in time and its TAP is
 * whole: a plan, as many checks as the plan says, none of them failed. Ends with "N passed, N
 * failed" and a truthful status. */
#include <fcntl.h>
#include <poll.h>
#include "tap.h"

#define LIMIT_S 120.0

/* What a test has said so far. */
struct told {
	int checks, bad, plan; /* plan: -1 = none yet */
	char line[512];
	size_t used;
};

static void line_told(struct told *t)
{
	t->line[t->used] = 0;
	t->used = 0;
	if (!strncmp(t->line, "ok ", 3))
		t->checks++;
	else if (!strncmp(t->line, "not ok ", 7))
		t->checks++, t->bad++;
	else if (!strncmp(t->line, "1..", 3))
		t->plan = t->plan < 0 ? atoi(t->line + 3) : 0; /* a second one is wrong */
}

/* Passes on what there is in the pipe and listens; false at its end. */
static int listen_to(int fd, struct told *t)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		fwrite(buf, 1, (size_t)n, stdout);
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n')
				line_told(t);
			else if (t->used < sizeof(t->line) - 1)
				t->line[t->used++] = buf[i];
		}
	}
	fflush(stdout);
	return n < 0 && errno == EAGAIN;
}

static pid_t start(const char *name, int out[2])
{
	char *argv[] = {(char *)name, "one", "two words", NULL};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	dup2(out[1], 1);
	close(out[0]);
	close(out[1]);
	test_exec(test_path(name), argv);
	fprintf(stderr, "%s: %s\n", name, strerror(errno));
	_exit(127);
}

/* Did it pass? Says why not. What a test has started may outlive it and keep the pipe open, so the
 * end is the test's, not the pipe's. */
static int run(const char *name)
{
	struct told told = {.plan = -1};
	double end = now_s() + LIMIT_S;
	int out[2], status = 0, more = 1;
	pid_t pid;

	printf("# %s\n", name);
	fflush(stdout);
	if (pipe(out) || fcntl(out[0], F_SETFL, O_NONBLOCK) || (pid = start(name, out)) < 0) {
		printf("FAIL %s: cannot start: %s\n", name, strerror(errno));
		return 0;
	}
	close(out[1]);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		struct pollfd p = {.fd = out[0], .events = POLLIN};

		if (now_s() > end) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			status = -1;
			break;
		}
		if (more && poll(&p, 1, 20) > 0)
			more = listen_to(out[0], &told);
		else if (!more)
			sleep_ms(5);
	}
	listen_to(out[0], &told);
	close(out[0]);
	if (status < 0)
		printf("FAIL %s: time limit\n", name);
	else if (status)
		printf("FAIL %s: wait status 0x%x\n", name, (unsigned int)status);
	else if (told.plan < 0)
		printf("FAIL %s: ended after %d checks without a plan\n", name, told.checks);
	else if (told.bad || !told.checks || told.plan != told.checks)
		printf("FAIL %s: %d checks, %d failed, %d planned\n", name, told.checks, told.bad,
		       told.plan);
	else
		printf("PASS %s\n", name);
	return !status && !told.bad && told.checks && told.plan == told.checks;
}

int main(int argc, char **argv)
{
	const char *dir = realpath(argc > 1 ? argv[1] : "/tests", NULL);
	int part = argc > 3 ? atoi(argv[2]) : 0, parts = argc > 3 ? atoi(argv[3]) : 1;
	int passed = 0, failed = 0;
	char name[64];
	FILE *list;

	if (parts < 1 || part < 0 || part >= parts) {
		fprintf(stderr, "usage: testall [DIR [PART PARTS]]\n");
		return 2;
	}
	if (!dir) {
		perror(argc > 1 ? argv[1] : "/tests");
		return 1;
	}
	setenv("TESTDIR", dir, 1);
	list = fopen(test_path("list"), "re");
	if (!list) {
		perror(test_path("list"));
		return 1;
	}
	for (int n = 0; fscanf(list, "%63s", name) == 1; n++) {
		if (n % parts != part)
			continue;
		if (run(name))
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0 || passed == 0;
}
