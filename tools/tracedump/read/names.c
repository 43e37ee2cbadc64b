/* names.c - the box's own tables of words, made searchable. Only the embedded schema is used, so an
 * older tool shows newer events. An index that does not exist gives a number, never a crash. */
#include "names.h"
#include "kelf.h"
#include "ring.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_IDS 4096u

static int by_table_value(const void *a, const void *b)
{
	const struct bb_enum_row *x = a, *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

static int by_addr(const void *a, const void *b)
{
	const struct td_sym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void clean_in_place(char *s, size_t n)
{
	char tmp[64];

	td_clean(tmp, n < sizeof(tmp) ? n : sizeof(tmp), s, n);
	memset(s, 0, n);
	memcpy(s, tmp, strlen(tmp));
}

static void load_schema(struct td_names *n)
{
	uint32_t count = td_box_count(n->box, BB_SEC_SCHEMA);

	n->rows = td_alloc(count, sizeof(*n->rows));
	n->row_of = td_alloc(EVENT_IDS, sizeof(*n->row_of));
	for (uint32_t i = 0; i < count && i < UINT16_MAX; i++) {
		struct bb_event_row *r = &n->rows[i];

		td_box_entry(n->box, BB_SEC_SCHEMA, i, r, sizeof(*r));
		clean_in_place(r->name, sizeof(r->name));
		if (r->nargs > BB_MAX_ARGS)
			r->nargs = BB_MAX_ARGS;
		for (unsigned a = 0; a < BB_MAX_ARGS; a++)
			clean_in_place(r->args[a].name, sizeof(r->args[a].name));
		if (r->id < EVENT_IDS && r->name[0])
			n->row_of[r->id] = (uint16_t)(i + 1);
	}
}

static void load_enums(struct td_names *n)
{
	n->nenums = td_box_count(n->box, BB_SEC_ENUMS);
	n->enums = td_alloc(n->nenums, sizeof(*n->enums));
	for (uint32_t i = 0; i < n->nenums; i++) {
		td_box_entry(n->box, BB_SEC_ENUMS, i, &n->enums[i], sizeof(n->enums[i]));
		clean_in_place(n->enums[i].name, sizeof(n->enums[i].name));
	}
	qsort(n->enums, n->nenums, sizeof(*n->enums), by_table_value);
}

static void load_calls(struct td_names *n)
{
	n->ncalls = td_box_count(n->box, BB_SEC_CALLS);
	n->calls = td_alloc(n->ncalls, sizeof(*n->calls));
	for (uint32_t i = 0; i < n->ncalls; i++) {
		struct bb_call *c = &n->calls[i];

		td_box_entry(n->box, BB_SEC_CALLS, i, c, sizeof(*c));
		if (c->nargs > 6)
			c->nargs = 6;
		for (unsigned a = 0; a < 6; a++)
			clean_in_place(c->args[a].name, sizeof(c->args[a].name));
	}
}

static void load_syms(struct td_names *n)
{
	uint32_t count = td_box_count(n->box, BB_SEC_SYMS);

	n->syms = td_alloc(count, sizeof(*n->syms));
	if (!n->box->sec[BB_SEC_SYMNAMES].present)
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct bb_sym s;

		td_box_entry(n->box, BB_SEC_SYMS, i, &s, sizeof(s));
		if (s.name < n->box->sec[BB_SEC_SYMNAMES].size)
			n->syms[n->nsyms++] =
				(struct td_sym){n->box->hdr.image_virt + s.offset, s.size, s.name};
	}
	qsort(n->syms, n->nsyms, sizeof(*n->syms), by_addr);
}

static int by_offset(const void *a, const void *b)
{
	uint32_t x = ((const struct bb_line *)a)->offset, y = ((const struct bb_line *)b)->offset;

	return x < y ? -1 : x > y;
}

static void load_lines(struct td_names *n)
{
	n->nlines = td_box_count(n->box, BB_SEC_LINES);
	n->lines = td_alloc(n->nlines, sizeof(*n->lines));
	for (uint32_t i = 0; i < n->nlines; i++)
		td_box_entry(n->box, BB_SEC_LINES, i, &n->lines[i], sizeof(n->lines[i]));
	qsort(n->lines, n->nlines, sizeof(*n->lines), by_offset);
}

void td_task_learn(struct td_names *n, uint32_t tid, uint32_t pid, uint32_t ppid, const char *name)
{
	struct td_taskname *t;
	bool fresh;

	if (!tid)
		return; /* idle tasks are named by their CPU */
	t = td_hash_add(&n->tasks, tid, &fresh);
	if (fresh) {
		t->tid = tid;
		t->pid = pid ? pid : tid;
		t->ppid = ppid;
	}
	if (name && *name)
		td_clean(t->name, sizeof(t->name), name, sizeof(t->name) - 1);
}

void td_names_init(struct td_names *n, const struct td_box *b, struct td_elf *elf)
{
	*n = (struct td_names){.box = b, .elf = elf};
	td_hash_init(&n->tasks, sizeof(struct td_taskname));
	load_schema(n);
	load_enums(n);
	load_calls(n);
	load_syms(n);
	load_lines(n);
	for (uint32_t i = 0; i < td_box_count(b, BB_SEC_TASKS); i++) {
		struct bb_task t;

		td_box_entry(b, BB_SEC_TASKS, i, &t, sizeof(t));
		clean_in_place(t.name, sizeof(t.name));
		if (t.state == BB_ST_NONE || !t.tid)
			continue;
		td_task_learn(n, t.tid, t.pid, t.ppid, t.name);
		((struct td_taskname *)td_hash_find(&n->tasks, t.tid))->whole = true;
	}
}

/* In order of time: a task that is gone keeps the last name that it had. */
void td_names_learn(struct td_names *n, const struct td_rings *r)
{
	const struct td_ring *ring;
	const struct td_event *e;
	struct td_merge m;

	td_merge_begin(&m, r);
	while ((e = td_merge_next(&m, &ring))) {
		uint8_t role = td_role(n, e->id);
		unsigned first = role == BB_ROLE_TASK_NEW ? 2 : 1;
		uint32_t tid = (uint32_t)td_arg(r->box, e, 0);
		const struct td_taskname *known;
		char name[17] = "";

		if (role != BB_ROLE_TASK_NEW && role != BB_ROLE_TASK_NAME)
			continue;
		known = td_task_name(n, tid);
		if (known && known->whole)
			continue;
		for (unsigned k = 0; k < 2; k++) {
			uint64_t part = td_arg(r->box, e, first + k);

			memcpy(name + 8 * k, &part, 8);
		}
		td_task_learn(n, tid, first == 2 ? (uint32_t)td_arg(r->box, e, 1) : 0, 0, name);
	}
	td_merge_end(&m);
}

void td_names_free(struct td_names *n)
{
	free(n->rows);
	free(n->row_of);
	free(n->enums);
	free(n->calls);
	free(n->syms);
	free(n->lines);
	td_hash_free(&n->tasks);
	*n = (struct td_names){0};
}

const struct bb_event_row *td_event_row(const struct td_names *n, uint32_t id)
{
	return id < EVENT_IDS && n->row_of[id] ? &n->rows[n->row_of[id] - 1] : NULL;
}

uint8_t td_role(const struct td_names *n, uint32_t id)
{
	const struct bb_event_row *r = td_event_row(n, id);

	return r ? r->role : BB_ROLE_INSTANT;
}

const char *td_enum_name(const struct td_names *n, uint32_t table, int64_t value)
{
	struct bb_enum_row key = {.table = table, .value = value};
	const struct bb_enum_row *r =
		n->nenums ? bsearch(&key, n->enums, n->nenums, sizeof(key), by_table_value) : NULL;

	return r && r->name[0] ? r->name : NULL;
}

const struct bb_call *td_call(const struct td_names *n, uint32_t nr)
{
	for (uint32_t i = 0; i < n->ncalls; i++)
		if (n->calls[i].nr == nr)
			return &n->calls[i];
	return NULL;
}

void td_call_name(const struct td_names *n, uint32_t nr, char *out, size_t size)
{
	const char *name = td_enum_name(n, BB_TAB_SYSCALL, nr);

	if (name)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "sys_%u", nr);
}

