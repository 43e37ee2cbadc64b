/* reader.h - opens what holds a black box: the shared-RAM file of a guest, a raw memory file, an
 * ELF core of QEMU's dump-guest-memory, or a bare box; and finds the box in it. */
#ifndef TRACEDUMP_READER_H
#define TRACEDUMP_READER_H

#include <tracing/blackbox.h>
#include "util.h"

enum td_kind { TD_RAW, TD_CORE, TD_BOX };

struct td_segment { /* a run of physical memory in a core */
	uint64_t phys;
	uint64_t offset; /* in the file */
	uint64_t size;   /* bytes that the file really has */
};

struct td_source {
	const uint8_t *map; /* the whole file, read-only */
	uint64_t size;
	int fd; /* -1: memory of the caller */
	enum td_kind kind;
	struct td_segment *segs;
	uint32_t nsegs;
	uint64_t hint; /* physical address from VMCOREINFO, valid if has_hint */
	bool has_hint;
	/* where the box is, after td_source_find */
	const uint8_t *box;
	uint64_t avail;      /* contiguous bytes from there to the end of the file or segment */
	uint64_t box_offset; /* in the file */
};

/* Both return 0, or -1 with a sentence in e. The caller closes after success. */
int td_source_open(struct td_source *s, const char *path, struct td_error *e);
/* As open, on memory that stays the caller's. */
int td_source_memory(struct td_source *s, const void *data, uint64_t size, struct td_error *e);
void td_source_close(struct td_source *s);

/* Finds the box: at the file's start, at the VMCOREINFO address, or by its magic number at a page
 * boundary. Several candidates: the first that verifies. */
int td_source_find(struct td_source *s, struct td_error *e);

/* Is this the header of a black box that fits in `avail` bytes? Copies it (a header of a later
 * minor version is cut, an earlier one filled with 0). `where` names the place in messages. */
int td_header_check(const uint8_t *base, uint64_t avail, uint64_t where, struct bb_header *out,
		    struct td_error *e);

/* True if the memory may change under the reader (a file of RAM). */
static inline bool td_source_live(const struct td_source *s)
{
	return s->kind == TD_RAW && s->fd >= 0;
}

#endif
