/* context.c - threads: kernel stacks, FP and TLS registers.
 *
 * A thread that does not run has its callee-saved registers on its stack, in the order that
 * x86_switch_stack (switch.S) pops them. The top TF_BYTES of every kernel stack are kept free for
 * the user frame, so that a kernel thread may fill it (exec) while it still runs below.
 *
 * FP registers are switched eagerly, for threads with arch.user only. Kernel code has none, so
 * between a user thread's switch-out and the next user thread's switch-in their content is of no
 * interest. FS base is read back at each switch because a program may change it by loading FS. The
 * four data selectors belong to the program, too: left alone they would carry a word from one
 * process to another. */
#include <lib/percpu.h>
#include <lib/string.h>
#include <arch/context.h>
#include <arch/irqflags.h>
#include <arch/thread.h>
#include <arch/user.h>
#include "x86.h"

struct switch_frame {
	u64 r15, r14, r13, r12, rbx, rbp, rip;
};

/* The clean state: x87 control word 0x37f, MXCSR 0x1f80, the rest zero (psABI 3.4.1). */
static u8 fpu_clean[X86_FPU_BYTES] __aligned(X86_FPU_ALIGN);
#define FPU_FCW   0
#define FPU_MXCSR 24

static void *fpu_area(struct thread *t)
{
	return (void *)ALIGN_UP((unsigned long)t->arch.fpu_raw, X86_FPU_ALIGN);
}

static void fpu_save(void *area)
{
	if (x86_has_xsave)
		__asm__ volatile("xsave64 (%0)"
				 :
				 : "r"(area), "a"((u32)x86_xcr0), "d"((u32)(x86_xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void fpu_load(const void *area)
{
	if (x86_has_xsave)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(area), "a"((u32)x86_xcr0), "d"((u32)(x86_xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}

void x86_fpu_init(void)
{
	u16 fcw = 0x37f;
	u32 mxcsr = 0x1f80;

	memcpy(fpu_clean + FPU_FCW, &fcw, sizeof(fcw));
	memcpy(fpu_clean + FPU_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void selectors_save(struct x86_selectors *a)
{
	__asm__ volatile("movw %%ds, %0\n\t"
			 "movw %%es, %1\n\t"
			 "movw %%fs, %2\n\t"
			 "movw %%gs, %3"
			 : "=m"(a->ds), "=m"(a->es), "=m"(a->fs), "=m"(a->gs));
}

/* Loads what differs from what is there. A selector was accepted once, and descriptors are
 * constant. FS and GS take their base with them: set those afterwards. Interrupts masked: between
 * the two SWAPGS the per-CPU offset is not in GS, which an NMI does not mind (entry.S). */
static void selectors_load(const struct x86_selectors *a)
{
	struct x86_selectors now;

	selectors_save(&now);
	if (a->ds != now.ds)
		__asm__ volatile("movw %0, %%ds" : : "m"(a->ds));
	if (a->es != now.es)
		__asm__ volatile("movw %0, %%es" : : "m"(a->es));
	if (a->fs != now.fs)
		__asm__ volatile("movw %0, %%fs" : : "m"(a->fs));
	if (a->gs != now.gs)
		__asm__ volatile("swapgs\n\tmovw %w0, %%gs\n\tswapgs" : : "r"(a->gs));
}

static void stack_prepare(struct thread *t, void (*pc)(void), u64 rbx, u64 r12)
{
	struct switch_frame *f =
		(struct switch_frame *)(t->kstack_top - sizeof(struct trap_frame)) - 1;

	*f = (struct switch_frame){.rbx = rbx, .r12 = r12, .rip = (u64)pc};
	t->arch.sp = (unsigned long)f;
}

void arch_thread_init(struct thread *t, void (*entry)(void *), void *arg)
{
	t->arch.user = false;
	t->arch.fs_base = t->arch.gs_base = 0;
	stack_prepare(t, (void (*)(void))x86_thread_entry, (u64)entry, (u64)arg);
}

void arch_fork_frame(struct thread *child, const struct trap_frame *parent)
{
	struct trap_frame *tf = (struct trap_frame *)child->kstack_top - 1;

	*tf = *parent;
	trap_set_ret(tf, 0);
	stack_prepare(child, (void (*)(void))x86_fork_entry, 0, 0);
}

void arch_thread_copy_user(struct thread *t)
{
	irqflags_t f = arch_irq_save();

	t->arch.user = true;
	selectors_save(&t->arch.selectors);
	t->arch.fs_base = rdmsr(MSR_FS_BASE);
	t->arch.gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	memset(fpu_area(t), 0, X86_FPU_BYTES);
	fpu_save(fpu_area(t));
	arch_irq_restore(f);
}

void arch_thread_reset_user(void)
{
	struct thread *t = arch_current();
	irqflags_t f = arch_irq_save();

	/* XSAVE leaves the header's reserved bytes alone, XRSTOR wants them zero */
	memset(fpu_area(t), 0, X86_FPU_BYTES);
	t->arch.user = true;
	fpu_load(fpu_clean);
	t->arch.selectors = (struct x86_selectors){0};
	selectors_load(&t->arch.selectors);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	arch_irq_restore(f);
}

struct thread *arch_switch_to(struct thread *prev, struct thread *next)
{
	if (prev->arch.user) {
		fpu_save(fpu_area(prev));
		selectors_save(&prev->arch.selectors);
		prev->arch.fs_base = rdmsr(MSR_FS_BASE);
		prev->arch.gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	}
	if (next->arch.user) {
		fpu_load(fpu_area(next));
		selectors_load(&next->arch.selectors);
		wrmsr(MSR_FS_BASE, next->arch.fs_base);
		wrmsr(MSR_KERNEL_GS_BASE, next->arch.gs_base);
	}
	this_cpu_ptr(&x86_tss)->rsp0 = next->kstack_top;
	return x86_switch_stack(prev, next, &prev->arch.sp, next->arch.sp);
}

static const struct switch_frame *saved_frame(const struct thread *t)
{
	return (const struct switch_frame *)t->arch.sp;
}

unsigned long arch_thread_sp(const struct thread *t)
{
	return t->arch.sp;
}

unsigned long arch_thread_fp(const struct thread *t)
{
	return saved_frame(t)->rbp;
}

unsigned long arch_thread_pc(const struct thread *t)
{
	return saved_frame(t)->rip;
}

void arch_user_frame_init(struct trap_frame *tf, unsigned long pc, unsigned long sp)
{
	*tf = (struct trap_frame){.vector = X86_VEC_SYSCALL,
				  .error = ~0ull,
				  .rip = pc,
				  .cs = X86_USER_CS,
				  .rflags = FLAG_IF | 2,
				  .rsp = sp,
				  .ss = X86_USER_DS};
}

struct trap_frame *arch_user_frame(void)
{
	return (struct trap_frame *)arch_current()->kstack_top - 1;
}

/* The first program of a kernel thread was not switched to as a user thread: its stack is not in
 * the TSS for sure. */
void __noreturn arch_enter_user(void)
{
	arch_irq_disable();
	this_cpu_ptr(&x86_tss)->rsp0 = arch_current()->kstack_top;
	x86_enter_user(arch_user_frame());
}

void arch_set_tls(unsigned long v)
{
	wrmsr(MSR_FS_BASE, v);
}

unsigned long arch_get_tls(void)
{
	return rdmsr(MSR_FS_BASE);
}
