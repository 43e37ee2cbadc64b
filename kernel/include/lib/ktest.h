/* lib/ktest.h - in-kernel tests. KTEST(name) { ... } in any file puts a test in the list that boot
 * option ktest=1 runs, in thread context on a running system. A failed check fails the test and
 * goes on. */
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
#define KT_ASSERT(c)                                                                               \
	do {                                                                                       \
		if (!(c))                                                                          \
			ktest_fail(__FILE__, __LINE__, #c, 0, 0);                                  \
	} while (0)
#define KT_EQ(a, b)                                                                                \
	do {                                                                                       \
		u64 a_ = (u64)(a), b_ = (u64)(b);                                                  \
		if (a_ != b_)                                                                      \
			ktest_fail(__FILE__, __LINE__, #a " == " #b, a_, b_);                      \
	} while (0)

/* Runs all (or those whose name contains `match`), prints TAP and "N passed, N failed". Returns the
 * number of failures. */
unsigned int ktest_run(const char *match, size_t len);

#endif
