/* exec_args.c - collecting the strings of a new program, from user memory or from the kernel.
 * One growing buffer; the limit counts strings and the pointers that the stack will need for them.
 */
#include <lib/string.h>
#include <mm/vm.h>
#include "exec_args.h"

#define FIRST_CAP 4096ul

static int args_reserve(struct exec_args *a, size_t more)
{
	size_t need = a->len + more, cap = a->cap ? a->cap : FIRST_CAP;
	char *buf;

	if (need + (a->argc + a->envc + 1ul) * sizeof(u64) > EXEC_ARGS_MAX)
		return -E2BIG;
	if (need <= a->cap)
		return 0;
	while (cap < need)
		cap *= 2;
	buf = kmalloc(cap);
	if (!buf)
		return -ENOMEM;
	if (a->len)
		memcpy(buf, a->buf, a->len);
	kfree(a->buf);
	a->buf = buf;
	a->cap = cap;
	return 0;
}

int exec_args_add(struct exec_args *a, const char *s, size_t len, u32 *counter)
{
	int err = args_reserve(a, len + 1);

	if (err)
		return err;
	memcpy(a->buf + a->len, s, len);
	a->buf[a->len + len] = '\0';
	a->len += len + 1;
	(*counter)++;
	return 0;
}

static int args_add_user(struct exec_args *a, const char __user *s, u32 *counter)
{
	size_t room = 256;

	for (;;) {
		int err = args_reserve(a, room);
		ssize_t len;

		if (err)
			return err;
		room = a->cap - a->len;
		len = strncpy_from_user(a->buf + a->len, s, room);
		if (len >= 0) {
			a->len += (size_t)len + 1;
			(*counter)++;
			return 0;
		}
		if (len != -ENAMETOOLONG)
			return (int)len;
		room *= 2;
	}
}

static int args_add_vector(struct exec_args *a, const unsigned long __user *v, u32 *counter)
{
	for (; v; v++) {
		unsigned long ptr;
		int err;

		if (copy_from_user(&ptr, v, sizeof(ptr)))
			return -EFAULT;
		if (!ptr)
			break;
		err = args_add_user(a, (const char __user *)ptr, counter);
		if (err)
			return err;
	}
	return 0;
}

int exec_args_from_user(struct exec_args *a, const unsigned long __user *argv,
			const unsigned long __user *envp)
{
	int err = args_add_vector(a, argv, &a->argc);

	/* A program without argv[0] gets an empty one, as Linux gives it since 5.18. */
	if (!err && a->argc == 0)
		err = exec_args_add(a, "", 0, &a->argc);
	return err ? err : args_add_vector(a, envp, &a->envc);
}

int exec_args_replace_first(struct exec_args *a, const char *const *with, u32 n)
{
	struct exec_args out = {0};
	size_t skip = a->argc ? strlen(a->buf) + 1 : 0;
	int err = 0;

	for (u32 i = 0; i < n && !err; i++)
		err = exec_args_add(&out, with[i], strlen(with[i]), &out.argc);
	if (!err)
		err = args_reserve(&out, a->len - skip);
	if (err) {
		exec_args_free(&out);
		return err;
	}
	if (a->len > skip)
		memcpy(out.buf + out.len, a->buf + skip, a->len - skip);
	out.len += a->len - skip;
	out.argc += a->argc ? a->argc - 1 : 0;
	out.envc = a->envc;
	exec_args_free(a);
	*a = out;
	return 0;
}

void exec_args_free(struct exec_args *a)
{
	kfree(a->buf);
	*a = (struct exec_args){0};
}
