/* arch/exception_stack.h - stacks that some exceptions have of their own, on each CPU: those that
 * may come when the thread's stack cannot be used. The boot CPU starts with some inside the image;
 * mm gives every CPU its lasting ones, each with an unmapped page below. */
#ifndef ARCH_EXCEPTION_STACK_H
#define ARCH_EXCEPTION_STACK_H
#include <lib/types.h>

/* A report is written on these, so they are as large as it needs. */
#define EXCEPTION_STACK_SIZE 8192

/* How many a CPU has. */
extern const unsigned int arch_exception_stacks;
/* CPU `cpu`'s stack `i` is now at `base`. Boot CPU, before the others start. */
void arch_exception_stack_set(unsigned int cpu, unsigned int i, void *base);
/* The name of this CPU's stack that addr is in, or in the page below; its lowest address goes to
 * *base. NULL: in none. Any context. */
const char *arch_exception_stack(unsigned long addr, unsigned long *base);
/* Runs fn on this CPU's stack `i`, which nobody may be using. For tests. */
void arch_exception_stack_call(unsigned int i, void (*fn)(void));
#endif
