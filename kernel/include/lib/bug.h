/* lib/bug.h - assertions, panic, and the hooks behind them. */
#ifndef LIB_BUG_H
#define LIB_BUG_H

#include <lib/types.h>

struct trap_frame;

/* Stops every other CPU, writes the crash record, prints the report, powers off with a failure
 * status (or spins, with panic=halt). Any context; works with any lock held. */
void __noreturn panic(const char *fmt, ...) __printf(1, 2) __cold;
/* A kernel exception that nobody can handle: as panic(), with the exception's registers. `what` is
 * a short phrase, code the raw syndrome or error code, addr the fault address or 0. Any context. */
void __noreturn oops(struct trap_frame *tf, const char *what, u64 code, unsigned long addr) __cold;
void warn_at(const char *file, int line, const char *what) __cold;

/* Where the kernel was when it gave up. tf: the exception's registers, NULL for a panic() call. */
struct crash_facts {
	struct trap_frame *tf;
	u64 pc, sp, fp, addr, code;
};
/* What debug/ does when the kernel gives up or warns; both in any context. */
struct bug_ops {
	void __noreturn (*die)(const char *reason, const struct crash_facts *f);
	void (*backtrace)(unsigned long pc, unsigned long fp);
};
void bug_register(const struct bug_ops *o);

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
