/* Host body of <arch/cpu.h>. */
#ifndef ASM_CPU_H
#define ASM_CPU_H
static inline void arch_cpu_relax(void)
{
}
#endif
