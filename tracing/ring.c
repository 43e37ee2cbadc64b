/* ring.c - the writers. The theory is in ring.h; the record format in blackbox.h and FORMAT.md. */
#include <tracing/events.h>

#define MAX_UNITS (1 + BB_MAX_ARGS / 2)
/* What a sleeper may still write starts at most this far before head: its own record, and the unit
 * that a carry of the event count skips. */
#define FENCE_MARGIN (MAX_UNITS + 3)

#define EMIT_INLINE static inline __attribute__((always_inline))

/* Reserve, look at the clock, then arguments, word0 with the check, and word1, which makes the
 * record valid, last. With `since` the time from then on is the first argument's upper part. */
EMIT_INLINE void emit_since(uint64_t word, uint64_t *args, unsigned n, const uint64_t *since)
{
	struct bb_ring *r = port_ring();
	uint32_t len = 1 + (n + 1) / 2;
	uint64_t old, now, w0, w1, *p;

#ifndef PORT_RING_ALWAYS
	if (__builtin_expect(!r, 0)) {
		port_count_drop();
		return;
	}
#endif
	old = port_reserve(&r->head, (uint64_t)len << 32 | 1);
	now = port_ticks();
	if (since)
		args[0] |= (now - *since) << 16;
	w1 = (old & 0xffffffff0000ffffull) | word;
	/* Each is one value from here on: clang would keep its parts in more registers than there
	 * are, and merge their shifts with the check's into double shifts, which cost several. */
	__asm__("" : "+r"(now), "+r"(w1));
	/* With a sleeper below us: refused if a lap later it would reach what that may write. */
	if (__builtin_expect(*(const volatile uint32_t *)&r->fenced != 0, 0)) {
		uint32_t room = r->fence_unit - (uint32_t)(w1 >> 32);

		if ((int32_t)(room + (uint32_t)r->units - (len + FENCE_MARGIN)) < 0)
			return;
		/* Read units again: kept, it takes a register that all would have to save. */
		__asm__ volatile("" ::: "memory");
	}

	w0 = now << 16;
	__asm__("" : "+r"(w0));
	p = (uint64_t *)(uintptr_t)r->data_virt + (w1 >> 32 & (r->units - 1)) * 2;
	TRACE_UNROLL
	for (unsigned i = 0; i < n; i++)
		__atomic_store_n(&p[2 + i], args[i], __ATOMIC_RELAXED);
	__atomic_store_n(&p[0], w0 | trace_check(w0, w1, args, n), __ATOMIC_RELAXED);
	__atomic_store_n(&p[1], w1, __ATOMIC_RELEASE);
}

EMIT_INLINE void emit(uint64_t word, const uint64_t *args, unsigned n)
{
	emit_since(word, (uint64_t *)args, n, (const uint64_t *)0);
}

void trace_put0(uint64_t word)
{
	emit(word, (const uint64_t *)0, 0);
}
void trace_put1(uint64_t word, uint64_t a)
{
	emit(word, (const uint64_t[]){a}, 1);
}
void trace_put2(uint64_t word, uint64_t a, uint64_t b)
{
	emit(word, (const uint64_t[]){a, b}, 2);
}
void trace_put3(uint64_t word, uint64_t a, uint64_t b, uint64_t c)
{
	emit(word, (const uint64_t[]){a, b, c}, 3);
}
void trace_put4(uint64_t word, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	emit(word, (const uint64_t[]){a, b, c, d}, 4);
}
/* The arguments stay where they are: one body a number of them, all of them unrolled, and each
 * saves only the registers that it needs. */
#define PUT_CALL(n)                                                                                \
	TRACE_TEXT static void put_call##n(const struct bb_task *t, uint64_t ret)                  \
	{                                                                                          \
		uint64_t args[BB_MAX_ARGS] = {BB_CALL_WORD(t->syscall, 0), ret};                   \
		TRACE_UNROLL                                                                       \
		for (unsigned i = 0; i < n; i++)                                                   \
			args[2 + i] = t->syscall_args[i];                                          \
		emit_since(TRACE_WORD(EV_syscall_done, 2 + n), args, 2 + n, &t->syscall_ticks);    \
	}
PUT_CALL(0)
PUT_CALL(1)
PUT_CALL(2)
PUT_CALL(3)
PUT_CALL(4)
PUT_CALL(5)
PUT_CALL(6)
#undef PUT_CALL

trace_put_call_fn *const trace_put_call[7] = {put_call0, put_call1, put_call2, put_call3,
					      put_call4, put_call5, put_call6};

void trace_emit_args(unsigned id, const uint64_t *args, unsigned n)
{
	n = n <= BB_MAX_ARGS ? n : BB_MAX_ARGS;
	emit(TRACE_WORD(id, n), args, n);
}

