/* ktest.c - runs the in-kernel tests that the image carries. One thread, one test at a time. */
#include <lib/clock.h>
#include <lib/ktest.h>
#include <lib/string.h>
#include "debug_private.h"

extern const struct ktest __ktest_start[], __ktest_end[];
/* Of the running test; any thread of it may set them. */
static bool failed;
static const char *skipped;
unsigned long ktest_checks;

void ktest_fail(const char *file, int line, const char *what, u64 a, u64 b)
{
	failed = true;
	emit("# %s:%d: %s", file, line, what);
	if (a | b)
		emit(" (%llu, %llu)", (unsigned long long)a, (unsigned long long)b);
	emit("\n");
}

void ktest_skip(const char *reason)
{
	skipped = reason;
}

static bool selected(const char *name, const char *match, size_t len)
{
	for (; strlen(name) >= len; name++)
		if (!strncmp(name, match, len))
			return true;
	return false;
}

unsigned int ktest_run(const char *match, size_t len)
{
	unsigned int pass = 0, fail = 0, skip = 0, n = 0;

	if (len == 1 && match[0] == '1')
		len = 0;
	emit("TAP version 13\n");
	for (const struct ktest *t = __ktest_start; t < __ktest_end; t++) {
		u64 start = time_ns();

		if (!selected(t->name, match, len))
			continue;
		failed = false;
		skipped = NULL;
		ktest_checks = 0;
		t->fn();
		if (!READ_ONCE(ktest_checks) && !skipped)
			ktest_fail(t->name, 0, "the test checks nothing", 0, 0);
		emit("%sok %u - %s # ", failed ? "not " : "", ++n, t->name);
		if (skipped)
			emit("SKIP %s\n", skipped);
		else
			emit("%llu ms\n", (unsigned long long)(time_ns() - start) / 1000000);
		if (failed)
			fail++;
		else if (skipped)
			skip++;
		else
			pass++;
	}
	emit("1..%u\n%u passed, %u failed", n, pass, fail);
	if (skip)
		emit(", %u skipped", skip);
	emit("\n");
	return fail + (n == 0);
}
