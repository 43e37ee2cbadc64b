/* lib/string.h - the freestanding subset. memcpy, memmove, memset, memcmp are what clang itself
 * calls.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include <lib/types.h>

void *memcpy(void *restrict d, const void *restrict s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
/* The first byte that is not c, or NULL. */
void *memchr_inv(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
/* Copies at most size-1 bytes and always terminates. Returns the copied length, or -E2BIG. */
ssize_t strscpy(char *d, const char *s, size_t size);
/* printf subset: flags 0 - + space #, width, precision, * ; h hh l ll z ; d i u o x X p s c %.
 * Returns the length the whole text needs, as C's vsnprintf. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
/* Decimal or 0x-prefixed hex, optional suffix K M G. Returns 0 or -EINVAL, -ERANGE. */
int parse_u64(const char *s, size_t len, u64 *out) must_check;

#endif
