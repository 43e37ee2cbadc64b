/* debug_private.h - what the files of kernel/debug share. No log level, no prefix, no lock waited
 * for: any context. */
#ifndef DEBUG_PRIVATE_H
#define DEBUG_PRIVATE_H

#include <lib/types.h>
#include <arch/trap.h>
#include <tracing/blackbox.h>

/* Formatted lines straight to the black box's console ring and the serial port. */
void emit(const char *fmt, ...) __printf(1, 2);
void emit_line(const char *line);
/* "name" of the holder behind an owner word, e.g. "init (pid 1)", into buf. */
const char *owner_name(u32 owner, char *buf, size_t size);
/* A finding's short form; the tracker's report hook. */
void report_print(const struct bb_report *r);
/* Return addresses from pc and the frame record at fp on, at most max; returns how many. */
unsigned int backtrace_collect(unsigned long pc, unsigned long fp, u64 *out, unsigned int max);
/* Prints them as "#n name+0x12/0x40" lines. */
void backtrace_print(unsigned long pc, unsigned long fp);
/* The return address of a call to where no code is (the frame walk cannot know it), else 0. */
unsigned long backtrace_astray(const struct trap_frame *tf);
/* One line a frame; frames[0] is exact, the others are return addresses. */
void frames_print(const u64 *frames, unsigned int n);

/* What the next NMI runs, once; for tests. Atomic. */
extern void (*debug_nmi_call)(void);

extern const struct bb_enum_row errno_rows[];
extern const unsigned int errno_rows_count;

#endif
