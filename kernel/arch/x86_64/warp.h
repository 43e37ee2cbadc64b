/* warp.h - do two CPUs' counters agree? Both look at the same time, each under one lock. */
#ifndef X86_WARP_H
#define X86_WARP_H
#include <lib/types.h>

enum { WARP_BOOT, WARP_NEW };
/* What the boot CPU and a new one share. Zero at first; all atomic. */
struct x86_warp {
	u32 state;
	u32 lock;
	u64 last;      /* [lock] what the last look saw, whoever's */
	u64 behind[2]; /* [lock] most that this CPU saw less than the other before it */
	u32 looks[2];
};

/* The new CPU has come / waits for it until the counter says `limit`. Both return after the test,
 * with true, or when the other one has given up. `read` gives the CPU's own counter. */
bool x86_warp_new(struct x86_warp *w, u64 (*read)(void));
bool x86_warp_boot(struct x86_warp *w, u64 (*read)(void), u64 limit);
#endif
