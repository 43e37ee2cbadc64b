/* ring_test.c - the trace ring, one property a case, all deterministic: layout, argument counts,
 * wrap, spare units, check, wrap of the counters, ring move, drops, fence, switches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <tracing/events.h>
#include "ring_fixture.h"

#define UNITS 64

static struct ring_fixture fx;
static struct ring_record recs[4096];
static struct ring_scan scan;

static int setup(void **state)
{
	ring_open(&fx, UNITS);
	return 0;
}
static int teardown(void **state)
{
	assert_true(ring_guard_intact(&fx));
	ring_close(&fx);
	return 0;
}
static void read_all(const struct ring_fixture *f)
{
	ring_read(&f->ring, f->data, recs, sizeof(recs) / sizeof(recs[0]), &scan);
	assert_false(scan.disorder);
	assert_int_equal(scan.passed, 0);
}
static const uint64_t *words_at(uint32_t unit)
{
	return (const uint64_t *)fx.data + 2 * (unit & (UNITS - 1));
}
static uint64_t arg_of(uint64_t record, unsigned i)
{
	return (record + 1) * 0x9e3779b97f4a7c15ull ^ (uint64_t)i << 56;
}
static void emit_n(unsigned id, uint64_t record, unsigned n)
{
	uint64_t a[BB_MAX_ARGS];

	for (unsigned i = 0; i < n; i++)
		a[i] = arg_of(record, i);
	trace_emit_args(id, a, n);
}
static void check_args(const struct ring_record *r, uint64_t record)
{
	for (unsigned i = 0; i < r->nargs; i++)
		assert_int_equal(r->args[i], arg_of(record, i));
}
static unsigned len_of(unsigned n)
{
	return 1 + (n + 1) / 2;
}

static void layout_is_the_format(void **state)
{
	uint64_t before = port_ticks(), after;
	const uint64_t *w;

	fx.ring.head = 5ull << 32 | 9;
	trace_emit3(0xabc, 1, 2, ~0ull);
	after = port_ticks();
	w = words_at(5);
	assert_int_equal(w[1], 5ull << 32 | 0xabcull << 20 | 3 << 16 | 9);
	assert_true(w[0] >> 16 >= (before << 16) >> 16);
	assert_true(w[0] >> 16 <= (after << 16) >> 16);
	assert_int_equal(w[2], 1);
	assert_int_equal(w[3], 2);
	assert_int_equal(w[4], ~0ull);
	assert_int_equal(w[5], 0); /* the last unit's free half stays as it was */
	assert_int_equal(fx.ring.head, 8ull << 32 | 10);
}

/* The check by hand for one record: the constants are part of the format. */
static void check_is_the_format(void **state)
{
	const uint64_t *w = words_at(0);
	uint64_t x;

	trace_emit2(7, 0x1111, 0x2222000000000000ull);
	x = (w[0] & ~0xffffull) ^ (w[1] << 23 | w[1] >> 41);
	x ^= 0x1111ull << 3;
	x ^= 0x2222000000000000ull << 10 | 0x2222000000000000ull >> 54;
	assert_int_equal(w[0] & 0xffff, x * 0xd6e8feb86659fd93ull >> 48);
}

static void every_argument_count(void **state)
{
	uint32_t unit = 0;

	trace_emit0(100);
	trace_emit1(101, arg_of(1, 0));
	trace_emit2(102, arg_of(2, 0), arg_of(2, 1));
	trace_emit3(103, arg_of(3, 0), arg_of(3, 1), arg_of(3, 2));
	trace_emit4(104, arg_of(4, 0), arg_of(4, 1), arg_of(4, 2), arg_of(4, 3));
	for (unsigned n = 0; n <= 8; n++)
		emit_n(105 + n, 5 + n, n);
	read_all(&fx);
	assert_int_equal(scan.accepted, 14);
	assert_int_equal(scan.lost, 0);
	assert_int_equal(scan.torn, 0);
	for (unsigned i = 0; i < 14; i++) {
		assert_int_equal(recs[i].id, 100 + i);
		assert_int_equal(recs[i].nargs, i < 5 ? i : i - 5);
		assert_int_equal(recs[i].event, i);
		assert_int_equal(recs[i].unit, unit);
		check_args(&recs[i], i);
		unit += len_of(recs[i].nargs);
	}
	assert_int_equal(fx.ring.head, (uint64_t)unit << 32 | 14);
}

