/* arch/syscall.h - numbers. <asm/syscall_nr.h> has `#define __NR_name number` for this ABI
 * (own text; source: Linux UAPI asm-generic/unistd.h and asm/unistd_64.h) and ARCH_NR_SYSCALLS, and
 * ARCH_CLONE_CTID, ARCH_CLONE_TLS: which argument of clone (0..5) is the child's tid and its TLS;
 * <asm/stat.h> has `struct arch_stat` in this ABI's layout. */
#ifndef ARCH_SYSCALL_H
#define ARCH_SYSCALL_H
#include <lib/types.h>
#include <asm/stat.h>
#include <asm/syscall_nr.h>
#endif
