/* lib/ktest.h - in-kernel tests. KTEST(name) { ... } in any file puts a test in the list that boot
 * option ktest=1 runs, in thread context on a running system. A failed check fails the test and
 * goes on. A test that checks nothing fails too, unless it says with KT_SKIP why it cannot. */
#ifndef LIB_KTEST_H
#define LIB_KTEST_H

#include <lib/errno.h>
#include <lib/types.h>

struct ktest {
	const char *name;
	void (*fn)(void);
};
#define KTEST(id)                                                                                  \
	static void ktest_##id(void);                                                              \
	static const struct ktest ktest_entry_##id __collected(".ktest")                           \
		__used = {#id, ktest_##id};                                                        \
	static void ktest_##id(void)

void ktest_fail(const char *file, int line, const char *what, u64 a, u64 b);
/* Checks made by the running test, by all its threads; not exact, but not 0 if there was one. */
extern unsigned long ktest_checks;
#define KT_ASSERT(c)                                                                               \
	do {                                                                                       \
		WRITE_ONCE(ktest_checks, READ_ONCE(ktest_checks) + 1);                             \
		if (!(c))                                                                          \
			ktest_fail(__FILE__, __LINE__, #c, 0, 0);                                  \
	} while (0)
#define KT_EQ(a, b)                                                                                \
	do {                                                                                       \
		u64 a_ = (u64)(a), b_ = (u64)(b);                                                  \
		WRITE_ONCE(ktest_checks, READ_ONCE(ktest_checks) + 1);                             \
		if (a_ != b_)                                                                      \
			ktest_fail(__FILE__, __LINE__, #a " == " #b, a_, b_);                      \
	} while (0)

/* Ends the test; `reason` says what this machine or boot lacks, like "needs 2 CPUs". */
void ktest_skip(const char *reason);
#define KT_SKIP(reason)                                                                            \
	do {                                                                                       \
		ktest_skip(reason);                                                                \
		return;                                                                            \
	} while (0)

/* Runs all (or those whose name contains `match`), prints TAP and "N passed, N failed" (and ", N
 * skipped" if some were). Returns the number of failures. */
unsigned int ktest_run(const char *match, size_t len);

#endif
