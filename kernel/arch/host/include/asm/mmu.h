/* Host body of <arch/mmu.h>: physical memory is an arena of the test; HOST_RAM is the address of
 * its first byte. */
#ifndef ASM_MMU_H
#define ASM_MMU_H
#define HOST_RAM 0x40000000ull
extern unsigned char *host_ram;
extern unsigned long host_early_size; /* bytes of it in the early map */
static inline phys_addr_t arch_direct_map_pa(void)
{
	return HOST_RAM + DIRECT_MAP_BASE - (unsigned long)host_ram;
}
static inline phys_addr_t arch_image_pa(void)
{
	return 0;
}
#endif
