/* Host body of <arch/percpu.h>: a thread of the process is a CPU with one kernel thread. */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H
extern __thread unsigned long host_percpu_offset;
extern __thread struct thread *host_current;
static inline unsigned long arch_percpu_offset(void)
{
	return host_percpu_offset;
}
static inline struct thread *arch_current(void)
{
	return host_current;
}
static inline void arch_set_current(struct thread *t)
{
	host_current = t;
}
#endif
