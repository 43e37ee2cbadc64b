/* Host body of <arch/context.h>: no registers to keep. */
#ifndef ASM_CONTEXT_H
#define ASM_CONTEXT_H
struct arch_thread {
	int unused;
};
#endif