static void too_many_arguments_are_cut(void **state)
{
	uint64_t a[15] = {0};

	for (unsigned i = 0; i < 15; i++)
		a[i] = arg_of(0, i);
	trace_emit_args(9, a, 15);
	read_all(&fx);
	assert_int_equal(scan.accepted, 1);
	assert_int_equal(recs[0].nargs, 8);
	check_args(&recs[0], 0);
}

/* After any number of events the newest are there, complete, and the loss is exact. */
static void wrap_keeps_the_newest(void **state)
{
	for (uint32_t i = 0; i < 3000; i++) {
		emit_n(1 + i % 4095, i, i % 9);
		read_all(&fx);
		assert_int_equal(scan.head_events, i + 1);
		assert_int_equal(scan.accepted + scan.lost, i + 1);
		assert_int_equal(scan.lost_gap, 0);
		assert_true(scan.torn < 5); /* the rest of a record whose start is gone */
		assert_int_equal(recs[scan.accepted - 1].event, i);
		if (scan.head_units > UNITS)
			assert_true(scan.head_units - recs[0].unit > UNITS - 5);
		for (uint32_t k = 0; k < scan.accepted; k++) {
			assert_int_equal(recs[k].nargs, recs[k].event % 9);
			assert_int_equal(recs[k].id, 1 + recs[k].event % 4095);
			check_args(&recs[k], recs[k].event);
		}
	}
}

/* A record that starts in the last unit runs into the spare units, all of them and no further. */
static void last_unit_uses_the_spare(void **state)
{
	fx.ring.head = (uint64_t)(UNITS - 1) << 32 | 40;
	emit_n(50, 1, 8);
	emit_n(51, 2, 1);
	read_all(&fx);
	assert_int_equal(scan.accepted, 2);
	check_args(&recs[0], 1);
	check_args(&recs[1], 2);
	assert_int_equal(recs[1].unit, UNITS + 4);
	assert_int_equal(words_at(0)[1], 0); /* nothing came round to the start */
	assert_int_equal(((const uint64_t *)fx.data)[2 * (UNITS + 3) + 1], arg_of(1, 7));
}

/* Any single bit that differs makes the record invalid: 3 units, 384 bits. */
static void every_flipped_bit_is_seen(void **state)
{
	fx.ring.head = 11ull << 32 | 6;
	emit_n(0x123, 77, 4);
	for (unsigned bit = 0; bit < 384; bit++) {
		uint64_t *w = (uint64_t *)fx.data + 2 * 11 + bit / 64;

		*w ^= 1ull << bit % 64;
		ring_read(&fx.ring, fx.data, recs, 16, &scan);
		assert_int_equal(scan.accepted, 0);
		assert_int_equal(scan.lost, 7);
		*w ^= 1ull << bit % 64;
	}
	read_all(&fx);
	assert_int_equal(scan.accepted, 1);
}

/* A reservation that was never filled reads as lost, also where zeroed memory looks like unit 0. */
static void unwritten_is_not_a_record(void **state)
{
	fx.ring.head = 2ull << 32 | 1;
	emit_n(3, 0, 2);
	read_all(&fx);
	assert_int_equal(scan.accepted, 1);
	assert_int_equal(recs[0].event, 1);
	assert_int_equal(scan.lost, 1);
	assert_int_equal(scan.torn, 2);
}

