/* trace_private.h - what the files of kernel/trace share. */
#ifndef TRACE_PRIVATE_H
#define TRACE_PRIVATE_H

#include <tracing/blackbox.h>

extern struct bb_ring trace_early_ring;
extern const struct bb_enum_row errno_rows[];
extern const unsigned int errno_rows_count;

#endif
