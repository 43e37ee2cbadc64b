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

void td_hash_init(struct td_hash *h, size_t size)
{
	*h = (struct td_hash){.size = size, .mask = 255};
	h->at = td_alloc(h->mask + 1ull, size);
}

void td_hash_free(struct td_hash *h)
{
	free(h->at);
	*h = (struct td_hash){0};
}

void *td_hash_find(const struct td_hash *h, uint64_t key)
{
	for (uint64_t i = (key * 0x9e3779b97f4a7c15ull) >> 20;; i++) {
		uint64_t *entry = td_hash_entry(h, (uint32_t)i & h->mask);

		if (!*entry || *entry == key)
			return entry;
	}
}

void *td_hash_add(struct td_hash *h, uint64_t key, bool *fresh)
{
	uint64_t *entry = td_hash_find(h, key);

	*fresh = !*entry;
	if (!*fresh)
		return entry;
	if (h->n * 2 > h->mask) {
		struct td_hash old = *h;

		h->mask = old.mask * 2 + 1;
		h->at = td_alloc(h->mask + 1ull, h->size);
		for (uint32_t i = 0; i <= old.mask; i++) {
			uint64_t *e = td_hash_entry(&old, i);

			if (*e)
				memcpy(td_hash_find(h, *e), e, h->size);
		}
		free(old.at);
		entry = td_hash_find(h, key);
	}
	h->n++;
	*entry = key;
	return entry;
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