/* The fence in pictures. Units from left to right, `units` of them from | to |; r = recorded
 * before, S = the sleeper's own, reserved and still to be written, n = of writers nested in its
 * sleep, - = what the fence keeps clear. F = fence_unit, H = head, M = FENCE_MARGIN. fenced is 0
 * outside 1-3.
 *
 *   1. An interrupt hits the emit text. trace_nest_begin(): fenced = 1, F = H. The sleeper either
 *      has S, which starts less than M before F, or will reserve at or behind H.
 *
 *          | r  r  r  r  S  S  r  r  r  r  r  r |
 *                            FH
 *
 *   2. Nested writers overwrite what is a lap old.
 *
 *          | r  r  r  r  S  S  n  n  n  n  r  r |
 *                            F           H
 *
 *   3. H comes within M of F a lap later, where S might start: records that would end behind that
 *      are refused. They move H and are not written, so the reader counts them as lost.
 *
 *          | n  n  -  -  S  S  n  n  n  n  n  n |
 *                            F                     (H goes on, in the next lap)
 *
 *   4. The interrupt ends. trace_nest_end(): fence_head = H, fenced = 0. The sleeper goes on: it
 *      writes S, wherever H is by now, or reserves at H as anybody.
 *
 *   5. The next interrupt that hits the emit text is 1 again, but for F:
 *        H == fence_head   nobody has reserved since, S may still be open: F stays, and what all
 *                          interrupts in one sleep have written counts together, as in 2 and 3;
 *        H >  fence_head   the sleeper has left S, whatever it has now is at or behind
 *                          fence_head: F = H.
 *
 * An NMI that hits an interrupt in 1-3 finds fenced set and writes under the same fence.
 *
 * fence_head is what head was when the last fenced interrupt ended. If the interrupted writer has
 * reserved nothing since, it may be the one that slept then: the fence stays where it was. If it
 * has, what it may still write lies at or behind fence_head, and the fence moves to head.
 *
 * Both functions are emit text themselves, so an NMI that hits them fences for itself. One before
 * fenced is set has decided on the same sleeper and left fence_head at or behind the head read
 * here: its decision stands. One after that changes no fence. In trace_nest_end() FENCE_KEEP makes
 * every decision "stay" until fence_head is right, which the NMI's own end may have done already.
 */
#define FENCE_KEEP (1ull << 62)

unsigned trace_nest_begin(uintptr_t pc)
{
	if (__builtin_expect(!trace_in_emit(pc), 1))
		return 0;

	struct bb_ring *r = port_ring();
	uint64_t head;

	if (!r || __atomic_load_n(&r->fenced, __ATOMIC_ACQUIRE))
		return 0;
	head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
	__atomic_store_n(&r->fenced, 1, __ATOMIC_SEQ_CST);
	if ((int64_t)(head - __atomic_load_n(&r->fence_head, __ATOMIC_RELAXED)) > 0)
		__atomic_store_n(&r->fence_unit, (uint32_t)(head >> 32), __ATOMIC_RELEASE);
	return 1;
}

void trace_nest_end(unsigned token)
{
	if (__builtin_expect(!token, 1))
		return;

	struct bb_ring *r = port_ring();
	uint64_t keep = __atomic_load_n(&r->head, __ATOMIC_RELAXED) + FENCE_KEEP;

	__atomic_store_n(&r->fence_head, keep, __ATOMIC_RELAXED);
	__atomic_store_n(&r->fenced, 0, __ATOMIC_SEQ_CST);
	__atomic_compare_exchange_n(&r->fence_head, &keep,
				    __atomic_load_n(&r->head, __ATOMIC_ACQUIRE), 0,
				    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void trace_ring_move(struct bb_ring *to, const struct bb_ring *from)
{
	uint32_t end = (uint32_t)(from->head >> 32);
	uint32_t unit = end > from->units ? end - (uint32_t)from->units : 0;

	while (unit < end) {
		const uint64_t *s = (const uint64_t *)(uintptr_t)from->data_virt +
				    (unit & (from->units - 1)) * 2;
		uint64_t *d = (uint64_t *)(uintptr_t)to->data_virt + (unit & (to->units - 1)) * 2;
		uint32_t n = s[1] >> 16 & 15;
		uint32_t len = 1 + (n + 1) / 2;

		if (s[1] >> 32 != unit || n > BB_MAX_ARGS) {
			unit++;
			continue;
		}
		for (uint32_t i = 0; i < len * 2; i++)
			d[i] = s[i];
		unit += len;
	}
	to->drops += from->drops;
	to->head = from->head;
}
