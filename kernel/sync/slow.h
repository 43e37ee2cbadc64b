/* slow.h - where the entries of spinlock.c and mutex.c go when the short way does not lead on. They
 * are called last, so that they return to the caller of the entry; `site` is that caller. */
#ifndef SYNC_SLOW_H
#define SYNC_SLOW_H

#include <sync/mutex.h>
#include <sync/spinlock.h>
#include <arch/thread.h>

/* For the CPU table: since when and where this CPU has masked interrupts. */
#if TRACING
static __always_inline void irqs_off_begin(struct thread *t, unsigned long site, u64 now)
{
	struct bb_cpu *c = t->cpu_box;

	c->irqs_off_site = site;
	c->irqs_off_since = now;
}

static __always_inline void irqs_off_end(struct thread *t)
{
	t->cpu_box->irqs_off_since = 0;
}
#else
#define irqs_off_begin(t, site, now) ((void)(now))
#define irqs_off_end(t)              ((void)(t))
#endif

/* Preemption is off. Waits for the lock and records it; _note records what is held already. */
void spin_enter(struct spinlock *l, unsigned long site);
void spin_note(struct spinlock *l, unsigned long site);
void spin_release(struct spinlock *l, unsigned long site);
void spin_leave(struct spinlock *l, unsigned long site);
/* The same with interrupts masked; f as they were before. Return f. */
irqflags_t spin_enter_irq(struct spinlock *l, irqflags_t f, unsigned long site);
irqflags_t spin_note_irq(struct spinlock *l, irqflags_t f, unsigned long site);
void spin_leave_irq(struct spinlock *l, irqflags_t f, unsigned long site);
/* A switch was asked for while preemption was off. */
void preempt_now(void);

void mutex_enter(struct mutex *m, unsigned long site);
void mutex_note(struct mutex *m, unsigned long site);
/* For mutex_lock_killable(); both return what it does, mutex_note_killable() 0. */
int mutex_enter_killable(struct mutex *m, unsigned long site);
int mutex_note_killable(struct mutex *m, unsigned long site);
bool mutex_note_tried(struct mutex *m, unsigned long site); /* true */
void mutex_leave(struct mutex *m, unsigned long site);
/* Its entry is off the held stack, and somebody queues. */
void mutex_pass_on(struct mutex *m);
void rw_read_enter(struct rwlock *l, unsigned long site);
void rw_read_note(struct rwlock *l, unsigned long site);
void rw_read_leave(struct rwlock *l, unsigned long site);
void rw_write_enter(struct rwlock *l, unsigned long site);
void rw_write_note(struct rwlock *l, unsigned long site);
void rw_write_leave(struct rwlock *l, unsigned long site);
void rw_pass_on(struct rwlock *l);

#endif
