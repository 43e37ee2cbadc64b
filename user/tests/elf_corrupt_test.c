/* elf_corrupt_test.c - broken programs (made by make_data.py): those in bad/ must be refused with
 * ENOEXEC; those in fuzz/ may do what they like but end, and the system lives. */
#include <dirent.h>
#include "tap.h"

/* 0: it did not run (ENOEXEC); 1: it ran or died; 2: it did not end; 3: another error */
static int try(const char *path)
{
	char *argv[] = {(char *)path, NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve(path, argv, environ);
		_exit(errno == ENOEXEC ? 100 : errno == ENOMEM || errno == EINVAL ? 101 : 102);
	}
	status = wait_limit(pid, 5);
	if (status < 0)
		return 2;
	if (!WIFEXITED(status) || WEXITSTATUS(status) < 100)
		return 1;
	return WEXITSTATUS(status) == 100 ? 0 : WEXITSTATUS(status) == 101 ? 1 : 3;
}

static int try_all(const char *sub, int count[4])
{
	char path[512];
	struct dirent *e;
	int n = 0;
	DIR *d = opendir(test_path(sub));

	while (d && (e = readdir(d))) {
		int kind;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", test_path(sub), e->d_name);
		kind = try(path);
		if (kind == 3 || (kind != 0 && strcmp(sub, "bad") == 0))
			printf("#   %s: %d\n", path, kind);
		count[kind]++;
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

int main(void)
{
	int bad[4] = {0}, fuzz[4] = {0}, n;

	if (wrapped()) {
		ok(1, "# SKIP the kernel under test does not load programs here");
		return tap_end();
	}
	ok(try(test_path("exit42")) == 1, "the program itself runs");
	fflush(stdout);
	n = try_all("bad", bad);
	ok(n >= 8 && bad[0] == n, "%d of %d broken programs: ENOEXEC", bad[0], n);
	n = try_all("fuzz", fuzz);
	ok(n >= 40 && fuzz[2] == 0 && fuzz[3] == 0,
	   "%d damaged programs: %d refused, %d ran or died", n, fuzz[0], fuzz[1]);
	ok(try(test_path("exit42")) == 1, "the program itself still runs");
	return tap_end();
}
