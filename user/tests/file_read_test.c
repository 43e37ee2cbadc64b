/* file_read_test.c - reading a known file exactly, in odd pieces, and what open refuses. */
#include <fcntl.h>
#include <sys/stat.h>
#include "tap.h"

#define SIZE 20000

/* The content of make_data.py's file "data". */
static char expected(int i)
{
	static const char line[] = "The quick brown fox jumps over the lazy dog.\n";

	return line[i % (int)(sizeof(line) - 1)];
}

/* The target fills a page but for its terminator, which nobody asks for. */
static void longest_links(struct stat *st)
{
	static char link[8192];
	int good = 1;

	memset(link, '#', sizeof(link));
	ok(lstat(test_path("link_4095"), st) == 0 && S_ISLNK(st->st_mode) && st->st_size == 4095,
	   "a link of 4095 bytes");
	ok(readlink(test_path("link_4095"), link, sizeof(link)) == 4095, "readlink gives them all");
	for (int i = 0; i < 4090; i++)
		good &= link[i] == "./"[i % 2];
	ok(good && memcmp(link + 4090, "/data####", 9) == 0, "the right ones, and no more");
	memset(link, '#', sizeof(link));
	ok(readlink(test_path("link_4095"), link, 4094) == 4094 && link[4093] == 't' &&
		   link[4094] == '#',
	   "or as many as fit");
	ok(stat(test_path("link_4095"), st) == 0 && st->st_size == SIZE, "stat follows it");
	ok(stat(test_path("dir_4095/file-with-a-long-name-007"), st) == 0 && st->st_size == 2,
	   "and goes on behind it");
}

int main(void)
{
	static char buf[SIZE + 100];
	int fd = open(test_path("data"), O_RDONLY), good = 1, pos = 0;
	struct stat st;
	ssize_t got;
	char link[32];

	ok(fd >= 0, "open");
	for (int piece = 1; (got = read(fd, buf, (size_t)(piece % 977 + 1))) > 0; piece += 13)
		for (ssize_t i = 0; i < got; i++, pos++)
			good &= buf[i] == expected(pos);
	ok(got == 0 && pos == SIZE && good, "%d bytes in pieces", pos);
	ok(pread(fd, buf, sizeof(buf), 0) == SIZE, "all at once");
	for (int i = 0; i < SIZE; i++)
		good &= buf[i] == expected(i);
	ok(good, "right again");
	ok(pread(fd, buf, 10, SIZE) == 0 && pread(fd, buf, 10, SIZE - 4) == 4, "at the end");
	ok(stat(test_path("data"), &st) == 0 && st.st_size == SIZE && S_ISREG(st.st_mode), "stat");
	ok(stat(test_path("empty"), &st) == 0 && st.st_size == 0, "an empty file");
	ok(lstat(test_path("link"), &st) == 0 && S_ISLNK(st.st_mode), "lstat of a link");
	ok(readlink(test_path("link"), link, sizeof(link)) == 4 && memcmp(link, "data", 4) == 0,
	   "readlink");
	ok(stat(test_path("link"), &st) == 0 && st.st_size == SIZE, "stat follows it");
	ok(open(test_path("link"), O_RDONLY | O_NOFOLLOW) == -1 && errno == ELOOP,
	   "O_NOFOLLOW: ELOOP");
	ok(open(test_path("loop"), O_RDONLY) == -1 && errno == ELOOP, "a link to itself: ELOOP");
	ok(open(test_path("nothing"), O_RDONLY) == -1 && errno == ENOENT, "ENOENT");
	ok(open(test_path("data/x"), O_RDONLY) == -1 && errno == ENOTDIR, "ENOTDIR");
	ok(open(test_path("data"), O_RDONLY | O_DIRECTORY) == -1 && errno == ENOTDIR,
	   "O_DIRECTORY: ENOTDIR");
	ok(open("", O_RDONLY) == -1 && errno == ENOENT, "the empty path: ENOENT");
	longest_links(&st);
	memset(buf, 'n', 300);
	buf[300] = '\0';
	ok(open(buf, O_RDONLY) == -1 && errno == ENAMETOOLONG, "a name of 300: ENAMETOOLONG");
	memset(buf, '/', 5000);
	buf[5000] = '\0';
	ok(open(buf, O_RDONLY) == -1 && errno == ENAMETOOLONG, "a path of 5000: ENAMETOOLONG");
	ok(access(test_path("data"), R_OK) == 0 && access(test_path("exit42"), X_OK) == 0,
	   "access");
	ok(access(test_path("data"), X_OK) == -1 && errno == EACCES, "no x bit: EACCES");
	ok(open(test_path("."), O_WRONLY) == -1 && errno == EISDIR, "writing a directory: EISDIR");
	return tap_end();
}
