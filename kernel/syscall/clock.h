/* clock.h - durations as user memory has them. */
#ifndef SYSCALL_CLOCK_H
#define SYSCALL_CLOCK_H

#include <lib/clock.h>
#include <uapi/process.h>

struct user_timespec timespec_of(u64 ns);
/* Saturates at INT64_MAX instead of wrapping: such a time ends after centuries. -EFAULT, -EINVAL.
 */
int timespec_get(const void __user *from, u64 *ns) must_check;

#endif
