/* readonly_test.c - what calls that would change a file system say of a read-only one: which of
 * several errors comes first. On Linux, where root runs this natively, it makes itself a read-only
 * tmpfs with the same names, so the table is Linux's own. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include "tap.h"

#define BAD ((void *)8) /* an address that nobody may read */

static char LONG[300], LONGER[5000]; /* than a name, than a path may be */
static const struct timespec NOW[2] = {{1, 0}, {1, 0}};
static const struct timespec OMIT[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
static const struct timespec WRONG[2] = {{0, 2000000000}, {0, 0}};
/* A directory, a file, one opened by O_PATH, a pipe's ends, a device. */
static int D, F, O, P0, P1, W;

/* The call gives this error, or succeeds: 0. */
#define ro(error, call, ...)                                                                       \
	do {                                                                                       \
		long ret_ = (errno = 0, syscall(SYS_##call, __VA_ARGS__));                         \
                                                                                                   \
		ok((ret_ < 0) == (errno != 0) && errno == (error), "%s(%s): %s, not %s", #call,    \
		   #__VA_ARGS__, #error, strerror(errno));                                         \
	} while (0)

static void test_creating(void)
{
	ro(EROFS, mkdirat, D, "new", 0755);
	ro(EEXIST, mkdirat, D, "data", 0755);
	ro(EEXIST, mkdirat, D, "data/", 0755);
	ro(EEXIST, mkdirat, D, "link", 0755);
	ro(ENOENT, mkdirat, D, "no/new", 0755);
	ro(ENOTDIR, mkdirat, D, "data/new", 0755);
	ro(EROFS, mkdirat, D, "new/", 0755);
	ro(EEXIST, mkdirat, D, ".", 0755);
	ro(EEXIST, mkdirat, D, "..", 0755);
	ro(EEXIST, mkdirat, D, "many/", 0755);
	ro(EEXIST, mkdirat, D, "many/.", 0755);
	ro(ENOENT, mkdirat, D, "new/.", 0755);
	ro(ENOENT, mkdirat, D, "new/..", 0755);
	ro(ENOENT, mkdirat, D, "", 0755);
	ro(EFAULT, mkdirat, D, BAD, 0755);
	ro(EEXIST, mkdirat, D, "loop", 0755);
	ro(ELOOP, mkdirat, D, "loop/new", 0755);
	ro(EBADF, mkdirat, -1, "new", 0755);
	ro(EFAULT, mkdirat, -1, BAD, 0755);
	ro(ENOENT, mkdirat, -1, "", 0755);
	ro(ENOTDIR, mkdirat, F, "new", 0755);
	ro(ENAMETOOLONG, mkdirat, D, LONG, 0755);
	ro(ENAMETOOLONG, mkdirat, D, LONGER, 0755);
	ro(EEXIST, mkdirat, D, "/", 0755);
	ro(EROFS, mknodat, D, "new", S_IFREG | 0644, 0);
	ro(EROFS, mknodat, D, "new", S_IFIFO | 0644, 0);
	ro(EROFS, mknodat, D, "new", S_IFCHR | 0644, 0x103);
	ro(EPERM, mknodat, D, "new", S_IFDIR | 0644, 0);
	ro(EINVAL, mknodat, D, "new", S_IFLNK | 0644, 0);
	ro(EROFS, mknodat, D, "new", 0644, 0);
	ro(EPERM, mknodat, D, "data", S_IFDIR | 0644, 0);
	ro(EINVAL, mknodat, D, "data", S_IFLNK | 0644, 0);
	ro(EEXIST, mknodat, D, "data", S_IFREG | 0644, 0);
	ro(ENOENT, mknodat, D, "new/", S_IFREG | 0644, 0);
	ro(EEXIST, mknodat, D, "data/", S_IFREG | 0644, 0);
	ro(EPERM, mknodat, D, "no/new", S_IFDIR | 0644, 0);
	ro(EPERM, mknodat, D, "", S_IFDIR | 0644, 0);
	ro(EFAULT, mknodat, D, BAD, S_IFREG | 0644, 0);
	ro(EEXIST, mknodat, D, "loop", S_IFREG, 0);
	ro(EROFS, symlinkat, "x", D, "new");
	ro(ENOENT, symlinkat, "x", D, "new/");
	ro(EEXIST, symlinkat, "x", D, "data");
	ro(EEXIST, symlinkat, "x", D, "data/");
	ro(EEXIST, symlinkat, "x", D, "link");
	ro(ENOENT, symlinkat, "x", D, "no/new");
	ro(ENOENT, symlinkat, "", D, "new");
	ro(ENOENT, symlinkat, "", D, "data");
	ro(ENOENT, symlinkat, "", D, "no/new");
	ro(EFAULT, symlinkat, BAD, D, "new");
	ro(EFAULT, symlinkat, BAD, D, "data");
	ro(EFAULT, symlinkat, BAD, D, "no/new");
	ro(EFAULT, symlinkat, BAD, -1, "new");
	ro(EFAULT, symlinkat, "x", D, BAD);
	ro(ENAMETOOLONG, symlinkat, LONGER, D, "new");
	ro(EROFS, symlinkat, LONG, D, "new");
	ro(EEXIST, symlinkat, "x", D, ".");
	ro(EEXIST, symlinkat, "x", D, "many/");
	ro(EROFS, linkat, D, "data", D, "new", 0);
	ro(ENOENT, linkat, D, "no", D, "new", 0);
	ro(EEXIST, linkat, D, "data", D, "data", 0);
	ro(ENOENT, linkat, D, "data", D, "no/new", 0);
	ro(ENOENT, linkat, D, "data", D, "new/", 0);
	ro(EROFS, linkat, D, "link", D, "new", 0);
	ro(EROFS, linkat, D, "loop", D, "new", 0);
	ro(ELOOP, linkat, D, "loop", D, "new", AT_SYMLINK_FOLLOW);
	ro(EROFS, linkat, D, "many", D, "new", 0);
	ro(EEXIST, linkat, D, "many", D, "data", 0);
	ro(EINVAL, linkat, D, "data", D, "new", 1);
	ro(EINVAL, linkat, D, "no", D, "new", 1);
	ro(EROFS, linkat, D, "data", D, "new", AT_SYMLINK_FOLLOW);
	ro(EROFS, linkat, F, "", D, "new", AT_EMPTY_PATH);
	ro(EEXIST, linkat, F, "", D, "data", AT_EMPTY_PATH);
	ro(ENOENT, linkat, D, "", D, "new", 0);
	ro(EBADF, linkat, -1, "", D, "new", AT_EMPTY_PATH);
	ro(EFAULT, linkat, D, BAD, D, "new", 0);
	ro(EFAULT, linkat, D, "data", D, BAD, 0);
	ro(ENOENT, linkat, D, "no", D, BAD, 0);
	ro(EBADF, linkat, D, "data", -1, "new", 0);
	ro(EBADF, linkat, -1, "data", -1, "new", 0);
	ro(ENOTDIR, linkat, D, "data/", D, "new", 0);
	ro(ENOENT, linkat, D, "data", D, "", 0);
	ro(EEXIST, linkat, D, "data", D, ".", 0);
	ro(EROFS, linkat, D, "/dev/null", D, "new", 0);
	ro(EEXIST, linkat, D, "/dev/null", D, "data", 0);
}

static void test_removing(void)
{
	ro(EROFS, unlinkat, D, "data", 0);
	ro(EROFS, unlinkat, D, "data/", 0);
	ro(EROFS, unlinkat, D, "no", 0);
	ro(EROFS, unlinkat, D, "no/", 0);
	ro(ENOENT, unlinkat, D, "no/no", 0);
	ro(ENOTDIR, unlinkat, D, "data/no", 0);
	ro(EROFS, unlinkat, D, "many", 0);
	ro(EROFS, unlinkat, D, "many/", 0);
	ro(EISDIR, unlinkat, D, ".", 0);
	ro(EISDIR, unlinkat, D, "..", 0);
	ro(EISDIR, unlinkat, D, "many/.", 0);
	ro(ENOENT, unlinkat, D, "no/.", 0);
	ro(ENOENT, unlinkat, D, "", 0);
	ro(EISDIR, unlinkat, D, "/", 0);
	ro(EFAULT, unlinkat, D, BAD, 0);
	ro(EBADF, unlinkat, -1, "data", 0);
	ro(ENOTDIR, unlinkat, F, "data", 0);
	ro(EROFS, unlinkat, D, "loop", 0);
	ro(EROFS, unlinkat, D, "loop/", 0);
	ro(ELOOP, unlinkat, D, "loop/x", 0);
	ro(EROFS, unlinkat, D, LONG, 0);
	ro(ENAMETOOLONG, unlinkat, D, LONGER, 0);
	ro(EINVAL, unlinkat, D, BAD, 77);
	ro(EROFS, unlinkat, D, "data", AT_REMOVEDIR);
	ro(EROFS, unlinkat, D, "many", AT_REMOVEDIR);
	ro(EROFS, unlinkat, D, "many/", AT_REMOVEDIR);
	ro(EROFS, unlinkat, D, "no", AT_REMOVEDIR);
	ro(EINVAL, unlinkat, D, ".", AT_REMOVEDIR);
	ro(EINVAL, unlinkat, D, "many/.", AT_REMOVEDIR);
	ro(ENOTEMPTY, unlinkat, D, "..", AT_REMOVEDIR);
	ro(ENOTEMPTY, unlinkat, D, "many/..", AT_REMOVEDIR);
	ro(EBUSY, unlinkat, D, "/", AT_REMOVEDIR);
	ro(ENOENT, unlinkat, D, "", AT_REMOVEDIR);
	ro(ENOENT, unlinkat, D, "no/no", AT_REMOVEDIR);
	ro(EROFS, renameat2, D, "data", D, "new", 0);
	ro(EROFS, renameat2, D, "no", D, "new", 0);
	ro(ENOENT, renameat2, D, "data", D, "no/new", 0);
	ro(ENOENT, renameat2, D, "no/no", D, "new", 0);
	ro(EROFS, renameat2, D, "data", D, "data", 0);
	ro(EROFS, renameat2, D, "data", D, "empty", 0);
	ro(EROFS, renameat2, D, "data", D, "empty", 1);
	ro(EROFS, renameat2, D, "data", D, "empty", 2);
	ro(EROFS, renameat2, D, "data", D, "new", 4);
	ro(EINVAL, renameat2, D, "data", D, "new", 3);
	ro(EROFS, renameat2, D, "data", D, "new", 5);
	ro(EINVAL, renameat2, D, "data", D, "new", 6);
	ro(EINVAL, renameat2, D, "data", D, "new", 8);
	ro(EROFS, renameat2, D, "data", D, "new/", 0);
	ro(EBUSY, renameat2, D, "many", D, ".", 0);
	ro(EBUSY, renameat2, D, ".", D, "new", 0);
	ro(EBUSY, renameat2, D, "..", D, "new", 0);
	ro(EBUSY, renameat2, D, ".", D, "data", 1);
	ro(EEXIST, renameat2, D, "many", D, ".", 1);
	ro(EBUSY, renameat2, D, "/", D, "new", 0);
	ro(EBUSY, renameat2, D, "data", D, "/", 0);
	ro(ENOENT, renameat2, D, "", D, "new", 0);
	ro(ENOENT, renameat2, D, "data", D, "", 0);
	ro(EFAULT, renameat2, D, BAD, D, "new", 0);
	ro(EFAULT, renameat2, D, "data", D, BAD, 0);
	ro(ENOENT, renameat2, D, "no/no", D, BAD, 0);
	ro(EINVAL, renameat2, D, BAD, D, BAD, 8);
	ro(ENOENT, renameat2, D, "no/no", -1, "new", 0);
	ro(EBADF, renameat2, -1, "data", D, "no/no", 0);
	ro(EBADF, renameat2, D, "data", -1, "new", 0);
	ro(EXDEV, renameat2, D, "data", D, "/dev/new", 0);
	ro(EXDEV, renameat2, D, "/dev/null", D, "new", 0);
	ro(ENOENT, renameat2, D, "/dev/null", D, "no/new", 0);
	ro(EROFS, renameat2, D, "data", D, "many/../new", 0);
	ro(EROFS, renameat2, D, "many", D, "many/new", 0);
	ro(EROFS, renameat2, D, LONG, D, "new", 0);
	ro(EROFS, renameat2, D, "data", D, LONG, 0);
	ro(EINVAL, renameat2, D, "/dev/null", D, "/dev/new", 8);
	ro(EXDEV, renameat2, D, "/dev/.", D, "new", 0);
}

static void test_changing(void)
{
	ro(EROFS, fchmodat, D, "data", 0600);
	ro(ENOENT, fchmodat, D, "no", 0600);
	ro(EROFS, fchmodat, D, "link", 0600);
	ro(ELOOP, fchmodat, D, "loop", 0600);
	ro(ENOENT, fchmodat, D, "", 0600);
	ro(EFAULT, fchmodat, D, BAD, 0600);
	ro(EBADF, fchmodat, -1, "data", 0600);
	ro(ENOTDIR, fchmodat, F, "data", 0600);
	ro(EROFS, fchmodat, D, "many", 0600);
	ro(ENOTDIR, fchmodat, D, "data/", 0600);
	ro(EROFS, fchownat, D, "data", 1, 1, 0);
	ro(EROFS, fchownat, D, "data", -1, -1, 0);
	ro(ENOENT, fchownat, D, "no", 1, 1, 0);
	ro(ELOOP, fchownat, D, "loop", 1, 1, 0);
	ro(EROFS, fchownat, D, "loop", 1, 1, AT_SYMLINK_NOFOLLOW);
	ro(EINVAL, fchownat, D, "data", 1, 1, 1);
	ro(EROFS, fchownat, F, "", 1, 1, AT_EMPTY_PATH);
	ro(ENOENT, fchownat, D, "", 1, 1, 0);
	ro(EFAULT, fchownat, D, BAD, 1, 1, 0);
	ro(EINVAL, fchownat, D, BAD, 1, 1, 1);
	ro(EROFS, fchmod, F, 0600);
	ro(EROFS, fchmod, D, 0600);
	ro(EBADF, fchmod, -1, 0600);
	ro(EBADF, fchmod, O, 0600);
	ro(EROFS, fchown, F, 1, 1);
	ro(EBADF, fchown, -1, 1, 1);
	ro(EBADF, fchown, O, 1, 1);
	ro(EROFS, fchown, F, -1, -1);
	ro(EROFS, utimensat, D, "data", NOW, 0);
	ro(EROFS, utimensat, D, "data", NULL, 0);
	ro(0, utimensat, D, "data", OMIT, 0);
	ro(0, utimensat, D, "no", OMIT, 0);
	ro(ENOENT, utimensat, D, "no", NOW, 0);
	ro(ENOENT, utimensat, D, "no", WRONG, 0);
	ro(EINVAL, utimensat, D, "data", WRONG, 0);
	ro(EFAULT, utimensat, D, "data", BAD, 0);
	ro(EFAULT, utimensat, D, "no", BAD, 0);
	ro(EINVAL, utimensat, D, "data", NOW, 1);
	ro(EFAULT, utimensat, D, BAD, NOW, 0);
	ro(0, utimensat, D, BAD, OMIT, 0);
	ro(ENOENT, utimensat, D, "", NOW, 0);
	ro(EROFS, utimensat, F, "", NOW, AT_EMPTY_PATH);
	ro(EROFS, utimensat, F, NULL, NOW, 0);
	ro(EINVAL, utimensat, F, NULL, WRONG, 0);
	ro(EFAULT, utimensat, F, NULL, BAD, 0);
	ro(EBADF, utimensat, -1, NULL, NOW, 0);
	ro(0, utimensat, -1, NULL, OMIT, 0);
	ro(EBADF, utimensat, O, NULL, NOW, 0);
	ro(EINVAL, utimensat, F, NULL, NOW, AT_SYMLINK_NOFOLLOW);
	ro(EFAULT, utimensat, AT_FDCWD, NULL, NOW, 0);
	ro(ELOOP, utimensat, D, "loop", NOW, 0);
	ro(EROFS, utimensat, D, "loop", NOW, AT_SYMLINK_NOFOLLOW);
	ro(EBADF, utimensat, -1, "data", NOW, 0);
	ro(EROFS, truncate, "data", 0);
	ro(EROFS, truncate, "data", -1);
	ro(ENOENT, truncate, "no", -1);
	ro(ENOENT, truncate, "no", 0);
	ro(EISDIR, truncate, "many", 0);
	ro(EROFS, truncate, "link", 0);
	ro(ELOOP, truncate, "loop", 0);
	ro(ENOENT, truncate, "", 0);
	ro(EFAULT, truncate, BAD, 0);
	ro(EINVAL, truncate, "/dev/null", 0);
	ro(EINVAL, ftruncate, F, 0);
	ro(EINVAL, ftruncate, F, -1);
	ro(EBADF, ftruncate, -1, 0);
	ro(EBADF, ftruncate, -1, -1);
	ro(EINVAL, ftruncate, D, 0);
	ro(EBADF, ftruncate, O, 0);
	ro(EINVAL, ftruncate, P1, 0);
	ro(EINVAL, ftruncate, W, 0);
}

static void test_opening(void)
{
	ro(0, fsync, F);
	ro(0, fsync, D);
	ro(EINVAL, fsync, P0);
	ro(EINVAL, fsync, W);
	ro(EBADF, fsync, O);
	ro(EBADF, fsync, -1);
	ro(0, fdatasync, F);
	ro(EINVAL, fdatasync, P1);
	ro(EROFS, openat, D, "new", O_CREAT | O_RDWR, 0600);
	ro(EISDIR, openat, D, "new/", O_CREAT | O_RDWR, 0600);
	ro(EISDIR, openat, D, "data/", O_CREAT | O_RDWR, 0600);
	ro(EISDIR, openat, D, "many/", O_CREAT | O_RDWR, 0600);
	ro(EEXIST, openat, D, "data", O_CREAT | O_EXCL, 0600);
	ro(EEXIST, openat, D, "many", O_CREAT | O_EXCL, 0600);
	ro(EISDIR, openat, D, "many", O_CREAT, 0600);
	ro(ENOENT, openat, D, "no/new", O_CREAT | O_EXCL, 0600);
	ro(EEXIST, openat, D, ".", O_CREAT | O_EXCL, 0600);
	ro(EISDIR, openat, D, "many", O_TRUNC, 0600);
	ro(EROFS, openat, D, "data", O_TRUNC, 0600);
	ro(ENOTDIR, openat, D, "data", O_WRONLY | O_DIRECTORY, 0600);
	ro(EISDIR, openat, D, "many", O_WRONLY, 0600);
	ro(EROFS, faccessat, D, "data", W_OK);
	ro(EROFS, faccessat, D, "many", W_OK);
	ro(EROFS, faccessat, D, "data", W_OK | X_OK);
	ro(ENOENT, faccessat, D, "no", W_OK);
	ro(0, faccessat, D, "/dev/null", W_OK);
	ro(0, openat, D, "data", O_PATH | O_CREAT | O_EXCL, 0600);
	ro(ENOENT, openat, D, "no/new/", O_CREAT | O_RDWR, 0600);
	ro(EISDIR, openat, D, "link/", O_CREAT | O_RDWR, 0600);
	ro(EISDIR, openat, D, "many/", O_CREAT | O_EXCL, 0600);
	ro(EISDIR, openat, D, "many/./", O_CREAT, 0600);
	ro(ENOENT, openat, D, "", O_CREAT, 0600);
	ro(EROFS, faccessat, D, "link", W_OK | X_OK);
}

static int on_hindsight(void)
{
	struct utsname u;

	return uname(&u) == 0 && strstr(u.release, "hindsight") != NULL;
}

/* The names that the tables use, on a file system over this directory that nobody else sees. */
static int make_read_only(const char *dir)
{
	int fd;

	if (wrapped() || unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "tmpfs", 0, NULL) || chdir(dir) || mkdir("dev", 0755) ||
	    mount("/dev", "dev", NULL, MS_BIND | MS_REC, NULL) || mkdir("many", 0755) ||
	    symlink("data", "link") || symlink("loop", "loop"))
		return -1;
	fd = creat("data", 0644);
	close(fd);
	close(creat("empty", 0644));
	return fd < 0 || mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) || chroot(dir);
}

int main(void)
{
	const char *dir = test_path("");
	int p[2];

	if (on_hindsight() ? chdir(dir) : make_read_only(dir)) {
		ok(1, "no read-only file system here: nothing compared");
		return tap_end();
	}
	memset(LONG, 'a', sizeof(LONG) - 1);
	memset(LONGER, 'a', sizeof(LONGER) - 1);
	D = open(".", O_RDONLY | O_DIRECTORY);
	F = open("data", O_RDONLY);
	O = open("data", O_PATH);
	W = open("/dev/null", O_WRONLY);
	ok(D >= 0 && F >= 0 && O >= 0 && W >= 0 && pipe(p) == 0, "files to ask about");
	P0 = p[0];
	P1 = p[1];
	test_creating();
	test_removing();
	test_changing();
	test_opening();
	return tap_end();
}
