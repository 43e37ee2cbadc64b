/* sync/spinlock.h - spin lock. Holding one turns preemption off; the _irq forms also mask
 * interrupts on this CPU. Never sleep while holding one. All contexts except NMI. Tracked.
 * Sites: the caller's address is recorded, so these stay out of line. */
#ifndef SYNC_SPINLOCK_H
#define SYNC_SPINLOCK_H

#include <trace/lock_class.h>
#include <arch/irqflags.h>

struct CAPABILITY("spinlock") spinlock {
	struct track_lock track; /* its owner word is the lock */
};
#define SPINLOCK_INIT(cls)                                                                         \
	{                                                                                          \
		.track = TRACK_LOCK_INIT(cls)                                                      \
	}
#define DEFINE_SPINLOCK(name, cls) struct spinlock name = SPINLOCK_INIT(cls)

void spin_init(struct spinlock *l, struct track_class *cls);
/* Before its memory goes, when nobody holds it, waits for it or can get at it any more: so are the
 * _fini of all locks and queues. A mistake is reported, with the place of this call. */
void spin_fini(struct spinlock *l);
void spin_lock(struct spinlock *l) ACQUIRE(*l);
void spin_unlock(struct spinlock *l) RELEASE(*l);
irqflags_t spin_lock_irqsave(struct spinlock *l) ACQUIRE(*l);
void spin_unlock_irqrestore(struct spinlock *l, irqflags_t f) RELEASE(*l);
/* Does this CPU's current context hold it? For assertions. */
bool spin_is_held(const struct spinlock *l);
/* Release without touching the preemption count or interrupts: the second half of a switch. */
void spin_release_raw(struct spinlock *l);
/* The owner of a lock passes to `task` without unlocking: context switch only. */
void spin_hand_over(struct spinlock *l, struct bb_task *from, struct bb_task *to);

#endif
