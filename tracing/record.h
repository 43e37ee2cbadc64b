/* record.h - the check of a ring's record, for the writer and for all readers in C. Freestanding.
 */
#ifndef TRACING_RECORD_H
#define TRACING_RECORD_H

#include <stdint.h>

/* Loops over arguments vanish where their number is known: the arguments stay in registers. Clang
 * does that unasked. */
#ifdef __clang__
#define TRACE_UNROLL
#else
#define TRACE_UNROLL _Pragma("GCC unroll 8")
#endif

static inline uint64_t trace_rol(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}
/* 16 bits over both words and the arguments (FORMAT.md). w0 has its check bits zero. */
static inline uint16_t trace_check(uint64_t w0, uint64_t w1, const uint64_t *args, unsigned n)
{
	uint64_t x = w0 ^ trace_rol(w1, 23);

	TRACE_UNROLL
	for (unsigned i = 0; i < n; i++)
		x ^= trace_rol(args[i], 7 * i + 3);
	return (uint16_t)((x * 0xd6e8feb86659fd93ull) >> 48);
}

#endif
