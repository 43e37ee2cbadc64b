/* uaccess.S - copying between kernel and user memory. A fault that mm cannot resolve continues at
 * the recovery label of the exception table. After a fault in the word loop the byte
 * loop goes on, so that the count returned is exact. Result: rax = bytes not copied. */
#include <lib/extable.h>
#include "x86.h"

.macro user_access_on
	testb $1, x86_has_smap(%rip)
	jz 8f
	stac
8:
.endm
.macro user_access_off
	testb $1, x86_has_smap(%rip)
	jz 9f
	clac
9:
.endm
	.text
/* size_t (void *dst, const void *src, size_t n): one body under two names: a report
 * tells which. */
.macro copy_routine name
	.globl \name
	.type \name, @function
\name:
	pushq %rbp
	movq %rsp, %rbp
	user_access_on
	movq %rdx, %rcx
	shrq $3, %rcx
	andl $7, %edx
1:	rep movsq
	movl %edx, %ecx
2:	rep movsb
3:	movq %rcx, %rax
	user_access_off
	popq %rbp
	ret
4:	leaq (%rdx, %rcx, 8), %rcx
	jmp 2b
	ex_table 1b, 4b
	ex_table 2b, 3b
	.size \name, . - \name
.endm
	copy_routine arch_copy_from_user
	copy_routine arch_copy_to_user

/* size_t arch_clear_user(void *dst, size_t n) */
	.globl arch_clear_user
	.type arch_clear_user, @function
arch_clear_user:
	pushq %rbp
	movq %rsp, %rbp
	user_access_on
	movq %rsi, %rcx
	shrq $3, %rcx
	andl $7, %esi
	xorl %eax, %eax
1:	rep stosq
	movl %esi, %ecx
2:	rep stosb
3:	movq %rcx, %rax
	user_access_off
	popq %rbp
	ret
4:	leaq (%rsi, %rcx, 8), %rcx
	jmp 2b
	ex_table 1b, 4b
	ex_table 2b, 3b
	.size arch_clear_user, . - arch_clear_user
	.section .note.GNU-stack, "", @progbits
