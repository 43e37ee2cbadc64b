/* testall.c - runs every test named in DIR/list, one after the other: `testall [dir]`. A test
 * passes if it exits with 0 in time. Ends with "N passed, N failed" and a truthful status. */
#include "tap.h"

#define LIMIT_S 120.0

static int run(const char *dir, const char *name)
{
	char *argv[] = {(char *)name, "one", "two words", NULL};
	pid_t pid;

	printf("# %s\n", name);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setenv("TESTDIR", dir, 1);
		test_exec(test_path(name), argv);
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		_exit(127);
	}
	return pid < 0 ? -1 : wait_limit(pid, LIMIT_S);
}

int main(int argc, char **argv)
{
	const char *dir = realpath(argc > 1 ? argv[1] : "/tests", NULL);
	int passed = 0, failed = 0;
	char name[64];
	FILE *list;

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
	while (fscanf(list, "%63s", name) == 1) {
		int status = run(dir, name);

		if (status == 0) {
			passed++;
			printf("PASS %s\n", name);
		} else {
			failed++;
			printf("FAIL %s: %s 0x%x\n", name,
			       status < 0 ? "time limit" : "wait status", (unsigned int)status);
		}
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0 || passed == 0;
}
