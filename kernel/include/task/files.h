/* task/files.h - a process's table of open files. Thread context, may sleep; takes files_lock. */
#ifndef TASK_FILES_H
#define TASK_FILES_H

#include <task/process.h>

/* The file behind fd of the current process with a reference; NULL if there is none. */
struct file *fd_get(int fd);
/* The same without a reference: good until the caller closes it. */
struct file *fd_peek(int fd);
/* Puts f at the lowest free number >= min. Takes over the caller's reference on success.
 * -EMFILE, -EINVAL (min out of range). */
int fd_install(struct file *f, unsigned int min, bool cloexec) must_check;
/* Puts both in or neither: on failure the caller keeps both references. */
int fd_install_pair(struct file *const f[2], bool cloexec, int out[2]) must_check;
/* Closes what newfd was and makes it the same file as oldfd. -EBADF. */
int fd_dup_to(int oldfd, int newfd, bool cloexec);
int fd_close(int fd);
/* 0/1, or -EBADF. */
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);

/* The process has got its thread: the black box learns which ends of pipes it has open. */
void files_note(struct process *p);
/* fork, exec and exit of process p. */
void files_copy(struct process *to, struct process *from);
void files_close_cloexec(struct process *p);
void files_close_all(struct process *p);

#endif
