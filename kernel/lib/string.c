/* string.c - memory and C strings, any context.
 *
 * memcpy, memmove, memset and memcmp are also what the compiler calls on its own. They work in
 * words of eight bytes at any alignment (both architectures allow that on normal memory, so these
 * must not be used on device registers) and use no vector registers. */
#include <lib/errno.h>
#include <lib/string.h>

/* A word at any address, allowed to alias what it likes. */
struct word {
	u64 v;
} __packed __attribute__((may_alias));

#define W(p)  ((struct word *)(p))->v
#define CW(p) ((const struct word *)(p))->v

static void copy_up(u8 *d, const u8 *s, size_t n)
{
	for (; n >= 32; n -= 32, d += 32, s += 32) {
		u64 a = CW(s), b = CW(s + 8), c = CW(s + 16), e = CW(s + 24);

		W(d) = a;
		W(d + 8) = b;
		W(d + 16) = c;
		W(d + 24) = e;
	}
	for (; n >= 8; n -= 8, d += 8, s += 8)
		W(d) = CW(s);
	for (; n; n--)
		*d++ = *s++;
}

static void copy_down(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	for (; n >= 8; n -= 8) {
		d -= 8;
		s -= 8;
		W(d) = CW(s);
	}
	for (; n; n--)
		*--d = *--s;
}

void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
	copy_up(d, s, n);
	return d;
}

void *memmove(void *d, const void *s, size_t n)
{
	if ((uintptr_t)d - (uintptr_t)s >= n)
		copy_up(d, s, n);
	else
		copy_down(d, s, n);
	return d;
}

void *memset(void *d, int c, size_t n)
{
	u64 w = 0x0101010101010101ull * (u8)c;
	u8 *p = d;

	for (; n >= 32; n -= 32, p += 32) {
		W(p) = w;
		W(p + 8) = w;
		W(p + 16) = w;
		W(p + 24) = w;
	}
	for (; n >= 8; n -= 8, p += 8)
		W(p) = w;
	for (; n; n--)
		*p++ = (u8)c;
	return d;
}

void *memchr_inv(const void *s, int c, size_t n)
{
	u64 w = 0x0101010101010101ull * (u8)c;
	const u8 *p = s;

	for (; n >= 32; n -= 32, p += 32)
		if ((CW(p) ^ w) | (CW(p + 8) ^ w) | (CW(p + 16) ^ w) | (CW(p + 24) ^ w))
			break;
	for (; n >= 8 && CW(p) == w; n -= 8, p += 8)
		;
	for (; n; n--, p++)
		if (*p != (u8)c)
			return (void *)p;
	return NULL;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n >= 8 && CW(x) == CW(y); n -= 8, x += 8, y += 8)
		;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (int)(u8)*a - (int)(u8)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, b++, n--)
		;
	return n ? (int)(u8)*a - (int)(u8)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}

ssize_t strscpy(char *d, const char *s, size_t size)
{
	size_t n;

	if (!size)
		return -E2BIG;
	n = strnlen(s, size - 1);
	memcpy(d, s, n);
	d[n] = 0;
	return s[n] ? -E2BIG : (ssize_t)n;
}
