/* family.c - family affairs for a look from outside, as the first program or from a shell:
 *   adopted   its child has made a grandchild and ended; waits for the grandchild, which lives long
 *   missing   makes a call that this kernel does not have, a hundred times; then waits for a line
 *   killed WHAT  a child that waits for its elder brother, who waits for the disk, is killed; WHAT
 * is what both do: read a file, read one open file, map one, walk a path. A line for each step
 *   moves     changes its directory some thousand times, in all ways, also where it cannot
 *   zombie    does not wait for its child, which has ended; reads a line, then waits for it
 * Each says on its first line that it is there. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int adopted(void)
{
	pid_t child = fork();

	if (child == 0) {
		if (fork() == 0)
			sleep(1000);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	printf("family: waits for an adopted child\n");
	fflush(stdout);
	return wait(NULL) < 0;
}

static int zombie(void)
{
	pid_t child = fork();

	if (child == 0)
		execl("/bin/true", "ended", NULL);
	sleep(1);
	printf("family: %d has ended\n", child);
	fflush(stdout);
	getchar();
	return waitpid(child, NULL, 0) != child;
}

static int missing(void)
{
	for (int i = 0; i < 100; i++)
		syscall(SYS_add_key, 0, 0, 0, 0, 0);
	printf("family: has made its calls\n");
	fflush(stdout);
	getchar();
	return 0;
}

/* What nobody has read before: its inode is known, its pages are not. */
#define UNREAD "/bin/forkstorm"
#define CREDIT "/bin/cpuhog" /* what a slowed down disk still gives at once */

static int use_disk(const char *what, int fd, int elder)
{
	char c = 0;
	void *p;

	if (elder && read(open(CREDIT, O_RDONLY), &c, 1) != 1)
		return 1;
	if (strcmp(what, "walk") == 0)
		return open(elder ? "/tmp/none" : "/etc/motd", O_RDONLY) < 0 && !elder;
	if (strcmp(what, "fd") != 0)
		fd = open(UNREAD, O_RDONLY);
	if (strcmp(what, "map") != 0)
		return read(fd, &c, 1) != 1;
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED || *(volatile char *)p != 0x7f;
}

static pid_t brother(const char *name, const char *what, int fd, int elder)
{
	pid_t pid;

	printf("family: next is the %s\n", name);
	fflush(stdout);
	getchar();
	pid = fork();
	if (pid == 0)
		_exit(use_disk(what, fd, elder));
	return pid;
}

static int killed(const char *what)
{
	struct stat st;
	int fd = open(UNREAD, O_RDONLY), status = 0, first = 1;
	pid_t elder, younger;

	if (fd < 0 || stat("/tmp", &st) || stat("/etc", &st))
		return 1;
	elder = brother("elder", what, fd, 1);
	younger = brother("younger", what, fd, 0);
	printf("family: %d waits for %d\n", younger, elder);
	fflush(stdout);
	getchar();
	kill(younger, SIGKILL);
	if (waitpid(younger, &status, 0) == younger)
		printf("family: the younger ended with 0x%x\n", status);
	fflush(stdout);
	if (waitpid(elder, &first, 0) == elder)
		printf("family: the elder ended with 0x%x\n", first);
	return first || !WIFSIGNALED(status);
}

/* Whoever goes out of one directory into another gives one inode back and keeps one; whoever cannot
 * gives back the one it did not want. */
static int moves(void)
{
	int dir = open("/tests/many", O_RDONLY | O_DIRECTORY), file = open("/etc/motd", O_RDONLY);
	int bad = dir < 0 || file < 0;

	for (int i = 0; i < 300; i++) {
		bad |= chdir("/tmp") || chdir("../tests") || chdir("many") || chdir(".");
		bad |= chdir("/") || chdir("/dev") || fchdir(dir) || fchdir(dir);
		bad |= !chdir("/etc/motd") || !fchdir(file) || !chdir("none") ||
		       !chdir("/tmp/none");
		bad |= !chdir("../data/none") || !fchdir(-1) || chdir("/etc");
	}
	if (fork() == 0) /* it ends in the directory that it has from its parent */
		_exit(chdir("../tmp"));
	bad |= wait(NULL) < 0;
	printf("family: has moved%s\n", bad ? ", badly" : "");
	return bad;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "adopted") == 0)
		return adopted();
	if (strcmp(mode, "zombie") == 0)
		return zombie();
	if (strcmp(mode, "missing") == 0)
		return missing();
	if (strcmp(mode, "moves") == 0)
		return moves();
	if (argc > 2 && strcmp(mode, "killed") == 0)
		return killed(argv[2]);
	return 2;
}
