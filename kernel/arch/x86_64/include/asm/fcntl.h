/* asm/fcntl.h - open flags whose value is x86-64's own (Linux UAPI asm-generic/fcntl.h).
 * Included by <uapi/fcntl.h> only. */
#ifndef ASM_FCNTL_H
#define ASM_FCNTL_H

#define O_DIRECT    040000
#define O_LARGEFILE 0100000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW  0400000

#endif
