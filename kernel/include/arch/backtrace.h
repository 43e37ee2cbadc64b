/* arch/backtrace.h - frame-pointer unwinding. Both architectures: [fp] = caller's fp,
 * [fp+8] = return address. The walker is portable (debug/backtrace.c).
 * <asm/backtrace.h>: static inline unsigned long arch_strip_ra(unsigned long): removes pointer
 * authentication bits. */
#ifndef ARCH_BACKTRACE_H
#define ARCH_BACKTRACE_H
#include <lib/types.h>
#include <asm/backtrace.h>
#endif
