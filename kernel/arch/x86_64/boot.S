/* boot.S - from the boot protocol, and from a start-up IPI, into C.
 *
 * Boot CPU: PVH (Xen's "x86/HVM direct boot ABI"): 32-bit, paging off, flat segments, EBX =
 * physical address of the start info. EAX is not part of the identification: some firmware enters with
 * another protocol's magic there; C checks the start info's own magic.
 *
 * Early map: 2 MiB pages for the low 4 GiB, seen at 0 (only until the jump to the link address, and
 * again for CPUs that start), at the direct map (not executable) and, its first GiB, at the image's
 * address. mm builds the final tables.
 *
 * A starting CPU runs the trampoline (copied below 1 MiB, position independent), turns on long mode
 * with the early map, moves to the kernel's final root - its stack is only mapped there - and takes
 * stack, per-CPU offset and idle thread from the slot of its own APIC id. It needs no lock and no
 * shared scratch word, so a CPU that comes late does no harm.
 */
#include <asm-offsets.h>
#include "x86.h"

#define IMAGE_BASE 0xffffffff80000000
#define PA(x) ((x) - IMAGE_BASE)
/* present, writable, accessed, dirty, 2 MiB */
#define PDE_FLAGS 0xe3
#define BOOT_CODE32 0x08
#define CPUID_EXTENDED  0x80000000
#define CPUID_LONG_MODE (1 << 29)
#define CPUID_NX        (1 << 20)
/* as in platform.c */
#define UART_DATA   0x3f8
#define UART_LSR    0x3fd
#define UART_EMPTY  0x20
#define DEBUG_EXIT  0xf4
#define EXIT_FAILED 0x11

	.section .note.boot, "a", @note
	.balign 4
	.long 4, 4, 18 /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long PA(x86_pvh_entry)

/* From 32-bit protected mode to long mode with x86_early_pml4; continues at the 64-bit label. */
.macro enter_long_mode target
	movl $(CR4_PAE | CR4_PGE), %eax
	movl %eax, %cr4
	movl $PA(x86_early_pml4), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $(EFER_LME | EFER_NXE), %eax
	wrmsr
	movl $X86_CR0, %eax
	movl %eax, %cr0
	ljmpl $X86_KERNEL_CS, $PA(\target)
.endm

	.section .head.text, "ax", @progbits
	.code32
	.globl x86_pvh_entry
	.type x86_pvh_entry, @function
x86_pvh_entry:
	rdtsc
	movl %eax, %esi
	movl %edx, %ebp
	cli
	cld
	/* without 64-bit mode or NX the next steps would reset the machine, or fault on their own tables */
	movl %ebx, %edi
	movl $CPUID_EXTENDED, %eax
	cpuid
	cmpl $CPUID_EXTENDED, %eax
	jbe early_die
	movl $(CPUID_EXTENDED + 1), %eax
	cpuid
	notl %edx
	testl $(CPUID_LONG_MODE | CPUID_NX), %edx
	jnz early_die
	movl %edi, %ebx
	movl $PA(__bss_start), %edi
	movl $PA(__image_end), %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	xorl %eax, %eax
	rep stosl

	/* 2048 entries of 2 MiB */
	movl $PA(early_pd), %edi
	movl $PDE_FLAGS, %eax
	movl $2048, %ecx
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x200000, %eax
	decl %ecx
	jnz 1b
	movl $PA(early_pd) + 3, %eax
	movl %eax, PA(early_pdpt_high) + 510 * 8
	movl $PA(early_pdpt), %edi
	movl $4, %ecx
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x1000, %eax
	decl %ecx
	jnz 1b
	movl $PA(early_pdpt) + 3, %eax
	movl %eax, PA(x86_early_pml4)
	movl %eax, PA(x86_early_pml4) + 256 * 8
	movl $0x80000000, PA(x86_early_pml4) + 256 * 8 + 4
	movl $PA(early_pdpt_high) + 3, PA(x86_early_pml4) + 511 * 8

	lgdtl PA(boot_gdt_ptr)
	enter_long_mode boot_low64
	.size x86_pvh_entry, . - x86_pvh_entry

/* One line on the first serial port, then QEMU's isa-debug-exit if it is there. */
early_die:
	movl $PA(text_no_cpu), %esi
1:	movw $UART_LSR, %dx
	inb %dx, %al
	testb $UART_EMPTY, %al
	jz 1b
	lodsb
	testb %al, %al
	jz 2f
	movw $UART_DATA, %dx
	outb %al, %dx
	jmp 1b
