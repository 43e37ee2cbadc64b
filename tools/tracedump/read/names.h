/* names.h - numbers to words: events, enumerations, symbols, classes, tasks, source lines. All
 * words are printable ASCII. */
#ifndef TRACEDUMP_NAMES_H
#define TRACEDUMP_NAMES_H

#include "box.h"

struct td_elf;
struct td_rings;

struct td_sym {
	uint64_t addr;
	uint32_t size;
	uint32_t name; /* offset into SYMNAMES */
};

struct td_taskname {
	uint64_t key; /* tid */
	uint32_t tid, pid, ppid;
	bool whole; /* from the task table: the trace cuts names and knows no better */
	char name[BB_NAME_LEN];
};

struct td_names {
	const struct td_box *box;
	struct td_elf *elf; /* NULL: no source lines */
	struct bb_event_row *rows;
	uint16_t *row_of;          /* by id: row + 1 */
	struct bb_enum_row *enums; /* sorted by table and value */
	uint32_t nenums;
	struct bb_call *calls; /* system calls with their arguments */
	uint32_t ncalls;
	struct td_sym *syms; /* sorted by address */
	uint32_t nsyms;
	struct bb_line *lines; /* sorted by offset: of calls, from the box */
	uint32_t nlines;
	struct td_hash tasks; /* of struct td_taskname */
};

void td_names_init(struct td_names *n, const struct td_box *b, struct td_elf *elf);
/* Adds the names that only the trace still knows (tasks that are gone). */
void td_names_learn(struct td_names *n, const struct td_rings *r);
void td_names_free(struct td_names *n);

/* The row of an event, or NULL for an id that the schema does not have. */
const struct bb_event_row *td_event_row(const struct td_names *n, uint32_t id);
uint8_t td_role(const struct td_names *n, uint32_t id);
/* NULL if the table has no such value. */
const char *td_enum_name(const struct td_names *n, uint32_t table, int64_t value);
/* What is known of a system call's arguments, or NULL. */
const struct bb_call *td_call(const struct td_names *n, uint32_t nr);
/* "read", or "sys_273" for a number without a name. */
void td_call_name(const struct td_names *n, uint32_t nr, char *out, size_t size);
/* Class name; "class 7" in a static buffer if it has none. */
const char *td_class_name(const struct td_names *n, uint32_t class);
/* Name of a thread, or NULL. */
const struct td_taskname *td_task_name(const struct td_names *n, uint32_t tid);
void td_task_learn(struct td_names *n, uint32_t tid, uint32_t pid, uint32_t ppid, const char *name);

struct td_place {
	char func[80];  /* "" = unknown */
	char file[128]; /* "" = no line known */
	int line;
	uint64_t addr;
};
/* Where code address `addr` is; `ret`: it is a return address, so the call before it is meant. */
void td_place(const struct td_names *n, uint64_t addr, bool ret, struct td_place *p);
/* "load_init  kernel/task/exec.c:212", "load_init" or "0xffff..."; the name is padded to `pad`. */
void td_place_text(const struct td_place *p, int pad, char *out, size_t size);

/* One argument as text: by its display kind. */
void td_arg_text(const struct td_names *n, const struct bb_arg_row *a, uint64_t v, char *out,
		 size_t size);

#endif
