/* trap.c - what an exception means.
 *
 * On entry from entry.S all of DAIF is set and PMR masks ordinary interrupts. Handlers clear
 * PSTATE.I and A as soon as an interrupt of NMI priority or an SError may come in: at once for
 * synchronous exceptions (unless the interrupted code had I set), after the acknowledge for
 * interrupts, never inside an NMI. Every handler of an exception from user mode ends with ordinary
 * interrupts masked; the exit stub in entry.S does the rest.
 */
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/extable.h>
#include <lib/string.h>
#include <lib/ubsan.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/exception_stack.h>
#include <arch/thread.h>
#include <arch/upcalls.h>
#include "arch.h"

#define ESR_EC(esr)  ((u32)((esr) >> 26) & 0x3f)
#define ESR_WNR      BIT(6)
#define ESR_CM       BIT(8) /* cache maintenance: counts as a read */
#define ESR_FSC(esr) ((u32)(esr)&0x3f)
enum {
	EC_UNKNOWN = 0x00,
	EC_SVC64 = 0x15,
	EC_IABT_EL0 = 0x20,
	EC_IABT_EL1 = 0x21,
	EC_DABT_EL0 = 0x24,
	EC_DABT_EL1 = 0x25,
	EC_BRK64 = 0x3c
};
enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };

static char boot_overflow_stack[EXCEPTION_STACK_SIZE] __aligned(16);
/* Any CPU may die of an overflow; mm's areas, where the lasting ones are, lie below all threads'
 * stacks: so the comparison in entry.S finds whoever is on one. */
DEFINE_PER_CPU(char *, overflow_stack_top) = boot_overflow_stack + EXCEPTION_STACK_SIZE;
const unsigned int arch_exception_stacks = 1;

void arch_exception_stack_set(unsigned int cpu, unsigned int i, void *base)
{
	(void)i;
	*per_cpu_ptr(&overflow_stack_top, cpu) = (char *)base + EXCEPTION_STACK_SIZE;
}

const char *arch_exception_stack(unsigned long addr, unsigned long *base)
{
	*base = (unsigned long)*this_cpu_ptr(&overflow_stack_top) - EXCEPTION_STACK_SIZE;
	return addr - (*base - PAGE_SIZE) < PAGE_SIZE + EXCEPTION_STACK_SIZE ? "overflow" : NULL;
}

void arch_exception_stack_call(unsigned int i, void (*fn)(void))
{
	(void)i;
	call_on_stack(*this_cpu_ptr(&overflow_stack_top), fn);
}

struct trap_kind {
	u8 ec, sig;
	const char *what;
};
static const struct trap_kind trap_kinds[] = {
	{EC_UNKNOWN, SIG_ILL, "undefined instruction"},
	{0x01, SIG_ILL, "trapped WFI or WFE"},
	{0x07, SIG_ILL, "trapped FP or SIMD instruction"},
	{0x09, SIG_ILL, "trapped pointer authentication instruction"},
	{0x0d, SIG_ILL, "branch to a wrong target (BTI)"},
	{0x0e, SIG_ILL, "illegal execution state"},
	{EC_SVC64, SIG_ILL, "SVC in the kernel"},
	{0x16, SIG_ILL, "HVC that nobody serves"},
	{0x17, SIG_ILL, "SMC that nobody serves"},
	{0x18, SIG_ILL, "access to a system register that is not allowed"},
	{0x19, SIG_ILL, "SVE instruction (not supported)"},
	{0x1c, SIG_ILL, "pointer authentication failure"},
	{0x1d, SIG_ILL, "SME instruction (not supported)"},
	{0x22, SIG_BUS, "misaligned program counter"},
	{0x26, SIG_BUS, "misaligned stack pointer"},
	{0x2c, SIG_FPE, "floating-point exception"},
	{0x2f, SIG_BUS, "SError (asynchronous external abort)"},
	{0x30, SIG_TRAP, "hardware breakpoint"},
	{0x31, SIG_TRAP, "hardware breakpoint"},
	{0x32, SIG_TRAP, "single step"},
	{0x33, SIG_TRAP, "single step"},
	{0x34, SIG_TRAP, "watchpoint"},
	{0x35, SIG_TRAP, "watchpoint"},
	{EC_BRK64, SIG_TRAP, "BRK instruction"},
};

