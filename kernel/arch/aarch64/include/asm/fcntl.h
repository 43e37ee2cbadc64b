/* asm/fcntl.h - open flags whose value is aarch64's own (Linux UAPI arch/arm64 asm/fcntl.h).
 * Included by <uapi/fcntl.h> only. */
#ifndef ASM_FCNTL_H
#define ASM_FCNTL_H

#define O_DIRECTORY 040000
#define O_NOFOLLOW  0100000
#define O_DIRECT    0200000
#define O_LARGEFILE 0400000

#endif