const char *td_class_name(const struct td_names *n, uint32_t class)
{
	static char buf[4][BB_NAME_LEN + 1];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct bb_class c;

	if (class && td_box_entry(n->box, BB_SEC_CLASSES, class, &c, sizeof(c)) && c.name[0])
		td_clean(out, sizeof(buf[0]), c.name, sizeof(c.name));
	else
		snprintf(out, sizeof(buf[0]), "class %u", class);
	return out;
}

const struct td_taskname *td_task_name(const struct td_names *n, uint32_t tid)
{
	const struct td_taskname *t = tid ? td_hash_find(&n->tasks, tid) : NULL;

	return t && t->tid ? t : NULL;
}

static bool symbol_name(const struct td_names *n, uint64_t addr, char *out, size_t size)
{
	uint32_t lo = 0, hi = n->nsyms;
	const struct td_section *s = &n->box->sec[BB_SEC_SYMNAMES];

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (n->syms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || (n->syms[lo - 1].size && addr - n->syms[lo - 1].addr >= n->syms[lo - 1].size))
		return false;
	td_clean(out, size, (const char *)n->box->data + s->offset + n->syms[lo - 1].name,
		 s->size - n->syms[lo - 1].name);
	return out[0] != 0;
}

/* A text of the places; "" if there is none. */
static void place_text(const struct td_names *n, uint32_t at, char *out, size_t size)
{
	const struct td_section *s = &n->box->sec[BB_SEC_PLACENAMES];

	out[0] = 0;
	if (s->present && at < s->size)
		td_clean(out, size, (const char *)n->box->data + s->offset + at, s->size - at);
}

