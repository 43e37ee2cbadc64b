/* shim.c - mm, the serial port and a disk on the host, for one thread, so that kernel/fs and the
 * terminal run as they are under ASan and UBSan, over the kernel's own locks (kernel/arch/host).
 * Allocation can be made to fail.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <irq/irq.h>
#include <lib/bug.h>
#include <lib/errno.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <mm/mm.h>
#include <mm/vm.h>
#include <sync/mutex.h>
#include <sync/wait.h>
#include <tty/tty.h>
#include <arch/platform.h>
#include <tracing/events.h>
#include <drivers/console.h>
#include "kernel/arch/host/host.h"
#include "shim.h"

long shim_allocs_left = -1;
bool shim_fail_once, shim_failed;
bool shim_memory_short;
unsigned long shim_pages, shim_objects;

struct page *(*vm_file_page)(struct inode *inode, u64 index);
void (*vm_inode_get)(struct inode *);
void (*vm_inode_put)(struct inode *);
/* ---- memory --------------------------------------------------------------------------------- */
static bool goes_well(long *left)
{
	if (*left < 0)
		return true;
	if (*left > 0) {
		--*left;
		return true;
	}
	shim_failed = true;
	if (shim_fail_once)
		*left = -1;
	return false;
}

static void *object_alloc(size_t size, bool zero)
{
	void *p = goes_well(&shim_allocs_left) ? malloc(size) : NULL;

	if (p) {
		memset(p, zero ? 0 : 0xa5, size);
		shim_objects++;
	}
	return p;
}

void *kmalloc(size_t size)
{
	return object_alloc(size, false);
}

void *kzalloc(size_t size)
{
	return object_alloc(size, true);
}

void kfree(const void *p)
{
	if (p)
		shim_objects--;
	free((void *)p);
}

struct kmem_cache {
	size_t size;
};

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	static struct kmem_cache caches[8];
	static unsigned int n;

	assert(n < 8);
	caches[n].size = size;
	return &caches[n++];
}

void *kmem_cache_alloc(struct kmem_cache *c)
{
	return object_alloc(c->size, true);
}

void kmem_cache_free(struct kmem_cache *c, void *p)
{
	kfree(p);
}

struct host_page {
	struct page page;
	void *data;
};

struct page *page_alloc(unsigned int order, unsigned int flags)
{
	struct host_page *h;

	assert(order == 0);
	if (!goes_well(&shim_allocs_left))
		return NULL;
	h = calloc(1, sizeof(*h));
	h->data = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset(h->data, flags & MM_ZERO ? 0 : 0xa5, PAGE_SIZE);
	h->page.refs = 1;
	shim_pages++;
	return &h->page;
}

void page_get(struct page *p)
{
	assert(p->refs > 0);
	p->refs++;
}

void page_put(struct page *p)
{
	struct host_page *h = container_of(p, struct host_page, page);

	assert(p->refs > 0);
	if (--p->refs)
		return;
	free(h->data);
	free(h);
	shim_pages--;
}

void *page_to_virt(const struct page *p)
{
	return container_of(p, struct host_page, page)->data;
}

void mm_stats(u64 *total_pages, u64 *free_pages)
{
	*total_pages = 1000;
	*free_pages = shim_memory_short ? 10 : 500;
}

int copy_to_user(void __user *dst, const void *src, size_t n)
{
	memcpy((void *)(unsigned long)dst, src, n);
	return 0;
}

int copy_from_user(void *dst, const void __user *src, size_t n)
{
	memcpy(dst, (const void *)(unsigned long)src, n);
	return 0;
}

int clear_user(void __user *dst, size_t n)
{
	memset((void *)(unsigned long)dst, 0, n);
	return 0;
}

/* ---- serial port: what goes out is kept, what comes in is fed by tty_receive() -------------- */
char shim_screen[4096];

bool console_emit(const char *s, size_t n)
{
	size_t at = strlen(shim_screen);

	assert(host_locks_held() == 0); /* the console may wait */
	assert(at + n < sizeof(shim_screen));
	memcpy(shim_screen + at, s, n);
	shim_screen[at + n] = 0;
	return true;
}

void console_write(const char *s, size_t n)
{
	console_emit(s, n);
}

int arch_uart_irq(void)
{
	return 1;
}

int arch_uart_getc(void)
{
	return -1;
}

void arch_uart_enable_rx(void)
{
}

int irq_request(unsigned int irq, const char *name, irq_handler_t fn, void *arg)
{
	return 0;
}

/* ---- disk ------------------------------------------------------------------------------------ */
static int disk_readv(struct block_device *dev, u64 sector, const struct block_vec *v, u32 n)
{
	struct shim_disk *d = dev->priv;

	d->requests++;
	assert(n > 0 && n <= BLOCK_VEC_MAX);
	if (!goes_well(&d->reads_left))
		return -EIO;
	for (u32 i = 0; i < n; i++) {
		if (sector >= dev->sectors || v[i].sectors > dev->sectors - sector)
			return -EIO;
		if (d->bad_sector && d->bad_sector >= sector &&
		    d->bad_sector - sector < v[i].sectors)
			return -EIO;
		memcpy(v[i].buf, d->data + sector * 512, (size_t)v[i].sectors * 512);
		sector += v[i].sectors;
	}
	return 0;
}

static int disk_read(struct block_device *dev, u64 sector, void *buf, u32 n)
{
	struct block_vec v = {buf, n};

	return disk_readv(dev, sector, &v, 1);
}

void shim_disk_init(struct shim_disk *d, u8 *data, u64 bytes)
{
	*d = (struct shim_disk){.data = data, .reads_left = -1};
	d->dev = (struct block_device){.name = "vda",
				       .sectors = bytes / 512,
				       .read = disk_read,
				       .readv = disk_readv,
				       .priv = d};
}
