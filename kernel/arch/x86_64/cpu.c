/* cpu.c - this processor: control registers, descriptor tables, idle, halt.
 * Each CPU has its own GDT, TSS and exception stacks; the IDT is shared. Above the top of each
 * exception stack lies the CPU's per-CPU offset, which the IST entries load (entry.S).
 */
#define LOG_TAG "cpu"
#include <lib/bug.h>
#include <lib/percpu.h>
#include <lib/printk.h>
#include <lib/string.h>
#include <arch/boot.h>
#include <arch/cpu.h>
#include <arch/exception_stack.h>
#include <arch/mmu.h>
#include "x86.h"

const char arch_name[] = "x86_64";
const u16 arch_elf_machine = 62; /* EM_X86_64 */

u8 x86_has_smap;
bool x86_has_xsave, x86_has_deadline;
u64 x86_xcr0;
static u64 cr4_value;
static unsigned long hwcap;
static bool features_known;

DEFINE_PER_CPU(unsigned long, x86_percpu_offset);
DEFINE_PER_CPU(struct thread *, x86_current);
DEFINE_PER_CPU(struct x86_tss, x86_tss) __aligned(64);
#define GDT_ENTRIES 10
static DEFINE_PER_CPU(u64, gdt[GDT_ENTRIES]) __aligned(64);

#define EXCEPTION_STACKS 3
const unsigned int arch_exception_stacks = EXCEPTION_STACKS;
struct exception_stack {
	u8 stack[EXCEPTION_STACK_SIZE - 16];
	u64 percpu; /* read by entry.S right above the frame */
	u64 pad;
} __aligned(16);
static struct exception_stack boot_stacks[EXCEPTION_STACKS];
/* This CPU's, in the order of their IST numbers. */
static DEFINE_PER_CPU(struct exception_stack *, exception_stacks[EXCEPTION_STACKS]) = {
	&boot_stacks[0], &boot_stacks[1], &boot_stacks[2]};

struct idt_gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
static struct idt_gate idt[256] __aligned(16);

struct __packed table_ptr {
	u16 limit;
	u64 base;
};

#define GATE_INTERRUPT 0x8e
#define GATE_USER      0x60 /* callable by INT3, INTO from user mode */

static void idt_set(unsigned int vec, const char *handler, unsigned int ist, unsigned int extra)
{
	u64 a = (u64)handler;

	idt[vec] = (struct idt_gate){.offset0 = (u16)a,
				     .selector = X86_KERNEL_CS,
				     .ist = (u8)ist,
				     .type = (u8)(GATE_INTERRUPT | extra),
				     .offset1 = (u16)(a >> 16),
				     .offset2 = (u32)(a >> 32)};
}

static void idt_build(void)
{
	for (unsigned int v = 0; v < 256; v++)
		idt_set(v, x86_vector_stubs + 16 * v, 0, v == 3 || v == 4 ? GATE_USER : 0);
	idt_set(VEC_NMI, x86_entry_nmi, IST_NMI, 0);
	idt_set(VEC_DOUBLE_FAULT, x86_entry_double_fault, IST_DOUBLE_FAULT, 0);
	idt_set(VEC_MACHINE_CHECK, x86_entry_machine_check, IST_MACHINE_CHECK, 0);
}

bool x86_hypervisor_is(const char *signature)
{
	struct cpuid l = cpuid(0x40000000, 0);

	return cpuid(1, 0).c >> 31 && !memcmp(signature, &l.b, 12);
}

/* QEMU's emulator (7.2) offers XSAVE of any CPU kind, but refuses CR4.OSXSAVE to those without one
 * of the extensions in leaf 13.1, and not by an exception: the instruction repeats for ever. */
static bool xsave_works(void)
{
	return !x86_hypervisor_is("TCGTCGTCGTCG") || (cpuid(13, 1).a & 0xf);
}

/* Reads CPUID once, on the boot CPU; the others get the same settings. */
static void features_find(void)
{
	u32 max = cpuid(0, 0).a;
	struct cpuid one = cpuid(1, 0), seven = {0};

	if (max >= 7)
		seven = cpuid(7, 0);
	hwcap = one.d;
	x86_has_deadline = one.c >> 24 & 1;
	x86_has_smap = seven.b >> 20 & 1;
	cr4_value = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (seven.b >> 7 & 1)
		cr4_value |= CR4_SMEP;
	if (x86_has_smap)
		cr4_value |= CR4_SMAP;
	if (seven.c >> 2 & 1)
		cr4_value |= CR4_UMIP;
	if ((one.c >> 26 & 1) && xsave_works()) {
		x86_has_xsave = true;
		cr4_value |= CR4_OSXSAVE;
		x86_xcr0 = 3 | (one.c >> 28 & 1 ? 4 : 0); /* x87, SSE, AVX */
		if (max >= 13)                            /* what XSETBV takes (SDM vol. 1, 13.2) */
			x86_xcr0 &= (u64)cpuid(13, 0).d << 32 | cpuid(13, 0).a;
		x86_xcr0 |= 1;
	}
	features_known = true;
}

