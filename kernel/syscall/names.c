/* names.c - the names of all system calls that Linux has on this architecture, also of those that
 * this kernel does not have: a program that calls one is told about by its name. The rows are made
 * from <asm/syscall_nr.h> by the build. */
#include <syscall/table.h>

const struct bb_enum_row syscall_names[] = {
#define NAME(nr, name) {BB_TAB_SYSCALL, 0, nr, name},
#include "syscall_names.inc"
#undef NAME
};
const unsigned int syscall_names_count = sizeof(syscall_names) / sizeof(syscall_names[0]);
