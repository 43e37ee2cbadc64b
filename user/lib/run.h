/* run.h - starting programs: shared by init, sh and the demos. */
#ifndef USER_RUN_H
#define USER_RUN_H

#include <sys/types.h>

/* Forks a child that is called after the program, then becomes it: also while it still waits for
 * the file system, lists show it under that name. Path: with '/', else searched in /bin. fds: what
 * becomes 0 and 1 in the child, -1 = inherited. Pid or -1. */
pid_t run_start(char *const argv[], int in, int out);
/* Becomes the program; exits with 127 (not found) or 126, saying why. */
void run_exec(char *const argv[]) __attribute__((noreturn));
/* Waits for pid; its exit status as a shell counts it (128 + signal). */
int run_wait(pid_t pid);
/* Starts a few small programs and waits for them. 0 if all succeeded. */
int run_pile(void);

#endif
