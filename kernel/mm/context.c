/* context.c - which address space a CPU has loaded, ASIDs, and TLB shootdown.
 *
 * Model. loaded_mm is the address space in a CPU's translation root, NULL = none. It changes only
 * on that CPU with interrupts masked: by the scheduler's hook, by exec, and by an interrupt from
 * mm_context_drop().
 *
 * Lazy switching. A kernel thread or the idle thread runs on whatever space was loaded before:
 * loading a root is among the most expensive things a CPU does, and going idle and back to the same
 * program is the common case. That is safe because (1) kernel threads never touch user addresses,
 * and where the CPU can refuse such accesses it does; (2) mm->cpus still names the CPU, so flushes
 * reach it; (3) before an address space goes away mm_context_drop() makes each CPU of mm->cpus
 * unload it, and by then no thread can load it again.
 *
 * mm->cpus: a CPU sets its bit before it loads the root; without ASIDs, where a load of another
 * root leaves no translation behind, it clears it afterwards. The shooter stores the entry, then
 * looks at the mask, with a full barrier between: either it sees the bit and interrupts the CPU, or
 * that CPU's walks start after the store.
 *
 * Order of a change from old to new (load): the bit in new->cpus, the root, the bit in old->cpus,
 * and loaded_mm last, with release. loaded_mm is what mm_context_drop() looks at, with acquire: who
 * does not see old there any more may free old, its tables included, so by then the CPU translates
 * with another root and has used old for the last time. In between loaded_mm names old although the
 * root is new: an interrupt too many, which finds another space loaded and does nothing. The other
 * way round new has a root in use and no loaded_mm that says so; nobody can drop it, because the
 * thread that it is loaded for still has it.
 *
 * ASIDs. Each address space owns one number from birth to death; when they are used up, or the CPU
 * has none, it gets 0 and a switch to it flushes the user half. A number is reused only after all
 * CPUs were flushed of it. asid_lock guards the bitmap.
 */
#define LOG_TAG "mm"
#include <irq/irq.h>
#include <lib/bug.h>
#include <sync/lock_order.h>
#include <sync/spinlock.h>
#include <arch/thread.h>
#include <tracing/events.h>
#include "pgtable.h"
#include "vm_local.h"

static DEFINE_LOCK_CLASS(asid_class, "mm.asid", BB_LK_SPIN, RANK_ASID);
static DEFINE_SPINLOCK(asid_lock, asid_class);
static u64 *asid_map; /* [asid_lock] bit set = in use; NULL: no ASIDs */
static u32 asid_next; /* [asid_lock] where to look first */

static DEFINE_PER_CPU(struct mm *, loaded_mm);

/* Interrupts masked. mm NULL: none. */
static void load(struct mm *mm)
{
	struct mm **loaded = this_cpu_ptr(&loaded_mm);
	struct mm *old = *loaded;
	unsigned int cpu = this_cpu();

	if (old == mm)
		return;
	if (mm) {
		cpumask_set(&mm->cpus, cpu);
		smp_mb();
	}
	arch_mmu_switch(mm ? virt_to_phys(mm->root) : 0, mm ? mm->asid : 0);
	if (old && !old->asid)
		cpumask_clear(&old->cpus, cpu);
	/* From here on old may be gone. */
	atomic_store_release(loaded, mm);
}

void mm_switch(struct mm *mm)
{
	if (mm)
		load(mm);
}

void mm_activate(struct mm *mm)
{
	irqflags_t f = arch_irq_save();

	current_thread()->mm = mm;
	load(mm);
	arch_irq_restore(f);
}

static void unload_on_this_cpu(void *arg)
{
	if (*this_cpu_ptr(&loaded_mm) == arg)
		load(NULL);
}

void mm_context_drop(struct mm *mm)
{
	struct cpumask cpus = {0};
	irqflags_t f = arch_irq_save();

	/* A dying thread may still run on it; it must not be switched back to it later. */
	if (current_thread()->mm == mm)
		current_thread()->mm = NULL;
	unload_on_this_cpu(mm);
	arch_irq_restore(f);

	smp_mb();
	for_each_cpu (c)
		if (atomic_load_acquire(per_cpu_ptr(&loaded_mm, c)) == mm)
			cpumask_set(&cpus, c);
	if (cpumask_weight(&cpus))
		ipi_call(&cpus, unload_on_this_cpu, mm);

	if (mm->asid) {
		trace(tlb_flush, 0, USER_END, mm->asid);
		tlb_flush(0, USER_END, mm->asid, &mm->cpus);
		f = spin_lock_irqsave(&asid_lock);
		asid_map[mm->asid / 64] &= ~(1ull << mm->asid % 64);
		spin_unlock_irqrestore(&asid_lock, f);
		mm->asid = 0;
	}
}

void mm_flush(struct mm *mm, unsigned long start, unsigned long end)
{
	trace(tlb_flush, start, end - start, mm->asid);
	tlb_flush(start, end - start, mm->asid, &mm->cpus);
}

void mm_flush_local(struct mm *mm, unsigned long addr)
{
	arch_tlb_flush_local(addr & PAGE_MASK, PAGE_SIZE, mm->asid);
}

void mm_context_new(struct mm *mm)
{
	u32 max = arch_asid_max();
	irqflags_t f;

	mm->asid = 0;
	if (!asid_map)
		return;
	f = spin_lock_irqsave(&asid_lock);
	for (u32 n = 0, id = asid_next; n < max; n++, id = id < max ? id + 1 : 1) {
		if (asid_map[id / 64] >> id % 64 & 1)
			continue;
		asid_map[id / 64] |= 1ull << id % 64;
		asid_next = id < max ? id + 1 : 1;
		mm->asid = id;
		break;
	}
	spin_unlock_irqrestore(&asid_lock, f);
}

void mm_context_init(void)
{
	if (arch_asid_max()) {
		asid_map = kzalloc((arch_asid_max() / 64 + 1) * sizeof(u64));
		if (!asid_map)
			panic("no memory for the ASID map");
		asid_next = 1;
	}
}
