/* boot.S - the first instructions on every CPU.
 *
 * Boot CPU: QEMU (or any loader of Linux arm64 Images) puts the flat image 2 MiB above the start of
 * RAM and jumps to its first byte with the MMU off, x0 = device tree. The code reads the counter,
 * leaves EL2 if it is there, checks what the kernel cannot do without, clears .bss and .blackbox,
 * builds the early page tables and enters kmain(entry_ticks) at its link address.
 *
 * Caches. Until the MMU is on, stores go past the caches to memory, while the walker and later the
 * kernel look into them. A line that the loader left dirty would be written over what we stored, a
 * clean one would hide it (Arm ARM D8.2.12, "mixed attributes"; only a hypervisor without FEAT_S2FWB
 * shows it). So what is written here is invalidated to the point of coherency before and after.
 *
 * Early map. TTBR1: direct map of the first 4 GiB from the start of RAM in 2 MiB blocks; the image
 * mapping shares the first of these tables, as both show the start of RAM. Everything is writable
 * and executable until mm builds the final tables (arch_mmu_enable_kernel). TTBR0: identity; the
 * first GiB as device memory (virt's UART is there), the GiB that holds the image as memory. It
 * stays on the boot CPU until arch_irqchip_init() has mapped the UART; a starting secondary uses
 * it for a few instructions.
 *
 * Registers kept on the way: x20 entry counter, x21 device tree, x22 start of RAM, x23 entered at EL2.
 *
 * Secondary CPU: PSCI CPU_ON enters secondary_entry with x0 = physical address of its
 * struct secondary_args. It goes straight to the final kernel tables.
 */
#include "macros.h"

#define NORMAL_BLOCK ((1 << 54) | (1 << 10) | (3 << 8) | (0 << 2) | 1)
#define ID_BLOCK ((1 << 10) | (3 << 8) | (0 << 2) | (1 << 11) | 1)
#define ID_DEVICE ((1 << 54) | (1 << 53) | (1 << 10) | (1 << 11) | (1 << 2) | 1)
#define TABLE 3

	.section .head.text, "ax"
	.globl	image_head
image_head:
	mrs	x20, cntvct_el0		/* code0: the counter comes first */
	b	primary_entry		/* code1 */
	.quad	0			/* text_offset from a 2 MiB boundary */
	.quad	image_size		/* includes .bss and .blackbox */
	.quad	2			/* little endian, 4 KiB pages, near the start of RAM */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
primary_entry:
	msr	daifset, #0xf
	mov	x23, xzr
	mov	x21, x0
	bl	el2_leave
	bl	cpu_check

	bl	invalidate_bss
	adr_l	x0, __bss_start
	adr_l	x1, __image_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b

	adr_l	x22, __image_start
	sub	x22, x22, #0x200000
	bl	build_early_tables
	bl	invalidate_bss
	bl	cpu_setup
	adr_l	x1, id_l0
	adr_l	x2, early_l0
	ldr	x3, =primary_high
	b	mmu_on

	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined x30		/* a walk ends here */
primary_high:
	adr_l	x1, boot_stack_top
	mov	sp, x1
	adr_l	x1, arch_ram_base
	str	x22, [x1]
	adr_l	x1, arch_dtb_pa
	str	x21, [x1]
	msr	tpidr_el1, xzr
	msr	sp_el0, xzr
	mov	x29, xzr
	mov	x0, x20
	bl	kmain
	b	.
	.cfi_endproc

