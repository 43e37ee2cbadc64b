/* asm/cpu.h - spinner's hint. */
#ifndef ASM_CPU_H
#define ASM_CPU_H

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
