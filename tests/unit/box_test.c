/* box_test.c - the black box: what a reader finds by the header alone, the switches, the console
 * ring, the counters. The box is built once, as in a kernel; its static and dynamic parts are two
 * host allocations, so a section is looked up as an offset into the one or the other. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

#define UNITS 1024

static const char symnames[] = "\0kmain\0panic";
static const struct bb_sym syms[2] = {{0, 16, 1, 0}, {16, 32, 7, 0}};
static const struct bb_enum_row more_enums[2] = {
	{.table = BB_TAB_SYSCALL, .value = 63, .name = "read"},
	{.table = BB_TAB_ERRNO, .value = -2, .name = "ENOENT"},
};
static const struct bb_call calls[2] = {
	{7, 1, {{"fd", BB_INT, 0}}},
	{9, 0, {{"", 0, 0}}},
};

static struct box_plan plan = {
	.calls = calls,
	.ncalls = 2,
	.cpus = 3,
	.ring_units = UNITS,
	.tasks = 10,
	.locks = 64,
	.enums = {{more_enums, 1}, {more_enums + 1, 1}},
	.syms_bytes = sizeof(syms),
	.nsyms = 2,
	.syms = syms,
	.symnames = symnames,
	.symnames_bytes = sizeof(symnames),
	.cmdline = "trace=all checks=on",
};
static uint8_t *dynamic;
static uint64_t dynamic_bytes, static_bytes;

static int build(void **state)
{
	static const struct bb_header facts = {
		.machine = 62, .phys_base = 0x100000, .release = "unit test", .build_id_len = 20};

	static_bytes = (sizeof(trace_box) + BB_ALIGN - 1) & ~(uint64_t)(BB_ALIGN - 1);
	dynamic_bytes = box_dynamic_size(&plan);
	dynamic = aligned_alloc(BB_ALIGN, dynamic_bytes);
	if (!dynamic)
		return -1;
	memset(dynamic, 0, dynamic_bytes);
	plan.dynamic_virt = dynamic;
	box_build(&plan, &facts);
	return 0;
}

/* Bit by bit, the reflected polynomial of IEEE 802.3, unlike the writer's by the byte. */
static uint32_t crc_of(uint32_t crc, const uint8_t *p, size_t n)
{
	for (size_t bit = 0; bit < n * 8; bit++) {
		uint32_t in = (uint32_t)(p[bit / 8] >> bit % 8 & 1) ^ (crc & 1);

		crc = crc >> 1 ^ (in ? 0xedb88320u : 0);
	}
	return crc;
}
static uint32_t checksum(void)
{
	struct bb_header h = *box_header();
	uint32_t crc;

	h.checksum = 0;
	crc = crc_of(0xffffffff, (const uint8_t *)&h, h.header_size);
	crc = crc_of(crc, (const uint8_t *)box_header() + h.dir_offset,
		     (size_t)h.dir_count * h.dir_entry_size);
	return ~crc;
}
static const struct bb_section *directory(uint32_t i)
{
	const struct bb_header *h = box_header();

	return (const void *)((const uint8_t *)h + h->dir_offset + (size_t)i * h->dir_entry_size);
}
static const struct bb_section *section(uint32_t kind)
{
	for (uint32_t i = 0; i < box_header()->dir_count; i++)
		if (directory(i)->kind == kind)
			return directory(i);
	return NULL;
}
static const void *contents(const struct bb_section *s)
{
	if (s->offset < static_bytes)
		return (const uint8_t *)&trace_box + s->offset;
	return dynamic + (s->offset - static_bytes);
}

static void crc_is_the_standard_one(void **state)
{
	assert_int_equal((uint32_t)~crc_of(0xffffffff, (const uint8_t *)"123456789", 9),
			 0xcbf43926);
}

static void header_names_everything(void **state)
{
	const struct bb_header *h = box_header();

	assert_memory_equal(h, "HNDSIGHT", 8);
	assert_int_equal((uintptr_t)h % BB_ALIGN, 0);
	assert_int_equal(h->version, BB_VERSION);
	assert_int_equal(h->header_size, 240);
	assert_int_equal(h->byte_order, 0x01020304);
	assert_int_equal(h->machine, 62);
	assert_int_equal(h->cpus, 3);
	assert_int_equal(h->phys_base, 0x100000);
	assert_string_equal(h->release, "unit test");
	assert_int_equal(h->total_size, static_bytes + dynamic_bytes);
	assert_int_equal(h->checksum, checksum());
}

