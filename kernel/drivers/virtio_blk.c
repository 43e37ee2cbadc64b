/* virtio_blk.c - virtio disks (virtio 1.x, section 5.2), read only.
 *
 * Theory. A disk has SLOTS request slots in DMA-able memory, each with header, status byte and a
 * completion, and one virtqueue. A submitter takes a slot and descriptors under the queue's lock;
 * when either is missing it waits in `room`. It then sleeps on the slot's completion (wait kind
 * IO). The interrupt handler pops finished chains and completes their slots; the submitter reads
 * the status, gives the slot back and wakes `room`. So descriptors are freed by the handler, slots
 * by the submitter, and a slot's completion is used again only by whoever takes the slot next: it
 * is initialised once, since complete() may still hold its queue when the sleeper is already awake.
 *
 * Lock order: virtio.queue masks interrupts; nothing is taken under it. complete() and wake-ups are
 * called after it is dropped.
 */
#define LOG_TAG "virtio-blk"
#include <drivers/block.h>
#include <drivers/init.h>
#include <lib/atomic.h>
#include <lib/bugpoint.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/wait.h>
#include <tracing/events.h>
#include "virtio.h"

#define SECTOR              512u
#define SLOTS               16u
#define VENDOR              0x1af4
#define DEVICE_MODERN       0x1042
#define DEVICE_TRANSITIONAL 0x1001
#define F_SEG_MAX           (1ull << 2)
#define CFG_CAPACITY        0
#define CFG_SEG_MAX         12
#define REQ_READ            0u
#define STATUS_OK           0u
#define STATUS_NONE         0xffu /* no device writes this */
#define DISKS_MAX           26u

struct blk_slot {
	struct {
		u32 type, reserved;
		u64 sector;
	} header;
	u8 status;
	bool used; /* under the queue's lock */
	struct completion done;
};
struct blk {
	struct block_device dev;
	char name[4];
	struct virtio_dev v;
	struct virtq q;
	unsigned int seg_max; /* pieces a request */
	struct wait_queue room;
	struct blk_slot *slots;
	unsigned int requests; /* for bug points: sent so far, about */
};

/* Bug points (hangs on demand): at this request, in the middle of the boot, an interrupt, a call of
 * the device or a completion goes missing. */
#define BUG_REQUEST 20u

DEFINE_LOCK_CLASS(blk_done_class, "virtio_blk.done", BB_LK_COMPLETION, 0);
DEFINE_LOCK_CLASS(blk_room_class, "virtio_blk.room", BB_LK_WAITQ, 0);

static struct blk_slot *blk_free_slot(struct blk *b)
{
	for (unsigned int i = 0; i < SLOTS; i++)
		if (!READ_ONCE(b->slots[i].used))
			return &b->slots[i];
	return NULL;
}

/* For sleepers, without the lock. */
static bool blk_has_room(struct blk *b, unsigned int descs)
{
	return READ_ONCE(b->q.nfree) >= descs && blk_free_slot(b);
}

/* Queues one request; NULL when slots or descriptors are out. */
static struct blk_slot *blk_try_submit(struct blk *b, u64 sector, const struct block_vec *v, u32 n)
{
	struct virtq_buf buf[BLOCK_VEC_MAX + 2];
	irqflags_t flags = spin_lock_irqsave(&b->q.lock);
	struct blk_slot *s = blk_free_slot(b);

	if (s) {
		s->header.type = REQ_READ;
		s->header.reserved = 0;
		s->header.sector = sector;
		s->status = STATUS_NONE;
		buf[0] = (struct virtq_buf){virt_to_phys(&s->header), sizeof(s->header)};
		for (u32 i = 0; i < n; i++)
			buf[1 + i] =
				(struct virtq_buf){virt_to_phys(v[i].buf), v[i].sectors * SECTOR};
		buf[1 + n] = (struct virtq_buf){virt_to_phys(&s->status), 1};
		if (virtq_push(&b->q, buf, 1, n + 1, s))
			WRITE_ONCE(s->used, true);
		else
			s = NULL;
	}
	spin_unlock_irqrestore(&b->q.lock, flags);
	return s;
}

static void blk_bugs(struct blk *b)
{
	WRITE_ONCE(b->requests, b->requests + 1);
	if (bugpoint("lost-irq") && b->requests == BUG_REQUEST)
		virtio_mute(&b->v, 0);
}

static int blk_request(struct blk *b, u64 sector, const struct block_vec *v, u32 n, u32 sectors)
{
	struct blk_slot *s;
	u8 status;

	while (!(s = blk_try_submit(b, sector, v, n)))
		wait_event(&b->room, blk_has_room(b, n + 2), BB_WAIT_IO, 0);
	trace(block_submit, sector, (u64)sectors * SECTOR);
	blk_bugs(b);
	/* From there on: the next one's call would tell the device of this one, too. */
	if (!bugpoint("lost-kick") || READ_ONCE(b->requests) < BUG_REQUEST)
		virtio_notify(&b->q, 0);
	wait_for_completion_kind(&s->done, BB_WAIT_IO);
	status = READ_ONCE(s->status);
	atomic_store_release(&s->used, false);
	wake_up_all(&b->room);
	if (status != STATUS_OK)
		pr_err("%s: reading %u sectors at %llu failed (status %u)", b->name, sectors,
		       (unsigned long long)sector, status);
	return status == STATUS_OK ? 0 : -EIO;
}

