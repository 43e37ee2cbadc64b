/* spinlock.c - test-and-set lock: the short way. spin_slow.c has the rest.
 *
 * Theory. The owner word is the lock: 0, or the number of the context that holds it. Enter: one
 * compare-and-swap (acquire), then the record. Leave: the record off, then a store of 0 (release).
 * So an entry always belongs to the real holder. Preemption is off from before the first try: a
 * holder or waiter never leaves its CPU.
 *
 * These functions are leaves without a frame (kernel.mk), and go on to the slow ones by a jump: to
 * who looks at a stack it is the slow one that the caller has called.
 *
 * Rejected: ticket lock. Fair, but this kernel's CPUs are threads of an emulator, often more of
 * them than the host has cores; when the next in line is not running on the host, everybody waits
 * for the host's scheduler (measured: 30000 contended acquisitions by 6 threads took 53 s on a busy
 * 2-core host, against well under a second for this one). */
#include "fast.h"

#define MODE_IRQ ((u64)BB_HOLD_IRQOFF << 32)

static __always_inline void preempt_get(struct thread *t)
{
	++*preempt_count_of(t);
	barrier();
}

static __always_inline void preempt_put(struct thread *t)
{
	barrier();
	--*preempt_count_of(t);
	barrier();
}

void spin_lock(struct spinlock *l) NO_TSA
{
	struct thread *t = arch_current();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(l), now;
	const struct bb_task *bb = t->bb;

	preempt_get(t);
	if (unlikely(!tag || !arch_take_word(&l->track.owner, self)))
		spin_enter(l, arch_leaf_return());
	else if (unlikely(!push(t, &l->track, tag, bb->user_epoch, arch_leaf_sp(), max, &now)))
		spin_note(l, arch_leaf_return());
}

void spin_unlock(struct spinlock *l) NO_TSA
{
	struct thread *t = arch_current();

	if (unlikely(!POP(t, &l->track, true))) {
		spin_leave(l, arch_leaf_return());
		return;
	}
	atomic_store_release(&l->track.owner, 0);
	preempt_put(t);
	if (unlikely(t->cpu_box->need_resched))
		preempt_now();
}

irqflags_t spin_lock_irqsave(struct spinlock *l) NO_TSA
{
	struct thread *t = arch_current();
	irqflags_t f = arch_irq_save();
	u32 self = t->hold.owner, max = MAX_HELD(t);
	u64 tag = TAG(l), now;
	const struct bb_task *bb = t->bb;

	preempt_get(t);
	if (unlikely(!tag || !arch_take_word(&l->track.owner, self)))
		return spin_enter_irq(l, f, arch_leaf_return());
	if (unlikely(
		    !push(t, &l->track, tag | MODE_IRQ, bb->user_epoch, arch_leaf_sp(), max, &now)))
		return spin_note_irq(l, f, arch_leaf_return());
	if (!arch_irqflags_disabled(f))
		irqs_off_begin(t, arch_leaf_return(), now);
	return f;
}

void spin_unlock_irqrestore(struct spinlock *l, irqflags_t f) NO_TSA
{
	struct thread *t = arch_current();

	if (unlikely(!POP(t, &l->track, true))) {
		spin_leave_irq(l, f, arch_leaf_return());
		return;
	}
	atomic_store_release(&l->track.owner, 0);
	preempt_put(t);
	if (!arch_irqflags_disabled(f)) {
		struct bb_cpu *c = t->cpu_box;

		irqs_off_end(t);
		arch_irq_enable();
		/* From here on this may be another CPU's: then we have been switched since. */
		if (unlikely(c->need_resched))
			preempt_now();
	}
}

void spin_release_raw(struct spinlock *l)
{
	if (unlikely(!POP(arch_current(), &l->track, true)))
		spin_release(l, arch_leaf_return());
	else
		atomic_store_release(&l->track.owner, 0);
}