static void counters_wrap(void **state)
{
	uint32_t unit;

	/* units wrap, a record across the wrap of its number */
	fx.ring.head = 0xfffffffeull << 32 | 100;
	emit_n(1, 1, 8);
	assert_int_equal(fx.ring.head, 3ull << 32 | 101);
	emit_n(2, 2, 3);
	read_all(&fx);
	assert_int_equal(recs[scan.accepted - 1].unit, 3);
	check_args(&recs[scan.accepted - 1], 2);

	/* events wrap: the carry skips one unit, no more */
	fx.ring.head = 1000ull << 32 | 0xffffffff;
	emit_n(3, 3, 2);
	unit = (uint32_t)(fx.ring.head >> 32);
	assert_int_equal((uint32_t)fx.ring.head, 0);
	assert_int_equal(unit, 1000 + 2 + 1);
	emit_n(4, 4, 0);
	read_all(&fx);
	assert_int_equal(recs[scan.accepted - 2].event, 0xffffffff);
	assert_int_equal(recs[scan.accepted - 1].event, 0);
	assert_int_equal(recs[scan.accepted - 1].unit, unit);
	assert_int_equal(scan.torn >= 1, 1);
}

/* Whatever the small ring can show, the large one shows at the same positions; the next event
 * continues. Every length of history, so that wraps and spare units are met. */
static void move_keeps_positions(void **state)
{
	static struct ring_record was[UNITS];

	for (uint32_t events = 0; events < 200; events++) {
		struct ring_fixture small, large;
		struct ring_scan before;

		ring_open(&small, UNITS);
		for (uint32_t i = 0; i < events; i++)
			emit_n(1 + i, i, (i * 5 + 1) % 9);
		small.ring.drops = 3;
		ring_read(&small.ring, small.data, was, UNITS, &before);
		ring_open(&large, 4 * UNITS);
		trace_ring_move(&large.ring, &small.ring);
		assert_int_equal(large.ring.head, small.ring.head);
		assert_int_equal(large.ring.drops, 3);
		emit_n(1 + events, events, 4);
		read_all(&large);
		assert_int_equal(scan.accepted, before.accepted + 1);
		for (uint32_t k = 0; k < before.accepted; k++) {
			assert_int_equal(recs[k].unit, was[k].unit);
			assert_int_equal(recs[k].event, was[k].event);
			assert_int_equal(recs[k].id, was[k].id);
			assert_int_equal(recs[k].nargs, was[k].nargs);
			assert_int_equal(recs[k].ticks, was[k].ticks);
		}
		for (uint32_t k = 0; k <= before.accepted; k++)
			check_args(&recs[k], recs[k].event);
		assert_true(ring_guard_intact(&small) && ring_guard_intact(&large));
		free(small.data);
		free(large.data);
	}
	host_ring = &fx.ring;
}

/* What looks like a record but cannot be one is not moved: it would reach behind the ring. */
static void move_leaves_impossible_records(void **state)
{
	struct ring_fixture from, to;
	uint64_t *last;

	ring_open(&from, UNITS);
	ring_open(&to, UNITS);
	last = (uint64_t *)from.data + 2 * (UNITS - 1);
	from.ring.head = (uint64_t)UNITS << 32 | 1;
	last[0] = 0x1234;
	last[1] = (uint64_t)(UNITS - 1) << 32 | 5ull << 20 | 15 << 16;
	trace_ring_move(&to.ring, &from.ring);
	assert_true(ring_guard_intact(&to));
	assert_int_equal(((uint64_t *)to.data)[2 * (UNITS - 1)], 0);
	free(from.data);
	free(to.data);
	host_ring = &fx.ring;
}

static void no_ring_counts_a_drop(void **state)
{
	uint64_t before = host_drops;

	host_ring = NULL;
	trace_emit0(1);
	trace_emit4(1, 2, 3, 4, 5);
	emit_n(1, 1, 7);
	assert_int_equal(trace_position(), 0);
	assert_int_equal(trace_nest_begin((uintptr_t)__start_trace_emit_text), 0);
	trace_nest_end(0);
	host_ring = &fx.ring;
	assert_int_equal(host_drops - before, 3);
	assert_int_equal(fx.ring.head, 0);
}

