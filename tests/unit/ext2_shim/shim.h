/* shim.h - what tests ask of the host stand-in for mm, the serial port and a disk. */
#ifndef EXT2_SHIM_H
#define EXT2_SHIM_H

#include <drivers/block.h>

/* A disk in memory. reads_left: after so many reads every read fails; -1 = never. bad_sector: reads
 * that touch it fail; 0 = none. */
struct shim_disk {
	struct block_device dev;
	u8 *data;
	long reads_left;
	u64 bad_sector;
	unsigned long requests;
};
void shim_disk_init(struct shim_disk *d, u8 *data, u64 bytes);

extern long shim_allocs_left;    /* allocations until they fail; -1 = never */
extern bool shim_fail_once;      /* only the first one, of allocations and of reads */
extern bool shim_failed;         /* one has failed */
extern bool shim_memory_short;   /* mm_stats reports almost nothing free */
extern char shim_screen[4096];   /* what went out on the console */
extern unsigned long shim_pages; /* allocated and not yet freed */
extern unsigned long shim_objects;

#endif
