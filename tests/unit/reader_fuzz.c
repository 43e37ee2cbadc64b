/* reader_fuzz.c - hostile boxes: cut at every 64 bytes, 20000 random corruptions, torn and lapped
 * rings, formats of the future. Never a crash (sanitizers), always an answer. ROUNDS=n and SEED=n
 * in the environment: more of them, or others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "box_fixture.h"
#include "timeline/perfetto.h"
#include "read/session.h"
#include "say/show.h"
#include "think/why.h"

#include <elf.h> /* last: its EV_NONE is a macro, ours is an enumerator */

#define CORE_PHYS 0x40200000ull

static FILE *sink;

/* Everything the tool can do with a box. Returns the exit status. */
static int use(const uint8_t *mem, uint64_t size, struct td_error *e)
{
	struct td_filter filter = {.cpu = -1, .tid = -1, .last = 50};
	struct td_perfetto_stats st;
	struct td_analysis a;
	struct td_source src;
	struct td_session s;
	int status;

	e->text[0] = 0;
	if (td_source_memory(&src, mem, size, e))
		return 2;
	if (td_session_load(&s, &src, NULL, e)) {
		td_source_close(&src);
		return 2;
	}
	rewind(sink);
	td_analyse(&a, &s.model);
	status = td_explain(&a, sink, false, NULL);
	assert_int_equal(td_explain(&a, sink, true, "warned"), status);
	assert_int_equal(td_explain_json(&a, sink), status);
	td_show_info(&s, sink);
	td_show_text(&s, sink, &filter);
	td_show_ps(&s, sink);
	td_show_locks(&s, sink);
	td_show_cpus(&s, sink);
	td_perfetto(&s, sink, 0, &st);
	td_analysis_free(&a);
	td_session_free(&s);
	td_source_close(&src);
	return status;
}

/* A busy machine: events on both CPUs, a cycle, an orphan, a report, console text. */
static void busy_box(struct box_fixture *f)
{
	struct bb_queue *q;
	uint32_t c, d;

	fx_open(f);
	c = fx_class("ext2.root", BB_LK_MUTEX, 1);
	d = fx_class("inode", BB_LK_SPIN, 2);
	fx_hold(fx_task(f, 2, 1, 0, "init", BB_ST_SLEEPING), FX_LOCK(1), c, FX_LOAD_INIT, 0.4);
	f->tasks[2].user_epoch = 3;
	fx_wait(&f->tasks[2], BB_WAIT_CHILD, 0, 0, FX_WAIT4, 2);
	fx_wait(fx_task(f, 3, 7, 1, "sh", BB_ST_BLOCKED), BB_WAIT_MUTEX, FX_LOCK(1), c,
		FX_EXT2_LOOKUP, 3);
	fx_hold(fx_task(f, 4, 8, 1, "x", BB_ST_BLOCKED), FX_LOCK(2), d, FX_LOAD_INIT, 1);
	fx_wait(&f->tasks[4], BB_WAIT_MUTEX, FX_LOCK(3), c, FX_PIPE_READ, 2);
	fx_hold(fx_task(f, 5, 9, 1, "y", BB_ST_BLOCKED), FX_LOCK(3), c, FX_LOAD_INIT, 1);
	fx_wait(&f->tasks[5], BB_WAIT_SPIN, FX_LOCK(2), d, FX_PIPE_READ, 2);
	q = fx_queue(6, 5, 4, 3);
	q->looks = q->looked = 3;
	for (uint32_t i = 0; i < 3; i++)
		fx_wait(fx_task(f, 6 + i, 20 + i, 1, "io", BB_ST_BLOCKED), BB_WAIT_IO,
			FX_SLOT(3 + i), 0, FX_PIPE_READ, 2);
	fx_wait(fx_task(f, 9, 30, 1, "w", BB_ST_BLOCKED), BB_WAIT_WRITE, FX_LOCK(4), c,
		FX_PIPE_READ, 2);
	f->locks[1] = (struct bb_lock){.lock = FX_LOCK(4), .class = c, .history_next = 5000};
	trace_box.reports[0] = (struct bb_report){.seq = 2,
						  .verdict = BB_V_ORPHAN,
						  .count = 1,
						  .check = BB_CHK_LEAVE,
						  .lock = FX_LOCK(1),
						  .class = c,
						  .task = 3};
	for (uint32_t cpu = 0; cpu < FX_CPUS; cpu++) {
		host_ring = &f->rings[cpu];
		for (unsigned i = 0; i < 8; i++) {
			trace(sched_switch, i & 1 ? 7 : 0, BB_ST_SLEEPING, i & 1 ? 0 : 7, 0);
			trace(syscall_enter, 63, 1, 2, 3, 4, 5, 6);
			trace(lock_wait, FX_LOCK(1), c, 1, FX_SITE(FX_EXT2_LOOKUP));
			trace(irq_entry, 30);
			trace(sched_wake, 8, 1);
			trace(irq_return, 30);
			trace(lock_waited, FX_LOCK(1), c);
			trace(task_name, 8, trace_str8("xname"), 0);
			trace(syscall_exit, 63, -2);
		}
	}
	host_ring = NULL;
	fx_seal(f);
}