/* clang's -fsanitize-trap: BRK #0x5500 + kind. */
#define UBSAN_BRK 0x5500u

/* Low six bits of a fault status, for aborts that are not page faults. */
static const char *abort_phrase(u32 fsc)
{
	switch (fsc) {
	case 0x00 ... 0x03:
		return "address size fault";
	case 0x10:
		return "external abort (no device or memory answers there)";
	case 0x11:
		return "memory tag check fault";
	case 0x12 ... 0x17:
		return "external abort on a page table walk";
	case 0x18 ... 0x1f:
		return "memory parity or ECC error";
	case 0x21:
		return "misaligned access";
	case 0x30:
		return "conflicting TLB entries";
	case 0x34:
		return "implementation-defined lockdown fault";
	case 0x35:
		return "exclusive or atomic access to memory that does not support it";
	default:
		return "memory abort";
	}
}

/* Interrupts of NMI priority and SErrors may come in. A, too: left set it would spread to whatever
 * thread is switched to from here, and a kernel's SError be taken in a program. */
static void window_open(void)
{
	__asm__ volatile("msr daifclr, #6" ::: "memory");
}

static void report(struct trap_frame *tf)
{
	static char text[96];
	u32 ec = ESR_EC(tf->esr), imm = tf->esr & 0xffff;

	if (ec == EC_BRK64 && !trap_from_user(tf) && (imm & 0xff00) == UBSAN_BRK) {
		snprintf(text, sizeof(text), "undefined behaviour: %s", ubsan_kind(imm & 0xff));
		trap_exception(tf, SIG_TRAP, text, tf->esr, 0);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(trap_kinds); i++) {
		const struct trap_kind *k = &trap_kinds[i];

		if (k->ec == ec) {
			trap_exception(tf, k->sig, k->what, tf->esr, tf->far);
			return;
		}
	}
	trap_exception(tf, SIG_ILL, "exception of an unknown class", tf->esr, tf->far);
}

void trap_stack_overflow(struct trap_frame *tf)
{
	static char text[96];
	const struct thread *t = arch_current();
	unsigned long base;

	if (arch_exception_stack(tf->sp, &base))
		snprintf(text, sizeof(text), "kernel stack overflow: the overflow stack of CPU %u",
			 this_cpu());
	else
		snprintf(text, sizeof(text), "kernel stack overflow of %s",
			 t && t->bb ? t->bb->name : "the boot thread");
	trap_exception(tf, SIG_SEGV, text, tf->esr, tf->far);
}

/* A data or instruction abort: page faults go to mm, the rest is reported in words. */
static void memory_abort(struct trap_frame *tf, u32 flags)
{
	u32 fsc = ESR_FSC(tf->esr);
	u64 addr = tf->far;

	if (!(flags & FAULT_EXEC) && (tf->esr & ESR_WNR) && !(tf->esr & ESR_CM))
		flags |= FAULT_WRITE;
	/* 0x04-0x07 translation, 0x08-0x0b access flag, 0x0c-0x0f permission */
	if (fsc < 0x04 || fsc > 0x0f) {
		trap_exception(tf, SIG_BUS, abort_phrase(fsc), tf->esr, addr);
		return;
	}
	if (fsc >= 0x0c)
		flags |= FAULT_PRESENT;
	trap_page_fault(tf, addr, flags);
}

void trap_el1_sync(struct trap_frame *tf)
{
	if (!(tf->pstate & PSR_I))
		window_open();
	switch (ESR_EC(tf->esr)) {
	case EC_DABT_EL1:
		memory_abort(tf, 0);
		break;
	case EC_IABT_EL1:
		memory_abort(tf, FAULT_EXEC);
		break;
	case EC_UNKNOWN:
		if (extable_fixup(tf)) /* HLT without semihosting */
			break;
		report(tf);
		break;
	default:
		report(tf);
	}
}

