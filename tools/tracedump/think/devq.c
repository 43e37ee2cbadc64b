/* devq.c - see devq.h. A device may have written anything into its ring, and a dump holds anything
 * anywhere: every index is taken modulo the ring's size, every address is checked against the
 * slots.
 */
#include "devq.h"

#include <stddef.h>
#include <string.h>

#define DESC_BYTES 16u
#define USED_BYTES 8u

static uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint32_t td_queues(const struct td_model *m)
{
	return td_box_count(m->box, BB_SEC_QUEUES);
}

bool td_queue(const struct td_model *m, uint32_t i, struct td_queue *out)
{
	const struct td_section *s = &m->box->sec[BB_SEC_QUEUES];
	uint64_t room = m->box->hdr.total_size;
	char name[sizeof(out->q.name)];
	struct bb_queue *q = &out->q;
	uint16_t avail, used;

	*out = (struct td_queue){0};
	if (!td_box_entry(m->box, BB_SEC_QUEUES, i, q, sizeof(*q)) || !q->name[0])
		return false;
	td_clean(name, sizeof(name), q->name, sizeof(q->name));
	memcpy(q->name, name, sizeof(name));
	if (!q->size || q->size & (q->size - 1) || q->size > 32768 || q->ring_offset > room)
		return false;
	room -= q->ring_offset;
	if (q->avail_at > room || q->used_at > room || room < q->size * DESC_BYTES ||
	    room - q->avail_at < 4 + 2ull * q->size ||
	    room - q->used_at < 4 + (uint64_t)USED_BYTES * q->size)
		return false;
	out->id = m->box->hdr.virt_base + s->offset + (uint64_t)i * s->entry_size;
	out->ring = m->box->data + q->ring_offset;
	avail = load16(out->ring + q->avail_at + 2);
	used = load16(out->ring + q->used_at + 2);
	out->done = (uint16_t)(used - (uint16_t)q->seen);
	out->unannounced = (uint16_t)(avail - (uint16_t)q->kicked);
	out->busy = (uint16_t)((uint16_t)q->kicked - used);
	/* a device that makes things up, or a copy of a moment in between */
	if (out->done > q->size || out->unannounced > q->size)
		return false;
	if (out->busy > q->size)
		out->busy = 0;
	return true;
}

bool td_queue_missed(const struct td_queue *q)
{
	return q->done && q->q.looks >= BB_QUEUE_LOOKS &&
	       (uint16_t)q->q.looked == (uint16_t)q->q.seen;
}

static uint64_t slot_of(const struct td_model *m, const struct td_queue *q, uint32_t head)
{
	const struct bb_header *h = &m->box->hdr;
	uint64_t at, n;

	if (head >= q->q.size || !q->q.slot_size)
		return 0;
	memcpy(&at, q->ring + (uint64_t)head * DESC_BYTES, sizeof(at));
	at = at - h->direct_phys + h->direct_virt - q->q.slot_base;
	n = at / q->q.slot_size;
	return n < q->q.slot_count ? q->q.slot_base + n * q->q.slot_size : 0;
}

uint64_t td_queue_done_slot(const struct td_model *m, const struct td_queue *q, uint16_t n)
{
	uint32_t at = (uint16_t)(q->q.seen + n) & (q->q.size - 1), id;

	memcpy(&id, q->ring + q->q.used_at + 4 + (uint64_t)at * USED_BYTES, sizeof(id));
	return slot_of(m, q, id);
}

uint64_t td_queue_unannounced_slot(const struct td_model *m, const struct td_queue *q, uint16_t n)
{
	uint32_t at = (uint16_t)(q->q.kicked + n) & (q->q.size - 1);

	return slot_of(m, q, load16(q->ring + q->q.avail_at + 4 + 2ull * at));
}

bool td_waits_for_slot(const struct td_model *m, const struct td_queue *q, uint32_t node,
		       uint64_t slot)
{
	const struct bb_wait *w = &m->wait[node];

	return w->kind == BB_WAIT_IO && slot && w->object >= slot &&
	       w->object - slot < q->q.slot_size;
}

bool td_waits_for_queue(const struct td_model *m, const struct td_queue *q, uint32_t node)
{
	const struct bb_wait *w = &m->wait[node];

	return w->kind == BB_WAIT_IO && w->object >= q->q.slot_base &&
	       w->object - q->q.slot_base < (uint64_t)q->q.slot_size * q->q.slot_count;
}
