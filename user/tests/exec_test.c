/* exec_test.c - execve: arguments, environment, scripts, descriptors, errors. */
#include <fcntl.h>
#include "tap.h"

static char out[120000];

/* Runs path in a child, its output in out[]. Exit status; 200 + errno if exec failed. */
static int run(const char *path, char *const argv[])
{
	int fd[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(fd) < 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		test_exec(path, argv);
		_exit(200 + (errno & 63));
	}
	close(fd[1]);
	while (n < sizeof(out) - 1 && (got = read(fd[0], out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

#define RUN(path, ...) run(path, (char *const[]){__VA_ARGS__, NULL})

static void test_descriptors(const char *echo)
{
	char keep[8], shut[8];
	int a = open("/dev/null", O_RDONLY), b = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(keep, sizeof(keep), "%d", a);
	snprintf(shut, sizeof(shut), "%d", b);
	ok(a >= 0 && RUN(echo, "x", "-f", keep) == 0, "a descriptor stays open");
	ok(b >= 0 && RUN(echo, "x", "-f", shut) == 1, "O_CLOEXEC closes one");
	close(a);
	close(b);
}

static void test_kernel_side(const char *echo)
{
	static char big[200000];
	char *many[3] = {"x", big, NULL};
	int status;

	if (chdir(test_path("")) < 0)
		return;
	ok(RUN("script", "script", "a b") == 0 &&
		   strcmp(out, "<./argv_echo> <one arg> <script> <a b>\n") == 0,
	   "#! with one argument");
	ok(RUN("script2", "script2") == 0 && strstr(out, "<script2>"), "#! that names a script");
	status = RUN("script_long", "script_long");
	ok(status == 0 && strlen(out) == strlen("<./argv_echo> <> <script_long>\n") + 241 &&
		   strstr(out, "aaa> <script_long>"),
	   "#! line of more than 255 bytes: its argument is cut (%zu)", strlen(out));
	ok(RUN("script_endless", "script_endless") == 200 + ENOEXEC,
	   "no end of the interpreter's name: ENOEXEC");
	ok(RUN("script_bad", "script_bad") == 200 + ENOENT, "#! of a missing interpreter: ENOENT");
	status = RUN("script_loop", "script_loop");
	ok(status == 200 + ELOOP, "#! that names itself: ELOOP (%d)", status);
	ok(RUN("not_there", "x") == 200 + ENOENT, "missing: ENOENT");
	ok(RUN("list", "x") == 200 + EACCES, "no x bit: EACCES");
	ok(RUN(".", "x") == 200 + EACCES, "a directory: EACCES");
	ok(RUN("text", "x") == 200 + ENOEXEC, "text: ENOEXEC");
	ok(RUN("exit42/x", "x") == 200 + ENOTDIR, "below a file: ENOTDIR");
	memset(big, 'x', sizeof(big) - 1);
	ok(run(echo, many) == 200 + E2BIG, "a string of 200000: E2BIG");
	big[100000] = '\0';
	status = run(echo, many);
	ok(status == 0 && strlen(out) == 100000 + strlen("<x> <>\n"),
	   "a string of 100000 arrives (%zu)", strlen(out));
}

int main(void)
{
	const char *echo = strdup(test_path("argv_echo"));
	char local[] = "from the stack";
	int status;

	ok(RUN(test_path("exit42"), "exit42") == 42, "a program's exit status");
	ok(RUN(echo, "zero", "", "two words", local) == 0 &&
		   strcmp(out, "<zero> <> <two words> <from the stack>\n") == 0,
	   "arguments arrive");
	setenv("EXEC_TEST", "passed on", 1);
	ok(RUN(echo, "x", "-e", "EXEC_TEST") == 0 && strcmp(out, "passed on\n") == 0,
	   "environment");
	test_descriptors(echo);
	status = RUN(echo, "x", "-f", "200");
	ok(status == 1, "a descriptor that never was");
	if (!wrapped())
		test_kernel_side(echo);
	return tap_end();
}
