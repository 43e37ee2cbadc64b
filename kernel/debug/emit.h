/* emit.h - formatted lines straight to the black box's console ring and the serial port: no log
 * level, no prefix, no lock waited for. Any context. */
#ifndef DEBUG_EMIT_H
#define DEBUG_EMIT_H

#include <kernel/types.h>

void emit(const char *fmt, ...) __printf(1, 2);
void emit_line(const char *line);
/* "name" of the holder behind an owner word, e.g. "init (pid 1)", into buf. */
const char *owner_name(u32 owner, char *buf, size_t size);

#endif
