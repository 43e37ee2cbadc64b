/* boot_alloc.h - what mm_init() needs of the boot allocator beyond <lib/boot.h>. */
#ifndef MM_BOOT_ALLOC_H
#define MM_BOOT_ALLOC_H
#include <lib/boot.h>

/* Ends boot allocation: calls give() for each page-aligned range of RAM that nobody took, those
 * beyond the early map included, ascending. After that boot_alloc() panics. Boot CPU, once. */
void boot_alloc_drain(void (*give)(phys_addr_t base, u64 size));
#endif
