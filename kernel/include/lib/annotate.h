/* lib/annotate.h - Clang thread-safety annotations. Functions name the instance. Cleanup-attribute
 * guards confuse the analysis: use the explicit pair. */
#ifndef LIB_ANNOTATE_H
#define LIB_ANNOTATE_H

#define CAPABILITY(x)       __attribute__((capability(x)))
#define ACQUIRE(...)        __attribute__((acquire_capability(__VA_ARGS__)))
#define ACQUIRE_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define RELEASE(...)        __attribute__((release_capability(__VA_ARGS__)))
#define RELEASE_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
#define TRY_ACQUIRE(...)    __attribute__((try_acquire_capability(__VA_ARGS__)))
#define REQUIRES(...)       __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...)       __attribute__((locks_excluded(__VA_ARGS__)))
/* Only for lock primitives and for hand-over (the run queue's lock across a switch). */
#define NO_TSA __attribute__((no_thread_safety_analysis))

#endif
