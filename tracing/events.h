/* events.h - typed probes made from events.def: trace_<name>(args...) costs a load, a test and a
 * branch while off. Any context. */
#ifndef TRACING_EVENTS_H
#define TRACING_EVENTS_H

#include <tracing/ring.h>

#define EVENT(i, n, cat, role, args) EV_##n = i,
#define ARG(n, show)
#define ARGT(n, show, tab)
enum trace_event_id {
#include <tracing/events.def>
	EV_NONE = 0
};
#undef EVENT
#undef ARG
#undef ARGT

/* Counts arguments at compile time: each ARG contributes one to an array type's size. */
#define ARG(n, show)                 +1
#define ARGT(n, show, tab)           +1
#define EVENT(i, n, cat, role, args) EVN_##n = 0 args,
enum trace_event_nargs {
#include <tracing/events.def>
	EVN_NONE
};
#undef EVENT
#undef ARG
#undef ARGT

/* A probe. The argument count is checked against events.def at compile time. */
#define TRACE_NARGS_(_0, _1, _2, _3, _4, _5, _6, _7, _8, N, ...) N
#define TRACE_NARGS(...)                                         TRACE_NARGS_(0, ##__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define TRACE_CAT_(a, b)                                         a##b
#define TRACE_CAT(a, b)                                          TRACE_CAT_(a, b)
#define TRACE_U(x)                                               ((uint64_t)(x))
#define TRACE_E0(id)                                             trace_emit0(id)
#define TRACE_E1(id, a)                                          trace_emit1(id, TRACE_U(a))
#define TRACE_E2(id, a, b)                                       trace_emit2(id, TRACE_U(a), TRACE_U(b))
#define TRACE_E3(id, a, b, c)                                    trace_emit3(id, TRACE_U(a), TRACE_U(b), TRACE_U(c))
#define TRACE_E4(id, a, b, c, d)                                 trace_emit4(id, TRACE_U(a), TRACE_U(b), TRACE_U(c), TRACE_U(d))
#define TRACE_E7(id, a, b, c, d, e, f, g)                                                          \
	trace_emit_args(id,                                                                        \
			(const uint64_t[]){TRACE_U(a), TRACE_U(b), TRACE_U(c), TRACE_U(d),         \
					   TRACE_U(e), TRACE_U(f), TRACE_U(g)},                    \
			7)
#define trace(name, ...)                                                                           \
	do {                                                                                       \
		_Static_assert(TRACE_NARGS(__VA_ARGS__) == EVN_##name,                             \
			       "argument count differs from events.def");                          \
		if (trace_event_on(EV_##name))                                                     \
			TRACE_CAT(TRACE_E, TRACE_NARGS(__VA_ARGS__))(EV_##name, ##__VA_ARGS__);    \
	} while (0)

/* Up to eight bytes of text as one STR8 argument. */
static inline uint64_t trace_str8(const char *s)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8 && s[i]; i++)
		v |= (uint64_t)(uint8_t)s[i] << 8 * i;
	return v;
}
/* The next eight, or 0. */
static inline uint64_t trace_str8_2(const char *s)
{
	for (unsigned i = 0; i < 8; i++)
		if (!s[i])
			return 0;
	return trace_str8(s + 8);
}

#endif
