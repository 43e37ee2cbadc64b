/* asm-offsets.c - constants for assembly. Compiled to assembly text only; kernel.mk turns each
 * string "->NAME value" into a #define of asm-offsets.h. */
#include <lib/percpu.h>
#include <arch/thread.h>
#include <arch/trap.h>
#include <arch/exception_stack.h>
#include "arch.h"

#define DEFINE(name, value)        __asm__ volatile("\n\t.ascii \"->" #name " %0\"" ::"i"(value))
#define OFFSET(name, type, member) DEFINE(name, offsetof(type, member))

void asm_offsets(void);
void asm_offsets(void)
{
	DEFINE(TF_SIZE, sizeof(struct trap_frame));
	OFFSET(TF_X, struct trap_frame, x);
	OFFSET(TF_SP, struct trap_frame, sp);
	OFFSET(TF_PSTATE, struct trap_frame, pstate);
	OFFSET(TF_ESR, struct trap_frame, esr);
	OFFSET(TF_RECORD, struct trap_frame, record);
	OFFSET(THREAD_KSTACK_BASE, struct thread, kstack_base);
	OFFSET(THREAD_KSTACK_TOP, struct thread, kstack_top);
	OFFSET(THREAD_ARCH, struct thread, arch);
	OFFSET(CTX_REGS, struct arch_thread, x19_x28);
	OFFSET(CTX_FP, struct arch_thread, fp);
	OFFSET(CTX_SP, struct arch_thread, sp);
	OFFSET(CTX_FPCR, struct arch_thread, fpcr);
	OFFSET(CTX_VREGS, struct arch_thread, vregs);
	OFFSET(SEC_ROOT, struct secondary_args, root);
	OFFSET(SEC_STACK, struct secondary_args, stack_top);
	OFFSET(SEC_PERCPU, struct secondary_args, percpu);
	OFFSET(SEC_IDLE, struct secondary_args, idle);
	DEFINE(PMR_MASKED, GIC_PMR_MASKED);
	DEFINE(BOOT_STACK_BYTES, KSTACK_SIZE);
	DEFINE(OVERFLOW_STACK_BYTES, EXCEPTION_STACK_SIZE);
	DEFINE(EMPTY_ASID_BITS, EMPTY_ASID);
}
