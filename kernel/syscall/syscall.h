/* syscall.h - handlers. a[0..5] are the caller's registers, unchecked; each handler narrows them to
 * the types that the ABI gives. Result: value or -errno. Thread context, interrupts on. */
#ifndef SYSCALL_SYSCALL_H
#define SYSCALL_SYSCALL_H

#include <lib/errno.h>
#include <arch/syscall.h>

#define SYSCALL_EVERY
#define SYSCALL(name, kinds) long sys_##name(const unsigned long *a);
#include "syscalls.def"
#undef SYSCALL
#undef SYSCALL_EVERY

#endif
