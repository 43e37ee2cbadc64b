/* arch.h - what the files of this folder share. Private to kernel/arch/aarch64. */
#ifndef AARCH64_ARCH_H
#define AARCH64_ARCH_H
#include <lib/boot.h>
#include <lib/percpu.h>
#include <arch/irqchip.h>
#include <arch/mmio.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <asm/sysreg.h>
#include "fdt.h"

/* ---- platform facts, filled by arch_boot_init() from the device tree; constant afterwards ---- */
struct intx_entry {
	u32 dev; /* phys.hi of the map entry, masked */
	u32 pin;
	u32 irq;
};
struct platform {
	struct fdt tree;
	phys_addr_t uart_pa; /* 0 = none */
	u32 uart_irq;        /* INTID, 0 = none */
	phys_addr_t gicd_pa;
	u64 gicd_size;
	struct mem_range *gicr;
	u32 nr_gicr;
	u64 gicr_stride;              /* 0: from each redistributor's own description */
	phys_addr_t rtc_pa, fwcfg_pa; /* 0 = none */
	u32 timer_irq;                /* INTID of the virtual timer */
	u32 timer_hz;                 /* 0: the register knows */
	bool psci, psci_smc;
	struct intx_entry *intx;
	u32 nr_intx, intx_dev_mask, intx_pin_mask;
	u64 irq_edge[ARCH_IRQ_MAX / 64]; /* edge-triggered INTIDs that the tree names */
};
extern struct platform platform;
extern phys_addr_t arch_dtb_pa; /* x0 at entry */
/* Where QEMU's virt machine has its UART: for messages from before, or about, the tree. */
#define UART_DEFAULT_PA 0x09000000ul
#define EARLY_MAP_SIZE  (4ul << 30)

/* ---- assembly ---- */
struct secondary_args {
	u64 root; /* physical */
	u64 stack_top, percpu, idle;
};
extern char secondary_entry[], exception_vectors[];
extern char empty_root[]; /* a page of zeros: a user half with nothing in it */
#define EMPTY_ASID 0xfffful
void mmu_replace_ttbr1(u64 root); /* to be called at its physical address (identity map) */
void mmu_init_cpu(void);          /* what this CPU needs of TLB maintenance */
void mmu_drop_identity(void);     /* the boot CPU's user half becomes empty */
struct thread *switch_context(struct thread *prev, struct thread *next);
void thread_first_run(void);
void thread_first_run_fork(void);
struct arch_thread;
void fp_save(struct arch_thread *ctx);
void fp_load(const struct arch_thread *ctx);
void icache_sync_range(unsigned long va, unsigned long end, u64 ctr);
DECLARE_PER_CPU(struct thread *, entry_thread); /* whom an entry from user mode interrupts */

DECLARE_PER_CPU(char *, overflow_stack_top); /* where a kernel stack overflow is reported */
void call_on_stack(char *top, void (*fn)(void));

/* Called by entry.S: DAIF all set, PMR masked. */
void trap_el1_sync(struct trap_frame *tf);
void trap_el1_irq(struct trap_frame *tf);
void trap_el1_serror(struct trap_frame *tf);
void trap_el0_sync(struct trap_frame *tf);
void trap_el0_irq(struct trap_frame *tf);
void trap_el0_serror(struct trap_frame *tf);
void trap_el0_compat(struct trap_frame *tf);
void trap_bad_vector(struct trap_frame *tf);
void trap_stack_overflow(struct trap_frame *tf);

/* ---- GIC ---- */
#define GIC_SGI_NMI  8u
#define GIC_SPURIOUS 1020u /* and above */
void gic_init(void);       /* distributor, finds every CPU's redistributor; boot CPU */
void gic_init_cpu(void);   /* this CPU's redistributor and CPU interface */
u32 gic_ack(void);
void gic_end(u32 irq);
/* How device registers are reached; from arch_irqchip_init() on. */
extern void *(*map_mmio)(phys_addr_t pa, u64 size);
extern phys_addr_t kernel_root_pa; /* the kernel's page table */

/* ---- the rest ---- */
void uart_early_init(phys_addr_t pa); /* through the identity map */
void uart_map(void);                  /* through a kernel mapping, from now on */
void timer_disarm(void);
long psci_call(u64 fn, u64 a, u64 b, u64 c);
#define PSCI_SYSTEM_OFF 0x84000008ul
#define PSCI_CPU_ON     0xc4000003ul

#endif