2:	movb $EXIT_FAILED, %al
	outb %al, $DEBUG_EXIT
3:	cli
	hlt
	jmp 3b

	.code64
boot_low64:
	movabsq $boot_high64, %rax
	jmpq *%rax
	.cfi_sections .debug_frame
	.cfi_startproc
	.cfi_undefined rip /* a walk ends here */
boot_high64:
	leaq boot_gdt_ptr_high(%rip), %rax
	lgdt (%rax)
	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	movw $X86_KERNEL_DS, %ax
	movw %ax, %ss
	leaq boot_stack_top(%rip), %rsp
	movl %ebx, %ebx
	movq %rbx, x86_start_info_pa(%rip)
	/* the identity map goes: a NULL access shall fault from here on */
	movq $0, x86_early_pml4(%rip)
	movq %cr3, %rax
	movq %rax, %cr3
	movl %esi, %edi
	shlq $32, %rbp
	orq %rbp, %rdi
	/* GS base is 0 after reset, the boot CPU's per-CPU offset; firmware may have changed it */
	movl $MSR_GS_BASE, %ecx
	xorl %eax, %eax
	xorl %edx, %edx
	wrmsr
	xorl %ebp, %ebp
	call kmain
	ud2
	.cfi_endproc

/* ---- starting CPUs -------------------------------------------------------------------------- */
	.code32
ap_entry32:
	movw $X86_KERNEL_DS, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	enter_long_mode ap_low64
	.code64
ap_low64:
	movabsq $ap_high64, %rax
	jmpq *%rax
	.cfi_startproc
	.cfi_undefined rip
ap_high64:
	leaq boot_gdt_ptr_high(%rip), %rax
	lgdt (%rax)
	movq x86_kernel_root(%rip), %rax
	movq %rax, %cr3
	xorl %eax, %eax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %fs
	movw %ax, %gs
	movl $1, %eax
	cpuid
	shrl $24, %ebx
	imulq $SLOT_BYTES, %rbx, %rbx
	leaq x86_ap_slots(%rip), %rax
	addq %rax, %rbx
	movq SLOT_STACK(%rbx), %rsp
	movq SLOT_PERCPU(%rbx), %rdi
	movq SLOT_IDLE(%rbx), %rsi
	xorl %ebp, %ebp
	call x86_secondary_start
	ud2
	.cfi_endproc

	.section .rodata, "a", @progbits
text_no_cpu:
	.asciz "PANIC: this CPU has no 64-bit mode or cannot forbid execution (NX); use -cpu max\r\n"
	.code16
	.globl x86_ap_trampoline, x86_ap_trampoline_end
x86_ap_trampoline:
	cli
	cld
	lgdtl %cs:(ap_gdt_ptr - x86_ap_trampoline)
	movl %cr0, %eax
	/* caches on: INIT leaves CD and NW set */
	andl $~(CR0_CD | CR0_NW), %eax
	orl $CR0_PE, %eax
	movl %eax, %cr0
	ljmpl $BOOT_CODE32, $PA(ap_entry32)
	.balign 4
ap_gdt_ptr:
	.word boot_gdt_end - boot_gdt - 1
	.long PA(boot_gdt)
x86_ap_trampoline_end:

	.balign 16
	.code64
boot_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 0x08: 32-bit code */
	.quad 0x00af9b000000ffff /* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff /* 0x18: data */
boot_gdt_end:
	.balign 4
boot_gdt_ptr:
	.word boot_gdt_end - boot_gdt - 1
	.long PA(boot_gdt)
	.balign 8
boot_gdt_ptr_high:
	.word boot_gdt_end - boot_gdt - 1
	.quad boot_gdt

	.section .bss, "aw", @nobits
	.balign 4096
	.globl x86_early_pml4
x86_early_pml4:
	.skip 4096
early_pdpt:
	.skip 4096
early_pdpt_high:
	.skip 4096
early_pd:
	.skip 4 * 4096
	/* the boot CPU's first stack; its idle thread stays on it. mm unmaps the page below it; aligned,
	 * as a walk over frames finds its end by that */
	.balign BOOT_STACK_BYTES
	.skip BOOT_STACK_BYTES
	.globl boot_stack, boot_stack_top
boot_stack:
	.skip BOOT_STACK_BYTES
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
