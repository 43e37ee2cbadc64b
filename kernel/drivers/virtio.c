/* virtio.c - split virtqueues.
 *
 * Theory. The driver owns descriptors on the free list (linked through `next`), the device those of
 * chains between push and the used entry that returns them; links and lengths are kept in our own
 * words as well, so what the device may scribble on is never read back. The driver writes table
 * and ring entry, then avail->idx with release; the device writes data and used entry, then
 * used->idx, which we read with acquire. The device is not trusted: an id out of range, or of a
 * chain that it does not have, is dropped.
 *
 * The rings lie in the black box, beside the indices that say how far the driver has looked and for
 * what it has called the device (struct bb_queue): a reader of the box sees both sides of every
 * request. `seen` is written under the lock; `kicked` by
 * whoever calls, and only goes forward.
 */
#define LOG_TAG "virtio"
#include <lib/atomic.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/lock_order.h>
#include <tracing/box.h>
#include "virtio.h"

#define DESC_NEXT  1u
#define DESC_WRITE 2u

DEFINE_LOCK_CLASS(virtq_class, "virtio.queue", BB_LK_SPIN, RANK_VIRTQUEUE);

/* Bytes of table and rings; the used ring is 4-byte aligned by itself as size is a power of two. */
static size_t virtq_avail_offset(unsigned int size)
{
	return size * sizeof(struct virtq_desc);
}

static size_t virtq_used_offset(unsigned int size)
{
	return ALIGN_UP(virtq_avail_offset(size) + 6 + 2ul * size, 4);
}

_Static_assert(VIRTQ_MAX * 16 + 8 + 2 * VIRTQ_MAX + 6 + 8 * VIRTQ_MAX <= 4096, "fits one page");

int virtq_init(struct virtq *q, const char *name, unsigned int size)
{
	struct page *page;
	void *base;

	if (size == 0 || size > VIRTQ_MAX || (size & (size - 1)))
		return -EINVAL;
	q->box = box_queue(name, &base);
	if (!q->box) {
		page = page_alloc(0, MM_ZERO);
		if (!page)
			return -ENOMEM;
		base = page_to_virt(page);
	}
	spin_init(&q->lock, &virtq_class);
	q->size = q->nfree = (u16)size;
	q->desc = base;
	q->avail = base + virtq_avail_offset(size);
	q->used = base + virtq_used_offset(size);
	for (u16 i = 0; i < size; i++)
		q->next[i] = (u16)(i + 1); /* the last one's is never followed: nfree counts */
	if (q->box) {
		q->box->avail_at = (u32)virtq_avail_offset(size);
		q->box->used_at = (u32)virtq_used_offset(size);
		WRITE_ONCE(q->box->size, size);
	}
	return 0;
}

void virtq_set_slots(struct virtq *q, const void *slots, size_t size, unsigned int count)
{
	if (!q->box)
		return;
	q->box->slot_base = (unsigned long)slots;
	q->box->slot_size = (u32)size;
	q->box->slot_count = count;
}

bool virtq_push(struct virtq *q, const struct virtq_buf *b, unsigned int out, unsigned int in,
		void *token)
{
	u16 head = q->free_head, at = head, last = head;
	unsigned int n = out + in;

	if (n > q->nfree || n == 0)
		return false;
	for (unsigned int i = 0; i < n; i++) {
		struct virtq_desc *d = &q->desc[at];

		d->addr = b[i].addr;
		d->len = b[i].len;
		d->flags = (u16)((i + 1 < n ? DESC_NEXT : 0) | (i >= out ? DESC_WRITE : 0));
		d->next = q->next[at];
		last = at;
		at = q->next[at];
	}
	q->chain[head] = (u16)n;
	q->tail[head] = last;
	q->free_head = at;
	q->nfree = (u16)(q->nfree - n);
	q->token[head] = token;
	q->avail->ring[q->avail->idx % q->size] = head;
	atomic_store_release(&q->avail->idx, (u16)(q->avail->idx + 1));
	return true;
}

static void virtq_complain(struct virtq *q, u32 id)
{
	if (!q->complained)
		pr_err("device returned request %u, which it does not have; ignored", id);
	q->complained = true;
}

void *virtq_pop(struct virtq *q)
{
	while (atomic_load_acquire(&q->used->idx) != q->last_used) {
		u32 id = READ_ONCE(q->used->ring[q->last_used % q->size].id);
		void *token;

		q->last_used++;
		if (q->box)
			WRITE_ONCE(q->box->seen, q->last_used);
		if (id >= q->size || !q->token[id]) {
			virtq_complain(q, id);
			continue;
		}
		token = q->token[id];
		q->token[id] = NULL;
		q->next[q->tail[id]] = q->free_head;
		q->free_head = (u16)id;
		q->nfree = (u16)(q->nfree + q->chain[id]);
		return token;
	}
	return NULL;
}
