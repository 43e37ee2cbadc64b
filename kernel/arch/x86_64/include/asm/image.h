/* asm/image.h - where kernel.lds.S puts the image, and PVH's entry (its note is in boot.S). */
#define IMAGE_SHOWS 0
#define IMAGE_ENTRY x86_pvh_entry
