/* shim.c - what kernel/lib and kernel/mm need of the kernel, for host tests: one CPU, locks that
 * only check their use, a panic that the test can catch. */
#include <stdio.h>
#include <stdlib.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/cpu.h>
#include <lib/ksyms.h>
#include <lib/printk.h>
#include <sync/spinlock.h>
#include <arch/boot.h>
#include <arch/mmu.h>
#include <tracing/events.h>
#include "shim.h"

struct trace_box trace_box;
static unsigned long offsets[1];

__attribute__((constructor)) static void one_cpu(void)
{
	nr_cpus = 1;
	percpu_offset = offsets;
}

unsigned long shim_early_size;
jmp_buf *shim_panic;
char shim_panic_text[512];

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(shim_panic_text, sizeof(shim_panic_text), fmt, ap);
	va_end(ap);
	if (!shim_panic) {
		fprintf(stderr, "panic: %s\n", shim_panic_text);
		abort();
	}
	longjmp(*shim_panic, 1);
}

const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	*offset = addr;
	*size = 0;
	return "?";
}

void printk(enum log_level level, const char *tag, const char *fmt, ...)
{
}

void spin_init(struct spinlock *l, struct track_class *cls) NO_TSA
{
	l->track.owner = 0;
}

void spin_lock(struct spinlock *l) NO_TSA
{
	if (l->track.owner)
		abort();
	l->track.owner = 1;
}

void spin_unlock(struct spinlock *l) NO_TSA
{
	if (!l->track.owner)
		abort();
	l->track.owner = 0;
}

irqflags_t spin_lock_irqsave(struct spinlock *l) NO_TSA
{
	spin_lock(l);
	return 0;
}

void spin_unlock_irqrestore(struct spinlock *l, irqflags_t f) NO_TSA
{
	spin_unlock(l);
}

void trace_put1(uint64_t word, uint64_t a)
{
}

phys_addr_t arch_early_map_end(void)
{
	return HOST_RAM + shim_early_size;
}

void shim_set_cmdline(const char *line)
{
	boot_info.cmdline = line;
}
