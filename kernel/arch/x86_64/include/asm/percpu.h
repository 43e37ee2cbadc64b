/* asm/percpu.h - GS base is the CPU's per-CPU offset while in the kernel.
 * Both words live in the per-CPU section: %gs:(link address) reaches this CPU's copy. On the boot
 * CPU base and offset are 0 from reset on. */
#ifndef ASM_PERCPU_H
#define ASM_PERCPU_H

extern unsigned long x86_percpu_offset;
extern struct thread *x86_current;

static inline unsigned long arch_percpu_offset(void)
{
	unsigned long v;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(v) : "i"(&x86_percpu_offset));
	return v;
}
/* MSR_GS_BASE = 0xc0000101. */
static inline void arch_set_percpu_offset(unsigned long off)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(0xc0000101u), "a"((u32)off), "d"((u32)(off >> 32))
			 : "memory");
	__asm__ volatile("movq %0, %%gs:%c1" : : "r"(off), "i"(&x86_percpu_offset) : "memory");
}
/* Not volatile: the value is constant for the thread that asks. The memory operand only orders it
 * after arch_set_current(). */
static inline struct thread *arch_current(void)
{
	struct thread *t;

	__asm__("movq %%gs:%c1, %0" : "=r"(t) : "i"(&x86_current), "m"(x86_current));
	return t;
}
static inline void arch_set_current(struct thread *t)
{
	__asm__ volatile("movq %0, %%gs:%c1" : : "r"(t), "i"(&x86_current) : "memory");
}

#endif
