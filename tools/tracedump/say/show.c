/* show.c - tables and events as text, one line each. */
#include "show.h"
#include "think/why.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *clock_name(uint32_t kind)
{
	switch (kind) {
	case BB_CLOCK_TSC:
		return "TSC";
	case BB_CLOCK_CNTVCT:
		return "CNTVCT";
	case BB_CLOCK_HOST:
		return "host clock";
	default:
		return "unknown clock";
	}
}

static double seconds(const struct td_session *s, uint64_t ticks)
{
	return (double)td_box_ns(&s->box, ticks) / 1e9;
}

static const char *place(const struct td_session *s, uint64_t site)
{
	static char buf[4][320];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct td_place p;

	td_place(&s->names, site, true, &p);
	td_place_text(&p, 0, out, sizeof(buf[0]));
	return out;
}

static const char *word(const struct td_session *s, uint32_t table, int64_t v)
{
	const char *w = td_enum_name(&s->names, table, v);

	return w ? w : "?";
}

void td_show_info(const struct td_session *s, FILE *f)
{
	static const char *const kinds[] = {"memory file", "ELF core", "bare black box"};
	const struct bb_header *h = &s->box.hdr;
	uint64_t events = 0, gone = 0, torn = 0, drops = 0;
	char text[256];

	td_clean(text, sizeof(text), h->release, sizeof(h->release));
	fprintf(f, "%s on %s, %u CPU%s, %" PRIu64 " MiB\n", text,
		h->machine == EM_AARCH64  ? "aarch64"
		: h->machine == EM_X86_64 ? "x86-64"
					  : "an unknown machine",
		h->cpus, h->cpus == 1 ? "" : "s", h->ram_size >> 20);
	fprintf(f, "  build id      ");
	for (uint32_t i = 0; i < h->build_id_len; i++)
		fprintf(f, "%02x", h->build_id[i]);
	fprintf(f,
		"\n  black box     format %u.%u, %" PRIu64 " bytes at file offset 0x%" PRIx64
		" of a %s, physical 0x%" PRIx64 "\n",
		h->version >> 16, h->version & 0xffff, h->total_size, s->box.file_offset,
		kinds[s->box.kind], h->phys_base);
	fprintf(f, "  clock         %s, %.3f MHz; newest time t=%.6f s\n",
		clock_name(h->clock_kind), (double)h->clock_hz / 1e6, seconds(s, s->model.now));
	if (td_box_count(&s->box, BB_SEC_CMDLINE) || s->box.sec[BB_SEC_CMDLINE].size) {
		const struct td_section *c = &s->box.sec[BB_SEC_CMDLINE];

		td_clean(text, sizeof(text), (const char *)s->box.data + c->offset, c->size);
		fprintf(f, "  command line  %s\n", text);
	}
	for (uint32_t i = 0; i < s->rings.n; i++) {
		events += s->rings.ring[i].n;
		gone += s->rings.ring[i].overwritten;
		torn += s->rings.ring[i].torn;
		drops += s->rings.ring[i].drops;
	}
	fprintf(f,
		"  events        %" PRIu64 " in %u ring%s; lost: %" PRIu64 " overwritten, %" PRIu64
		" torn or refused, %" PRIu64 " dropped\n",
		events, s->rings.n, s->rings.n == 1 ? "" : "s", gone, torn, drops);
	for (unsigned k = 1; k < TD_SECTIONS; k++)
		if (s->box.sec[k].present)
			fprintf(f, "  section       %-14s %8u x %4u bytes at 0x%" PRIx64 "\n",
				td_section_name(k), s->box.sec[k].count, s->box.sec[k].entry_size,
				s->box.sec[k].offset);
	if (s->box.unknown_sections)
		fprintf(f, "  %u section%s of a later version skipped\n", s->box.unknown_sections,
			s->box.unknown_sections == 1 ? "" : "s");
	if (s->box.torn_entries)
		fprintf(f, "  %u table entr%s being written when the copy was made\n",
			s->box.torn_entries, s->box.torn_entries == 1 ? "y was" : "ies were");
	for (uint32_t i = 0; i < td_box_count(&s->box, BB_SEC_COUNTERS); i++) {
		struct bb_counter c;

		td_box_entry(&s->box, BB_SEC_COUNTERS, i, &c, sizeof(c));
		td_clean(text, sizeof(text), c.name, sizeof(c.name));
		if (text[0])
			fprintf(f, "  counter       %-24s %" PRIu64 "\n", text, c.value);
	}
	if (s->model.crashed) {
		td_clean(text, sizeof(text), s->model.crash.reason, sizeof(s->model.crash.reason));
		fprintf(f, "  crashed       %s\n", text);
	}
}

