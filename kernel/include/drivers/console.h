/* drivers/console.h - the serial side of the console, for the terminal above it. */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include <lib/types.h>

/* Sends text to the serial port, "\n" as "\r\n". Any context, NMI included; waits a bounded time
 * for another CPU's text to end, then counts the text as dropped (returns false). */
bool console_emit(const char *s, size_t n);

#endif
