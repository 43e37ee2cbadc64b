/* syscall/table.h - names of this ABI's system calls (and of errno values) for the black box, made
 * from the one table in syscall/. Constant. */
#ifndef SYSCALL_TABLE_H
#define SYSCALL_TABLE_H

#include <tracing/blackbox.h>

extern const struct bb_enum_row syscall_rows[];
extern const unsigned int syscall_rows_count;

#endif
