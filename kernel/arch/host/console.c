/* console.c - where messages and the end of the world go in the hosted kernel: a text that tests
 * look at, and the place in the test that expects a panic. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lib/bug.h>
#include <lib/ksyms.h>
#include <lib/printk.h>
#include <arch/cpu.h>
#include "host.h"

char host_log[65536];
bool host_quiet;
jmp_buf *host_panic;
char host_panic_text[160];

static bool keep(const char *s, size_t n)
{
	size_t at = strlen(host_log), room = sizeof(host_log) - 1 - at;

	if (n > room)
		n = room;
	memcpy(host_log + at, s, n);
	host_log[at + n] = 0;
	if (!host_quiet)
		fprintf(stderr, "# %s", host_log + at);
	return true;
}

void host_log_clear(void)
{
	host_log[0] = 0;
}

static void __noreturn die(const char *reason, const struct crash_facts *f)
{
	snprintf(host_panic_text, sizeof(host_panic_text), "%s", reason);
	if (host_panic)
		longjmp(*host_panic, 1);
	fprintf(stderr, "panic: %s\n", reason);
	abort();
}

static void no_backtrace(unsigned long pc, unsigned long fp)
{
}

static const struct bug_ops bug_ops = {.die = die, .backtrace = no_backtrace};

void host_console_init(void)
{
	printk_set_sink(keep);
	bug_register(&bug_ops);
}

void arch_halt(void)
{
	abort();
}

const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	return "?";
}

struct kplace kplace_lookup(unsigned long return_address)
{
	return (struct kplace){.func = "?", .file = ""};
}
