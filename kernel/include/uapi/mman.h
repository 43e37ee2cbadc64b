/* mman.h - Linux memory mapping flags, the same on aarch64 and x86-64 (asm-generic/mman*.h). */
#ifndef UAPI_MMAN_H
#define UAPI_MMAN_H

#define MM_PROT_READ      1u
#define MM_PROT_WRITE     2u
#define MM_PROT_EXEC      4u
#define MM_PROT_GROWSDOWN 0x01000000u
#define MM_PROT_GROWSUP   0x02000000u

#define MAP_SHARED          0x01u
#define MAP_PRIVATE         0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE            0x0fu
#define MAP_FIXED           0x10u
#define MAP_ANONYMOUS       0x20u
#define MAP_FIXED_NOREPLACE 0x100000u
/* What MAP_SHARED_VALIDATE of a file accepts (linux/mman.h, LEGACY_MAP_MASK): the type, FIXED,
 * ANONYMOUS, GROWSDOWN, DENYWRITE, EXECUTABLE, LOCKED, NORESERVE, POPULATE, NONBLOCK, STACK,
 * HUGETLB and the huge page's size. */
#define MAP_LEGACY_MASK 0x7c07f933u

/* Advice that may be ignored without changing what a program can see. */
enum {
	MADV_NORMAL = 0,
	MADV_RANDOM = 1,
	MADV_SEQUENTIAL = 2,
	MADV_WILLNEED = 3,
	MADV_MERGEABLE = 12,
	MADV_UNMERGEABLE = 13,
	MADV_HUGEPAGE = 14,
	MADV_NOHUGEPAGE = 15,
	MADV_DONTDUMP = 16,
	MADV_DODUMP = 17,
	MADV_COLD = 20,
	MADV_PAGEOUT = 21
};

#endif
