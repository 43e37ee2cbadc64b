/* tty.h - the console as a terminal: input lines, echo, and the file operations of /dev/console. */
#ifndef KERNEL_TTY_H
#define KERNEL_TTY_H

#include <kernel/vfs.h>

extern const struct file_ops tty_file_ops;
/* Starts receiving. Thread context, once, interrupts on. */
void tty_init(void);
/* One received byte: line discipline and echo. Interrupt context; also what tests feed. */
void tty_receive(u8 c);

#endif
