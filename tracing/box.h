/* box.h - lays out the black box. Boot CPU, once, single-threaded.
 *
 * The static part (header, directory, control) is in section .blackbox, the last of the image; the
 * dynamic part (rings, tables) follows it in physical memory, so the whole is one region. */
#ifndef TRACING_BOX_H
#define TRACING_BOX_H

#include <tracing/blackbox.h>

struct box_plan {
	uint32_t cpus;
	uint32_t ring_units; /* a CPU, power of two */
	uint32_t tasks;
	uint32_t locks; /* power of two */
	/* rows that the embedding kernel adds to the enum tables (system calls, errno) */
	struct {
		const struct bb_enum_row *rows;
		uint32_t count;
	} enums[2];
	const struct bb_call *calls;
	uint32_t ncalls;
	uint64_t syms_bytes, nsyms; /* copied by the caller's pointers below */
	const void *syms;
	const void *symnames;
	uint64_t symnames_bytes;
	const struct bb_line *lines; /* copied, like the next two */
	uint64_t nlines;
	const struct bb_place *places;
	uint64_t nplaces;
	const char *placenames;
	uint64_t placenames_bytes;
	const char *cmdline;
	void *dynamic_virt; /* kernel address of the dynamic part: zeroed, page aligned */
};
/* Bytes of the dynamic part. */
uint64_t box_dynamic_size(const struct box_plan *p);
/* Fills directory and tables and seals the header. `facts` gives the header fields that only the
 * caller knows (addresses, machine, build id, release). The dynamic part must follow the static
 * part (struct trace_box, rounded up to pages) in physical memory. */
void box_build(const struct box_plan *p, const struct bb_header *facts);
/* Clock facts come later than the box: re-seals the header. */
void box_set_clock(uint32_t kind, uint64_t hz, uint64_t anchor, uint64_t wall_ns);
/* A table of the running box, by section kind; NULL before box_build. */
void *box_section(uint32_t kind, uint32_t *count);
struct bb_header *box_header(void);
/* Console ring: lock-free for any number of writers. Returns the position of the text. */
uint64_t box_console_write(const char *s, uint32_t n);
/* Switches by a list "sched,irq,-lock,+function" of categories or event names. Returns 0, or the
 * position (1-based) of the word that is neither. */
int box_trace_select(const char *list, uint32_t len);
/* A device queue with a zeroed page for its rings (*rings, page aligned, part of the kernel's
 * image), or NULL when all are taken. The caller fills in the layout and keeps it up to date. At
 * boot. */
struct bb_queue *box_queue(const char *name, void **rings);
/* From the one-second timer of `cpu`: looks for finished requests whose interrupt should have come.
 * Returns a queue that has just been found with one that was missed, or NULL. */
const struct bb_queue *box_queues_look(uint32_t cpu, uint64_t now);
/* Named counter, created at first use (boot) or NULL when the table is full. */
struct bb_counter *box_counter(const char *name);

#endif
