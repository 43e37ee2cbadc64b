/* trace/lock_class.h - lock classes: a name, a kind, and the token that Clang's thread-safety
 * analysis knows. DEFINE_LOCK_CLASS at file scope; the same name serves compile time and run time.
 */
#ifndef TRACE_LOCK_CLASS_H
#define TRACE_LOCK_CLASS_H

#include <lib/annotate.h>
#include <lib/types.h>
#include <tracing/tracker.h>

#define DEFINE_LOCK_CLASS(var, text, lkkind, order)                                                \
	struct track_class var __attribute__((unused))                                             \
	__collected(".data.lockclass") = {.name = text, .kind = lkkind, .rank = order}
#define DECLARE_LOCK_CLASS(var) extern struct track_class var

#endif
