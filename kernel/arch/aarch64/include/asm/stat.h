/* asm/stat.h - struct stat of Linux's generic 64-bit ABI. Source: Linux UAPI asm-generic/stat.h. */
#ifndef ASM_STAT_H
#define ASM_STAT_H
#include <lib/types.h>

struct arch_stat {
	u64 st_dev;
	u64 st_ino;
	u32 st_mode;
	u32 st_nlink;
	u32 st_uid;
	u32 st_gid;
	u64 st_rdev;
	u64 st_pad1;
	s64 st_size;
	s32 st_blksize;
	s32 st_pad2;
	s64 st_blocks;
	s64 st_atime;
	u64 st_atime_nsec;
	s64 st_mtime;
	u64 st_mtime_nsec;
	s64 st_ctime;
	u64 st_ctime_nsec;
	u32 st_unused[2];
};
_Static_assert(sizeof(struct arch_stat) == 128, "struct stat is part of the Linux ABI");

#endif
