/* spinlock.c - ticket lock.
 *
 * Theory. `next` gives tickets, `serving` admits them in order: fair, one atomic add to enter, one
 * store to leave. Acquire: the load of serving that equals our ticket; it pairs with the release
 * store in spin_unlock. The record of holding is written after entering and taken out before
 * leaving, so an entry always belongs to the real holder. Preemption is off from before the ticket
 * is drawn: a holder or waiter never leaves its CPU. */
#include <kernel/atomic.h>
#include <kernel/preempt.h>
#include <kernel/spinlock.h>
#include <arch/context.h>
#include <arch/cpu.h>

/* Looks at the wait-for chain after this many turns, then every time that many have passed. */
#define SPIN_CHECK_TURNS (1u << 16)

static __always_inline void ticket_enter(struct spinlock *l, u32 mode, unsigned long site)
{
	u32 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	if (unlikely(atomic_load_acquire(&l->serving) != ticket)) {
		u32 turns = 0;

		track_spin_begin(&l->track, BB_WAIT_SPIN, site);
		while (atomic_load_acquire(&l->serving) != ticket) {
			arch_cpu_relax();
			if (unlikely(++turns % SPIN_CHECK_TURNS == 0))
				track_spin_still(&l->track, site);
		}
		track_spin_end(&l->track);
	}
	track_acquired(&l->track, mode, site, arch_sp());
}

void spin_init(struct spinlock *l, struct track_class *cls)
{
	l->next = l->serving = 0;
	track_lock_init(&l->track, cls);
}

void spin_lock(struct spinlock *l) NO_TSA
{
	preempt_disable();
	ticket_enter(l, BB_HOLD_EXCL, RET_IP);
}

bool spin_trylock(struct spinlock *l) NO_TSA
{
	u32 serving;

	preempt_disable();
	serving = atomic_load(&l->serving);
	if (!atomic_try_cmpxchg(&l->next, &serving, serving + 1)) {
		preempt_enable();
		return false;
	}
	track_acquired(&l->track, BB_HOLD_EXCL, RET_IP, arch_sp());
	return true;
}

void spin_unlock(struct spinlock *l) NO_TSA
{
	track_released(&l->track, BB_HOLD_EXCL, RET_IP);
	atomic_store_release(&l->serving, l->serving + 1);
	preempt_enable();
}

irqflags_t spin_lock_irqsave(struct spinlock *l) NO_TSA
{
	irqflags_t f = arch_irq_save();

	preempt_disable();
	ticket_enter(l, BB_HOLD_EXCL | BB_HOLD_IRQOFF, RET_IP);
	return f;
}

void spin_unlock_irqrestore(struct spinlock *l, irqflags_t f) NO_TSA
{
	track_released(&l->track, BB_HOLD_EXCL | BB_HOLD_IRQOFF, RET_IP);
	atomic_store_release(&l->serving, l->serving + 1);
	arch_irq_restore(f);
	preempt_enable();
}

bool spin_is_held(const struct spinlock *l)
{
	u32 self = track_self();

	return self && atomic_load(&l->track.owner) == self;
}

void spin_hand_over(struct spinlock *l, struct bb_task *from, struct bb_task *to)
{
	track_hand_over(&l->track, from, to);
}