static void test_truncated(void **state)
{
	struct box_fixture f;
	struct td_error e;

	(void)state;
	busy_box(&f);
	assert_int_equal(use(f.mem, f.size, &e), 1);
	for (uint64_t n = 0; n < f.size; n += 64) {
		uint8_t *cut = malloc(n ? n : 1); /* so that ASan sees its end */

		memcpy(cut, f.mem, n);
		if (use(cut, n, &e) != 2 || !e.text[0])
			fail_msg("cut at %llu was accepted", (unsigned long long)n);
		free(cut);
	}
	fx_close(&f);
}

static unsigned long rounds = 20000;
static uint64_t rng = 88172645463325252ull;
static uint64_t rnd(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % n;
}

static void corrupt(uint8_t *m, uint64_t size)
{
	static const uint64_t nasty[] = {0,          1,          0x7fffffff, 0x80000000, UINT32_MAX,
					 UINT64_MAX, 1ull << 63, 4096,       17,         65536};
	uint64_t at =
		rnd(4) ? rnd(size - 8) & ~3ull : 240 + rnd(24 * 32 - 8); /* or the directory */

	if (rnd(2)) {
		memcpy(m + at, &nasty[rnd(sizeof(nasty) / sizeof(nasty[0]))], rnd(2) ? 4 : 8);
	} else {
		for (uint64_t i = 0, n = 1 + rnd(8); i < n; i++)
			m[at + i] = (uint8_t)rnd(256);
	}
}

/* Places where data is dense: tables and rings, not the empty console text. */
static void corrupt_table(struct box_fixture *f, uint8_t *m)
{
	if (rnd(12) == 0) { /* what a device wrote is in no section */
		corrupt(m + trace_box.queues[0].ring_offset, 288);
		return;
	}

	static const uint32_t kinds[] = {BB_SEC_RINGS,    BB_SEC_RINGDATA, BB_SEC_CPUS,
					 BB_SEC_TASKS,    BB_SEC_CLASSES,  BB_SEC_LOCKS,
					 BB_SEC_SYMS,     BB_SEC_SCHEMA,   BB_SEC_ENUMS,
					 BB_SEC_SYMNAMES, BB_SEC_REPORTS,  BB_SEC_QUEUES};
	struct bb_section *d = fx_section(f, kinds[rnd(sizeof(kinds) / sizeof(kinds[0]))]);
	uint64_t span = d->size > 1200 ? 1200 * (1 + rnd(5)) : d->size;

	if (span > d->size)
		span = d->size;
	if (span > 16)
		corrupt(m + d->offset, span);
}

