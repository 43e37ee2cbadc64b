/* Host body of <arch/mmu.h>: physical memory is an arena of the test, SHIM_RAM is its first byte.
 */
#ifndef ASM_MMU_H
#define ASM_MMU_H
#define SHIM_RAM 0x40000000ull
extern unsigned char *shim_ram;
static inline phys_addr_t arch_direct_map_pa(void)
{
	return SHIM_RAM + DIRECT_MAP_BASE - (unsigned long)shim_ram;
}
static inline phys_addr_t arch_image_pa(void)
{
	return 0;
}
#endif
