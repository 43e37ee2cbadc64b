/* timeline_test.c - the golden timeline: a box with known content, made by the real producer, is
 * converted, and every field of every packet is compared with timeline_golden.txt. The test has a
 * decoder of its own, so that a mistake in proto.c shows, too. What differs from run to run is
 * replaced: sequence numbers, tracks' and flows' numbers by their names and order. GOLDEN=FILE in
 * the environment writes what is instead of comparing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tracing/box.h>
#include <tracing/record.h>

#include "box_fixture.h"
#include "read/session.h"
#include "timeline/perfetto.h"

#define GOLDEN_FILE "tests/unit/timeline_golden.txt"

/* ---- a box with known times ----------------------------------------------------------------- */

static struct box_fixture f;

/* Gives the newest record of the current ring, of `units` units, the time `us`. */
static void restamp(uint64_t before, unsigned us)
{
	uint32_t unit = (uint32_t)(before >> 32);
	uint64_t *ring = (uint64_t *)(uintptr_t)host_ring->data_virt;
	uint64_t *w = ring + 2 * (unit & (host_ring->units - 1));

	w[0] = (fx_ticks(0) + us * 1000ull) << 16;
	w[0] |= trace_check(w[0], w[1], w + 2, w[1] >> 16 & 15);
}

/* An event on the current ring, so many microseconds after boot. */
#define AT(us, ...)                                                                                \
	do {                                                                                       \
		uint64_t before_ = host_ring->head;                                                \
		trace(__VA_ARGS__);                                                                \
		restamp(before_, us);                                                              \
	} while (0)

static void cpu(unsigned n)
{
	host_ring = &f.rings[n];
}

static void load(struct td_session *s, struct td_source *src)
{
	struct td_error e;

	host_ring = NULL;
	fx_seal(&f);
	if (td_source_memory(src, f.mem, f.size, &e) || td_session_load(s, src, NULL, &e))
		fail_msg("%s", e.text);
}

static uint8_t *convert(size_t *n, struct td_perfetto_stats *st)
{
	struct td_session s;
	struct td_source src;
	char *p;
	FILE *out = open_memstream(&p, n);

	load(&s, &src);
	td_perfetto(&s, out, 0, st);
	fclose(out);
	td_session_free(&s);
	td_source_close(&src);
	return (uint8_t *)p;
}

/* ---- a decoder ------------------------------------------------------------------------------ */

/* Which fields are messages, by the path of field numbers from TracePacket. */
static const char *const messages[] = {
	"1",   "1.2",  "1.2.4", "1.2.20", "1.2.36", "1.2.37", "2",     "2.1",
	"2.2", "6",    "6.1",   "11",     "11.4",   "11.21",  "12",    "12.20",
	"45",  "45.1", "60",    "60.4",   "60.8",   "126",    "126.1",
};

struct dump {
	FILE *out;
	uint64_t flow[64], track[64], file;
	char name[64][64];
	unsigned nflows, ntracks;
};

static uint64_t varint(const uint8_t **p, const uint8_t *end)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *p < end; shift += 7) {
		uint8_t b = *(*p)++;

		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	fail_msg("a number is cut off");
	return 0;
}

static bool is_message(const char *path)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (!strcmp(path, messages[i]))
			return true;
	return false;
}

static void track_name(struct dump *d, uint64_t uuid)
{
	for (unsigned i = 0; i < d->ntracks; i++)
		if (d->track[i] == uuid) {
			fprintf(d->out, "<%s>", d->name[i]);
			return;
		}
	fail_msg("track 0x%" PRIx64 " is not described", uuid);
}

static void value(struct dump *d, const char *path, uint64_t v)
{
	if (!strcmp(path, "10")) {
		assert_in_range(v, 1, UINT32_MAX);
		if (!d->file)
			d->file = v >> 3;
		assert_int_equal(v >> 3, d->file);
		fprintf(d->out, "%" PRIu64, v & 7);
	} else if (!strcmp(path, "11.11") || !strcmp(path, "60.5")) {
		track_name(d, v);
	} else if (!strcmp(path, "60.1")) {
		d->track[d->ntracks] = v;
		fprintf(d->out, "track%u", d->ntracks);
	} else {
		fprintf(d->out, "%" PRId64, (int64_t)v);
	}
}

