/* ext2_image.h - images made by mke2fs for the file system tests, and mounting them. */
#ifndef EXT2_IMAGE_H
#define EXT2_IMAGE_H

#include "ext2_shim/shim.h"

#define SPARSE_AT_1K (70ull << 20)   /* behind double indirect with 1 KiB blocks */
#define SPARSE_AT_4K (4200ull << 20) /* and with 4 KiB blocks */

struct image {
	u8 *data;
	u64 size;
};
/* Makes the work directory with two trees: big/ (everything) and small/ (for corruption). */
void image_setup(void);
void image_teardown(void);
const char *image_tree(const char *which); /* host path of a tree */
/* mke2fs of a tree; args: e.g. "-b 1024 -I 128"; kib: size of the file system. */
struct image image_make(const char *which, const char *args, unsigned int kib);
void image_free(struct image *im);

/* Mounts as root; 0 or the error. */
int image_mount(struct shim_disk *d);
/* Drops everything; fails the test when locks, references, pages or objects are left. */
void image_unmount(void);

#endif
