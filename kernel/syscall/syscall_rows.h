/* syscall_rows.h - the names of the system calls as rows of the black box's table "syscall". Wanted
 * by kernel/trace when it builds the box. */
#ifndef SYSCALL_ROWS_H
#define SYSCALL_ROWS_H

#include <tracing/blackbox.h>

extern const struct bb_enum_row syscall_rows[];
extern const unsigned int syscall_rows_count;

#endif
