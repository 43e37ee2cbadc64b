/* verdict.h - what the files verdict_*.c share: one file a family of verdicts, which finds them,
 * says them in words and writes what is special of them as JSON. why.c has the table and its order.
 */
#ifndef TRACEDUMP_VERDICT_H
#define TRACEDUMP_VERDICT_H

#include "why.h"

#define TD_MS      1000000ull /* ns */
#define TD_SECOND  (1000 * TD_MS)
#define TD_STARVED (10 * TD_SECOND) /* runnable but not run, waiting although others get it */
#define TD_LOST    (1 * TD_SECOND)  /* waits for what nobody holds */

/* A report in words that is being written. */
struct td_report {
	const struct td_analysis *a;
	const struct td_model *m;
	FILE *f;
	int left; /* lines that may still be printed */
	bool full;
};

struct td_family {
	/* Adds verdicts, and marks who waits because of them. Sees what earlier families found. */
	void (*find)(struct td_analysis *a);
	/* Cause, evidence, waiters, hint; `cause` opens the first line. */
	void (*say)(struct td_report *r, const struct td_verdict *v, const char *cause);
	/* Members of the verdict's object, each with a comma before it. May be NULL. */
	void (*json)(const struct td_model *m, FILE *f, const struct td_verdict *v);
};

extern const struct td_family td_orphan, td_cycle, td_owner, td_free_lock, td_stranded, td_cpu_dead,
	td_device, td_no_waker, td_starved, td_corrupt, td_freed;
/* Run-time checks of the guest: they corroborate; alone they speak only for what can only be a bug.
 * After all families. */
void td_use_reports(struct td_analysis *a);

/* ---- finding --------------------------------------------------------------------------------- */

/* The pointer is good until the next td_add(). */
struct td_verdict *td_add(struct td_analysis *a, const struct td_family *family, uint32_t kind,
			  uint32_t reason, uint32_t node);
struct td_verdict *td_add_held(struct td_analysis *a, const struct td_family *family, uint32_t kind,
			       uint32_t reason, const struct td_holder *h);
void td_add_member(uint32_t **list, uint32_t *n, uint32_t node);
/* The node is stuck because of this verdict, unless it already is because of another. */
void td_mark(struct td_analysis *a, uint32_t node, uint32_t verdict, bool direct);
/* Everybody who waits for the lock is stuck because of the newest verdict. */
void td_mark_waiters(struct td_analysis *a, uint64_t lock);
/* Long ago, or time no longer matters because nothing can move. */
bool td_older(const struct td_model *m, uint64_t ticks, uint64_t ns);
static inline bool td_shared(const struct bb_held *h)
{
	return h->mode & BB_HOLD_SHARED;
}
/* Why this holder can never release, enum td_reason; TD_R_NONE if it can. */
uint32_t td_orphan_reason(const struct td_model *m, const struct td_holder *h);
bool td_cpu_silent(const struct td_model *m, uint32_t cpu);

/* The children that a task waits for. */
struct td_children {
	uint32_t alive, zombies;
	uint32_t first;        /* of those alive, or TD_NOBODY */
	uint32_t stuck;        /* of those alive; 0 without an analysis */
	uint64_t zombie_since; /* ticks: the last one's exit */
};
void td_children(const struct td_analysis *a, const struct td_model *m, uint32_t node,
		 struct td_children *out);

/* ---- saying ---------------------------------------------------------------------------------- */

/* Texts are in static buffers, four of a kind in turn. */
__attribute__((format(printf, 2, 3))) void td_line(struct td_report *r, const char *fmt, ...);
double td_seconds(const struct td_model *m, uint64_t ticks);
/* "load_init  kernel/task/exec.c:31" and "load_init()", of a return address. */
const char *td_site(const struct td_model *m, uint64_t site, int pad);
const char *td_site_func(const struct td_model *m, uint64_t site);
const char *td_wait_name(const struct td_model *m, uint32_t kind);
/* "a child", "an event", "disk I/O": what stands before the name. */
const char *td_article(uint32_t kind);
const char *td_what_waited(const struct td_model *m, const struct bb_wait *w);
const char *td_lock_name(const struct td_model *m, const struct td_verdict *v);
void td_say_taken(struct td_report *r, const struct bb_held *h, int pad);
/* stuck[from..to): waiters at one site share a line. */
void td_say_waiters(struct td_report *r, const struct td_verdict *v, uint32_t from, uint32_t to,
		    const char *head);
void td_say_behind(struct td_report *r, const struct td_verdict *v);
/* Since when and where a silent CPU has interrupts off, and where it was seen. */
void td_say_silent(struct td_report *r, uint32_t cpu);
/* Where the verdict's node waits, and who else does. */
void td_say_wait(struct td_report *r, const struct td_verdict *v);

void td_json_place(const struct td_model *m, FILE *f, const char *key, uint64_t site);
void td_json_text(FILE *f, const char *key, const char *s);
void td_json_held(const struct td_model *m, FILE *f, const struct bb_held *h);
void td_json_node(const struct td_model *m, FILE *f, uint32_t n);
void td_json_nodes(const struct td_model *m, FILE *f, const char *key, const uint32_t *list,
		   uint32_t n);
/* v->ring, and the held entries that close it. */
void td_json_ring(const struct td_model *m, FILE *f, const struct td_verdict *v);
/* enum td_reason as a word. */
const char *td_reason_name(uint32_t reason);

#endif
