/* spin_slow.c - spin locks when somebody must wait, or the record needs more than a push. Theory in
 * spinlock.c. */
#include <lib/atomic.h>
#include <sync/preempt.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/thread.h>
#include <arch/time.h>
#include "slow.h"

/* Looks at the wait-for chain after this many turns, then every time that many have passed. */
#define SPIN_CHECK_TURNS (1u << 16)

static bool try_enter(struct spinlock *l, u32 self)
{
	u32 free = 0;

	return !atomic_load(&l->track.owner) && atomic_try_cmpxchg(&l->track.owner, &free, self);
}

static void enter(struct spinlock *l, unsigned long site)
{
	u32 self = arch_current()->hold.owner, turns = 0;

	if (try_enter(l, self))
		return;
	track_spin_begin(&l->track, BB_WAIT_SPIN, site);
	while (!try_enter(l, self)) {
		arch_cpu_relax();
		if (unlikely(++turns % SPIN_CHECK_TURNS == 0))
			track_spin_still(&l->track, site);
	}
	track_spin_end(&l->track);
}

void spin_init(struct spinlock *l, struct track_class *cls)
{
	track_lock_init(&l->track, cls);
}

void spin_fini(struct spinlock *l)
{
	track_lock_fini(&l->track, false, RET_IP);
}

void spin_note(struct spinlock *l, unsigned long site)
{
	track_acquired(&l->track, BB_HOLD_EXCL, site, arch_sp());
}

void spin_enter(struct spinlock *l, unsigned long site)
{
	enter(l, site);
	track_acquired(&l->track, BB_HOLD_EXCL, site, arch_sp());
}

void spin_release(struct spinlock *l, unsigned long site)
{
	track_released(&l->track, BB_HOLD_EXCL, site);
	atomic_store_release(&l->track.owner, 0);
}

void spin_leave(struct spinlock *l, unsigned long site)
{
	spin_release(l, site);
	preempt_enable();
}

static void note_irqs_off(irqflags_t f, unsigned long site)
{
	if (TRACING && !arch_irqflags_disabled(f))
		irqs_off_begin(arch_current(), site, arch_ticks());
}

irqflags_t spin_note_irq(struct spinlock *l, irqflags_t f, unsigned long site)
{
	note_irqs_off(f, site);
	track_acquired(&l->track, BB_HOLD_EXCL | BB_HOLD_IRQOFF, site, arch_sp());
	return f;
}

irqflags_t spin_enter_irq(struct spinlock *l, irqflags_t f, unsigned long site)
{
	note_irqs_off(f, site); /* while it spins, too */
	enter(l, site);
	return spin_note_irq(l, f, site);
}

void spin_leave_irq(struct spinlock *l, irqflags_t f, unsigned long site)
{
	track_released(&l->track, BB_HOLD_EXCL | BB_HOLD_IRQOFF, site);
	atomic_store_release(&l->track.owner, 0);
	if (!arch_irqflags_disabled(f))
		irqs_off_end(arch_current());
	arch_irq_restore(f);
	preempt_enable();
}

bool spin_is_held(const struct spinlock *l)
{
	return atomic_load(&l->track.owner) == track_self();
}

void spin_hand_over(struct spinlock *l, struct bb_task *from, struct bb_task *to)
{
	track_hand_over(&l->track, from, to);
	atomic_store_release(&l->track.owner, (u32)(to - track_tables.tasks) + 1);
}