/* The box's own line of the call that returns to addr. */
static void box_line(const struct td_names *n, uint64_t addr, struct td_place *p)
{
	struct bb_line key = {.offset = (uint32_t)(addr - n->box->hdr.image_virt)}, *l;
	struct bb_place place;
	char func[sizeof(p->func)];

	if (addr - n->box->hdr.image_virt > UINT32_MAX)
		return;
	l = bsearch(&key, n->lines, n->nlines, sizeof(*l), by_offset);
	if (!l || !td_box_entry(n->box, BB_SEC_PLACES, l->place, &place, sizeof(place)))
		return;
	place_text(n, place.file, p->file, sizeof(p->file));
	if (!p->file[0])
		return;
	p->line = l->line;
	place_text(n, place.func, func, sizeof(func));
	if (place.func && func[0])
		memcpy(p->func, func, sizeof(func));
}

void td_place(const struct td_names *n, uint64_t addr, bool ret, struct td_place *p)
{
	uint64_t look = ret && addr ? addr - 1 : addr;

	*p = (struct td_place){.addr = addr};
	if (!symbol_name(n, look, p->func, sizeof(p->func)))
		p->func[0] = 0;
	if (n->elf)
		td_elf_line(n->elf, look, p);
	if (ret && !p->line)
		box_line(n, addr, p);
}

void td_place_text(const struct td_place *p, int pad, char *out, size_t size)
{
	if (!p->addr)
		snprintf(out, size, "an unknown place");
	else if (!p->func[0])
		snprintf(out, size, "0x%" PRIx64, p->addr);
	else if (p->line)
		snprintf(out, size, "%-*s %s:%d", pad, p->func, p->file, p->line);
	else
		snprintf(out, size, "%s", p->func);
}

static void flags_text(const struct td_names *n, uint32_t table, uint64_t v, char *out, size_t size)
{
	size_t at = 0;

	out[0] = 0;
	for (unsigned bit = 0; bit < 64 && at + 2 < size; bit++) {
		const char *name;

		if (!(v >> bit & 1))
			continue;
		name = td_enum_name(n, table, (int64_t)(1ull << bit));
		if (name)
			at += (size_t)snprintf(out + at, size - at, "%s%s", at ? "|" : "", name);
		else
			at += (size_t)snprintf(out + at, size - at, "%s0x%llx", at ? "|" : "",
					       1ull << bit);
	}
	if (!v)
		snprintf(out, size, "0");
}

void td_arg_text(const struct td_names *n, const struct bb_arg_row *a, uint64_t v, char *out,
		 size_t size)
{
	const struct td_taskname *t;
	const char *name = NULL;
	struct td_place p;

	switch (a->show) {
	case BB_DEC:
		snprintf(out, size, "%" PRId64, (int64_t)v);
		return;
	case BB_UDEC:
	case BB_CPU:
		snprintf(out, size, "%" PRIu64, v);
		return;
	case BB_BYTES:
		snprintf(out, size, "%" PRIu64 "B", v);
		return;
	case BB_INT:
		snprintf(out, size, "%" PRId32, (int32_t)v);
		return;
	case BB_OCT:
		snprintf(out, size, "0%" PRIo64, v);
		return;
	case BB_CALL:
		td_call_name(n, BB_CALL_NR(v), out, size);
		return;
	case BB_TASK:
		t = td_task_name(n, (uint32_t)v);
		if (!v)
			snprintf(out, size, "idle");
		else if (t)
			snprintf(out, size, "%s/%u", t->name, (uint32_t)v);
		else
			snprintf(out, size, "%" PRId64, (int64_t)v);
		return;
	case BB_SYM:
		td_place(n, v, true, &p);
		td_place_text(&p, 0, out, size);
		return;
	case BB_CLASS:
		snprintf(out, size, "%s", td_class_name(n, (uint32_t)v));
		return;
	case BB_NS:
		snprintf(out, size, "%" PRIu64 "ns", v);
		return;
	case BB_TICKS:
		snprintf(out, size, "%" PRIu64 "ns", td_box_span_ns(n->box, v));
		return;
	case BB_SYSCALL:
		name = td_enum_name(n, BB_TAB_SYSCALL, (int64_t)v);
		break;
	case BB_ERRNO:
		if ((int64_t)v < 0)
			name = td_enum_name(n, BB_TAB_ERRNO, -(int64_t)v);
		if (name) {
			snprintf(out, size, "-%s", name);
			return;
		}
		break;
	case BB_IRQ:
		name = td_enum_name(n, BB_TAB_IRQ, (int64_t)v);
		break;
	case BB_ENUM:
		name = td_enum_name(n, a->table, (int64_t)v);
		break;
	case BB_FLAGS:
		flags_text(n, a->table, v, out, size);
		return;
	case BB_STR8: {
		char text[9];

		td_clean(text, sizeof(text), (const char *)&v, 8);
		snprintf(out, size, "\"%s\"", text);
		return;
	}
	default: /* HEX, PTR, LOCK, UPTR and kinds of later versions */
		snprintf(out, size, "0x%" PRIx64, v);
		return;
	}
	if (name)
		snprintf(out, size, "%s", name);
	else
		snprintf(out, size, "%" PRId64, (int64_t)v);
}
