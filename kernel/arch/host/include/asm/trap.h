/* Host body of <arch/trap.h>: there are no exceptions to save registers for. */
#ifndef ASM_TRAP_H
#define ASM_TRAP_H
struct trap_frame {
	int unused;
};
#endif
