/* util.h - errors as one sentence, memory that is never NULL, text that is safe to print. */
#ifndef TRACEDUMP_UTIL_H
#define TRACEDUMP_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What is wrong with the input, and where. Always one sentence. */
struct td_error {
	char text[256];
};
/* Fills e and returns -1, so that a check can say `return td_fail(...)`. */
__attribute__((format(printf, 2, 3))) int td_fail(struct td_error *e, const char *fmt, ...);

/* Zeroed array of n objects; ends the program with status 2 when memory is short or the product
 * overflows. Never NULL, even for n = 0. */
void *td_alloc(size_t n, size_t size);
/* Grows an array to hold at least n + 1 objects; *cap is its capacity. */
void *td_grow(void *old, size_t n, size_t *cap, size_t size);

/* Copies at most `srclen` bytes of untrusted text (or up to its NUL) as printable ASCII; what is
 * not printable becomes '?'. dst has room for n bytes and is always terminated. */
void td_clean(char *dst, size_t n, const char *src, size_t srclen);
/* Writes a JSON string with quotes. */
void td_json_string(FILE *f, const char *s);

#endif
