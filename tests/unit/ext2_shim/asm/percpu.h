/* Host body of <arch/percpu.h>: one CPU. */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H
static inline unsigned long arch_percpu_offset(void)
{
	return 0;
}
static inline struct thread *arch_current(void)
{
	return NULL;
}
#endif