void trap_el0_sync(struct trap_frame *tf)
{
	trap_enter_from_user(tf);
	window_open();
	switch (ESR_EC(tf->esr)) {
	case EC_SVC64:
		arch_irq_enable();
		trap_syscall(tf);
		break;
	case EC_DABT_EL0:
		memory_abort(tf, FAULT_USER);
		break;
	case EC_IABT_EL0:
		memory_abort(tf, FAULT_USER | FAULT_EXEC);
		break;
	default:
		report(tf);
	}
	arch_irq_disable();
}

/* Takes one interrupt. True if it was an ordinary one. */
static bool take_irq(struct trap_frame *tf)
{
	u32 irq;

	/* The GIC hands out only what the priority mask admits: acknowledge under the mask that the
	 * interrupted context had, while DAIF masks all. */
	sysreg_write(ICC_PMR_EL1, tf->pmr);
	irq = gic_ack();
	sysreg_write(ICC_PMR_EL1, GIC_PMR_MASKED);

	if (irq == GIC_SGI_NMI) {
		trap_nmi(tf);
		gic_end(irq);
		return false;
	}
	if (irq >= GIC_SPURIOUS)
		return false;
	window_open();
	irq_enter(tf);
	if (irq < IPI_KINDS) {
		trap_ipi(tf, (enum ipi_kind)irq);
	} else if (irq == platform.timer_irq) {
		timer_disarm(); /* one shot: the line falls even if nobody sets it anew */
		trap_timer(tf);
	} else {
		trap_irq(tf, irq);
	}
	gic_end(irq);
	irq_exit(tf);
	return true;
}

void trap_el1_irq(struct trap_frame *tf)
{
	if (take_irq(tf))
		trap_exit_to_kernel(tf);
}

void trap_el0_irq(struct trap_frame *tf)
{
	trap_enter_from_user(tf);
	take_irq(tf);
	window_open();
}

void trap_el1_serror(struct trap_frame *tf)
{
	trap_exception(tf, SIG_BUS, "SError (asynchronous external abort)", tf->esr, 0);
}

void trap_el0_serror(struct trap_frame *tf)
{
	trap_enter_from_user(tf);
	window_open();
	trap_exception(tf, SIG_BUS, "SError (asynchronous external abort)", tf->esr, 0);
	arch_irq_disable();
}

void trap_el0_compat(struct trap_frame *tf)
{
	trap_enter_from_user(tf);
	window_open();
	trap_exception(tf, SIG_ILL, "32-bit program", tf->esr, 0);
	arch_irq_disable();
}

void trap_bad_vector(struct trap_frame *tf)
{
	panic("unexpected FIQ or exception on the user stack pointer, pc %#lx, esr %#lx", tf->pc,
	      tf->esr);
}

/* Only SError is opened besides I: debug exceptions stay masked in the kernel, FIQ is unused. */
void arch_trap_init_cpu(void)
{
	mmu_init_cpu();
	sysreg_write(vbar_el1, exception_vectors);
	isb();
	__asm__ volatile("msr daifclr, #6" ::: "memory");
}

void arch_trap_print(const struct trap_frame *tf, void (*emit)(const char *line))
{
	char line[128];
	int n = 0;

	snprintf(line, sizeof(line), "  pc %016lx  lr %016lx  sp %016lx  pstate %08lx", tf->pc,
		 tf->x[30], tf->sp, tf->pstate);
	emit(line);
	snprintf(line, sizeof(line), "  esr %08lx (class %02x)  far %016lx  pmr %02lx", tf->esr,
		 ESR_EC(tf->esr), tf->far, tf->pmr);
	emit(line);
	for (int i = 0; i < 30; i++) {
		bool last = i % 4 == 3 || i == 29;

		n += snprintf(line + n, sizeof(line) - n, "  x%-2d %016lx", i, tf->x[i]);
		if (last) {
			emit(line);
			n = 0;
		}
	}
}
