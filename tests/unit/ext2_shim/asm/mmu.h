/* Host body of <arch/mmu.h> for file system unit tests: memory is where malloc puts it. */
#ifndef ASM_MMU_H
#define ASM_MMU_H
static inline u64 arch_direct_map_pa(void)
{
	return DIRECT_MAP_BASE;
}
static inline u64 arch_image_pa(void)
{
	return 0;
}
#endif