static void checksum_sees_header_and_directory(void **state)
{
	uint8_t *p = (uint8_t *)box_header();
	size_t dir = box_header()->dir_offset;

	p[40] ^= 1;
	assert_int_not_equal(box_header()->checksum, checksum());
	p[40] ^= 1;
	p[dir + 9] ^= 0x80;
	assert_int_not_equal(box_header()->checksum, checksum());
	p[dir + 9] ^= 0x80;
	assert_int_equal(box_header()->checksum, checksum());
}

static void clock_is_sealed(void **state)
{
	const struct bb_header *h = box_header();

	box_set_clock(BB_CLOCK_HOST, 1000000000, 77, 88);
	assert_int_equal(h->clock_kind, BB_CLOCK_HOST);
	assert_int_equal(h->clock_hz, 1000000000);
	assert_int_equal(h->clock_anchor, 77);
	assert_int_equal(h->wall_anchor, 88);
	assert_int_equal(h->checksum, checksum());
}

/* Every kind once, inside the region, whole, apart from the others. */
static void directory_is_sound(void **state)
{
	const struct bb_header *h = box_header();

	for (uint32_t kind = BB_SEC_CONTROL; kind <= BB_SEC_CALLS; kind++)
		assert_non_null(section(kind));
	assert_int_equal(h->dir_count, BB_SEC_CALLS);
	assert_true(h->dir_offset >= h->header_size);
	for (uint32_t i = 0; i < h->dir_count; i++) {
		const struct bb_section *a = directory(i);

		assert_int_equal(a->version, 1);
		assert_true(a->offset >= h->dir_offset + h->dir_count * h->dir_entry_size);
		assert_true(a->offset + a->size <= h->total_size);
		assert_true((uint64_t)a->entry_size * a->count <= a->size);
		assert_int_equal(a->offset % 8, 0);
		for (uint32_t k = 0; k < i; k++) {
			const struct bb_section *b = directory(k);

			assert_int_not_equal(a->kind, b->kind);
			assert_true(a->offset >= b->offset + b->size ||
				    b->offset >= a->offset + a->size);
		}
	}
}

static void sections_hold_what_the_plan_said(void **state)
{
	uint32_t count;

	assert_int_equal(section(BB_SEC_RINGS)->count, 3);
	assert_int_equal(section(BB_SEC_RINGS)->entry_size, sizeof(struct bb_ring));
	assert_int_equal(section(BB_SEC_CPUS)->count, 3);
	assert_int_equal(section(BB_SEC_TASKS)->count, 10);
	assert_int_equal(section(BB_SEC_TASKS)->entry_size, 1368);
	assert_int_equal(section(BB_SEC_LOCKS)->count, 64);
	assert_int_equal(section(BB_SEC_CALLS)->count, 2);
	assert_memory_equal(contents(section(BB_SEC_CALLS)), calls, sizeof(calls));
	assert_int_equal(section(BB_SEC_SYMS)->count, 2);
	assert_memory_equal(contents(section(BB_SEC_SYMS)), syms, sizeof(syms));
	assert_memory_equal(contents(section(BB_SEC_SYMNAMES)), symnames, sizeof(symnames));
	assert_string_equal(contents(section(BB_SEC_CMDLINE)), "trace=all checks=on");
	for (uint32_t kind = BB_SEC_CONTROL; kind <= BB_SEC_REPORTS; kind++) {
		assert_ptr_equal(box_section(kind, &count), contents(section(kind)));
		assert_int_equal(count, section(kind)->count);
	}
	assert_null(box_section(31, NULL));
	assert_null(box_section(32, NULL)); /* the first that has no place in the index */
	assert_null(box_section(1000, NULL));
	assert_ptr_equal(track_tables.tasks, contents(section(BB_SEC_TASKS)));
	assert_int_equal(track_tables.ntasks, 10);
	assert_int_equal(track_tables.ncpus, 3);
	assert_int_equal(track_tables.nlocks, 64);
}

