/* asm/image.h - where kernel.lds.S puts the image: RAM starts at 1 GiB on QEMU virt. The kernel
 * itself computes its physical addresses at entry; these stand in the ELF only. */
#define IMAGE_SHOWS 0x40000000
#define IMAGE_ENTRY __image_start
