/* schema.h - the rows made from events.def, for box.c. Private to tracing/. */
#ifndef TRACING_SCHEMA_H
#define TRACING_SCHEMA_H

#include <tracing/blackbox.h>

extern const struct bb_event_row trace_schema[];
extern const uint32_t trace_schema_count;
extern const struct bb_enum_row trace_enums[];
extern const uint32_t trace_enums_count;

#endif
