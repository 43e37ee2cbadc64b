/* boot_alloc.h - what mm_init() needs of the boot allocator beyond <lib/boot.h>. */
#ifndef MM_BOOT_ALLOC_H
#define MM_BOOT_ALLOC_H
#include <lib/boot.h>

/* Ends boot allocation: calls give() for each page-aligned range of RAM that nobody took, those
 * beyond the early map included, ascending. After that boot_alloc() panics. Boot CPU, once. */
void boot_alloc_drain(void (*give)(phys_addr_t base, u64 size));
/* The largest size that boot_alloc() can still give, on page boundaries. */
u64 boot_alloc_largest(void);
/* How many page frames the kernel can look after if the page array may take `room` bytes, from
 * which the page tables of the direct map come too. */
u64 boot_pages_for(u64 room);
/* Leaves off RAM from `end` on; returns how many bytes that were. Before boot_alloc_drain(). */
u64 boot_ram_cut(phys_addr_t end);
#endif
