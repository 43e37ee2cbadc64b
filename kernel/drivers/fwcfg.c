/* fwcfg.c - QEMU's firmware configuration device by its DMA interface (docs/specs/fw_cfg of QEMU):
 * all fields are big endian, and a transfer is done when the control word reads 0. Request and data
 * lie in slab memory, since a caller's buffer may be on a stack that is not physically contiguous.
 * One user at a time: fwcfg_lock, since the device has one selected file and one position in it. */
#include <lib/atomic.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <sync/lock_order.h>
#include <sync/mutex.h>
#include <arch/cpu.h>
#include <arch/platform.h>
#include "fwcfg.h"

#define FILE_DIRECTORY 0x19u
#define DMA_ERROR      1u
#define DMA_READ       2u
#define DMA_SELECT     8u
#define DMA_WRITE      16u
#define DMA_TURNS      10000000u
#define DATA_MAX       512u

struct dma {
	u32 control, length;
	u64 address;
};
struct file {
	u32 size;
	u16 select, reserved;
	char name[56];
};
/* One request with its data. */
struct transfer {
	struct dma dma;
	union {
		u32 count;
		struct file file;
		u8 data[DATA_MAX];
	};
};

static DEFINE_LOCK_CLASS(fwcfg_class, "drivers.fwcfg", BB_LK_MUTEX, RANK_FWCFG);
static DEFINE_MUTEX(fwcfg_lock, fwcfg_class);

/* Moves len bytes of t's data; `control` holds the direction and perhaps a file to select. */
static int transfer(struct transfer *t, u32 control, u32 len)
{
	int err;

	t->dma.length = __builtin_bswap32(len);
	t->dma.address = __builtin_bswap64(virt_to_phys(t->data));
	WRITE_ONCE(t->dma.control, __builtin_bswap32(control));
	err = arch_fwcfg_dma(virt_to_phys(&t->dma));
	if (err)
		return err;
	for (u32 i = 0; i < DMA_TURNS; i++) {
		u32 c = __builtin_bswap32(atomic_load_acquire(&t->dma.control));

		if (c & DMA_ERROR)
			return -EIO;
		if (!c)
			return 0;
		arch_cpu_relax();
	}
	return -EIO;
}

/* Selector of the file and its size in bytes. */
static int find_file(struct transfer *t, const char *name, u32 *select, u32 *size)
{
	int err = transfer(t, FILE_DIRECTORY << 16 | DMA_SELECT | DMA_READ, sizeof(t->count));

	for (u32 left = err ? 0 : __builtin_bswap32(t->count); left; left--) {
		err = transfer(t, DMA_READ, sizeof(t->file));
		if (err)
			return err;
		if (!strncmp(t->file.name, name, sizeof(t->file.name))) {
			*select = __builtin_bswap16(t->file.select);
			*size = __builtin_bswap32(t->file.size);
			return 0;
		}
	}
	return err ? err : -ENOENT;
}

int fwcfg_write_file(const char *name, const void *data, size_t n)
{
	struct transfer *t;
	u32 select, size;
	int err;

	if (n > DATA_MAX)
		return -EINVAL;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	mutex_lock(&fwcfg_lock);
	err = find_file(t, name, &select, &size);
	if (!err && n > size)
		err = -EINVAL;
	if (!err) {
		memcpy(t->data, data, n);
		err = transfer(t, select << 16 | DMA_SELECT | DMA_WRITE, (u32)n);
	}
	mutex_unlock(&fwcfg_lock);
	kfree(t);
	return err;
}
