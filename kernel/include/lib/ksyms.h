/* lib/ksyms.h - names of kernel addresses. */
#ifndef LIB_KSYMS_H
#define LIB_KSYMS_H

/* Name of the function that contains addr and, where the pointers are not NULL, the offset in it
 * and its size in bytes; "?" when unknown. Any context; the string lives for ever. */
const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size);

#endif
