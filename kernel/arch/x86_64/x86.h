/* x86.h - what the files of this folder share: instructions that C cannot say, model specific
 * registers, vectors, and the few functions and facts that pass between the files. */
#ifndef X86_H
#define X86_H

/* Selectors; the user ones are Linux's values (STAR wants this order). */
#define X86_KERNEL_CS 0x10
#define X86_KERNEL_DS 0x18
#define X86_USER_DS   0x2b
#define X86_USER_CS   0x33
#define X86_TSS_SEL   0x40
#define X86_STAR_USER 0x23

#define MSR_APIC_BASE      0x0000001b
#define MSR_MCG_STATUS     0x0000017a
#define MSR_TSC_DEADLINE   0x000006e0
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE 0x001
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define CR0_PE  0x00000001
#define CR0_MP  0x00000002
#define CR0_EM  0x00000004
#define CR0_TS  0x00000008
#define CR0_ET  0x00000010
#define CR0_NE  0x00000020
#define CR0_WP  0x00010000
#define CR0_AM  0x00040000
#define CR0_NW  0x20000000
#define CR0_CD  0x40000000
#define CR0_PG  0x80000000
#define X86_CR0 (CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)

#define CR4_PAE        0x000020
#define CR4_MCE        0x000040
#define CR4_PGE        0x000080
#define CR4_OSFXSR     0x000200
#define CR4_OSXMMEXCPT 0x000400
#define CR4_UMIP       0x000800
#define CR4_OSXSAVE    0x040000
#define CR4_SMEP       0x100000
#define CR4_SMAP       0x200000

#define FLAG_CF   0x1
#define FLAG_TF   0x100
#define FLAG_IF   0x200
#define FLAG_DF   0x400
#define FLAG_IOPL 0x3000
#define FLAG_NT   0x4000
#define FLAG_RF   0x10000
#define FLAG_AC   0x40000
/* What a user program may have set: CF PF AF ZF SF TF DF OF RF AC ID. */
#define FLAG_USER 0x250dd5

/* Vectors. 0x20-0x2f: the PIC's, masked, only ever spurious. The device pool lies between. */
#define VEC_NMI           2
#define VEC_DOUBLE_FAULT  8
#define VEC_PAGE_FAULT    14
#define VEC_MACHINE_CHECK 18
#define VEC_PIC           0x20
#define VEC_DEVICE_FIRST  0x30
#define VEC_DEVICE_LAST   0xdf
#define VEC_TIMER         0xef
#define VEC_IPI           0xf0 /* + enum ipi_kind */
#define VEC_APIC_ERROR    0xfe
#define VEC_SPURIOUS      0xff

#define IST_NMI           1
#define IST_DOUBLE_FAULT  2
#define IST_MACHINE_CHECK 3

#ifndef __ASSEMBLER__
#include <lib/types.h>
#include <arch/smp.h>
#include <arch/trap.h>

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}
static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}
static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}
struct cpuid {
	u32 a, b, c, d;
};
static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}
static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}
static inline u64 read_cr3(void)
{
	u64 v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v) : : "memory");
	return v;
}
static inline void write_cr3(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}
static inline u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr4(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

/* tss as the CPU reads it (SDM vol. 3, 8.7) */
struct __packed x86_tss {
	u32 reserved0;
	u64 rsp0, rsp1, rsp2;
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
};
extern struct x86_tss x86_tss; /* per CPU */

/* entry.S */
extern char x86_vector_stubs[], x86_syscall_entry[];
void x86_call_on_stack(void *top, void (*fn)(void));
extern char x86_entry_nmi[], x86_entry_double_fault[], x86_entry_machine_check[];
void __noreturn x86_enter_user(struct trap_frame *tf);
/* switch.S */
extern char x86_thread_entry[], x86_fork_entry[];
struct thread *x86_switch_stack(struct thread *prev, struct thread *next, unsigned long *prev_sp,
				unsigned long next_sp);
/* trap.c, called by entry.S */
void x86_trap(struct trap_frame *tf);
void x86_syscall(struct trap_frame *tf);
void x86_exit_to_user(struct trap_frame *tf);
void x86_nmi(struct trap_frame *tf);
void x86_double_fault(struct trap_frame *tf);
void x86_machine_check(struct trap_frame *tf);

/* boot.S */
extern u64 x86_early_pml4[];
extern char x86_ap_trampoline[], x86_ap_trampoline_end[];
extern u64 x86_start_info_pa;
/* boot.c: page below 1 MiB for the trampoline, 0 = none */
extern phys_addr_t x86_trampoline_pa;
/* smp.c, from boot.S. A slot per APIC id: a CPU that starts late still finds its own. */
struct x86_ap_slot {
	void *stack;
	unsigned long percpu;
	struct thread *idle;
};
extern struct x86_ap_slot x86_ap_slots[256];
extern phys_addr_t x86_kernel_root; /* the kernel's page table; set by arch_mmu_enable_kernel() */
void __noreturn x86_secondary_start(unsigned long percpu, struct thread *idle);

/* cpu.c: what this kind of CPU has; constant after the boot CPU's set-up */
extern u8 x86_has_smap;
/* Is this the hypervisor's CPUID signature (12 bytes)? */
bool x86_hypervisor_is(const char *signature);
extern bool x86_has_xsave, x86_has_deadline;
extern u64 x86_xcr0;

/* context.c: makes the clean FP image, once; the boot CPU. */
void x86_fpu_init(void);

/* apic.c */
void x86_apic_eoi(void);
void x86_apic_error(void);
u32 x86_apic_id(void);
/* The APIC's timer: LVT entry and initial count; remaining count. */
void x86_apic_timer(u32 lvt, u32 count);
void x86_apic_timer_count(u32 count);
u32 x86_apic_timer_left(void);
void x86_apic_send_init(u32 id);
void x86_apic_send_startup(u32 id, u8 page);
/* Maps the boot CPU's and every CPU's local APIC registers; enables it here. */
void x86_apic_init(void);
/* ioapic.c */
void x86_ioapic_init(void);
/* How device registers are reached; from arch_irqchip_init() on. */
extern void *(*x86_map_mmio)(phys_addr_t pa, u64 size);
/* time.c: true if the timer really is due; re-arms otherwise */
bool x86_timer_due(void);
#endif
#endif