static void rings_lie_in_their_section(void **state)
{
	const struct bb_section *data = section(BB_SEC_RINGDATA);
	const struct bb_ring *r = contents(section(BB_SEC_RINGS));
	uint64_t end = data->offset;

	for (uint32_t c = 0; c < 3; c++) {
		uint64_t bytes = (UNITS + BB_RING_SPARE) * BB_UNIT;

		assert_int_equal(r[c].cpu, c);
		assert_int_equal(r[c].units, UNITS);
		assert_int_equal(r[c].head, 0);
		assert_true(r[c].data_offset >= end);
		end = r[c].data_offset + bytes;
		assert_true(end <= data->offset + data->size);
		assert_int_equal(r[c].data_virt,
				 (uint64_t)(uintptr_t)(dynamic + r[c].data_offset - static_bytes));
		assert_int_equal(((struct bb_cpu *)track_tables.cpus)[c].cpu, c);
		assert_int_equal(track_tables.cpus[c].next_timer, ~0ull); /* none */
	}
}

/* The schema is events.def: here expanded a second time, to compare. */
#define ARG(n, s)              #n " "
#define ARGT(n, s, t)          #n " "
#define EVENT(i, n, cat, r, a) {i, EVN_##n, BB_CAT_##cat, BB_ROLE_##r, #n, "" a},
static const struct {
	uint16_t id, nargs, category, role;
	const char *name, *args;
} events[] = {
#include <tracing/events.def>
};
static void schema_is_events_def(void **state)
{
	const struct bb_section *s = section(BB_SEC_SCHEMA);
	const struct bb_event_row *row = contents(s);

	assert_int_equal(s->count, sizeof(events) / sizeof(events[0]));
	assert_int_equal(s->entry_size, sizeof(struct bb_event_row));
	for (uint32_t i = 0; i < s->count; i++) {
		char args[160] = "";

		assert_int_equal(row[i].id, events[i].id);
		assert_int_equal(row[i].nargs, events[i].nargs);
		assert_int_equal(row[i].category, events[i].category);
		assert_int_equal(row[i].role, events[i].role);
		assert_string_equal(row[i].name, events[i].name);
		for (unsigned k = 0; k < row[i].nargs; k++) {
			assert_true(row[i].args[k].show != 0);
			strcat(strcat(args, row[i].args[k].name), " ");
		}
		assert_string_equal(args, events[i].args);
		assert_true(row[i].id != 0 && row[i].id < BB_MAX_EVENTS);
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(row[i].id, row[k].id);
	}
}

/* Each enumeration that an event shows has rows, the kernel's own are appended. */
static void enums_are_there(void **state)
{
	const struct bb_section *e = section(BB_SEC_ENUMS);
	const struct bb_enum_row *row = contents(e);
	const struct bb_section *s = section(BB_SEC_SCHEMA);
	const struct bb_event_row *event = contents(s);

	assert_memory_equal(&row[e->count - 2], more_enums, sizeof(more_enums));
	for (uint32_t i = 0; i < e->count; i++)
		for (uint32_t k = 0; k < i; k++)
			assert_false(row[i].table == row[k].table && row[i].value == row[k].value);
	for (uint32_t i = 0; i < s->count; i++) {
		for (unsigned k = 0; k < event[i].nargs; k++) {
			uint32_t rows = 0, shown = event[i].args[k].show;

			if (shown != BB_ENUM && shown != BB_FLAGS)
				continue;
			for (uint32_t n = 0; n < e->count; n++)
				rows += row[n].table == event[i].args[k].table;
			assert_true(rows > 0);
		}
	}
}

/* ---- switches ------------------------------------------------------------------------------ */
static unsigned on_count(uint8_t category)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		n += events[i].category == category && trace_control.event_on[events[i].id];
	return n;
}
static int select_text(const char *list)
{
	return box_trace_select(list, (uint32_t)strlen(list));
}

static void select_good_words(void **state)
{
	assert_int_equal(select_text("sched,irq"), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 6);
	assert_true(on_count(BB_CAT_IRQ) > 0);
	assert_int_equal(on_count(BB_CAT_LOCK), 0);
	assert_int_equal(select_text("+lock,-sched_tick"), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 5);
	assert_int_equal(trace_control.event_on[EV_sched_tick], 0);
	assert_int_equal(on_count(BB_CAT_LOCK), 7);
	assert_int_equal(on_count(BB_CAT_LOCKALL), 0);
	assert_int_equal(select_text("-irq"), 0);
	assert_int_equal(on_count(BB_CAT_IRQ), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 5);
	assert_int_equal(select_text("report"), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 0);
	assert_int_equal(on_count(BB_CAT_DIAG), 1);
	assert_int_equal(select_text("all,-lockall"), 0);
	assert_int_equal(on_count(BB_CAT_LOCKALL), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 6);
	assert_int_equal(select_text("+function"), 0); /* a category without events */
	assert_int_equal(on_count(BB_CAT_SCHED), 6);
	assert_int_equal(select_text("-all"), 0);
	assert_int_equal(on_count(BB_CAT_SCHED), 0);
	assert_int_equal(box_trace_select("sched,garbage", 5), 0); /* only the given length */
	assert_int_equal(on_count(BB_CAT_SCHED), 6);
}