static int blk_readv(struct block_device *dev, u64 sector, const struct block_vec *v, u32 n)
{
	struct blk *b = dev->priv;
	u32 at = 0;

	while (at < n) {
		u32 pieces = MIN(n - at, b->seg_max), sectors = 0;
		int err;

		for (u32 i = 0; i < pieces; i++)
			sectors += v[at + i].sectors;
		if (sectors == 0 || sector >= dev->sectors || sectors > dev->sectors - sector)
			return -EIO;
		err = blk_request(b, sector, v + at, pieces, sectors);
		if (err)
			return err;
		sector += sectors;
		at += pieces;
	}
	return 0;
}

static int blk_read(struct block_device *dev, u64 sector, void *buf, u32 n)
{
	struct block_vec v = {.buf = buf, .sectors = n};

	return blk_readv(dev, sector, &v, 1);
}

static bool blk_interrupt(unsigned int irq, void *arg)
{
	struct blk *b = arg;
	struct blk_slot *s;
	irqflags_t flags;

	if (!virtio_interrupted(&b->v, &b->q))
		return false;
	for (;;) {
		flags = spin_lock_irqsave(&b->q.lock);
		s = virtq_pop(&b->q);
		spin_unlock_irqrestore(&b->q.lock, flags);
		if (!s)
			break;
		trace(block_done, s->header.sector, s->status == STATUS_OK ? 0 : (s64)-EIO);
		if (!bugpoint("lost-completion") || b->requests != BUG_REQUEST)
			complete(&s->done);
		wake_up_all(&b->room);
	}
	return true;
}

static int blk_start(struct blk *b)
{
	unsigned int size = virtio_queue_size(&b->v, 0), pow2 = 1;
	u32 device_max;
	int err;

	while (pow2 * 2 <= MIN(size, VIRTQ_MAX))
		pow2 *= 2;
	if (size == 0 || pow2 < 4) {
		pr_err("%s: queue of %u is too small", b->name, size);
		return -EINVAL;
	}
	b->seg_max = MIN(pow2 - 2, BLOCK_VEC_MAX);
	device_max = b->v.features & F_SEG_MAX ? virtio_config32(&b->v, CFG_SEG_MAX) : 1;
	b->seg_max = MIN(b->seg_max, MAX(device_max, 1u));
	b->dev.sectors = virtio_config64(&b->v, CFG_CAPACITY);
	b->slots = kzalloc(SLOTS * sizeof(*b->slots));
	if (!b->slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < SLOTS; i++)
		completion_init(&b->slots[i].done, &blk_done_class);
	waitq_init(&b->room, &blk_room_class);
	err = virtq_init(&b->q, b->name, pow2);
	if (err)
		return err;
	virtq_set_slots(&b->q, b->slots, sizeof(*b->slots), SLOTS);
	err = virtio_start(&b->v, 0, &b->q, b->name, blk_interrupt, b);
	if (bugpoint("irq-not-enabled") && !err)
		virtio_mute(&b->v, 0);
	return err;
}

/* A disk that does not start is left alone: its memory may already be known to the device. */
static void blk_add(struct pci_dev *pci, unsigned int *nr)
{
	struct blk *b;

	if (*nr == DISKS_MAX) {
		pr_warn("more than %u disks: the rest is ignored", DISKS_MAX);
		return;
	}
	b = kzalloc(sizeof(*b));
	if (!b) {
		pr_err("out of memory");
		return;
	}
	snprintf(b->name, sizeof(b->name), "vd%c", 'a' + (int)*nr);
	if (virtio_open(&b->v, pci, F_SEG_MAX))
		return;
	if (blk_start(b)) {
		virtio_fail(&b->v);
		return;
	}
	b->dev.name = b->name;
	b->dev.read = blk_read;
	b->dev.readv = blk_readv;
	b->dev.priv = b;
	if (block_register(&b->dev)) {
		pr_err("%s: name taken", b->name);
		return;
	}
	(*nr)++;
	pr_info("%s: %llu sectors, queue of %u, %s", b->name, (unsigned long long)b->dev.sectors,
		b->q.size, b->v.irq_kind == PCI_IRQ_MSIX ? "MSI-X" : "INTx");
}

void virtio_blk_init(void)
{
	static const u16 ids[] = {DEVICE_MODERN, DEVICE_TRANSITIONAL};
	unsigned int nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		for (struct pci_dev *d = pci_find(NULL, VENDOR, ids[i]); d;
		     d = pci_find(d, VENDOR, ids[i]))
			blk_add(d, &nr);
	if (nr == 0)
		pr_info("no disks");
}
