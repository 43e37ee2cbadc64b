/* spinlock.c - test-and-test-and-set lock.
 *
 * Theory. One word. Enter: exchange with acquire; while taken, only read. Leave: store with
 * release. The record of holding is written after entering and taken out before leaving, so an
 * entry always belongs to the real holder. Preemption is off from before the first try: a holder or
 * waiter never leaves its CPU.
 *
 * Rejected: ticket lock. Fair, but this kernel's CPUs are threads of an emulator, often more of
 * them than the host has cores; when the next in line is not running on the host, everybody waits
 * for the host's scheduler (measured: 30000 contended acquisitions by 6 threads took 53 s on a busy
 * 2-core host, against well under a second for this one). */
#include <lib/atomic.h>
#include <sync/preempt.h>
#include <sync/spinlock.h>
#include <arch/context.h>
#include <arch/time.h>
#include <tracing_port.h>
#include <arch/cpu.h>

/* Looks at the wait-for chain after this many turns, then every time that many have passed. */
#define SPIN_CHECK_TURNS (1u << 16)

static __always_inline bool try_enter(struct spinlock *l)
{
	return !atomic_load(&l->locked) && !__atomic_exchange_n(&l->locked, 1, __ATOMIC_ACQUIRE);
}

static __always_inline void enter(struct spinlock *l, u32 mode, unsigned long site)
{
	if (unlikely(!try_enter(l))) {
		u32 turns = 0;

		track_spin_begin(&l->track, BB_WAIT_SPIN, site);
		while (!try_enter(l)) {
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
	l->locked = 0;
	track_lock_init(&l->track, cls);
}

void spin_lock(struct spinlock *l) NO_TSA
{
	preempt_disable();
	enter(l, BB_HOLD_EXCL, RET_IP);
}

bool spin_trylock(struct spinlock *l) NO_TSA
{
	preempt_disable();
	if (!try_enter(l)) {
		preempt_enable();
		return false;
	}
	track_acquired(&l->track, BB_HOLD_EXCL, RET_IP, arch_sp());
	return true;
}

void spin_unlock(struct spinlock *l) NO_TSA
{
	track_released(&l->track, BB_HOLD_EXCL, RET_IP);
	atomic_store_release(&l->locked, 0);
	preempt_enable();
}

/* For the CPU table: since when and where this CPU has masked interrupts. Interrupts masked. */
static __always_inline void note_irqs_off(u64 since, unsigned long site)
{
	struct bb_cpu *c = port_cpu();

	if (c) {
		WRITE_ONCE(c->irqs_off_site, site);
		WRITE_ONCE(c->irqs_off_since, since);
	}
}

irqflags_t spin_lock_irqsave(struct spinlock *l) NO_TSA
{
	irqflags_t f = arch_irq_save();

	preempt_disable();
	if (!arch_irqflags_disabled(f))
		note_irqs_off(arch_ticks(), RET_IP);
	enter(l, BB_HOLD_EXCL | BB_HOLD_IRQOFF, RET_IP);
	return f;
}

void spin_unlock_irqrestore(struct spinlock *l, irqflags_t f) NO_TSA
{
	track_released(&l->track, BB_HOLD_EXCL | BB_HOLD_IRQOFF, RET_IP);
	atomic_store_release(&l->locked, 0);
	if (!arch_irqflags_disabled(f))
		note_irqs_off(0, 0);
	arch_irq_restore(f);
	preempt_enable();
}

void spin_release_raw(struct spinlock *l)
{
	track_released(&l->track, BB_HOLD_EXCL, RET_IP);
	atomic_store_release(&l->locked, 0);
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
