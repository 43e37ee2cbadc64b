/* file.h - what the calls of today and the legacy calls of x86-64 share. */
#ifndef SYSCALL_FILE_H
#define SYSCALL_FILE_H

#include <fs/vfs.h>

/* A path argument: where it starts, and its text. path_end() after a success. */
struct path_arg {
	struct inode *start;
	struct file *dir; /* holds start, or NULL */
	char *path;
};
int path_begin(struct path_arg *p, int dirfd, const char __user *upath,
	       bool may_be_empty) must_check;
void path_end(struct path_arg *p);

/* A path argument up to its last name: what creating and removing look at. */
struct path_parent {
	struct path_arg arg;
	struct inode *dir; /* where the last name is to be found */
	const char *name;
	enum { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT } last;
	bool slash; /* one follows the name */
};
int path_parent_begin(struct path_parent *p, int dirfd, const char __user *upath) must_check;
void path_parent_end(struct path_parent *p);
struct inode *path_inode(int dirfd, const char __user *upath, bool follow, bool may_be_empty);

long do_open(int dirfd, const char __user *upath, u32 flags, u32 mode);
long do_stat(int dirfd, const char __user *upath, void __user *to, u32 flags);
long do_access(int dirfd, const char __user *upath, u32 mode);
long do_readlink(int dirfd, const char __user *upath, void __user *to, size_t size);
long do_dup_to(int oldfd, int newfd, u32 flags);
/* timeout_ns: INT64_MAX or more = for ever. */
long do_poll(void __user *fds, size_t n, u64 timeout_ns);
long do_pipe(int __user *out, u32 flags);

#endif