int td_filter_cats(const struct td_names *n, const char *list, uint32_t *cats, struct td_error *e)
{
	*cats = 0;
	do {
		size_t len = strcspn(list, ",");
		uint32_t i;

		for (i = 0; i < 32; i++) {
			const char *name = td_enum_name(n, BB_TAB_CATEGORY, i);

			if (name && strlen(name) == len && !strncmp(name, list, len))
				break;
		}
		if (i == 32)
			return td_fail(e, "there is no category '%.*s'", len > 64 ? 64 : (int)len,
				       list);
		*cats |= 1u << i;
		list += len + (list[len] == ',');
	} while (*list);
	return 0;
}

bool td_knows_task(const struct td_session *s, int64_t tid)
{
	if (!tid)
		return true;
	for (uint32_t i = 0; i < s->model.ntasks; i++)
		if (s->model.task[i].used && s->model.task[i].t.tid == tid)
			return true;
	for (uint32_t i = 0; i < s->rings.n; i++)
		for (uint32_t k = 0; k < s->rings.ring[i].n; k++)
			if (s->rings.ring[i].ev[k].tid == tid)
				return true;
	return tid <= UINT32_MAX && td_task_name(&s->names, (uint32_t)tid);
}

static bool passes(const struct td_session *s, const struct td_filter *fl, const struct td_ring *r,
		   const struct td_event *e)
{
	const struct bb_event_row *row = td_event_row(&s->names, e->id);

	return (fl->cpu < 0 || fl->cpu == r->cpu) && (fl->tid < 0 || fl->tid == e->tid) &&
	       (!fl->cats || (row && row->category < 32 && fl->cats >> row->category & 1));
}

static void task_text(const struct td_session *s, int32_t tid, char *out, size_t n)
{
	const struct td_taskname *t = tid > 0 ? td_task_name(&s->names, (uint32_t)tid) : NULL;

	if (tid == 0)
		snprintf(out, n, "idle");
	else if (t)
		snprintf(out, n, "%s/%d", t->name, tid);
	else if (tid > 0)
		snprintf(out, n, "?/%d", tid);
	else
		snprintf(out, n, "unknown");
}

/* syscall_done: "read fd=3 buf=0x7ffe10 n=100 ret=12 took=3210ns". */
static void print_call(const struct td_session *s, FILE *f, const struct td_event *e,
		       const struct bb_event_row *row)
{
	uint64_t word = td_arg(&s->box, e, 0);
	const struct bb_call *c = td_call(&s->names, BB_CALL_NR(word));
	char text[400];

	td_call_name(&s->names, BB_CALL_NR(word), text, sizeof(text));
	fprintf(f, " %s", text);
	for (unsigned i = 2; i < e->nargs; i++) {
		const struct bb_arg_row *a =
			c && i - 2 < c->nargs ? &c->args[i - 2] : &row->args[i];

		td_arg_text(&s->names, a, td_arg(&s->box, e, i), text, sizeof(text));
		fprintf(f, " %s=%s", a->name, text);
	}
	td_arg_text(&s->names, &row->args[1], td_arg(&s->box, e, 1), text, sizeof(text));
	fprintf(f, " ret=%s took=%" PRIu64 "ns", text,
		td_box_span_ns(&s->box, BB_CALL_TICKS(word)));
}

static void print_event(const struct td_session *s, FILE *f, const struct td_ring *r,
			const struct td_event *e)
{
	const struct bb_event_row *row = td_event_row(&s->names, e->id);
	char text[400];

	if (e->lost)
		fprintf(f, "%16s cpu%-2u -- %u events lost --\n", "", r->cpu, e->lost);
	task_text(s, e->tid, text, sizeof(text));
	fprintf(f, "%6" PRIu64 ".%09" PRIu64 " cpu%-2u %-18s ", e->ns / 1000000000,
		e->ns % 1000000000, r->cpu, text);
	if (row)
		fprintf(f, "%-14s", row->name);
	else
		fprintf(f, "event %-8u", e->id);
	if (row && row->role == BB_ROLE_SYSCALL_DONE)
		print_call(s, f, e, row);
	for (unsigned i = row && row->role == BB_ROLE_SYSCALL_DONE ? e->nargs : 0; i < e->nargs;
	     i++) {
		uint64_t v = td_arg(&s->box, e, i);

		if (row && i < row->nargs) {
			td_arg_text(&s->names, &row->args[i], v, text, sizeof(text));
			fprintf(f, " %s=%s", row->args[i].name, text);
		} else {
			fprintf(f, " arg%u=0x%" PRIx64, i, v);
		}
	}
	if (row && row->role == BB_ROLE_LOG) {
		char raw[256];
		size_t n = td_box_console(&s->box, td_arg(&s->box, e, 1), td_arg(&s->box, e, 2),
					  raw, sizeof(raw));

		while (n && (raw[n - 1] == '\n' || raw[n - 1] == '\r'))
			n--;
		td_clean(text, sizeof(text), raw, n);
		fprintf(f, "  %s", text);
	}
	fputc('\n', f);
}