static void select_bad_words(void **state)
{
	assert_int_equal(select_text("nonsense"), 1);
	assert_int_equal(select_text("sched,nonsense"), 2);
	assert_int_equal(select_text("+sched,-irq,schedule,lock"), 3);
	assert_int_equal(select_text("sche"), 1);
	assert_int_equal(select_text("sched_"), 1);
	assert_int_equal(select_text("+"), 1);
	assert_int_equal(select_text("sched,,irq"), 2);
	assert_int_equal(select_text(" sched"), 1);
	assert_int_equal(select_text("a-word-that-is-longer-than-any-name-could-be"), 1);
}

/* A list with a bad word changes nothing: a typing error must not switch the recorder off. */
static void select_is_all_or_nothing(void **state)
{
	uint8_t before[BB_MAX_EVENTS];

	assert_int_equal(select_text("sched,lock"), 0);
	memcpy(before, trace_control.event_on, sizeof(before));
	assert_int_equal(select_text("irq,nonsense"), 2);
	assert_memory_equal(before, trace_control.event_on, sizeof(before));
	assert_int_equal(select_text("-sched,nonsense"), 2);
	assert_memory_equal(before, trace_control.event_on, sizeof(before));
	assert_int_equal(select_text(""), 0); /* no word names no set */
	assert_memory_equal(before, trace_control.event_on, sizeof(before));
}

static void default_set(void **state)
{
	trace_default_events();
	assert_int_equal(on_count(BB_CAT_SCHED), 6);
	assert_int_equal(on_count(BB_CAT_LOCKALL), 0);
	assert_int_equal(trace_control.event_on[0], 0);
	assert_int_equal(trace_control.event_on[255], 0);
}

/* ---- console and counters ------------------------------------------------------------------ */
static char console_at(uint64_t pos)
{
	return trace_box.console_text[pos % BOX_CONSOLE];
}