static void test_corrupted(void **state)
{
	struct box_fixture f;
	struct td_error e;
	uint8_t *m, *good;
	unsigned long by_status[3] = {0};

	(void)state;
	busy_box(&f);
	m = f.mem;
	good = malloc(f.size);
	memcpy(good, m, f.size);
	for (unsigned long i = 0; i < rounds; i++) {
		int status;

		memcpy(m, good, f.size);
		for (uint64_t k = 0, n = 1 + rnd(6); k < n; k++)
			corrupt_table(&f, m);
		if (rnd(4) == 0)
			corrupt(m + 8, 1000); /* header and directory */
		if (rnd(8)) {
			struct bb_header *h = (struct bb_header *)(void *)m;

			if (h->header_size <= 4096 && h->dir_offset < 4096 && h->dir_count < 64 &&
			    h->dir_entry_size < 4096)
				fx_reseal(&f);
		}
		status = use(m, f.size, &e);
		assert_in_range(status, 0, 2);
		by_status[status]++;
		if (status == 2)
			assert_true(e.text[0] != 0);
	}
	/* the corruption must reach every part of the reader, not only the checksum */
	assert_true(by_status[1] > rounds / 4);
	assert_true(by_status[2] > rounds / 50);
	free(good);
	fx_close(&f);
}

static void decode(struct box_fixture *f, struct td_source *src, struct td_session *s)
{
	struct td_error e;

	if (td_source_memory(src, f->mem, f->size, &e) || td_session_load(s, src, NULL, &e))
		fail_msg("%s", e.text);
}

static void test_lapped_ring(void **state)
{
	struct box_fixture f;
	struct td_source src;
	struct td_session s;
	struct td_ring *r;

	(void)state;
	fx_open(&f);
	host_ring = &f.rings[0];
	for (uint64_t i = 0; i < 200000; i++)
		trace(bench, i, i * 3, 0, i);
	fx_seal(&f);
	decode(&f, &src, &s);
	r = &s.rings.ring[0];
	assert_int_equal(r->head, 200000);
	assert_true(r->n >= FX_RING_UNITS / 3 - 2 && r->n <= FX_RING_UNITS / 3);
	assert_int_equal(r->overwritten + r->n, 200000);
	assert_int_equal(r->torn, 0);
	for (uint32_t i = 0; i < r->n; i++) {
		assert_int_equal(r->ev[i].ordinal, 200000 - r->n + i);
		assert_int_equal(td_arg(&s.box, &r->ev[i], 0), r->ev[i].ordinal);
	}
	td_session_free(&s);
	td_source_close(&src);
	fx_close(&f);
}

static void test_torn_record(void **state)
{
	struct box_fixture f;
	struct td_source src;
	struct td_session s;
	struct td_ring *r;
	uint8_t *unit;

	(void)state;
	fx_open(&f);
	host_ring = &f.rings[0];
	for (uint64_t i = 0; i < 20; i++)
		trace(bench, i, i, i, i);
	fx_seal(&f);
	unit = f.mem + f.rings[0].data_offset;
	unit[3 * 16 * 5 + 17] ^= 1;        /* an argument of event 5: the check must refuse it */
	memset(unit + 3 * 16 * 19, 0, 48); /* event 19 was never finished */
	decode(&f, &src, &s);
	r = &s.rings.ring[0];
	assert_int_equal(r->n, 18);
	assert_int_equal(r->torn, 2);
	assert_int_equal(r->tail_lost, 1);
	assert_int_equal(r->ev[5].lost, 1);
	assert_int_equal(r->ev[5].ordinal, 6);
	td_session_free(&s);
	td_source_close(&src);
	fx_close(&f);
}

