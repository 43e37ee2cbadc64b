/* uaccess.c - the only way to user memory: range check here, the copy with fault recovery in arch.
 * Thread context, no spin lock, may sleep: a page that is not there yet is brought in. Which pages
 * are valid is decided by the fault handler, so no lock is needed and nothing is checked twice. */
#include <lib/string.h>
#include <mm/vm.h>
#include <arch/uaccess.h>
#include <tracing/tracker.h>

static bool range_ok(const void __user *p, size_t n)
{
	unsigned long start = (unsigned long)p, end;

	return !__builtin_add_overflow(start, n, &end) && end <= USER_END;
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	size_t left;

	if (!n)
		return 0;
	if (!range_ok(src, n))
		return -EFAULT;
	track_might_sleep(RET_IP);
	left = arch_copy_from_user(dst, src, n);
	if (!left)
		return 0;
	/* A caller that ignores the error must not see what was there before. */
	memset((char *)dst + (n - left), 0, left);
	return -EFAULT;
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	if (!n)
		return 0;
	if (!range_ok(dst, n))
		return -EFAULT;
	track_might_sleep(RET_IP);
	return arch_copy_to_user(dst, src, n) ? -EFAULT : 0;
}

int clear_user(void __user *dst, size_t n)
{
	if (!n)
		return 0;
	if (!range_ok(dst, n))
		return -EFAULT;
	track_might_sleep(RET_IP);
	return arch_clear_user(dst, n) ? -EFAULT : 0;
}

#define CHUNK                                                                                      \
	64ul /* a divisor of the page size: no chunk touches a page that the string does not */

ssize_t strncpy_from_user(char *dst, const char __user *src, size_t size)
{
	size_t done = 0;

	if (!size)
		return -ENAMETOOLONG;
	track_might_sleep(RET_IP);
	while (done < size) {
		const char __user *from = src + done;
		size_t n = CHUNK - ((unsigned long)from & (CHUNK - 1)), len;

		n = MIN(n, size - done);
		if (!range_ok(from, n) || arch_copy_from_user(dst + done, from, n)) {
			dst[0] = 0;
			return -EFAULT;
		}
		len = strnlen(dst + done, n);
		if (len < n)
			return (ssize_t)(done + len);
		done += n;
	}
	dst[size - 1] = 0;
	return -ENAMETOOLONG;
}