FUNC(secondary_entry)
	msr	daifset, #0xf
	mov	x23, xzr
	mov	x19, x0
	bl	el2_leave
	bl	cpu_check
	ldr	x20, [x19, #SEC_STACK]
	ldr	x21, [x19, #SEC_PERCPU]
	ldr	x22, [x19, #SEC_IDLE]
	bl	cpu_setup
	adr_l	x1, id_l0
	ldr	x2, [x19, #SEC_ROOT]
	ldr	x3, =secondary_high
	b	mmu_on
END(secondary_entry)

	.cfi_startproc
	.cfi_undefined x30
secondary_high:
	mov	sp, x20
	msr	tpidr_el1, x21
	msr	sp_el0, x22
	mov	x29, xzr
	bl	mmu_drop_identity
	mov	x30, xzr
	bl	cpu_secondary_main
	b	.
	.cfi_endproc
	.ltorg

/* Drops .bss and .blackbox, with the early tables, from the caches; no line at the ends is shared:
 * both are on page boundaries. Clobbers x0-x3. */
invalidate_bss:
	adr_l	x0, __bss_start
	adr_l	x1, __image_end
	mrs	x2, ctr_el0
	ubfx	x2, x2, #16, #4		/* DminLine: log2 words */
	mov	x3, #4
	lsl	x3, x3, x2
	dsb	sy
1:	dc	ivac, x0
	add	x0, x0, x3
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* x0 = SCTLR, x1 = TTBR0, x2 = TTBR1, x3 = where to go on. */
mmu_on:
	msr	ttbr0_el1, x1
	msr	ttbr1_el1, x2
	isb
	msr	sctlr_el1, x0
	isb
	br	x3

/* Entered at EL2 (machine with virtualization=on): gives EL1 everything and continues there at the
 * caller, with x23 = 1. Registers that trap EL1 are of no known value at reset, so each that this CPU
 * has is written. Some CPUs cannot clear HCR_EL2.E2H (FEAT_E2H0 absent, Arm ARM D24.2.48): there
 * CNTHCTL and CPTR have their other layout and SCTLR_EL1 is reached as SCTLR_EL12. Clobbers x0-x4. */
el2_leave:
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.eq	1f
	ret
1:	mov	x23, #1
	mov	x0, #(1 << 31)		/* EL1 is 64-bit; nothing is trapped */
	msr	hcr_el2, x0
	isb
	mrs	x4, hcr_el2
	ubfx	x4, x4, #34, #1		/* E2H after all? */
	mov	x1, #3			/* EL1 may use the counters and timers */
	mov	x2, #0x33ff		/* no trap of FP/SIMD; SVE is not used */
	cbz	x4, 3f
	mov	x1, #(3 << 10)
	mov	x2, #(3 << 20)
3:	mrs	x0, cnthctl_el2
	orr	x0, x0, x1
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	msr	cptr_el2, x2
	mov	x1, xzr			/* MDCR_EL2: EL1 has the debug registers and all counters */
	mrs	x0, id_aa64dfr0_el1
	ubfx	x2, x0, #8, #4
	sub	x2, x2, #1
	cmp	x2, #0xe		/* 1..14: there is an architected PMU */
	b.hs	4f
	mrs	x1, pmcr_el0
	ubfx	x1, x1, #11, #5		/* HPMN = all */
4:	msr	mdcr_el2, x1
	mrs	x0, id_aa64mmfr0_el1
	ubfx	x0, x0, #56, #4
	cbz	x0, 5f			/* FEAT_FGT: no fine-grained traps */
	msr	HFGRTR_EL2, xzr
	msr	HFGWTR_EL2, xzr
	msr	HFGITR_EL2, xzr
	msr	HDFGRTR_EL2, xzr
	msr	HDFGWTR_EL2, xzr
5:	mrs	x0, id_aa64mmfr1_el1
	ubfx	x0, x0, #40, #4
	cbz	x0, 6f			/* FEAT_HCX */
	msr	HCRX_EL2, xzr
6:
	msr	hstr_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	mrs	x0, id_aa64pfr0_el1
	tst	x0, #(0xf << 24)
	b.eq	2f
	mrs	x0, icc_sre_el2
	mov	x1, #9
	orr	x0, x0, x1		/* SRE and Enable: EL1 has the GIC registers */
	msr	icc_sre_el2, x0
	isb
	msr	ich_hcr_el2, xzr
2:	ldr	x0, =0x30500800		/* MMU off, reserved bits as they must be */
	cbz	x4, 7f
	msr	SCTLR_EL12, x0
	b	8f
7:	msr	sctlr_el1, x0
8:
	mov	x0, #0x3c5		/* EL1h, everything masked */
	msr	spsr_el2, x0
	msr	elr_el2, x30
	eret

/* Stops with a line on the serial port if this CPU lacks what the kernel is compiled for. */
cpu_check:
	mrs	x0, id_aa64isar0_el1
	ubfx	x0, x0, #20, #4
	cmp	x0, #2
	adr_l	x1, text_no_lse
	b.lo	early_die
	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #24, #4
	adr_l	x1, text_no_gic
	cbz	x0, early_die
	mrs	x0, id_aa64mmfr0_el1
	ubfx	x0, x0, #28, #4
	adr_l	x1, text_no_4k
	cmp	x0, #0xf
	b.eq	early_die
	ret

/* x1 = text, x23 = 1 if the CPU was entered at EL2. The UART of the virt machine, as no tree was read
 * yet; then the end that arch_poweroff(false) makes: semihosting SYS_EXIT_EXTENDED hands QEMU the
 * status of a failure. Without -semihosting HLT is undefined, and PSCI SYSTEM_OFF is what is left. */
early_die:
	movz	x2, #0x0900, lsl #16
1:	ldrb	w0, [x1], #1
	cbz	w0, 2f
	str	w0, [x2]
	b	1b
2:	adr_l	x0, early_vectors
	msr	vbar_el1, x0
	isb
	mov	x0, #0x20
	adr_l	x1, exit_failure
	hlt	#0xf000
	b	early_off

	.balign	2048
early_vectors:
	.skip	0x200			/* a synchronous exception on EL1's own stack is next */
early_off:
	movz	x0, #0x8400, lsl #16
	movk	x0, #0x0008
	cbnz	x23, 4f
	hvc	#0
4:	smc	#0			/* who had EL2 has its firmware above that */
3:	wfi
	b	3b

/* System registers of this CPU. Returns the SCTLR value that turns the MMU on in x0. */
cpu_setup:
	mrs	x0, icc_sre_el1		/* before the first access to the priority mask */
	orr	x0, x0, #1
	msr	icc_sre_el1, x0
	isb
	mov	x0, #PMR_MASKED
	msr	icc_pmr_el1, x0

	mov	x0, #(3 << 20)		/* FP/SIMD for EL0 and EL1; SVE and SME trap */
	msr	cpacr_el1, x0
	mov	x0, #2			/* EL0 may read CNTVCT, nothing else */
	msr	cntkctl_el1, x0
	mov	x0, #(1 << 12)		/* TDCC: EL0 has no way to a debugger's mailbox */
	msr	mdscr_el1, x0
	msr	tpidr_el0, xzr
	msr	tpidrro_el0, xzr
	mrs	x0, id_aa64dfr0_el1
	ubfx	x0, x0, #8, #4
	sub	x1, x0, #1
	cmp	x1, #0xe		/* 1..14: there is an architected PMU */
	b.hs	1f
	msr	pmuserenr_el0, xzr
1:	mrs	x0, id_aa64pfr0_el1
	ubfx	x0, x0, #44, #4
	cbz	x0, 1f
	msr	AMUSERENR_EL0, xzr	/* activity monitors */
1:	mrs	x0, id_aa64mmfr1_el1
	ubfx	x0, x0, #20, #4
	cbz	x0, 2f
	msr	pan, #1			/* exceptions to EL1 set it again (SPAN = 0) */
2:
	mov	x0, #0x04ff		/* 0: memory, write-back; 1: device nGnRE */
	msr	mair_el1, x0
	/* 48-bit halves, 4 KiB granule, walks inner shareable and write-back. */
	ldr	x0, =((16 << 0) | (1 << 8) | (1 << 10) | (3 << 12) | (16 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30))
	mrs	x1, id_aa64mmfr0_el1
	and	x2, x1, #0xf
	mov	x3, #5			/* 48 bits are the most this format holds */
	cmp	x2, x3
	csel	x2, x2, x3, lo
	orr	x0, x0, x2, lsl #32
	ubfx	x1, x1, #4, #4
	cmp	x1, #2
	b.ne	3f
	orr	x0, x0, #(1 << 36)	/* 16-bit ASIDs */
3:	mrs	x1, id_aa64mmfr2_el1
	ubfx	x1, x1, #60, #4
	cbz	x1, 4f
	orr	x0, x0, #(1 << 56)	/* E0PD1: EL0's accesses to the kernel half fault without a walk */
4:	msr	tcr_el1, x0
	tlbi	vmalle1
	dsb	nsh
	isb
	/* M C SA SA0 ITD SED EOS I DZE UCT nTWI nTWE TSCXT EIS UCI nTLSMD LSMAOE */
	ldr	x0, =0x3455d99d
	ret
	.ltorg

/* x22 = start of RAM. Clobbers x0-x4. */
build_early_tables:
	adr_l	x0, early_l2
	ldr	x1, =NORMAL_BLOCK
	orr	x1, x1, x22
	mov	x2, #2048		/* 4 GiB */
1:	str	x1, [x0], #8
	add	x1, x1, #0x200000
	subs	x2, x2, #1
	b.ne	1b

	adr_l	x0, early_l2
	orr	x0, x0, #TABLE
	adr_l	x1, early_l1_image
	str	x0, [x1, #(510 * 8)]	/* IMAGE_BASE */
	adr_l	x2, early_l1_direct
	mov	x3, #4
2:	str	x0, [x2], #8
	add	x0, x0, #4096
	subs	x3, x3, #1
	b.ne	2b
	adr_l	x2, early_l1_direct
	orr	x2, x2, #TABLE
	orr	x1, x1, #TABLE
	adr_l	x0, early_l0
	str	x2, [x0, #(256 * 8)]	/* DIRECT_MAP_BASE */
	str	x1, [x0, #(511 * 8)]

	adr_l	x0, id_l1
	ldr	x1, =ID_DEVICE
	str	x1, [x0]
	adr_l	x1, image_head
	lsr	x1, x1, #30
	ldr	x2, =ID_BLOCK
	orr	x2, x2, x1, lsl #30
	and	x1, x1, #511
	str	x2, [x0, x1, lsl #3]
	adr_l	x1, image_head
	ubfx	x1, x1, #39, #9
	orr	x0, x0, #TABLE
	adr_l	x2, id_l0
	str	x0, [x2]
	str	x0, [x2, x1, lsl #3]
	ret
	.ltorg

/* void mmu_replace_ttbr1(u64 root): runs in the identity map, exceptions masked, so that for a
 * moment there can be no kernel half at all: old and new tables map the same addresses with blocks
 * of different size, which must never be in the TLB together. Returns to the kernel half. */
FUNC(mmu_replace_ttbr1)
	adr_l	x1, empty_root
	msr	ttbr1_el1, x1
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	ttbr1_el1, x0
	isb
	ret
END(mmu_replace_ttbr1)

/* void mmu_drop_identity(void): this CPU's user half becomes the empty table. Link address. */
FUNC(mmu_drop_identity)
	adr_l	x0, empty_root
	ldr	x1, =__image_start
	sub	x0, x0, x1
	adr_l	x1, arch_ram_base
	ldr	x1, [x1]
	add	x0, x0, x1
	add	x0, x0, #0x200000
	mov	x1, #EMPTY_ASID_BITS
	orr	x0, x0, x1, lsl #48
	msr	ttbr0_el1, x0
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	ret
END(mmu_drop_identity)
	.ltorg

	.section .rodata, "a"
	.balign	8
exit_failure:
	.quad	0x20026, 1		/* ADP_Stopped_ApplicationExit, status */
text_no_lse:
	.asciz	"PANIC: this CPU has no atomic instructions (ARMv8.1 LSE); use -cpu max\r\n"
text_no_gic:
	.asciz	"PANIC: no GICv3 system registers; use -M virt,gic-version=3\r\n"
text_no_4k:
	.asciz	"PANIC: this CPU has no 4 KiB pages\r\n"

	.bss
	/* mm unmaps the page below it; aligned, as a walk over frames finds its end by that */
	.balign	BOOT_STACK_BYTES
	.skip	BOOT_STACK_BYTES
	.globl	boot_stack, boot_stack_top
boot_stack:	.skip BOOT_STACK_BYTES
boot_stack_top:
early_l0:	.skip 4096
early_l1_direct: .skip 4096
early_l1_image:	.skip 4096
early_l2:	.skip 4 * 4096
id_l0:		.skip 4096
id_l1:		.skip 4096
	.globl	empty_root
empty_root:	.skip 4096