void td_show_text(const struct td_session *s, FILE *f, const struct td_filter *filter)
{
	struct td_merge m;
	const struct td_ring *r;
	const struct td_event *e;
	uint64_t skip = 0;

	if (filter->last != UINT64_MAX) {
		uint64_t n = 0;

		td_merge_begin(&m, &s->rings);
		while ((e = td_merge_next(&m, &r)))
			n += passes(s, filter, r, e);
		td_merge_end(&m);
		skip = n > filter->last ? n - filter->last : 0;
	}
	td_merge_begin(&m, &s->rings);
	while ((e = td_merge_next(&m, &r))) {
		if (!passes(s, filter, r, e))
			continue;
		if (skip)
			skip--;
		else
			print_event(s, f, r, e);
	}
	td_merge_end(&m);
	for (uint32_t i = 0; i < s->rings.n; i++)
		if (s->rings.ring[i].tail_lost)
			fprintf(f, "%16s cpu%-2u -- %u events lost at the end --\n", "",
				s->rings.ring[i].cpu, s->rings.ring[i].tail_lost);
}

static void print_wait(const struct td_session *s, FILE *f, uint32_t node)
{
	const struct bb_wait *w = &s->model.wait[node];
	uint32_t who[8], n;

	if (!w->kind)
		return;
	fprintf(f, "  waits for %s", word(s, BB_TAB_WAIT, w->kind));
	if (w->class)
		fprintf(f, td_wait_is_lock(w->kind) ? " %s" : " (%s)",
			td_class_name(&s->names, w->class));
	if (w->owner && !td_wait_is_lock(w->kind))
		fprintf(f, ", which %s ends",
			td_node_name(&s->model, td_model_owner(&s->model, w->owner)));
	n = td_wakers(&s->model, node, who, sizeof(who) / sizeof(who[0]));
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? ", " : ", whose other end is open in ",
			td_node_name(&s->model, who[i]));
	fprintf(f, " in %s since t=%.3f s", place(s, w->site), seconds(s, w->ticks));
}

/* Columns of the terminal; 0: no end, it is a file. COLUMNS counts first, GDB's hs ps sets it. */
static size_t columns(FILE *f)
{
	const char *told = getenv("COLUMNS");
	struct winsize w;

	if (told && atoi(told) > 0)
		return (size_t)atoi(told);
	return isatty(fileno(f)) && !ioctl(fileno(f), TIOCGWINSZ, &w) ? w.ws_col : 0;
}

#define PS_INDENT 8

/* What is said of a task, each part led by two spaces: behind its row, which is `used` wide, or
 * where that does not fit below it, a line a part, broken between words. */
static void put_parts(FILE *f, size_t width, size_t used, const char *parts)
{
	size_t at = 0;

	if (!width || used + strlen(parts) <= width) {
		fputs(parts, f);
		return;
	}
	for (const char *p = parts; *p;) {
		size_t gap = strspn(p, " "), n = strcspn(p + gap, " ");

		if (gap > 1 || at + gap + n > width) {
			at = gap > 1 ? PS_INDENT : PS_INDENT + 2;
			fprintf(f, "\n%*s", (int)at, "");
			gap = 0;
		}
		fprintf(f, "%*s%.*s", (int)gap, "", (int)n, p + strspn(p, " "));
		at += gap + n;
		p += strspn(p, " ") + n;
	}
}

static void print_parts(const struct td_session *s, FILE *f, uint32_t node)
{
	const struct bb_task *t = &s->model.task[node].t;
	char name[64];

	if (t->syscall >= 0 && !(t->flags & BB_TASK_KTHREAD) && t->mode == BB_MODE_KERNEL) {
		td_call_name(&s->names, (uint32_t)t->syscall, name, sizeof(name));
		fprintf(f, "  in %s()", name);
	}
	if (t->missing_count) {
		td_call_name(&s->names, (uint32_t)t->missing, name, sizeof(name));
		fprintf(f, "  %u x -ENOSYS, last %s()", t->missing_count, name);
	}
	print_wait(s, f, node);
	for (uint32_t k = 0; k < t->nheld; k++)
		if (t->held[k].lock)
			fprintf(f, "%s%s", k ? ", " : "  holds ",
				td_class_name(&s->names, t->held[k].class));
	if (s->model.task[node].torn)
		fprintf(f, "  (being written)");
}

