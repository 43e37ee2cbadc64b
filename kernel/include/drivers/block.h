/* drivers/block.h - block devices, as fs sees them. */
#ifndef DRIVERS_BLOCK_H
#define DRIVERS_BLOCK_H

#include <lib/types.h>

/* One piece of memory of a transfer: direct-map address, whole sectors. */
struct block_vec {
	void *buf;
	u32 sectors;
};
#define BLOCK_VEC_MAX 16

struct block_device {
	const char *name;
	u64 sectors; /* of 512 bytes */
	/* Reads n sectors into a direct-map buffer; sleeps until done (wait record: IO). 0, -EIO.
	 */
	int (*read)(struct block_device *dev, u64 sector, void *buf, u32 n);
	/* The same into up to BLOCK_VEC_MAX pieces, one request. */
	int (*readv)(struct block_device *dev, u64 sector, const struct block_vec *v, u32 n);
	void *priv;
	struct block_device *next; /* registry */
};
int block_register(struct block_device *dev);
struct block_device *block_find(const char *name); /* "vda"; NULL */
/* Why there may be no disk at all, as half a sentence; whoever knows better says so, at boot. */
const char *block_none_reason(void);
void block_none_because(const char *reason);

#endif
