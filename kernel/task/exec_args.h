/* exec_args.h - the strings of a new program: argv, then envp, packed end to end. */
#ifndef TASK_EXEC_ARGS_H
#define TASK_EXEC_ARGS_H

#include <mm/mm.h>

/* All strings and their pointers together; Linux's floor for a program is 128 KiB. */
#define EXEC_ARGS_MAX (256 * 1024ul)

struct exec_args {
	char *buf; /* argc + envc strings, each with its terminator */
	size_t len, cap;
	u32 argc, envc;
};

/* Thread context, all. 0, -E2BIG, -ENOMEM, and -EFAULT for the user form. exec_args_free() also
 * after a failure. */
int exec_args_add(struct exec_args *a, const char *s, size_t len, u32 *counter) must_check;
int exec_args_from_user(struct exec_args *a, const unsigned long __user *argv,
			const unsigned long __user *envp) must_check;
/* argv[0] becomes the n given strings: what a #! line asks for. */
int exec_args_replace_first(struct exec_args *a, const char *const *with, u32 n) must_check;
void exec_args_free(struct exec_args *a);

#endif
