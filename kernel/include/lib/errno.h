/* lib/errno.h - Linux errno values, plus ERR_PTR. Source: Linux UAPI asm-generic/errno*.h. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#include <lib/types.h>
#include <uapi/errno.h>

/* A pointer-returning function reports failure by an address in the last page. */
static inline void *ERR_PTR(long e)
{
	return (void *)e;
}
static inline bool IS_ERR(const void *p)
{
	return (unsigned long)p >= (unsigned long)-4095;
}
static inline long PTR_ERR(const void *p)
{
	return (long)p;
}

#endif
