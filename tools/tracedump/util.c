/* util.c - see util.h. No state. */
#include "util.h"

#include <stdlib.h>
#include <string.h>

int td_fail(struct td_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

void *td_alloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p) {
		fprintf(stderr, "tracedump: not enough memory for %zu objects of %zu bytes\n", n,
			size);
		exit(2);
	}
	return p;
}

void *td_grow(void *old, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap ? *cap : 16;
	void *p;

	if (old && n < *cap)
		return old;
	while (want <= n)
		want *= 2;
	p = reallocarray(old, want, size);
	if (!p) {
		fprintf(stderr, "tracedump: not enough memory for %zu objects of %zu bytes\n", want,
			size);
		exit(2);
	}
	*cap = want;
	return p;
}

void td_clean(char *dst, size_t n, const char *src, size_t srclen)
{
	size_t i;

	for (i = 0; i + 1 < n && i < srclen && src[i]; i++)
		dst[i] = src[i] >= 0x20 && src[i] < 0x7f ? src[i] : '?';
	dst[i] = 0;
}

void td_json_string(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}
