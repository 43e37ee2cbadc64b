/* syscall.h - handlers: long sys_name(arguments typed as syscalls.def says). Values are the
 * caller's, unchecked. Result: value or -errno. Thread context, interrupts on. */
#ifndef SYSCALL_SYSCALL_H
#define SYSCALL_SYSCALL_H

#include <lib/errno.h>
#include <arch/syscall.h>
#include "call_kinds.h"

#define SYSCALL_EVERY
#define SYSCALL_ROW(name, n, params, args, ...) long sys_##name params;
#include "syscalls.def"
#undef SYSCALL_ROW
#undef SYSCALL_EVERY

#endif
