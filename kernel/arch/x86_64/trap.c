/* trap.c - exceptions, interrupts and system calls in C: entry.S -> here -> arch/upcalls.h.
 *
 * Every entry from user mode begins with trap_enter_from_user() and ends with x86_exit_to_user();
 * interrupts are masked at both ends. NMI, machine check and double fault run on their own stacks
 * and never return through the exit to user mode's checks: an NMI touches nothing that those look
 * at, the other two end the system. */
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/string.h>
#include <lib/ubsan.h>
#include <arch/exception_stack.h>
#include <arch/irqflags.h>
#include <arch/mmu.h>
#include <arch/thread.h>
#include <arch/upcalls.h>
#include "x86.h"

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };

/* SDM vol. 3, table 6-1; signals as Linux gives them. */
static const struct exception {
	const char *what;
	int sig;
} exceptions[32] = {
	[0] = {"divide error", SIG_FPE},
	[1] = {"debug exception", SIG_TRAP},
	[3] = {"breakpoint", SIG_TRAP},
	[4] = {"overflow trap", SIG_SEGV},
	[5] = {"bound range exceeded", SIG_SEGV},
	[6] = {"invalid instruction", SIG_ILL},
	[7] = {"floating point unit is off", SIG_FPE},
	[9] = {"coprocessor segment overrun", SIG_FPE},
	[10] = {"invalid task state segment", SIG_SEGV},
	[11] = {"segment not present", SIG_BUS},
	[12] = {"stack segment fault", SIG_BUS},
	[13] = {"general protection fault", SIG_SEGV},
	[16] = {"x87 floating point error", SIG_FPE},
	[17] = {"unaligned access", SIG_BUS},
	[19] = {"SIMD floating point error", SIG_FPE},
	[20] = {"virtualization exception", SIG_SEGV},
	[21] = {"control flow protection fault", SIG_SEGV},
};

/* The compiler's undefined-behaviour checks end in UD1L kind(%EAX): 67 0f b9 40 kind. */
static const char *ubsan_text(const struct trap_frame *tf)
{
	const u8 *p = (const u8 *)tf->rip;

	if (p[0] != 0x67 || p[1] != 0x0f || p[2] != 0xb9 || p[3] != 0x40)
		return NULL;
	return ubsan_kind(p[4]);
}

#define PF_PRESENT  1u
#define PF_WRITE    2u
#define PF_USER     4u
#define PF_RESERVED 8u
#define PF_FETCH    16u

static void page_fault(struct trap_frame *tf)
{
	unsigned long addr = read_cr2();
	unsigned int flags = 0;

	if (tf->error & PF_RESERVED)
		oops(tf, "page table entry with reserved bits set", tf->error, addr);
	if (tf->error & PF_PRESENT)
		flags |= FAULT_PRESENT;
	if (tf->error & PF_WRITE)
		flags |= FAULT_WRITE;
	if (tf->error & PF_FETCH)
		flags |= FAULT_EXEC;
	if (trap_from_user(tf)) {
		/* The CPU's own look into a descriptor table, not the program's access (SDM vol. 3,
		 * 4.7): no change of the program's pages would let it through. */
		if (!(tf->error & PF_USER)) {
			trap_exception(tf, SIG_SEGV, "page fault in a descriptor table", tf->error,
				       addr);
			return;
		}
		flags |= FAULT_USER;
	}
	trap_page_fault(tf, addr, flags);
}

static void exception(struct trap_frame *tf)
{
	const struct exception *e = &exceptions[tf->vector];
	const char *what = e->what ? e->what : "reserved exception";

	if (tf->vector == VEC_PAGE_FAULT) {
		page_fault(tf);
		return;
	}
	if (tf->vector == 6 && !trap_from_user(tf)) {
		const char *ub = ubsan_text(tf);
		char text[80];

		if (ub) {
			snprintf(text, sizeof(text), "undefined behaviour: %s", ub);
			trap_exception(tf, SIG_ILL, text, tf->error, 0);
			return;
		}
	}
	trap_exception(tf, e->sig ? e->sig : SIG_SEGV, what, tf->error, 0);
}

/* False if nothing was there to handle. */
static bool interrupt(struct trap_frame *tf)
{
	unsigned int vec = (unsigned int)tf->vector;

	/* Neither the APIC nor the masked PIC wants an end for its spurious interrupt. */
	if (vec == VEC_SPURIOUS || vec < VEC_DEVICE_FIRST)
		return false;
	irq_enter(tf);
	if (vec == VEC_TIMER) {
		x86_apic_eoi();
		if (x86_timer_due())
			trap_timer(tf);
	} else if (vec >= VEC_IPI && vec < VEC_IPI + IPI_KINDS) {
		x86_apic_eoi();
		trap_ipi(tf, (enum ipi_kind)(vec - VEC_IPI));
	} else if (vec == VEC_APIC_ERROR) {
		x86_apic_error();
		x86_apic_eoi();
	} else {
		trap_irq(tf, vec);
		x86_apic_eoi();
	}
	irq_exit(tf);
	return true;
}