static void test_other_formats(void **state)
{
	struct box_fixture f;
	struct bb_header *h;
	struct td_error e;
	struct bb_event_row *row;
	struct bb_enum_row *en;

	(void)state;
	busy_box(&f);
	h = (struct bb_header *)(void *)f.mem;

	/* later minor version, a section, event role and display kind of the future */
	h->version = BB_VERSION + 1;
	fx_section(&f, BB_SEC_COUNTERS)->kind = 999;
	row = (void *)(f.mem + fx_section(&f, BB_SEC_SCHEMA)->offset);
	for (uint32_t i = 0; i < fx_section(&f, BB_SEC_SCHEMA)->count; i++) {
		row[i].args[0].show = 200;
		row[i].role = row[i].role == BB_ROLE_LOCK_WAIT ? 99 : row[i].role;
		row[i].category = 77;
	}
	en = (void *)(f.mem + fx_section(&f, BB_SEC_ENUMS)->offset);
	en[0].table = 500;
	fx_reseal(&f);
	assert_int_equal(use(f.mem, f.size, &e), 1);

	h->version = 0x00020000;
	fx_reseal(&f);
	assert_int_equal(use(f.mem, f.size, &e), 2);
	assert_non_null(strstr(e.text, "format version 2.0"));

	h->magic = __builtin_bswap64(BB_MAGIC);
	assert_int_equal(use(f.mem, f.size, &e), 2);
	assert_non_null(strstr(e.text, "other byte order"));
	fx_close(&f);
}

/* A QEMU dump: VMCOREINFO note, one PT_LOAD, the box in the middle of it at an odd file offset. */
static void test_core(void **state)
{
	static const char note[] = "RELEASE=x\nHINDSIGHT_BOX=0x40203000\n";
	struct box_fixture f;
	struct td_error e;
	uint64_t at = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), load = at + 128 + 1, size;
	Elf64_Nhdr nh = {.n_namesz = 11, .n_descsz = sizeof(note)};
	Elf64_Ehdr eh = {.e_type = ET_CORE,
			 .e_machine = EM_AARCH64,
			 .e_phoff = sizeof(eh),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 2};
	Elf64_Phdr ph[2] = {{.p_type = PT_NOTE, .p_offset = at, .p_filesz = 12 + 12 + sizeof(note)},
			    {.p_type = PT_LOAD, .p_paddr = CORE_PHYS}};
	uint8_t *core;

	(void)state;
	busy_box(&f);
	size = load + 0x3000 + f.size;
	ph[1].p_offset = load;
	ph[1].p_filesz = 0x3000 + f.size;
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	core = calloc(1, size);
	memcpy(core, &eh, sizeof(eh));
	memcpy(core + sizeof(eh), ph, sizeof(ph));
	memcpy(core + at, &nh, sizeof(nh));
	memcpy(core + at + 12, "VMCOREINFO", 11);
	memcpy(core + at + 24, note, sizeof(note));
	memcpy(core + load + 0x3000, f.mem, f.size);
	assert_int_equal(use(core, size, &e), 1);
	memset(core + at, 0, 128); /* without the note: by its magic number */
	assert_int_equal(use(core, size, &e), 1);
	/* a first candidate that does not verify must not hide the good one */
	memcpy(core + load + 0x1000, f.mem, 200);
	assert_int_equal(use(core, size, &e), 1);
	for (uint64_t n = 0; n < load; n += 8)
		assert_int_equal(use(core, n, &e), 2);
	free(core);
	fx_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),     cmocka_unit_test(test_corrupted),
		cmocka_unit_test(test_lapped_ring),   cmocka_unit_test(test_torn_record),
		cmocka_unit_test(test_other_formats), cmocka_unit_test(test_core),
	};

	if (getenv("ROUNDS"))
		rounds = strtoul(getenv("ROUNDS"), NULL, 0);
	if (getenv("SEED"))
		rng ^= strtoull(getenv("SEED"), NULL, 0) * 0x9e3779b97f4a7c15ull;
	sink = fopen("/dev/null", "w");
	return sink ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
