/* proto.h - a writer of protobuf messages into memory. Nested messages get a length of fixed width,
 * patched at the end, so nothing is moved or encoded twice. */
#ifndef TRACEDUMP_PROTO_H
#define TRACEDUMP_PROTO_H

#include "read/util.h"

struct td_pb {
	uint8_t *p;
	size_t n, cap;
};

void td_pb_uint(struct td_pb *b, uint32_t field, uint64_t v); /* varint; also int64 and bool */
void td_pb_fixed64(struct td_pb *b, uint32_t field, uint64_t v);
void td_pb_string(struct td_pb *b, uint32_t field, const char *s);
void td_pb_bytes(struct td_pb *b, uint32_t field, const void *p, size_t n);
/* A nested message: everything written until the matching end. Returns a token for end. */
size_t td_pb_begin(struct td_pb *b, uint32_t field);
void td_pb_end(struct td_pb *b, size_t token);
void td_pb_free(struct td_pb *b);

#endif
