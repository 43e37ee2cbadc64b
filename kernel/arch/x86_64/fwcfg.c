/* fwcfg.c - QEMU's firmware configuration device: writing a file (docs/specs/fw_cfg). The directory
 * is read through the data port, the write goes by DMA, in pieces, from a buffer whose physical
 * address is known. One user at a time: fwcfg_lock. */
#include <arch/mmu.h>
#include <arch/platform.h>
#include <kernel/errno.h>
#include <kernel/mutex.h>
#include <kernel/string.h>
#include "x86.h"

#define PORT_SELECT   0x510
#define PORT_DATA     0x511
#define PORT_DMA      0x514
#define KEY_SIGNATURE 0x0000
#define KEY_ID        0x0001
#define KEY_DIRECTORY 0x0019
#define ID_DMA        2u
#define DMA_ERROR     1u
#define DMA_SELECT    8u
#define DMA_WRITE     16u
#define FILE_NAME     56u
#define PIECE         512u
#define SPINS         1000000

struct dma {
	u32 control, length; /* all big-endian */
	u64 address;
};

static DEFINE_LOCK_CLASS(fwcfg_class, "x86.fwcfg", BB_LK_MUTEX, 0);
static DEFINE_MUTEX(fwcfg_lock, fwcfg_class);
static struct dma request __aligned(16);
static u8 buffer[PIECE];

static void data_read(void *out, u32 n)
{
	u8 *p = out;

	while (n--)
		*p++ = inb(PORT_DATA);
}

static u32 data_be32(void)
{
	u32 v;

	data_read(&v, sizeof(v));
	return __builtin_bswap32(v);
}

static bool present(void)
{
	char sig[4];

	outw(PORT_SELECT, KEY_SIGNATURE);
	data_read(sig, sizeof(sig));
	if (memcmp(sig, "QEMU", 4))
		return false;
	outw(PORT_SELECT, KEY_ID);
	return inb(PORT_DATA) & ID_DMA;
}

/* Selector of a file, 0 = none. Entry: size, selector (big-endian 32 and 16), 16 bits, name. */
static u16 file_find(const char *name, u32 *size)
{
	char found[FILE_NAME];
	u32 count;

	outw(PORT_SELECT, KEY_DIRECTORY);
	count = data_be32();
	while (count--) {
		u16 key[2];
		u32 bytes = data_be32();

		data_read(key, sizeof(key));
		data_read(found, sizeof(found));
		if (strncmp(found, name, FILE_NAME))
			continue;
		*size = bytes;
		return __builtin_bswap16(key[0]);
	}
	return 0;
}

/* The device does the transfer while it takes the second half of the address; it clears `control`
 * when done. */
static int piece_write(u32 control, u32 n)
{
	phys_addr_t pa = virt_to_phys(&request);

	request.length = __builtin_bswap32(n);
	request.address = __builtin_bswap64(virt_to_phys(buffer));
	WRITE_ONCE(request.control, __builtin_bswap32(control));
	barrier();
	outl(PORT_DMA, __builtin_bswap32((u32)(pa >> 32)));
	outl(PORT_DMA + 4, __builtin_bswap32((u32)pa));
	for (int i = 0; i < SPINS; i++) {
		u32 left = __builtin_bswap32(READ_ONCE(request.control));

		if (left & DMA_ERROR)
			return -EIO;
		if (!left)
			return 0;
	}
	return -EIO;
}

int arch_fwcfg_write_file(const char *file, const void *data, size_t n)
{
	const u8 *p = data;
	u32 size = 0, control;
	u16 key;
	int r = -ENODEV;

	mutex_lock(&fwcfg_lock);
	key = present() ? file_find(file, &size) : 0;
	if (!key)
		goto out;
	r = -EINVAL;
	if (n > size)
		goto out;
	r = 0;
	for (control = (u32)key << 16 | DMA_SELECT | DMA_WRITE; n && !r; control = DMA_WRITE) {
		u32 now = (u32)MIN(n, PIECE);

		memcpy(buffer, p, now);
		r = piece_write(control, now);
		p += now;
		n -= now;
	}
out:
	mutex_unlock(&fwcfg_lock);
	return r;
}
