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

/* A hash table of entries that begin with a 64-bit key, 0 = free. Open addressing, never more than
 * half full; entries move when it grows. For all of them: i from 0 to mask. */
struct td_hash {
	void *at;
	size_t size; /* of an entry */
	uint32_t mask, n;
};
void td_hash_init(struct td_hash *h, size_t size);
void td_hash_free(struct td_hash *h);
/* The entry with this key, or a free one (never store there: td_hash_add). Not for key 0. */
void *td_hash_find(const struct td_hash *h, uint64_t key);
/* The entry with this key, new if there was none; *fresh says which. */
void *td_hash_add(struct td_hash *h, uint64_t key, bool *fresh);
static inline void *td_hash_entry(const struct td_hash *h, uint32_t i)
{
	return (char *)h->at + (size_t)i * h->size;
}

/* Copies at most `srclen` bytes of untrusted text (or up to its NUL) as printable ASCII; what is
 * not printable becomes '?'. dst has room for n bytes and is always terminated. */
void td_clean(char *dst, size_t n, const char *src, size_t srclen);
/* Writes a JSON string with quotes. */
void td_json_string(FILE *f, const char *s);

#endif
