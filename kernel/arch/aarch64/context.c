/* context.c - threads as this architecture sees them: the stack and registers of a new one, the
 * switch, the user frame. FP/SIMD registers belong to the user thread that runs (the kernel is
 * compiled without them) and are saved and loaded at each switch from and to a user thread. */
#include <lib/string.h>
#include <arch/thread.h>
#include <arch/user.h>
#include "arch.h"

DEFINE_PER_CPU(struct thread *, entry_thread);

void arch_thread_init(struct thread *t, void (*entry)(void *), void *arg)
{
	memset(&t->arch, 0, sizeof(t->arch));
	t->arch.x19_x28[0] = (u64)entry;
	t->arch.x19_x28[1] = (u64)arg;
	t->arch.pc = (u64)thread_first_run;
	t->arch.sp = t->kstack_top;
}

void arch_thread_copy_user(struct thread *t)
{
	fp_save(&t->arch);
	t->arch.tls = arch_get_tls();
}

struct thread *arch_switch_to(struct thread *prev, struct thread *next)
{
	if (prev->mm) {
		fp_save(&prev->arch);
		prev->arch.tls = arch_get_tls();
	}
	if (next->mm) {
		fp_load(&next->arch);
		arch_set_tls(next->arch.tls);
	}
	*this_cpu_ptr(&entry_thread) = next;
	return switch_context(prev, next);
}

unsigned long arch_thread_sp(const struct thread *t)
{
	return t->arch.sp;
}
unsigned long arch_thread_fp(const struct thread *t)
{
	return t->arch.fp;
}
unsigned long arch_thread_pc(const struct thread *t)
{
	return t->arch.pc;
}

void arch_thread_reset_user(void)
{
	struct arch_thread *a = &arch_current()->arch;
	irqflags_t f = arch_irq_save(); /* a switch in between would save the old registers */

	a->fpcr = a->fpsr = 0;
	memset(a->vregs, 0, sizeof(a->vregs));
	fp_load(a);
	arch_set_tls(0);
	arch_irq_restore(f);
}

void arch_user_frame_init(struct trap_frame *tf, unsigned long pc, unsigned long sp)
{
	memset(tf, 0, sizeof(*tf));
	tf->pc = pc;
	tf->sp = sp;
	tf->pstate = PSR_MODE_EL0;
	tf->pmr = GIC_PMR_ENABLED;
}

struct trap_frame *arch_user_frame(void)
{
	return (struct trap_frame *)arch_current()->kstack_top - 1;
}

void arch_fork_frame(struct thread *child, const struct trap_frame *parent)
{
	struct trap_frame *tf = (struct trap_frame *)child->kstack_top - 1;

	*tf = *parent;
	tf->x[0] = 0;
	child->arch.pc = (u64)thread_first_run_fork;
	child->arch.sp = (u64)tf;
	child->arch.fp = (u64)tf->record; /* zero: the walk ends there */
}

void arch_set_tls(unsigned long v)
{
	sysreg_write(tpidr_el0, v);
}
unsigned long arch_get_tls(void)
{
	return sysreg_read(tpidr_el0);
}
