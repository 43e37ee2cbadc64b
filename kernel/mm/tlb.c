/* tlb.c - makes every CPU forget translations.
 *
 * Order. The caller has stored the page table's new content; a full barrier, then the look at the
 * mask. That pairs with the barrier after cpumask_set() in context.c: either the mask shows a CPU
 * and it is asked, or that CPU's walks start after the store. Where the architecture can broadcast
 * nobody is interrupted; elsewhere (x86-64) each CPU of the mask flushes in an IPI and the caller
 * waits for all, so interrupts must be on and no spin lock held that an interrupt handler takes. */
#include <irq/irq.h>
#include <sync/preempt.h>
#include "pgtable.h"

struct flush {
	unsigned long va, size;
	u32 asid;
};

static void flush_here(void *arg)
{
	const struct flush *f = arg;

	arch_tlb_flush_local(f->va, f->size, f->asid);
}

void tlb_flush(unsigned long va, unsigned long size, u32 asid, const struct cpumask *mask)
{
	struct flush f = {va, size, asid};
	struct cpumask others = {{0}};
	bool any = false;

	smp_mb();
	if (arch_tlb_flush_broadcast(va, size, asid))
		return;
	preempt_disable();
	flush_here(&f);
	for_each_online_cpu (c) {
		if (c == this_cpu() || !cpumask_test(mask, c))
			continue;
		cpumask_set(&others, c);
		any = true;
	}
	if (any)
		ipi_call(&others, flush_here, &f);
	preempt_enable();
}