static void position_names_the_next_event(void **state)
{
	fx.ring.cpu = 3;
	emit_n(1, 0, 2);
	assert_int_equal(trace_position(), 3ull << 32 | 1);
	emit_n(1, 1, 2);
	read_all(&fx);
	assert_int_equal(recs[1].event, 1);
}

/* A nested writer of many laps: the units that the sleeper may still write stay as they are, what
 * is refused is counted, and afterwards recording goes on. */
static void fence_stops_a_lap(void **state)
{
	for (unsigned c = 0; c < 18; c++) {
		unsigned n = c / 2, carry = c & 1;
		struct ring_fixture f;
		uint32_t sleeper, total = 0, refused = 0;
		unsigned token;

		ring_open(&f, UNITS);
		for (uint32_t i = 0; i < 90; i++, total++)
			emit_n(5, total, (i + n) % 9);
		sleeper = (uint32_t)(f.ring.head >> 32);
		/* a sleeper has reserved, not written; the carry of its count skips a unit
		 */
		if (carry)
			f.ring.head |= 0xffffffff;
		f.ring.head += 5ull << 32 | 1;
		total++;
		for (unsigned i = 0; i < 10; i++) /* to recognise any write */
			((uint64_t *)f.data)[2 * (sleeper % UNITS) + i] = 0x5eeb;
		token = trace_nest_begin((uintptr_t)__start_trace_emit_text);
		assert_true(token != 0);
		assert_int_equal(f.ring.fenced, 1);
		assert_int_equal(trace_nest_begin((uintptr_t)__start_trace_emit_text), 0);
		for (uint32_t i = 0; i < 200; i++, total++) {
			uint32_t unit = (uint32_t)(f.ring.head >> 32);
			int fits = unit + len_of(n) - sleeper <= UNITS;
			const uint64_t *w = (const uint64_t *)f.data + 2 * (unit % UNITS);

			emit_n(6, total, n);
			if (w[1] >> 32 != unit) {
				refused++;
				/* refused early only by the margin, whose size is the writer's */
				assert_true(unit + len_of(n) + 8 - sleeper > UNITS);
			} else {
				assert_true(fits);
			}
		}
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(((uint64_t *)f.data)[2 * (sleeper % UNITS) + i], 0x5eeb);
		assert_true(refused > 0);
		if (carry)
			total = 200; /* since the carry */
		assert_int_equal((uint32_t)f.ring.head, total);
		trace_nest_end(token);
		assert_int_equal(f.ring.fenced, 0);
		emit_n(7, total, 2);
		ring_read(&f.ring, f.data, recs, UNITS, &scan);
		assert_int_equal(recs[scan.accepted - 1].event, total);
		if (!carry)
			assert_int_equal(scan.accepted + scan.lost, total + 1);
		assert_true(ring_guard_intact(&f));
		free(f.data);
	}
	host_ring = &fx.ring;
}

/* The same sleeper, interrupted again before it went on: what the first interrupt recorded must not
 * move the fence, or the second would overwrite the sleeper's units. */
static void fence_outlives_the_interrupt(void **state)
{
	uint32_t sleeper, total = 0;
	unsigned token;

	for (; total < 90; total++)
		emit_n(5, total, total % 9);
	sleeper = (uint32_t)(fx.ring.head >> 32);
	fx.ring.head += 5ull << 32 | 1;
	total++;
	for (unsigned again = 0; again < 3; again++) {
		for (unsigned i = 0; i < 10; i++)
			((uint64_t *)fx.data)[2 * (sleeper % UNITS) + i] = 0x5eeb;
		token = trace_nest_begin((uintptr_t)__start_trace_emit_text);
		assert_true(token != 0);
		for (unsigned i = 0; i < 110; i++, total++)
			emit_n(6, total, total % 9);
		trace_nest_end(token);
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(((uint64_t *)fx.data)[2 * (sleeper % UNITS) + i], 0x5eeb);
	}
	/* the sleeper went on and reserved again: nothing of the past holds the next one back */
	emit_n(7, total, 3);
	token = trace_nest_begin((uintptr_t)__start_trace_emit_text);
	emit_n(8, total + 1, 3);
	trace_nest_end(token);
	read_all(&fx);
	assert_int_equal(recs[scan.accepted - 1].event, total + 1);
	assert_int_equal(recs[scan.accepted - 2].event, total);
}

