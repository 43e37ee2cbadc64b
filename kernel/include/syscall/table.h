/* syscall/table.h - what the black box says of this ABI's system calls: the names of all numbers
 * that Linux has, and the arguments of those that this kernel has. Constant. */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include <tracing/blackbox.h>

extern const struct bb_enum_row syscall_names[];
extern const unsigned int syscall_names_count;
extern const struct bb_call syscall_calls[];
extern const unsigned int syscall_calls_count;

#endif
