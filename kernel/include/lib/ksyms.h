/* lib/ksyms.h - names and lines of kernel addresses. */
#ifndef LIB_KSYMS_H
#define LIB_KSYMS_H

#include <lib/types.h>

/* Name of the function that contains addr and, where the pointers are not NULL, the offset in it
 * and its size in bytes; "?" when unknown. Any context; the string lives for ever. */
const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size);

/* Where a call stands, by the address that it returns to: file and line, and the function, inlined
 * or not. `known` is false for addresses that no call returns to: file "" and line 0, the function
 * still. Any context; the strings live for ever. */
struct kplace {
	const char *func, *file;
	unsigned int line;
	bool known;
};
struct kplace kplace_lookup(unsigned long return_address);

#endif
