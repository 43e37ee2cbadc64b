/* bug.h - assertions and panic. */
#ifndef KERNEL_BUG_H
#define KERNEL_BUG_H

#include <kernel/types.h>

/* Stops every other CPU, writes the crash record, prints the report, powers off with a failure
 * status (or spins, with panic=halt). Any context; works with any lock held. */
void __noreturn panic(const char *fmt, ...) __printf(1, 2) __cold;
void warn_at(const char *file, int line, const char *what) __cold;

#define BUG_ON(c)                                                                                  \
	do {                                                                                       \
		if (unlikely(c))                                                                   \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #c);                         \
	} while (0)
#ifdef CONFIG_DEBUG
#define ASSERT(c) BUG_ON(!(c))
#else
#define ASSERT(c) ((void)sizeof(!(c)))
#endif
#define WARN_ONCE(c)                                                                               \
	({                                                                                         \
		static bool warned_;                                                               \
		bool hit_ = !!(c);                                                                 \
		if (unlikely(hit_ && !warned_)) {                                                  \
			warned_ = true;                                                            \
			warn_at(__FILE__, __LINE__, #c);                                           \
		}                                                                                  \
		unlikely(hit_);                                                                    \
	})

#endif
