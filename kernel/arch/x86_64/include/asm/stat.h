/* asm/stat.h - struct stat of the x86-64 Linux ABI, 144 bytes (UAPI asm/stat.h's layout). */
#ifndef ASM_STAT_H
#define ASM_STAT_H
#include <lib/types.h>

struct arch_stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 st_pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks; /* of 512 bytes */
	u64 st_atime;
	u64 st_atime_nsec;
	u64 st_mtime;
	u64 st_mtime_nsec;
	u64 st_ctime;
	u64 st_ctime_nsec;
	s64 st_unused[3];
};
_Static_assert(sizeof(struct arch_stat) == 144, "struct stat is ABI");

#endif
