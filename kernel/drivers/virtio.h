/* virtio.h - split virtqueues (virtio 1.x, section 2.7) and the PCI transport (section 4.1). */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <irq/irq.h>
#include <lib/types.h>
#include <sync/spinlock.h>
#include "pci.h"

#define VIRTQ_MAX 128u /* descriptors: rings and table fit one page */

struct virtq_desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};
struct virtq_avail {
	u16 flags, idx, ring[];
};
struct virtq_used {
	u16 flags, idx;
	struct {
		u32 id, len;
	} ring[];
};
/* All under `lock` but what the device writes. */
struct virtq {
	struct spinlock lock;
	u16 size; /* power of two */
	u16 free_head, nfree;
	u16 last_used; /* next used entry to look at */
	bool complained;
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
	u16 next[VIRTQ_MAX];    /* by descriptor: the one behind it, free or in a chain */
	u16 chain[VIRTQ_MAX];   /* by first descriptor: how many */
	u16 tail[VIRTQ_MAX];    /* and the last */
	void *token[VIRTQ_MAX]; /* and whose; NULL = not with the device */
	void *notify;
	struct bb_queue *box; /* the black box's account of it; NULL = it had no room */
};
struct virtq_buf {
	phys_addr_t addr;
	u32 len;
};

/* One page of rings for `size` descriptors, in the black box under `name` if it has room. -ENOMEM,
 * -EINVAL. */
int virtq_init(struct virtq *q, const char *name, unsigned int size) must_check;
/* Where the requests' slots are: a chain's first buffer lies in one, and so does what its waiter
 * waits for. */
void virtq_set_slots(struct virtq *q, const void *slots, size_t size, unsigned int count);
/* Gives the device a chain: `out` buffers it reads, then `in` buffers it writes. False when there
 * are not enough descriptors. */
bool virtq_push(struct virtq *q, const struct virtq_buf *b, unsigned int out, unsigned int in,
		void *token) REQUIRES(q->lock);
/* The token of the next finished chain, whose descriptors are free again; NULL when none. What the
 * device says is checked; nonsense is dropped with one message. */
void *virtq_pop(struct virtq *q) REQUIRES(q->lock);

struct virtio_dev {
	struct pci_dev *pci;
	u8 *common, *notify, *isr, *config;
	u32 notify_size, notify_mult, config_size;
	u64 features; /* negotiated */
	int irq_kind; /* enum pci_irq_kind */
};
#define VIRTIO_F_VERSION_1 (1ull << 32)

/* Finds the register blocks, resets the device, negotiates `wanted` (VERSION_1 is added and
 * required). 0 or -errno with a message. */
int virtio_open(struct virtio_dev *v, struct pci_dev *pci, u64 wanted) must_check;
/* Largest queue 0 that the device offers; 0 = none. */
unsigned int virtio_queue_size(struct virtio_dev *v, unsigned int queue);
/* Registers the interrupt, hands the queue to the device, and says that the driver is ready. */
int virtio_start(struct virtio_dev *v, unsigned int queue, struct virtq *q, const char *name,
		 irq_handler_t fn, void *arg) must_check;
/* Tells the device that a chain is there. Any context. */
void virtio_notify(struct virtq *q, u16 queue);
/* In the handler of queue q: did this device interrupt? Acknowledges INTx. */
bool virtio_interrupted(struct virtio_dev *v, struct virtq *q);
/* For bug points: takes the queue's interrupt away. */
void virtio_mute(struct virtio_dev *v, unsigned int queue);
/* Gives the device up after a failed start. */
void virtio_fail(struct virtio_dev *v);
u64 virtio_config64(struct virtio_dev *v, unsigned int off); /* consistent against changes */
u32 virtio_config32(struct virtio_dev *v, unsigned int off); /* 0 behind the device's end */

#endif
