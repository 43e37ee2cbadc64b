/* asm-offsets.c - constants for assembly. Compiled to text only: kernel.mk turns each line that
 * holds
 * ->NAME $value into a #define of asm-offsets.h. */
#include <lib/boot.h>
#include <arch/mmu.h>
#include <arch/thread.h>
#include "x86.h"

#define DEFINE(name, value)        __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"((u64)(value)))
#define OFFSET(name, type, member) DEFINE(name, __builtin_offsetof(type, member))

void asm_offsets(void);
void asm_offsets(void)
{
	OFFSET(THREAD_KSTACK_TOP, struct thread, kstack_top);
	OFFSET(THREAD_KSTACK_BASE, struct thread, kstack_base);
	DEFINE(BOOT_STACK_BYTES, KSTACK_SIZE);

	DEFINE(TF_BYTES, sizeof(struct trap_frame));
	OFFSET(TF_R11, struct trap_frame, r11);
	OFFSET(TF_RCX, struct trap_frame, rcx);
	OFFSET(TF_RBP, struct trap_frame, rbp);
	OFFSET(TF_VECTOR, struct trap_frame, vector);
	OFFSET(TF_RIP, struct trap_frame, rip);
	OFFSET(TF_CS, struct trap_frame, cs);
	OFFSET(TF_RFLAGS, struct trap_frame, rflags);
	OFFSET(TF_RSP, struct trap_frame, rsp);
	DEFINE(VEC_SYSCALL, X86_VEC_SYSCALL);
	OFFSET(TSS_RSP0, struct x86_tss, rsp0);

	OFFSET(SLOT_STACK, struct x86_ap_slot, stack);
	OFFSET(SLOT_PERCPU, struct x86_ap_slot, percpu);
	OFFSET(SLOT_IDLE, struct x86_ap_slot, idle);
	DEFINE(SLOT_BYTES, sizeof(struct x86_ap_slot));
}
