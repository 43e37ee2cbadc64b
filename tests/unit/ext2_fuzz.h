/* ext2_fuzz.h - corrupt images: see ext2_fuzz.c. */
#ifndef EXT2_FUZZ_H
#define EXT2_FUZZ_H

/* Looks at everything that can be reached on the mounted image, whatever the answers. */
void fuzz_visit_all(void);
void test_fuzz(void **state); /* cmocka; FUZZ=images, FUZZ_SEED=first seed */

void test_tty(void **state); /* tty_test.c */

#endif
