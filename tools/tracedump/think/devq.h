/* devq.h - request queues shared with devices: what is with whom (FORMAT.md, Device queues). */
#ifndef TRACEDUMP_DEVQ_H
#define TRACEDUMP_DEVQ_H

#include "model.h"

struct td_queue {
	struct bb_queue q; /* name printable, layout inside the box */
	uint64_t id; /* kernel address of the entry: names the queue in verdicts and reports */
	const uint8_t *ring;
	/* requests, in order of age: finished but not looked at, with the device, never announced
	 */
	uint16_t done, busy, unannounced;
};

/* Entry i; false if it is unused or its layout makes no sense. */
bool td_queue(const struct td_model *m, uint32_t i, struct td_queue *out);
uint32_t td_queues(const struct td_model *m);
/* Did the CPU that takes the interrupts find finished requests lie there for seconds, and is it
 * still so? Then either no interrupt came since, or it came and the handler left them. */
bool td_queue_missed(const struct td_queue *q);
static inline bool td_queue_interrupted(const struct td_queue *q)
{
	return q->q.irqs && q->q.last_irq >= q->q.unseen_since;
}
/* Kernel address of the slot of the n-th request that is done, or that was never announced; 0 if
 * what stands in the rings is not a request of a slot. */
uint64_t td_queue_done_slot(const struct td_model *m, const struct td_queue *q, uint16_t n);
uint64_t td_queue_unannounced_slot(const struct td_model *m, const struct td_queue *q, uint16_t n);
/* Does this node wait for a request of this slot; of any slot? */
bool td_waits_for_slot(const struct td_model *m, const struct td_queue *q, uint32_t node,
		       uint64_t slot);
bool td_waits_for_queue(const struct td_model *m, const struct td_queue *q, uint32_t node);

#endif
