/* Host body of <arch/cpu.h>: a spinner lets another thread of the process run, as the one it waits
 * for may have no processor. */
#ifndef ASM_CPU_H
#define ASM_CPU_H
void host_relax(void);
static inline void arch_cpu_relax(void)
{
	host_relax();
}
#endif