static void fence_only_inside_an_emit(void **state)
{
	assert_int_equal(trace_nest_begin((uintptr_t)__start_trace_emit_text - 1), 0);
	assert_int_equal(trace_nest_begin((uintptr_t)__stop_trace_emit_text), 0);
	assert_int_equal(trace_nest_begin((uintptr_t)fence_only_inside_an_emit), 0);
	assert_int_equal(fx.ring.fenced, 0);
	assert_true(trace_in_emit((uintptr_t)trace_put0));
	assert_true(trace_in_emit((uintptr_t)trace_emit_args));
	assert_true(trace_in_emit((uintptr_t)trace_nest_begin)); /* an NMI may hit them too */
	assert_true(trace_in_emit((uintptr_t)trace_nest_end));
	assert_true(trace_in_emit((uintptr_t)__stop_trace_emit_text - 1));
	for (uint32_t i = 0; i < 200; i++)
		emit_n(1, i, 8);
	read_all(&fx);
	assert_int_equal(scan.lost_gap, 0);
}

static void switches_select_events(void **state)
{
	memset(trace_control.event_on, 0, sizeof(trace_control.event_on));
	trace(bench, 1, 2, 3, 4);
	assert_int_equal(fx.ring.head, 0);
	trace_control.event_on[EV_bench] = 1;
	trace(bench, 1, 2, 3, 4);
	trace(timer_entry);
	trace(sched_wake, -1, 2u);
	trace_control.event_on[EV_syscall_enter] = 1;
	trace(syscall_enter, 1, 2, 3, 4, 5, 6, 7);
	read_all(&fx);
	assert_int_equal(scan.accepted, 2);
	assert_int_equal(recs[0].id, EV_bench);
	assert_int_equal(recs[0].nargs, 4);
	assert_int_equal(recs[1].id, EV_syscall_enter);
	assert_int_equal(recs[1].nargs, 7);
	assert_int_equal(recs[1].args[6], 7);
}

static void arguments_are_sign_extended(void **state)
{
	trace_control.event_on[EV_syscall_exit] = 1;
	trace(syscall_exit, 60, -22);
	read_all(&fx);
	assert_int_equal(recs[0].args[1], (uint64_t)-22);
}

static void text_packs_into_arguments(void **state)
{
	assert_int_equal(trace_str8("ab"), 0x6261);
	assert_int_equal(trace_str8(""), 0);
	assert_int_equal(trace_str8("abcdefghij"), 0x6867666564636261ull);
	assert_int_equal(trace_str8_2("abcdefghij"), 0x6a69);
	assert_int_equal(trace_str8_2("abcdefgh"), 0);
	assert_int_equal(trace_str8_2("abc"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(layout_is_the_format),
		T(check_is_the_format),
		T(every_argument_count),
		T(too_many_arguments_are_cut),
		T(wrap_keeps_the_newest),
		T(last_unit_uses_the_spare),
		T(every_flipped_bit_is_seen),
		T(unwritten_is_not_a_record),
		T(counters_wrap),
		T(move_keeps_positions),
		T(move_leaves_impossible_records),
		T(no_ring_counts_a_drop),
		T(position_names_the_next_event),
		T(fence_stops_a_lap),
		T(fence_outlives_the_interrupt),
		T(fence_only_inside_an_emit),
		T(switches_select_events),
		T(arguments_are_sign_extended),
		T(text_packs_into_arguments),
	};

	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
