/* asm/percpu.h - TPIDR_EL1 holds this CPU's offset, SP_EL0 the current thread while in the kernel
 * (a user's SP_EL0 is in its trap frame). */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H

/* volatile: after a migration the value is another. */
static inline unsigned long arch_percpu_offset(void)
{
	unsigned long v;

	__asm__ volatile("mrs %0, tpidr_el1" : "=r"(v));
	return v;
}
static inline void arch_set_percpu_offset(unsigned long v)
{
	__asm__ volatile("msr tpidr_el1, %0" ::"r"(v) : "memory");
}
static inline struct thread *arch_current(void)
{
	struct thread *t;

	__asm__("mrs %0, sp_el0" : "=r"(t));
	return t;
}
static inline void arch_set_current(struct thread *t)
{
	__asm__ volatile("msr sp_el0, %0" ::"r"(t) : "memory");
}

#endif