static void control_registers(void)
{
	u64 cr0 = X86_CR0;

	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
	write_cr4(cr4_value);
	if (x86_has_xsave)
		__asm__ volatile("xsetbv"
				 :
				 : "c"(0), "a"((u32)x86_xcr0), "d"((u32)(x86_xcr0 >> 32)));
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	wrmsr(MSR_STAR, (u64)X86_STAR_USER << 48 | (u64)X86_KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)x86_syscall_entry);
	wrmsr(MSR_CSTAR, 0); /* there is no 32-bit user code segment to call it from */
	wrmsr(MSR_SFMASK, FLAG_CF | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_AC);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

void arch_exception_stack_set(unsigned int cpu, unsigned int i, void *base)
{
	struct exception_stack *st = base;

	st->percpu = percpu_offset[cpu];
	(*per_cpu_ptr(&exception_stacks, cpu))[i] = st;
	per_cpu_ptr(&x86_tss, cpu)->ist[IST_NMI - 1 + i] = (u64)&st->percpu;
}

const char *arch_exception_stack(unsigned long addr, unsigned long *base)
{
	static const char *const names[EXCEPTION_STACKS] = {"NMI", "double fault", "machine check"};
	struct exception_stack **st = *this_cpu_ptr(&exception_stacks);

	for (unsigned int i = 0; i < EXCEPTION_STACKS; i++) {
		*base = (unsigned long)st[i];
		if (addr - (*base - PAGE_SIZE) < PAGE_SIZE + sizeof(*st[i]))
			return names[i];
	}
	return NULL;
}

void arch_exception_stack_call(unsigned int i, void (*fn)(void))
{
	x86_call_on_stack(&(*this_cpu_ptr(&exception_stacks))[i]->percpu, fn);
}

static void descriptors(void)
{
	u64 *g = *this_cpu_ptr(&gdt);
	struct x86_tss *tss = this_cpu_ptr(&x86_tss);
	u64 t = (u64)tss;
	struct table_ptr gp = {sizeof(gdt) - 1, (u64)g}, ip = {sizeof(idt) - 1, (u64)idt};

	memset(tss, 0, sizeof(*tss));
	tss->iomap = sizeof(*tss);
	for (unsigned int i = 0; i < EXCEPTION_STACKS; i++)
		tss->ist[IST_NMI - 1 + i] = (u64) & (*this_cpu_ptr(&exception_stacks))[i]->percpu;
	g[0] = g[1] = g[4] = g[7] = 0;
	g[2] = 0x00af9b000000ffff; /* 0x10 kernel code, 64-bit */
	g[3] = 0x00cf93000000ffff; /* 0x18 kernel data */
	g[5] = 0x00cff3000000ffff; /* 0x2b user data */
	g[6] = 0x00affb000000ffff; /* 0x33 user code, 64-bit */
	g[8] = (sizeof(*tss) - 1) | (t & 0xffffff) << 16 | 0x89ull << 40 | (t >> 24 & 0xff) << 56;
	g[9] = t >> 32;
	__asm__ volatile("lgdt %0" : : "m"(gp));
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %1, %%ss"
			 :
			 : "i"(X86_KERNEL_CS), "r"(X86_KERNEL_DS)
			 : "rax", "memory");
	__asm__ volatile("ltr %w0" : : "r"(X86_TSS_SEL));
	/* After reset the LDT is present, at 0, of 64 KiB (SDM vol. 3, 10.1.1): a program's
	 * selector would read descriptors from wherever that is mapped. The null selector: there is
	 * none. */
	__asm__ volatile("lldt %w0" : : "r"(0));
	__asm__ volatile("lidt %0" : : "m"(ip));
}

void arch_trap_init_cpu(void)
{
	if (!features_known) {
		features_find();
		idt_build();
	}
	/* The IDT first: a bit of a control register that this CPU refuses is then a report. */
	descriptors();
	control_registers();
	x86_fpu_init();
}

unsigned long arch_hwcap(void)
{
	return hwcap;
}

/* STI takes effect after the next instruction: an interrupt that was pending ends the HLT. */
void arch_idle_wait(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

void __noreturn arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt" ::: "memory");
}
