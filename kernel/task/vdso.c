/* vdso.c - the kernel's side of the vDSO: a read-only file that every program has mapped,
 * privately.
 *
 * Page 0 of the file is a struct clock_facts, the pages behind it are the ELF image of kernel/vdso.
 * So the image is the same for all and costs its pages once; who makes it writable (a debugger's
 * breakpoint) gets a copy, as of any private mapping. The facts are constant, so nobody ever writes
 * the page again. */
#include <fs/vfs.h>
#include <lib/bug.h>
#include <lib/clock.h>
#include <lib/string.h>
#include <mm/vm.h>
#include <uapi/fcntl.h>
#include "task.h"

extern const char vdso_image[], vdso_image_end[]; /* kernel/vdso/image.S */

static int vdso_read_page(struct inode *inode, u64 index, struct page *page)
{
	char *to = page_to_virt(page);
	u64 at = (index - 1) * PAGE_SIZE, size = (u64)(vdso_image_end - vdso_image);

	memset(to, 0, PAGE_SIZE);
	if (index == 0)
		memcpy(to, clock_facts(), sizeof(struct clock_facts));
	else
		memcpy(to, vdso_image + at, MIN(PAGE_SIZE, size - at));
	return 0;
}

static const struct inode_ops vdso_ops = {.read_page = vdso_read_page};
static struct super_block vdso_sb = {.type = "vdso"};
static struct inode *file;

void vdso_init(void)
{
	file = inode_anonymous(&vdso_sb, 1);
	if (!file)
		panic("out of memory for the vDSO");
	file->mode = S_IFREG | 0444;
	file->size = PAGE_SIZE + ALIGN_UP((u64)(vdso_image_end - vdso_image), PAGE_SIZE);
	file->ops = &vdso_ops;
}

int vdso_map(struct mm *mm, unsigned long *ehdr)
{
	unsigned long at = 0, image;
	int err = vm_map(mm, &at, file->size, VMA_READ | VMA_MAY_READ, file, 0, file->size);

	if (err)
		return err;
	image = at + PAGE_SIZE;
	*ehdr = image;
	return vm_map(mm, &image, file->size - PAGE_SIZE, VMA_READ | VMA_EXEC | VMA_MAY_ALL, file,
		      PAGE_SIZE, file->size - PAGE_SIZE);
}
