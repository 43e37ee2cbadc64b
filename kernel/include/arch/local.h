/* arch/local.h - read-modify-write that is atomic against interrupts and NMI on this CPU only.
 * <asm/local.h> provides, static inline:
 *   u64 arch_local_fetch_add(u64 *p, u64 v);  no bus lock where the architecture allows; another
 *   CPU that reads *p and then what was stored after this call sees them in that order.
 *   void arch_local_publish(u64 *p, u64 seen, u64 v);  *p, which is `seen`, becomes seen + v in one
 *   store; a CPU that sees it sees what was stored before. Not atomic: p's only writer.
 *   bool arch_take_word(u32 *p, u32 v);  from 0 to v, atomic between CPUs, acquire; false: was not
 * 0.
 */
#ifndef ARCH_LOCAL_H
#define ARCH_LOCAL_H
#include <lib/types.h>
#include <asm/local.h>
#endif
