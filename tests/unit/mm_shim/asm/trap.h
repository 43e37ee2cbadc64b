/* Host body of <arch/trap.h>. */
#ifndef ASM_TRAP_H
#define ASM_TRAP_H
struct trap_frame {
	int unused;
};
#endif
