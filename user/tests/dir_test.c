/* dir_test.c - directories: reading them, the working directory, paths relative to a descriptor. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "tap.h"

static int moves(void)
{
	return chdir("/") == 0 ? 0 : 1;
}

int main(void)
{
	int many = 0, data = 0, dots = 0, again = 0, dir;
	char cwd[512], was[512];
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(test_path("many"));

	while (d && (e = readdir(d))) {
		dots += strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
		many += strncmp(e->d_name, "file-with-a-long-name-", 22) == 0;
	}
	ok(many == 300 && dots == 2, "a directory of 300 files: %d", many);
	if (d) {
		rewinddir(d);
		while (readdir(d))
			again++;
		closedir(d);
	}
	ok(again == 302, "read again from the start");
	d = opendir(test_path(""));
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, "data") == 0)
			data += e->d_type == DT_REG || e->d_type == DT_UNKNOWN;
	ok(data == 1, "the type of an entry");
	if (d)
		closedir(d);
	ok(chdir(test_path("many")) == 0 && getcwd(cwd, sizeof(cwd)), "chdir");
	ok(strlen(cwd) > 5 && strcmp(cwd + strlen(cwd) - 5, "/many") == 0, "getcwd: %s", cwd);
	ok(stat("../data", &st) == 0 && st.st_size == 20000, "a path through ..");
	ok(stat("./././../many/../data", &st) == 0, "a path in circles");
	ok(getcwd(was, 3) == NULL && errno == ERANGE, "no room: ERANGE");
	ok(in_child(moves) == 0 && getcwd(was, sizeof(was)) && strcmp(was, cwd) == 0,
	   "a child moves alone");
	ok(chdir("no") == -1 && errno == ENOENT && chdir("../data") == -1 && errno == ENOTDIR,
	   "ENOENT, ENOTDIR");
	dir = open("..", O_RDONLY | O_DIRECTORY);
	ok(dir >= 0 && openat(dir, "data", O_RDONLY) >= 0, "openat from a descriptor");
	ok(openat(dir, "many/../data", O_RDONLY) >= 0 && fstatat(dir, "data", &st, 0) == 0,
	   "fstatat");
	ok(openat(0x7fff, "data", O_RDONLY) == -1 && errno == EBADF, "a bad descriptor: EBADF");
	ok(fstatat(dir, "", &st, AT_EMPTY_PATH) == 0 && S_ISDIR(st.st_mode), "AT_EMPTY_PATH");
	ok(fchdir(dir) == 0 && access("data", F_OK) == 0, "fchdir");
	ok(read(dir, cwd, 10) == -1 && errno == EISDIR, "reading a directory as a file: EISDIR");
	ok(chdir("/") == 0 && getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") == 0, "the root");
	ok(chdir("..") == 0 && getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/") == 0,
	   "above the root is the root");
	ok(chdir("/dev") == 0 && getcwd(cwd, sizeof(cwd)) && strcmp(cwd, "/dev") == 0, "/dev: %s",
	   cwd);
	ok(stat("null", &st) == 0 && S_ISCHR(st.st_mode), "/dev/null is a device");
	return tap_end();
}