void x86_exit_to_user(struct trap_frame *tf)
{
	trap_exit_to_user(tf);
	if (unlikely(tf->rip >= USER_END)) {
		/* would fault in IRET, in kernel mode; the program ends, or goes on at 0 and ends
		 */
		u64 rip = tf->rip;

		tf->rip = 0;
		trap_enter_from_user(tf);
		trap_exception(tf, SIG_SEGV, "return to an address that is not the user's", 0, rip);
		arch_irq_disable();
		trap_exit_to_user(tf);
	}
	tf->cs = X86_USER_CS;
	tf->ss = X86_USER_DS;
	tf->rflags = (tf->rflags & FLAG_USER) | FLAG_IF | 2;
}

void x86_trap(struct trap_frame *tf)
{
	bool user = trap_from_user(tf), irq = tf->vector >= 32;

	if (user)
		trap_enter_from_user(tf);
	if (!irq)
		exception(tf);
	else
		irq = interrupt(tf);
	arch_irq_disable();
	if (user)
		x86_exit_to_user(tf);
	else if (irq)
		trap_exit_to_kernel(tf);
}

void x86_syscall(struct trap_frame *tf)
{
	trap_enter_from_user(tf);
	arch_irq_enable();
	trap_syscall(tf);
	arch_irq_disable();
	x86_exit_to_user(tf);
}

void x86_nmi(struct trap_frame *tf)
{
	trap_nmi(tf);
}

void x86_double_fault(struct trap_frame *tf)
{
	unsigned long addr = read_cr2();
	const struct thread *t = arch_current();
	unsigned long base;
	const char *stack = arch_exception_stack(addr, &base);
	char text[80];

	/* A page fault for which the CPU could not push a frame: the kernel stack is full. */
	if (stack && addr < base)
		snprintf(text, sizeof(text), "kernel stack overflow: the %s stack of CPU %u", stack,
			 this_cpu());
	else if (t && addr < t->kstack_base && addr >= t->kstack_base - PAGE_SIZE)
		snprintf(text, sizeof(text), "kernel stack overflow of %s",
			 t->bb ? t->bb->name : "?");
	else
		strscpy(text, "double fault", sizeof(text));
	oops(tf, text, tf->error, addr);
}

void x86_machine_check(struct trap_frame *tf)
{
	panic("machine check at pc 0x%llx: status 0x%llx", (unsigned long long)tf->rip,
	      (unsigned long long)rdmsr(MSR_MCG_STATUS));
}

void arch_trap_print(const struct trap_frame *tf, void (*emit)(const char *line))
{
	static const struct {
		char name[4];
		u8 slot; /* of struct trap_frame */
	} regs[] = {
#define REG(n) {#n, __builtin_offsetof(struct trap_frame, n) / 8}
		REG(rax), REG(rbx), REG(rcx), REG(rdx), REG(rsi), REG(rdi), REG(rbp), REG(r8),
		REG(r9),  REG(r10), REG(r11), REG(r12), REG(r13), REG(r14), REG(r15),
#undef REG
	};
	const u64 *v = (const u64 *)tf;
	char line[112];

	snprintf(line, sizeof(line),
		 "rip %016llx  rsp %016llx  rflags %08llx  cs %02llx  ss %02llx",
		 (unsigned long long)tf->rip, (unsigned long long)tf->rsp,
		 (unsigned long long)tf->rflags, (unsigned long long)tf->cs,
		 (unsigned long long)tf->ss);
	emit(line);
	for (unsigned int i = 0; i < ARRAY_SIZE(regs); i += 3) {
		snprintf(line, sizeof(line), "%-3s %016llx  %-3s %016llx  %-3s %016llx",
			 regs[i].name, (unsigned long long)v[regs[i].slot], regs[i + 1].name,
			 (unsigned long long)v[regs[i + 1].slot], regs[i + 2].name,
			 (unsigned long long)v[regs[i + 2].slot]);
		emit(line);
	}
	snprintf(line, sizeof(line), "vector %llu  error %llx  cr2 %016llx  cr3 %016llx",
		 (unsigned long long)tf->vector, (unsigned long long)tf->error,
		 (unsigned long long)read_cr2(), (unsigned long long)read_cr3());
	emit(line);
}
