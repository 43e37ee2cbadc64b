/* box_fixture.c - see box_fixture.h. The producer keeps one static box; it is reset for each
 * fixture. */
#include "box_fixture.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tracing/box.h>
#include <tracing/tracker.h>
#include <zlib.h>

#define CLASSES 16

struct track_lock fx_locks[FX_LOCKS];
static struct track_class class_pool[CLASSES];
static uint64_t anchor;
static uint32_t classes;

static const char symnames[] = "\0load_init\0enter_user\0ext2_lookup\0pipe_read\0sys_wait4";

uint64_t fx_ticks(double seconds)
{
	return anchor + (uint64_t)(seconds * 1e9);
}

void fx_open(struct box_fixture *f)
{
	static const uint32_t at[FX_FUNCTIONS] = {0, 1, 11, 22, 34, 44};
	struct bb_sym syms[FX_FUNCTIONS - 1];
	struct bb_enum_row enums[] = {{.table = BB_TAB_SYSCALL, .value = 63, .name = "read"},
				      {.table = BB_TAB_ERRNO, .value = 2, .name = "ENOENT"}};
	/* Calls in load_init that no other site of the tests names: see FX_LINE(). */
	static const struct bb_line lines[] = {
		{0x1000 + 0x800, 0, 212}, {0x1000 + 0x810, 1, 5}, {0x1000 + 0x820, 99, 7}};
	static const char placenames[] =
		"\0kernel/task/exec.c\0kernel/include/lib/list.h\0list_add";
	static const struct bb_place places[] = {{1, 0}, {20, 46}};
	struct box_plan p = {.cpus = FX_CPUS,
			     .ring_units = FX_RING_UNITS,
			     .tasks = FX_TASKS,
			     .locks = 8,
			     .enums = {{enums, 2}},
			     .syms_bytes = sizeof(syms),
			     .nsyms = FX_FUNCTIONS - 1,
			     .syms = syms,
			     .symnames = symnames,
			     .symnames_bytes = sizeof(symnames),
			     .lines = lines,
			     .nlines = 3,
			     .places = places,
			     .nplaces = 2,
			     .placenames = placenames,
			     .placenames_bytes = sizeof(placenames),
			     .cmdline = "checks=on"};
	struct bb_header facts = {.machine = 183,
				  .image_virt = FX_IMAGE,
				  .image_size = 0x100000,
				  .direct_virt = 0xffff000000000000ull,
				  .direct_phys = 0x40000000,
				  .ram_size = 64 << 20,
				  .build_id_len = 20,
				  .release = "Hindsight 0.1 test"};
	uint64_t head = (sizeof(struct trace_box) + BB_ALIGN - 1) & ~(uint64_t)(BB_ALIGN - 1);

	memset(&trace_box, 0, sizeof(trace_box));
	for (uint32_t i = 1; i < FX_FUNCTIONS; i++)
		syms[i - 1] = (struct bb_sym){.offset = 0x1000 * i, .size = 0x1000, .name = at[i]};
	classes = 0;
	memset(fx_locks, 0, sizeof(fx_locks));
	anchor = port_ticks();
	f->size = head + box_dynamic_size(&p);
	f->mem = aligned_alloc(BB_ALIGN, (f->size + BB_ALIGN - 1) & ~(uint64_t)(BB_ALIGN - 1));
	if (!f->mem)
		abort();
	memset(f->mem, 0, f->size);
	p.dynamic_virt = f->mem + head;
	box_build(&p, &facts);
	box_set_clock(BB_CLOCK_HOST, 1000000000, anchor, 0);
	f->cpus = box_section(BB_SEC_CPUS, NULL);
	f->tasks = box_section(BB_SEC_TASKS, NULL);
	f->rings = box_section(BB_SEC_RINGS, NULL);
	f->locks = box_section(BB_SEC_LOCKS, NULL);
	memset(trace_box.control.event_on, 1, sizeof(trace_box.control.event_on));
	for (uint32_t c = 0; c < FX_CPUS; c++) {
		struct bb_task *t = fx_task(f, c, 0, 0, "idle", BB_ST_RUNNING);

		t->flags = BB_TASK_IDLE;
		fx_run(f, c, c);
		f->cpus[c].mode = BB_MODE_IDLE;
		f->cpus[c].cpu = c;
		f->cpus[c].online = 1;
		f->cpus[c].last_tick = fx_ticks(100);
		f->cpus[c].next_timer = fx_ticks(101);
	}
}

void fx_seal(struct box_fixture *f)
{
	memcpy(f->mem, &trace_box, sizeof(trace_box));
}

