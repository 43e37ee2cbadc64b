/* blame.h - a code address in words for the allocators' reports: a crash reason holds 160 bytes
 * (tracing/blackbox.h), so each names two sites at most. */
#ifndef MM_BLAME_H
#define MM_BLAME_H
#include <lib/ksyms.h>
#include <lib/string.h>

struct blame {
	char text[44];
};

/* "function+0x12", or "nobody" for 0. */
static inline struct blame blame(unsigned long site)
{
	unsigned long off = 0, size = 0;
	struct blame b = {"nobody"};

	if (site)
		snprintf(b.text, sizeof(b.text), "%s+%#lx", ksym_lookup(site, &off, &size), off);
	return b;
}
#endif