static void console_wraps(void **state)
{
	uint64_t at;

	trace_box.console.head = BOX_CONSOLE - 3;
	at = box_console_write("hello", 5);
	assert_int_equal(at, BOX_CONSOLE - 3);
	assert_int_equal(trace_box.console.head, BOX_CONSOLE + 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(console_at(at + i), "hello"[i]);
	assert_int_equal(trace_box.console_text[0], 'l');
	assert_int_equal(box_console_write("", 0), BOX_CONSOLE + 2);
	assert_int_equal(((const struct bb_console *)contents(section(BB_SEC_CONSOLE)))->size,
			 BOX_CONSOLE);
}

/* Lines of many writers never mix: a line is one reservation. */
#define WRITERS 4
#define LINES   200
static void *write_lines(void *arg)
{
	char line[32];

	memset(line, 'A' + (int)(uintptr_t)arg, sizeof(line));
	line[31] = '\n';
	for (int i = 0; i < LINES; i++)
		box_console_write(line, sizeof(line));
	return NULL;
}
static void console_with_many_writers(void **state)
{
	unsigned lines[WRITERS] = {0};
	pthread_t t[WRITERS];

	_Static_assert(WRITERS * LINES * 32 <= BOX_CONSOLE, "all lines fit");
	trace_box.console.head = 0;
	for (uintptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, write_lines, (void *)i), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(trace_box.console.head, WRITERS * LINES * 32);
	for (int l = 0; l < WRITERS * LINES; l++) {
		char c = console_at(l * 32);

		assert_true(c >= 'A' && c < 'A' + WRITERS);
		for (int i = 1; i < 31; i++)
			assert_int_equal(console_at(l * 32 + i), c);
		assert_int_equal(console_at(l * 32 + 31), '\n');
		lines[c - 'A']++;
	}
	for (int i = 0; i < WRITERS; i++)
		assert_int_equal(lines[i], LINES);
}

static void counters_by_name(void **state)
{
	struct bb_counter *a = box_counter("alpha"), *b = box_counter("beta");
	char name[24];
	unsigned n = 0;

	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	assert_string_equal(a->name, "alpha");
	assert_ptr_equal(box_counter("alpha"), a);
	assert_ptr_not_equal(box_counter("alphabet"), a);
	assert_ptr_not_equal(box_counter("alp"), a);
	assert_null(box_counter("a name that does not fit into 24"));
	assert_null(box_counter("twenty-four-letters-long"));
	for (;;) {
		memcpy(name, "fill-00", 8);
		name[5] = (char)('0' + n / 10);
		name[6] = (char)('0' + n % 10);
		if (!box_counter(name))
			break;
		n++;
	}
	assert_int_equal(n, BOX_COUNTERS - 4); /* alpha, beta, alphabet, alp */
	assert_ptr_equal(box_counter("beta"), b);
}

/* The device's index moves by itself; the driver's mark only by its handler. */
static void device_finishes(struct bb_queue *q, uint16_t idx)
{
	memcpy((char *)&trace_box + q->ring_offset + q->used_at + 2, &idx, sizeof(idx));
}

static void missing_interrupt_takes_three_looks(void **state)
{
	void *rings;
	struct bb_queue *q = box_queue("vda", &rings);

	assert_ptr_equal((char *)&trace_box + q->ring_offset, rings);
	assert_int_equal((uintptr_t)rings % BB_ALIGN, 0);
	assert_null(box_queues_look(1, 100)); /* no layout yet */
	q->used_at = 64;
	q->cpu = 1;
	q->size = 4;
	assert_null(box_queues_look(1, 100));
	assert_int_equal(q->looks, 0);
	device_finishes(q, 1);
	assert_null(box_queues_look(0, 101)); /* another CPU's word says nothing */
	assert_int_equal(q->looks, 0);
	assert_null(box_queues_look(1, 102));
	assert_null(box_queues_look(1, 103));
	q->seen = 1; /* the handler came, the next one is late */
	device_finishes(q, 2);
	assert_null(box_queues_look(1, 104));
	assert_int_equal(q->looks, 1);
	assert_int_equal(q->unseen_since, 104);
	assert_null(box_queues_look(1, 105));
	assert_ptr_equal(box_queues_look(1, 106), q);
	assert_int_equal(q->looks, BB_QUEUE_LOOKS);
	assert_int_equal(q->unseen_since, 104);
	assert_null(box_queues_look(1, 107)); /* said once */
	assert_int_equal(q->looks, BB_QUEUE_LOOKS + 1);
	q->seen = 2;
	assert_null(box_queues_look(1, 108));
	assert_int_equal(q->looks, 0);
	for (uint64_t now = 110; now < 116; now++) { /* it came, but its handler took nothing */
		device_finishes(q, 3);
		q->last_irq = now;
		assert_null(box_queues_look(1, now));
	}
	assert_true(q->looks > BB_QUEUE_LOOKS);
	q->seen = 0xffff; /* across the end of the counts */
	device_finishes(q, 0xffff);
	assert_null(box_queues_look(1, 109));
	assert_int_equal(q->looks, 0);
}

static void queues_run_out(void **state)
{
	void *rings, *last = NULL;
	unsigned n = 1; /* vda */

	while (box_queue("a name longer than its field", &rings)) {
		assert_ptr_not_equal(rings, last);
		last = rings;
		n++;
	}
	assert_int_equal(n, BOX_QUEUES);
	assert_string_equal(trace_box.queues[1].name, "a name longer t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc_is_the_standard_one),
		cmocka_unit_test(header_names_everything),
		cmocka_unit_test(checksum_sees_header_and_directory),
		cmocka_unit_test(clock_is_sealed),
		cmocka_unit_test(directory_is_sound),
		cmocka_unit_test(sections_hold_what_the_plan_said),
		cmocka_unit_test(rings_lie_in_their_section),
		cmocka_unit_test(schema_is_events_def),
		cmocka_unit_test(enums_are_there),
		cmocka_unit_test(select_good_words),
		cmocka_unit_test(select_bad_words),
		cmocka_unit_test(select_is_all_or_nothing),
		cmocka_unit_test(default_set),
		cmocka_unit_test(console_wraps),
		cmocka_unit_test(console_with_many_writers),
		cmocka_unit_test(counters_by_name),
		cmocka_unit_test(missing_interrupt_takes_three_looks),
		cmocka_unit_test(queues_run_out),
	};

	return cmocka_run_group_tests_name("box", tests, build, NULL);
}
