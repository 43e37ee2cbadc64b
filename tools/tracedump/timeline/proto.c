/* proto.c - see proto.h. Wire types: 0 varint, 1 eight bytes, 2 length and bytes. */
#include "proto.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 4 /* a padded varint of 28 bits */

static uint8_t *room(struct td_pb *b, size_t n)
{
	uint8_t *at;

	b->p = td_grow(b->p, b->n + n, &b->cap, 1);
	at = b->p + b->n;
	b->n += n;
	return at;
}

static void varint(struct td_pb *b, uint64_t v)
{
	while (v >= 0x80) {
		*room(b, 1) = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*room(b, 1) = (uint8_t)v;
}

void td_pb_uint(struct td_pb *b, uint32_t field, uint64_t v)
{
	varint(b, (uint64_t)field << 3);
	varint(b, v);
}

void td_pb_fixed64(struct td_pb *b, uint32_t field, uint64_t v)
{
	uint8_t *at;

	varint(b, (uint64_t)field << 3 | 1);
	at = room(b, 8);
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

void td_pb_bytes(struct td_pb *b, uint32_t field, const void *p, size_t n)
{
	varint(b, (uint64_t)field << 3 | 2);
	varint(b, n);
	if (n)
		memcpy(room(b, n), p, n);
}

void td_pb_string(struct td_pb *b, uint32_t field, const char *s)
{
	td_pb_bytes(b, field, s, strlen(s));
}

size_t td_pb_begin(struct td_pb *b, uint32_t field)
{
	varint(b, (uint64_t)field << 3 | 2);
	room(b, LENGTH_BYTES);
	return b->n;
}

void td_pb_end(struct td_pb *b, size_t token)
{
	size_t len = b->n - token;
	uint8_t *at = b->p + token - LENGTH_BYTES;

	for (unsigned i = 0; i < LENGTH_BYTES; i++)
		at[i] = (uint8_t)((len >> 7 * i & 0x7f) | (i + 1 < LENGTH_BYTES ? 0x80 : 0));
}

void td_pb_free(struct td_pb *b)
{
	free(b->p);
	*b = (struct td_pb){0};
}
