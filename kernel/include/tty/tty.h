/* tty/tty.h - the console as a terminal: input lines and echo. */
#ifndef TTY_TTY_H
#define TTY_TTY_H

#include <lib/types.h>

/* Registers /dev/console and /dev/tty and starts receiving. After vfs_init(). Thread context, once,
 * interrupts on. */
void tty_init(void);
/* One received byte: line discipline and echo. Interrupt context; also what tests feed. */
void tty_receive(u8 c);

#endif
