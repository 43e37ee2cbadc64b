/* trace_private.h - between port.c and setup.c. */
#ifndef TRACE_PRIVATE_H
#define TRACE_PRIVATE_H

#include <tracing/blackbox.h>

extern struct bb_ring trace_early_ring;

#endif
