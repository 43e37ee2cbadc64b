/* block.c - the registry of block devices: a list that only grows, filled at boot by one thread;
 * each link is published with release, so lookups need no lock. */
#include <drivers/block.h>
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>

static struct block_device *devices;
static const char *none_reason = "is a disk image attached?";

/* The device stays for ever. -EEXIST if the name is taken. Thread context, at boot. */
int block_register(struct block_device *dev)
{
	if (block_find(dev->name))
		return -EEXIST;
	dev->next = devices;
	atomic_store_release(&devices, dev);
	return 0;
}

struct block_device *block_find(const char *name)
{
	struct block_device *d = atomic_load_acquire(&devices);

	while (d && strcmp(d->name, name) != 0)
		d = d->next;
	return d;
}

const char *block_none_reason(void)
{
	return none_reason;
}

void block_none_because(const char *reason)
{
	none_reason = reason;
}
