/* ext2_test.h - what the files of the file system's test share. */
#ifndef EXT2_TEST_H
#define EXT2_TEST_H

#include <fs/vfs.h>
#include "ext2_image.h"

#define USER(p) ((void __user *)(unsigned long)(p))

extern struct shim_disk disk; /* the mounted one */
void mount_image(struct image *im);
/* What a look-up gives: 0 or the error. */
long err_of(const char *path, bool follow);

/* The disk's block that holds byte `at` of a file, one of its first twelve. */
u64 disk_block(const char *path, u64 at);

struct names {
	char name[400][256];
	u8 type[400];
	unsigned int n;
};
/* For file_readdir(): adds to a struct names. */
bool collect(void *ctx, const char *name, size_t len, u64 ino, u8 type, u64 next);

/* ext2_damage_test.c */
void test_damage(void **state);
void test_damage_hides_nothing(void **state);
void test_rare_fields(void **state);
void test_no_filetype(void **state);

#endif
