/* verdict_device.c - missing-irq, and what else is wrong with a device's queue.
 *
 * The queue's two rings and the driver's marks say with whom each request is; what is with the
 * device is never a cause, however long it takes. A request that the driver has queued without
 * calling the device matters only once its submitter, who would call, sleeps. In a live box the
 * queues are copied a little before the tasks: what rests on both asks for a wait much longer than
 * that.
 */
#include "verdict.h"

#include <inttypes.h>

static struct td_verdict *add_queue(struct td_analysis *a, uint32_t kind, uint32_t reason,
				    const struct td_queue *q)
{
	struct td_verdict *v = td_add(a, &td_device, kind, reason, TD_NOBODY);

	v->lock = q->id;
	v->queue = *q;
	return v;
}

static void mark_slot(struct td_analysis *a, const struct td_queue *q, uint64_t slot)
{
	for (uint32_t i = 0; i < a->m->ntasks; i++)
		if (td_waits_for_slot(a->m, q, i, slot))
			td_mark(a, i, a->n - 1, true);
}

static void find_queues(struct td_analysis *a)
{
	const struct td_model *m = a->m;
	struct td_queue q;

	for (uint32_t i = 0; i < td_queues(m); i++) {
		bool called;

		if (!td_queue(m, i, &q))
			continue;
		if (td_queue_missed(&q)) {
			if (td_queue_interrupted(&q))
				add_queue(a, BB_V_LOST_WAKEUP, TD_R_NOT_TAKEN, &q);
			else
				add_queue(a, BB_V_MISSING_IRQ, TD_R_UNSEEN, &q);
			for (uint16_t n = 0; n < q.done; n++)
				mark_slot(a, &q, td_queue_done_slot(m, &q, n));
		}
		called = true;
		for (uint16_t n = 0; n < q.unannounced; n++) {
			uint64_t slot = td_queue_unannounced_slot(m, &q, n);

			for (uint32_t k = 0; k < m->ntasks; k++) {
				if (a->cause[k] >= 0 || !td_waits_for_slot(m, &q, k, slot) ||
				    td_model_age(m, m->wait[k].ticks) < TD_LOST)
					continue;
				if (called)
					add_queue(a, BB_V_NO_WAKER, TD_R_NOT_ANNOUNCED, &q)->node =
						k;
				called = false;
				td_mark(a, k, a->n - 1, true);
			}
		}
		if (q.done || q.busy || q.unannounced ||
		    (q.q.cpu < m->ncpus && m->cpu[q.q.cpu].c.irq_depth))
			continue;
		for (uint32_t k = 0; k < m->ntasks; k++) {
			if (a->cause[k] >= 0 || !td_waits_for_queue(m, &q, k) ||
			    td_model_age(m, m->wait[k].ticks) < TD_LOST)
				continue;
			add_queue(a, BB_V_LOST_WAKEUP, TD_R_IO_DONE, &q)->node = k;
			td_mark(a, k, a->n - 1, true);
		}
	}
}

static void say_queue(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_queue *q = &v->queue.q;
	uint32_t n = v->reason == TD_R_NOT_ANNOUNCED ? v->queue.unannounced : v->queue.done;

	switch (v->reason) {
	case TD_R_UNSEEN:
		td_line(r, "%s device %s has finished %u request%s, but its interrupt never came.",
			cause, q->name, n, n == 1 ? "" : "s");
		td_line(r,
			"       cpu%u, which should get it, takes its timer's and has found it so "
			"%u times since t=%.3f s",
			q->cpu, q->looks, td_seconds(m, q->unseen_since));
		break;
	case TD_R_NOT_TAKEN:
		td_line(r,
			"%s device %s has finished %u request%s and has interrupted since, but the "
			"handler took none.",
			cause, q->name, n, n == 1 ? "" : "s");
		break;
	case TD_R_NOT_ANNOUNCED:
		td_line(r, "%s device %s was never told of %u request%s in its queue.", cause,
			q->name, n, n == 1 ? "" : "s");
		break;
	default:
		td_line(r,
			"%s %s waits for device %s, which has no request left: the wake-up was "
			"lost.",
			cause, td_node_name(m, v->node), q->name);
		break;
	}
	if (q->irqs)
		td_line(r, "       its last interrupt was at t=%.3f s, of %" PRIu64,
			td_seconds(m, q->last_irq), q->irqs);
	else
		td_line(r, "       it has not interrupted once");
	td_say_waiters(r, v, 0, v->ndirect, "Waiting:");
	td_say_behind(r, v);
	if (v->reason == TD_R_UNSEEN && q->irqs)
		td_line(r, "Fix hint: find what masked or moved the interrupt after t=%.3f s.",
			td_seconds(m, q->last_irq));
	else if (v->reason == TD_R_UNSEEN)
		td_line(r,
			"Fix hint: the interrupt was never enabled, or goes to a vector without a "
			"handler.");
	else if (v->reason == TD_R_NOT_ANNOUNCED && v->ndirect)
		td_line(r, "Fix hint: %s sleeps without having notified the device.",
			td_site_func(m, m->wait[v->stuck[0]].site));
}

static void json(const struct td_model *m, FILE *f, const struct td_verdict *v)
{
	const struct bb_queue *q = &v->queue.q;

	fputs(",\n    \"queue\":{", f);
	td_json_text(f, "device", q->name);
	fprintf(f,
		",\"done\":%u,\"busy\":%u,\"unannounced\":%u,\"seen\":%u,\"kicked\":%u,"
		"\"looks\":%u,\"looked\":%u,\"unseen_since_ns\":%" PRIu64 ",\"irqs\":%" PRIu64
		",\"last_irq_ns\":%" PRIu64 ",\"cpu\":%u}",
		v->queue.done, v->queue.busy, v->queue.unannounced, q->seen, q->kicked, q->looks,
		q->looked, td_box_ns(m->box, q->unseen_since), q->irqs,
		td_box_ns(m->box, q->last_irq), q->cpu);
}

const struct td_family td_device = {.find = find_queues, .say = say_queue, .json = json};
