/* arch/local.h - read-modify-write that is atomic against interrupts and NMI on this CPU only.
 * <asm/local.h> provides, static inline:
 *   u64 arch_local_fetch_add(u64 *p, u64 v);  no bus lock where the architecture allows; another
 *   CPU that reads *p and then what was stored after this call sees them in that order. */
#ifndef ARCH_LOCAL_H
#define ARCH_LOCAL_H
#include <lib/types.h>
#include <asm/local.h>
#endif