static void message(struct dump *d, const char *path, const uint8_t *p, const uint8_t *end)
{
	while (p < end) {
		uint64_t key = varint(&p, end), v = 0;
		char here[32];

		snprintf(here, sizeof(here), "%s%s%u", path, *path ? "." : "",
			 (unsigned)(key >> 3));
		fprintf(d->out, " %u:", (unsigned)(key >> 3));
		switch (key & 7) {
		case 0:
			value(d, here, varint(&p, end));
			break;
		case 1: {
			unsigned i = 0;

			assert_true(end - p >= 8);
			memcpy(&v, p, 8);
			p += 8;
			while (i < d->nflows && d->flow[i] != v)
				i++;
			if (i == d->nflows)
				d->flow[d->nflows++] = v;
			fprintf(d->out, "flow%u", i);
			break;
		}
		case 2:
			v = varint(&p, end);
			assert_true(v <= (uint64_t)(end - p));
			if (is_message(here)) {
				fprintf(d->out, "{");
				message(d, here, p, p + v);
				fprintf(d->out, " }");
			} else {
				fprintf(d->out, "\"%.*s\"", (int)v, (const char *)p);
				if (!strcmp(here, "60.2") || !strcmp(here, "60.4.5"))
					snprintf(d->name[d->ntracks], sizeof(d->name[0]), "%.*s",
						 (int)v, (const char *)p);
			}
			p += v;
			break;
		default:
			fail_msg("wire type %u", (unsigned)(key & 7));
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One packet a line, "field:value" in order; the unfinished slices, which are closed in the order
 * of a hash table, are sorted. */
static char *decode(const uint8_t *p, size_t n)
{
	struct dump d = {0};
	const uint8_t *end = p + n;
	char *text, *lines[512], *all;
	unsigned nlines = 0, sorted;
	size_t size;
	FILE *out;

	while (p < end) {
		uint64_t key = varint(&p, end), len = varint(&p, end);

		assert_int_equal(key, 1 << 3 | 2);
		assert_true(len <= (uint64_t)(end - p));
		assert_true(nlines < 512);
		d.out = open_memstream(&text, &size);
		message(&d, "", p, p + len);
		if (d.name[d.ntracks][0])
			d.ntracks++;
		fclose(d.out);
		lines[nlines++] = text;
		p += len;
	}
	for (sorted = nlines; sorted && strstr(lines[sorted - 1], "\"unfinished\""); sorted--)
		;
	out = open_memstream(&all, &size);
	for (unsigned i = 0; i < nlines; i++) {
		if (i == sorted)
			qsort(lines + i, nlines - i, sizeof(*lines), by_text);
		fx_print(out, lines[i]);
		fputc('\n', out);
		free(lines[i]);
	}
	fclose(out);
	return all;
}

/* The part of the golden file under "== name". */
static void compare(const char *name)
{
	struct td_perfetto_stats st = {77, 77, 77}; /* set, not added to */
	size_t n, size = 0;
	uint8_t *p = convert(&n, &st);
	char *text = decode(p, n), head[64], *all = NULL, *from;
	FILE *in;

	snprintf(head, sizeof(head),
		 "== %s: %" PRIu64 " events, %" PRIu64 " lost, %" PRIu64 " unfinished\n", name,
		 st.events, st.lost, st.unfinished);
	if (getenv("GOLDEN")) {
		in = fopen(getenv("GOLDEN"), "a");
		assert_non_null(in);
		fprintf(in, "%s%s", head, text);
		fclose(in);
	} else {
		in = fopen(GOLDEN_FILE, "r");
		assert_non_null(in);
		assert_true(getdelim(&all, &size, 0, in) > 0);
		fclose(in);
		from = strstr(all, head);
		if (!from)
			fail_msg("not in %s: %s", GOLDEN_FILE, head);
		from += strlen(head);
		for (char *line = text; *line; line = strchr(line, '\n') + 1) {
			size_t len = (size_t)(strchr(line, '\n') - line) + 1;

			if (strncmp(line, from, len))
				fail_msg("got      %.*sexpected %.*s", (int)len, line,
					 (int)strcspn(from, "\n"), from);
			from += len;
		}
		assert_true(!*from || !strncmp(from, "== ", 3));
		free(all);
	}
	free(text);
	free(p);
	fx_close(&f);
}

/* ---- the timelines -------------------------------------------------------------------------- */

static void open_box(void)
{
	fx_open(&f);
	memcpy(box_header()->build_id, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	box_set_clock(BB_CLOCK_HOST, 1000000000, box_header()->clock_anchor, 1700000000000000000);
	fx_task(&f, 2, 1, 0, "init", BB_ST_SLEEPING);
	fx_task(&f, 3, 7, 1, "sh", BB_ST_SLEEPING);
	fx_task(&f, 4, 8, 1, "cat", BB_ST_BLOCKED);
	f.tasks[4].flags = 0;
}

/* Switches with every state, wake-ups, nested interrupts, counters, logs, calls and their results,
 * a name that only the trace knows, what is open at exit and at the end. */
static void test_tasks(void **state)
{
	uint64_t at;

	(void)state;
	open_box();
	cpu(0);
	AT(10, sched_switch, 0, BB_ST_RUNNABLE, 1, 20);
	AT(11, syscall_enter, 63, 3, 0x1000, 64, 0, 0, 0);
	AT(12, irq_entry, 30);
	AT(13, irq_entry, 31);
	AT(14, sched_wake, 7, 1);
	AT(15, irq_return, 31);
	AT(16, irq_return, 30);
	AT(17, irq_return, 30);
	AT(18, fault_user, 0x4000, 1, 0x400100);
	AT(19, syscall_exit, 63, -2);
	AT(20, syscall_exit, 63, 0);
	AT(21, timer_entry);
	AT(22, timer_return);
	AT(23, timer_return);
	AT(24, sched_migrate, 7, 0, 1);
	AT(25, task_new, 9, 9, trace_str8("init"), 0);
	AT(26, task_name, 9, trace_str8("a_longer"), trace_str8("_name"));
	AT(27, sched_switch, 1, BB_ST_SLEEPING, 9, 5);
	AT(28, syscall_enter, 999, 1, 2, 3, 4, 5, 6);
	AT(29, exception, -11, 0x10, 0);
	AT(30, sched_exit, 9, 0x100);
	AT(31, sched_switch, 9, BB_ST_ZOMBIE, 0, 0);
	AT(32, syscall_exit, 63, 0);
	AT(33, report, BB_V_ORPHAN, 0, 0, 1);
	cpu(1);
	at = box_console_write("<hello>\r\n", 9);
	AT(20, sched_switch, 0, BB_ST_RUNNABLE, 7, 19);
	AT(21, printk, 3, at, 9);
	AT(22, printk, 7, at + 9, 9);
	AT(23, sched_switch, 7, BB_ST_BLOCKED, 8, 18);
	AT(24, sched_switch, 8, BB_ST_STOPPED, 7, 19);
	AT(25, sched_switch, 7, BB_ST_DEAD, 8, 18);
	AT(26, syscall_enter, 63, 0, 0, 0, 0, 0, 0);
	AT(27, syscall_enter, 63, 1, 0, 0, 0, 0, 0);
	AT(28, wait_begin, BB_WAIT_CHILD, 0xffff800000000010, FX_LINE(0));
	AT(29, sched_switch, 8, BB_ST_SLEEPING, 0, 0);
	AT(30, printk, 6, at, 9);
	AT(31, ipi_entry, 1);
	f.rings[1].drops = 3;
	compare("tasks");
}

/* Lanes, arrows, take-over, a hold older than the trace, a hand-over at a switch, unfinished. */
static void test_locks(void **state)
{
	uint32_t m, s, r;

	(void)state;
	open_box();
	m = fx_class("ext2.root", BB_LK_MUTEX, 1);
	s = fx_class("runq", BB_LK_SPIN, 2);
	r = fx_class("mm", BB_LK_RWLOCK, 3);
	fx_hold(&f.tasks[2], FX_LOCK(1), m, FX_LOAD_INIT, 2e-6);
	cpu(0);
	AT(10, sched_switch, 0, BB_ST_RUNNABLE, 7, 20);
	AT(11, lock_wait, FX_LOCK(1), m, 1, FX_LINE(0));
	AT(12, sched_switch, 7, BB_ST_BLOCKED, 8, 20);
	AT(13, lock_taken, FX_LOCK(3), r, FX_LINE(0));
	AT(14, sched_switch, 8, BB_ST_SLEEPING, 0, 0);
	AT(15, lock_taken, FX_LOCK(2), s, FX_LINE(0));
	AT(16, sched_switch, 0, BB_ST_RUNNABLE, 8, 20);
	AT(17, lock_freed, FX_LOCK(2), s, FX_LINE(0), 1);
	AT(18, lock_freed, FX_LOCK(2), s, FX_LINE(0), 1);
	AT(19, lock_wait, FX_LOCK(2), s, 0, FX_LINE(0));
	AT(20, lock_waited, FX_LOCK(2), s);
	AT(21, lock_taken, FX_LOCK(2), s, FX_LINE(0));
	AT(22, lock_taken, FX_LOCK(2), s, FX_LINE(0));
	AT(23, lock_wait, 0, 0, 0, 0);
	cpu(1);
	AT(14, sched_switch, 0, BB_ST_RUNNABLE, 1, 20);
	AT(15, lock_taken, FX_LOCK(3), r, FX_LINE(0));
	AT(16, lock_wait, FX_LOCK(3), r, 0, FX_LINE(0));
	AT(17, lock_waited, FX_LOCK(3), r);
	AT(24, lock_wait, FX_LOCK(2), s, 0, FX_LINE(0));
	AT(25, lock_taken, FX_LOCK(2), s, FX_LINE(0));
	AT(26, lock_freed, FX_LOCK(3), r, FX_LINE(0), 1);
	compare("locks");
}

/* A ring that has wrapped, a hole in it and one behind its end: what was open ends at the hole. */
static void test_losses(void **state)
{
	uint64_t *ring, gone;

	(void)state;
	open_box();
	cpu(0);
	for (unsigned i = 0; i < 45; i++)
		AT(i, bench, i, 0, 0, 0);
	AT(100, sched_switch, 0, BB_ST_RUNNABLE, 7, 20);
	AT(101, syscall_enter, 63, 0, 0, 0, 0, 0, 0);
	AT(102, irq_entry, 30);
	AT(103, timer_entry);
	gone = host_ring->head >> 32;
	AT(104, mm_low, 1);
	AT(105, syscall_exit, 63, 0);
	AT(106, sched_tick, 8, 1);
	ring = (uint64_t *)(uintptr_t)host_ring->data_virt;
	ring[2 * (gone & (host_ring->units - 1))] ^= 1;
	AT(107, mm_low, 2);
	gone = host_ring->head >> 32;
	AT(108, mm_low, 3);
	ring[2 * (gone & (host_ring->units - 1))] ^= 1;
	cpu(1);
	AT(120, mm_low, 4);
	compare("losses");
}

/* Without switches nobody knows who ran: nothing nests, nothing is open, nobody is accused. */
static void test_blind(void **state)
{
	uint32_t m;

	(void)state;
	open_box();
	assert_int_equal(box_trace_select("syscall,lock,process", 20), 0);
	m = fx_class("ext2.root", BB_LK_MUTEX, 1);
	cpu(0);
	for (unsigned i = 0; i < 3; i++)
		AT(10 + i, syscall_enter, 63, i, 0, 0, 0, 0, 0);
	AT(13, syscall_exit, 63, 1);
	AT(14, lock_wait, FX_LOCK(1), m, 1, FX_LINE(0));
	AT(15, lock_taken, FX_LOCK(1), m, FX_LINE(0));
	AT(16, lock_freed, FX_LOCK(1), m, FX_LINE(0), 1);
	/* but what an event says of itself is known: sh becomes ls and makes cat */
	AT(17, exec, 7, 12, 0x400000);
	AT(18, task_name, 7, trace_str8("ls"), 0);
	AT(19, enter_user, 7, 0x400000, FX_LINE(0));
	AT(20, task_new, 8, 8, trace_str8("cat"), 0);
	AT(21, syscall_enter, 63, 0, 0, 0, 0, 0, 0);
	compare("blind");
}

/* A call that has ended, so many microseconds after boot. */
static void call_at(unsigned us, unsigned nr, unsigned took_us, int64_t ret, unsigned nargs)
{
	const uint64_t args[8] = {
		BB_CALL_WORD(nr, took_us * 1000ull), (uint64_t)ret, 3, 0x1000, 64, 4, 5, 6};
	uint64_t before = host_ring->head;

	trace_emit_args(EV_syscall_done, args, 2 + nargs);
	restamp(before, us);
}

static void in_progress(unsigned slot, int nr, uint32_t nargs, unsigned since_us)
{
	struct bb_task *t = &f.tasks[slot];

	t->mode = BB_MODE_KERNEL;
	t->syscall = nr;
	t->syscall_nargs = nargs;
	t->syscall_ticks = since_us ? fx_ticks(0) + since_us * 1000ull : 0;
	for (unsigned i = 0; i < 6; i++)
		t->syscall_args[i] = 0x20 + i;
}

/* One record a call: it begins before it, and one that has not ended is in the task table only.
 * What is no call in progress there, and counts that cannot be. */
static void test_calls(void **state)
{
	(void)state;
	open_box();
	cpu(0);
	AT(10, sched_switch, 0, BB_ST_RUNNABLE, 7, 20);
	call_at(20, 63, 5, 64, 3);
	call_at(22, 64, 2, -9, 6);
	call_at(30, 999, 100, 0, 0); /* longer than there is time */
	AT(31, mm_low, 1);
	call_at(40, 57, 0, 0, 1);
	cpu(1);
	AT(12, sched_switch, 0, BB_ST_RUNNABLE, 8, 20);
	AT(35, mm_low, 2);
	fx_task(&f, 5, 9, 1, "six", BB_ST_BLOCKED);
	fx_task(&f, 6, 10, 1, "none", BB_ST_SLEEPING);
	fx_task(&f, 7, 11, 1, "user", BB_ST_RUNNABLE);
	fx_task(&f, 8, 12, 1, "new", BB_ST_NEW);
	fx_task(&f, 9, 13, 1, "gone", BB_ST_DEAD);
	in_progress(3, 63, 2, 41);
	in_progress(4, 63, 200, 15);
	in_progress(5, 64, 6, 36);
	in_progress(6, -1, 3, 36);
	in_progress(7, 63, 3, 36);
	f.tasks[7].mode = BB_MODE_USER;
	in_progress(8, 63, 3, 0);
	in_progress(9, 63, 3, 36);
	compare("calls");
}

/* Two dumps have no number of a sequence in common. */
static void test_files_differ(void **state)
{
	struct td_perfetto_stats st;
	size_t n[2];
	uint8_t *p[2];
	uint64_t file[2];

	(void)state;
	open_box();
	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *at;

		cpu(0);
		AT(10 + i, mm_low, 1);
		p[i] = convert(&n[i], &st);
		at = p[i] + 5; /* key and length of the packet: the sequence comes first */
		assert_int_equal(*at++, 10 << 3);
		file[i] = varint(&at, p[i] + n[i]) >> 3;
	}
	assert_int_not_equal(file[0], file[1]);
	free(p[0]);
	free(p[1]);
	fx_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tasks),  cmocka_unit_test(test_locks),
		cmocka_unit_test(test_losses), cmocka_unit_test(test_blind),
		cmocka_unit_test(test_calls),  cmocka_unit_test(test_files_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
