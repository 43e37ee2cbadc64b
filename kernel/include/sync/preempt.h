/* sync/preempt.h - preemption count of the current thread. It lives in the thread's black-box
 * entry, so a reader sees it; its bits are in thread.h. Any context. */
#ifndef SYNC_PREEMPT_H
#define SYNC_PREEMPT_H

#include <arch/thread.h>

u32 *preempt_count_ptr(void); /* the current thread's word; same address while it runs */
void preempt_disable(void);
/* Reschedules at once if that was asked for meanwhile and interrupts are on. */
void preempt_enable(void);
/* As preempt_enable, without rescheduling. */
void preempt_enable_noresched(void);
bool preemptible(void);  /* count 0 and interrupts on */
bool need_resched(void); /* this CPU was asked to switch */
bool in_irq(void);

#endif
