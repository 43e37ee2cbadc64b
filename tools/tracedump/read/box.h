/* box.h - a private copy of a black box, every section checked, entries whole. */
#ifndef TRACEDUMP_BOX_H
#define TRACEDUMP_BOX_H

#include "reader.h"

#define TD_SECTIONS 22 /* known kinds are 1 to 21 */

struct td_section {
	bool present;
	uint16_t version;
	uint64_t offset, size;
	uint32_t entry_size, count;
};

/* What of an entry was being written when the copy was made. */
enum td_torn { TD_TORN_IDENT = 1, TD_TORN_SCHED = 2, TD_TORN_WAIT = 4, TD_TORN_HELD = 8 };

struct td_box {
	struct bb_header hdr;
	uint8_t *data; /* total_size bytes */
	struct td_section sec[TD_SECTIONS];
	uint32_t unknown_sections;
	uint8_t *task_torn, *cpu_torn; /* enum td_torn, by entry */
	uint32_t torn_entries;
	/* rings: head before the copy of the data; units below floor may have been overwritten
	 * during the copy */
	struct bb_ring *rings; /* checked: units 0 or a power of two whose data is in the box */
	uint64_t *ring_head;
	uint32_t *ring_floor;
	enum td_kind kind;
	uint64_t file_offset;
};

/* Copies the box out of the source that td_source_find() has looked at. Live memory is read again
 * (bounded) where a writer was at work. 0, or -1 with a sentence. */
int td_box_load(struct td_box *b, const struct td_source *s, struct td_error *e);
void td_box_free(struct td_box *b);

/* Copies entry i of a table: cut or zero-filled to n bytes. False if there is none. */
bool td_box_entry(const struct td_box *b, unsigned kind, uint32_t i, void *out, size_t n);
static inline uint32_t td_box_count(const struct td_box *b, unsigned kind)
{
	return b->sec[kind].present ? b->sec[kind].count : 0;
}
const char *td_section_name(unsigned kind);

/* Ticks to ns since boot; earlier than boot is 0. */
uint64_t td_box_ns(const struct td_box *b, uint64_t ticks);
/* A duration in ticks. */
uint64_t td_box_span_ns(const struct td_box *b, uint64_t ticks);

/* Console text: copies up to n - 1 bytes from position `pos` (bytes ever written) as they are.
 * Returns the number copied; 0 if the text is overwritten or was never written. */
size_t td_box_console(const struct td_box *b, uint64_t pos, size_t len, char *out, size_t n);
/* Position one past the newest text, and the oldest that is still there. */
void td_box_console_range(const struct td_box *b, uint64_t *from, uint64_t *to);

#endif