void td_show_ps(const struct td_session *s, FILE *f)
{
	const struct td_model *m = &s->model;
	size_t width = columns(f);

	fprintf(f, "%5s %5s %5s %3s %-9s %-6s %-16s\n", "TID", "PID", "PPID", "CPU", "STATE",
		"MODE", "NAME");
	for (uint32_t i = 0; i < m->ntasks; i++) {
		const struct bb_task *t = &m->task[i].t;
		char *parts = NULL;
		size_t size = 0;
		FILE *text;
		int used;

		if (!m->task[i].used)
			continue;
		text = open_memstream(&parts, &size);
		if (!text)
			return;
		print_parts(s, text, i);
		fclose(text);
		used = fprintf(f, "%5u %5u %5u %3u %-9s %-6s %-16s", t->tid, t->pid, t->ppid,
			       t->cpu, word(s, BB_TAB_STATE, t->state),
			       word(s, BB_TAB_MODE, t->mode), t->name);
		put_parts(f, width, used > 0 ? (size_t)used : 0, parts);
		fputc('\n', f);
		free(parts);
	}
}

void td_show_locks(const struct td_session *s, FILE *f)
{
	const struct td_model *m = &s->model;

	fprintf(f, "Held now:%s\n", m->nholders + m->nghosts ? "" : " none");
	for (uint32_t i = 0; i < m->nholders + m->nghosts; i++) {
		const struct td_holder *h = &m->holder[i];

		fprintf(f, "  %-20s 0x%" PRIx64 "%s%s by %s, taken in %s t=%.6f s\n",
			td_class_name(&s->names, h->held.class), h->lock,
			h->held.mode & BB_HOLD_SHARED ? " (shared)" : "",
			i < m->nholders ? "" : " (freed)", td_node_name(m, h->node),
			place(s, h->held.site), seconds(s, h->held.ticks));
		for (uint32_t n = 0; n < m->nnodes; n++)
			if (m->wait[n].kind && m->wait[n].object == h->lock)
				fprintf(f, "      waiting: %s in %s since t=%.6f s\n",
					td_node_name(m, n), place(s, m->wait[n].site),
					seconds(s, m->wait[n].ticks));
	}
	fprintf(f, "Ever contended:\n");
	for (uint32_t i = 0; i < td_box_count(&s->box, BB_SEC_LOCKS); i++) {
		struct bb_lock l;

		td_box_entry(&s->box, BB_SEC_LOCKS, i, &l, sizeof(l));
		if (l.lock <= BB_LOCK_GONE)
			continue;
		fprintf(f, "  %-20s 0x%" PRIx64 " %" PRIu64 " wait%s, ",
			td_class_name(&s->names, l.class), l.lock, l.waits,
			l.waits == 1 ? "" : "s");
		if (l.dead)
			fprintf(f, "freed in use in %s t=%.6f s\n", place(s, l.release_site),
				seconds(s, l.release_ticks));
		else if (l.release_site)
			fprintf(f, "last released in %s t=%.6f s\n", place(s, l.release_site),
				seconds(s, l.release_ticks));
		else
			fprintf(f, "not released since\n");
	}
}

void td_show_cpus(const struct td_session *s, FILE *f)
{
	const struct td_model *m = &s->model;

	for (uint32_t i = 0; i < m->ncpus; i++) {
		const struct bb_cpu *c = &m->cpu[i].c;

		if (!c->online) {
			fprintf(f, "cpu%u offline\n", i);
			continue;
		}
		fprintf(f, "cpu%u %-6s runs %s, %u queued, %" PRIu64 " ticks, last t=%.6f s", i,
			word(s, BB_TAB_MODE, c->mode), td_node_name(m, m->cpu[i].current),
			c->queue_len, c->ticks, seconds(s, c->last_tick));
		if (c->irq_depth)
			fprintf(f, ", in an interrupt (depth %u)", c->irq_depth);
		if (c->irqs_off_since)
			fprintf(f, ", interrupts off since t=%.6f s in %s",
				seconds(s, c->irqs_off_since), place(s, c->irqs_off_site));
		if (c->need_resched)
			fprintf(f, ", wants to reschedule");
		if (c->wait.kind && c->wait.kind < BB_WAIT_KINDS)
			fprintf(f, ", spins for %s %s in %s", word(s, BB_TAB_WAIT, c->wait.kind),
				td_class_name(&s->names, c->wait.class), place(s, c->wait.site));
		fputc('\n', f);
	}
}