void fx_reseal(struct box_fixture *f)
{
	struct bb_header *h = (struct bb_header *)(void *)f->mem;
	uLong crc;

	h->checksum = 0;
	crc = crc32(0, f->mem, h->header_size);
	h->checksum =
		(uint32_t)crc32(crc, f->mem + h->dir_offset, h->dir_count * h->dir_entry_size);
}

void fx_close(struct box_fixture *f)
{
	host_ring = NULL;
	host_task = NULL;
	host_cpu = NULL;
	host_irq_depth = 0;
	free(f->mem);
}

/* By hand: track_class_add() numbers classes once a boot, and here each fixture is one. */
uint32_t fx_class(const char *name, uint32_t kind, uint32_t rank)
{
	struct bb_class *c = &trace_box.classes[++classes];

	if (classes >= CLASSES)
		abort();
	class_pool[classes] = (struct track_class){.name = name, .kind = kind, .index = classes};
	strncpy(c->name, name, sizeof(c->name) - 1);
	c->kind = kind;
	c->rank = rank;
	return classes;
}

struct bb_task *fx_task(struct box_fixture *f, uint32_t slot, uint32_t pid, uint32_t ppid,
			const char *name, uint32_t state)
{
	struct bb_task *t = &f->tasks[slot];

	t->tid = t->pid = pid;
	t->ppid = ppid;
	t->state = state;
	t->since = fx_ticks(1);
	t->syscall = -1;
	t->stack_base = 0xffff900000000000ull + slot * 0x10000ull;
	t->stack_top = t->stack_base + 0x4000;
	t->switch_sp = t->stack_base + 0x3000;
	strncpy(t->name, name, sizeof(t->name) - 1);
	return t;
}

void fx_run(struct box_fixture *f, uint32_t slot, uint32_t cpu)
{
	f->tasks[slot].state = BB_ST_RUNNING;
	f->tasks[slot].cpu = cpu;
	f->cpus[cpu].current = slot + 1;
	f->cpus[cpu].mode = BB_MODE_KERNEL;
}

static void be(struct bb_task *t, struct bb_cpu *c, bool irq)
{
	host_task = t;
	host_cpu = c;
	host_irq_depth = irq;
}

static struct track_lock *lock_of(uint64_t lock, uint32_t class)
{
	struct track_lock *l = (struct track_lock *)(uintptr_t)lock;

	if (l < fx_locks || l >= fx_locks + FX_LOCKS)
		abort();
	if (l->magic != TRACK_LIVE)
		track_lock_init(l, &class_pool[class]);
	return l;
}

static void stamp(struct bb_held *h, uint32_t n, double at)
{
	if (!n)
		return;
	h[n - 1].ticks = fx_ticks(at);
	h[n - 1].event = BB_EVENT(0, 1841);
}

static void acquire(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t mode, uint32_t func,
		    double at)
{
	struct track_lock *l = lock_of(lock, class);
	uint32_t before = t->nheld;

	be(t, NULL, false);
	if (mode & BB_HOLD_EXCL) /* as the lock itself does: its word first, then the record */
		l->owner = track_self();
	track_acquired(l, mode, FX_SITE(func), t->stack_base + 0x3800);
	if (t->nheld > before)
		stamp(t->held, t->nheld, at);
}

void fx_hold(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t func, double at)
{
	acquire(t, lock, class, BB_HOLD_EXCL, func, at);
}

void fx_share(struct bb_task *t, uint64_t lock, uint32_t class, uint32_t func, double at)
{
	acquire(t, lock, class, BB_HOLD_SHARED, func, at);
}

void fx_hold_irq(struct bb_cpu *c, uint64_t lock, uint32_t class, uint32_t func, double at)
{
	be(NULL, c, true);
	lock_of(lock, class)->owner = track_self();
	track_acquired(lock_of(lock, class), BB_HOLD_EXCL, FX_SITE(func), 0);
	stamp(c->held, c->nheld, at);
}

void fx_release(struct bb_task *t, uint64_t lock, uint32_t func)
{
	struct track_lock *l = lock_of(lock, 0);

	be(t, NULL, false);
	track_released(l, l->owner ? BB_HOLD_EXCL : BB_HOLD_SHARED, FX_SITE(func));
	l->owner = 0;
}

void fx_free(uint64_t lock, bool queued, uint32_t func, double at)
{
	be(NULL, NULL, false);
	track_lock_fini(lock_of(lock, 0), queued, FX_SITE(func));
	for (uint32_t i = 0; i < track_tables.nlocks; i++)
		if (track_tables.locks[i].lock == lock && track_tables.locks[i].dead)
			track_tables.locks[i].release_ticks = fx_ticks(at);
}

