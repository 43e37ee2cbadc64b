/* fwcfg.c - QEMU's fw_cfg device by its DMA interface (docs/specs/fw_cfg of QEMU): all fields are
 * big endian; the transfer is done when the control word reads 0. Data goes through slab memory, as
 * the caller's may be on a stack that is not physically contiguous. */
#include <kernel/errno.h>
#include <kernel/mm.h>
#include <kernel/string.h>
#include <arch/cpu.h>
#include <arch/platform.h>
#include "arch.h"

#define FW_CFG_DMA_ADDRESS 16
#define FW_CFG_FILE_DIR    0x19u
#define DMA_ERROR          1u
#define DMA_READ           2u
#define DMA_SELECT         8u
#define DMA_WRITE          16u
#define DMA_TURNS          10000000u

struct fwcfg_dma {
	u32 control, length;
	u64 address;
};
struct fwcfg_file {
	u32 size;
	u16 select, reserved;
	char name[56];
};

/* Selects a file if `select` is not 0, then moves len bytes. */
static int fwcfg_transfer(u8 *regs, struct fwcfg_dma *d, u32 select, u32 op, void *buf, u32 len)
{
	u64 pa = virt_to_phys(d);

	d->control = __builtin_bswap32(op | (select ? select << 16 | DMA_SELECT : 0));
	d->length = __builtin_bswap32(len);
	d->address = __builtin_bswap64(virt_to_phys(buf));
	dsb(sy);
	mmio_write64(regs + FW_CFG_DMA_ADDRESS, __builtin_bswap64(pa));
	for (u32 i = 0; i < DMA_TURNS; i++) {
		u32 c = __builtin_bswap32(READ_ONCE(d->control));

		if (c & DMA_ERROR)
			return -EIO;
		if (!c) {
			dsb(sy);
			return 0;
		}
		arch_cpu_relax();
	}
	return -EIO;
}

int arch_fwcfg_write_file(const char *file, const void *data, size_t n)
{
	struct fwcfg_dma *d = NULL;
	struct fwcfg_file *e = NULL;
	u32 select = 0;
	u8 *copy = NULL, *regs;
	int err;

	if (!platform.fwcfg_pa)
		return -ENODEV;
	if (n > PAGE_SIZE)
		return -EINVAL;
	regs = vm_map_mmio(platform.fwcfg_pa, PAGE_SIZE);
	d = kzalloc(sizeof(*d));
	e = kzalloc(sizeof(*e));
	copy = kmalloc(n ? n : 1);
	err = -ENOMEM;
	if (!d || !e || !copy)
		goto out;
	err = fwcfg_transfer(regs, d, FW_CFG_FILE_DIR, DMA_READ, e, 4);
	for (u32 left = err ? 0 : __builtin_bswap32(e->size); left; left--) {
		err = fwcfg_transfer(regs, d, 0, DMA_READ, e, sizeof(*e));
		if (err)
			break;
		if (!strncmp(e->name, file, sizeof(e->name))) {
			select = __builtin_bswap16(e->select);
			break;
		}
	}
	if (!err && !select)
		err = -ENODEV;
	if (err)
		goto out;
	memcpy(copy, data, n);
	err = fwcfg_transfer(regs, d, select, DMA_WRITE, copy, (u32)n);
out:
	kfree(copy);
	kfree(e);
	kfree(d);
	return err;
}