/* Through the door that the kernel takes for this kind. */
static void begin_wait(struct bb_task *t, uint64_t object, uint32_t class, struct track_wait w,
		       uint32_t func, double since)
{
	be(t, NULL, false);
	w.object = (void *)(uintptr_t)object;
	w.class = class ? &class_pool[class] : NULL;
	if (w.kind >= BB_WAIT_SPIN && w.kind <= BB_WAIT_SEM)
		track_block_begin(lock_of(object, class), w.kind, FX_SITE(func));
	else
		track_wait_begin(&w, FX_SITE(func));
	t->wait.ticks = fx_ticks(since);
}

void fx_wait(struct bb_task *t, uint32_t kind, uint64_t object, uint32_t class, uint32_t func,
	     double since)
{
	begin_wait(t, object, class, (struct track_wait){.kind = kind}, func, since);
}

void fx_wait_arg(struct bb_task *t, uint32_t kind, uint32_t arg, uint32_t func, double since)
{
	struct track_wait w = {.kind = kind, .arg = arg};

	if (kind == BB_WAIT_IPI || kind == BB_WAIT_TLB)
		w.owner = BB_OWNER_CPU | arg;
	begin_wait(t, FX_IMAGE, 0, w, func, since);
}

void fx_wait_for(struct bb_task *t, uint32_t kind, uint64_t object, uint32_t class, uint32_t owner,
		 uint32_t func, double since)
{
	begin_wait(t, object, class, (struct track_wait){.kind = kind, .owner = owner}, func,
		   since);
}

void fx_spin(struct box_fixture *f, uint32_t cpu, uint64_t lock, uint32_t class, uint32_t func,
	     double since)
{
	struct bb_cpu *c = &f->cpus[cpu];

	be(&f->tasks[c->current - 1], c, c->irq_depth != 0);
	track_spin_begin(lock_of(lock, class), BB_WAIT_SPIN, FX_SITE(func));
	c->wait.ticks = fx_ticks(since);
}

struct bb_report *fx_report(uint32_t verdict, uint32_t check, uint64_t lock, uint32_t func,
			    uint32_t func2, uint32_t task, double at)
{
	struct bb_report *r = trace_box.reports;

	be(NULL, NULL, false);
	track_report(verdict, check, lock ? lock_of(lock, 0) : NULL, FX_SITE(func),
		     func2 ? FX_SITE(func2) : 0, task);
	while (r + 1 < trace_box.reports + BOX_REPORTS && r[1].seq)
		r++;
	r->ticks = fx_ticks(at);
	return r;
}

struct bb_queue *fx_queue(uint16_t queued, uint16_t kicked, uint16_t used, uint16_t seen)
{
	void *rings;
	struct bb_queue *q = box_queue("vda", &rings);
	uint64_t *desc = rings;
	uint16_t *avail, *used_idx;
	uint32_t *used_ring;

	if (!q)
		abort();
	q->size = 8;
	q->avail_at = 128;
	q->used_at = 192;
	avail = (uint16_t *)rings + 64;
	used_idx = (uint16_t *)rings + 97;
	used_ring = (uint32_t *)rings + 49;
	for (uint16_t i = 0; i < 8; i++)
		desc[2ull * i] = 0x40100000 + 64ull * i;
	for (uint16_t i = 0; i < queued; i++)
		avail[2 + (i & 7)] = i & 7;
	for (uint16_t i = 0; i < used; i++)
		used_ring[2 * (i & 7)] = i & 7;
	avail[1] = queued;
	*used_idx = used;
	q->kicked = kicked;
	q->seen = seen;
	q->slot_base = FX_SLOT(0);
	q->slot_size = 64;
	q->slot_count = 8;
	q->irqs = seen;
	q->last_irq = fx_ticks(50);
	return q;
}

struct bb_section *fx_section(struct box_fixture *f, uint32_t kind)
{
	struct bb_header *h = (struct bb_header *)(void *)f->mem;
	struct bb_section *d = (struct bb_section *)(void *)(f->mem + h->dir_offset);

	for (uint32_t i = 0; i < h->dir_count; i++)
		if (d[i].kind == kind)
			return &d[i];
	abort();
}

void fx_print(FILE *out, const char *text)
{
	while (*text) {
		unsigned i, len = 0;

		for (i = 0; i < FX_LOCKS && !len; i++) {
			char lock[32];

			snprintf(lock, sizeof(lock), "%" PRIu64, (uint64_t)FX_LOCK(i));
			if (!strncmp(text, lock, strlen(lock)))
				len = (unsigned)strlen(lock);
			snprintf(lock, sizeof(lock), "0x%" PRIx64, (uint64_t)FX_LOCK(i));
			if (!strncmp(text, lock, strlen(lock)))
				len = (unsigned)strlen(lock);
		}
		if (len)
			fprintf(out, "lock%u", i - 1);
		else
			fputc(*text, out);
		text += len ? len : 1;
	}
}
