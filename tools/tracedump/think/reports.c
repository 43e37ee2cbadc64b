/* reports.c - what the guest's own run-time checks saw (td_use_reports, see verdict.h). */
#include "verdict.h"

void td_use_reports(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_REPORTS); i++) {
		struct bb_report r;
		struct td_verdict *v = NULL;
		const struct td_family *family = NULL;
		uint32_t kind = BB_V_NONE;

		td_box_entry(m->box, BB_SEC_REPORTS, i, &r, sizeof(r));
		if (!r.seq || r.seq & 1)
			continue;
		for (uint32_t k = 0; k < a->n && !v; k++)
			if (r.lock && a->v[k].lock == r.lock && a->v[k].kind == r.verdict)
				v = &a->v[k];
		switch (r.check) {
		case BB_CHK_UNLOCK:
		case BB_CHK_UNINIT:
		case BB_CHK_DEAD:
			kind = BB_V_CORRUPT_LOCK;
			family = &td_corrupt;
			break;
		case BB_CHK_FREED:
		case BB_CHK_FREED_WAIT:
			kind = BB_V_CORRUPT_LOCK;
			family = &td_freed;
			break;
		case BB_CHK_QUEUE: /* only the rings say whether it is still so */
			for (uint32_t k = 0; k < a->n && !v; k++)
				if (a->v[k].kind == BB_V_MISSING_IRQ && a->v[k].lock == r.site)
					v = &a->v[k];
			break;
		case BB_CHK_SLEEP:
			kind = BB_V_OWNER_SLEEPING;
			family = &td_owner;
			break;
		case BB_CHK_LEAVE:
		case BB_CHK_EXIT:
			kind = BB_V_ORPHAN;
			family = &td_orphan;
			break;
		case BB_CHK_WATCHDOG:
			if (r.verdict == BB_V_CPU_DEAD && r.cpu < m->ncpus &&
			    m->cpu[r.cpu].c.last_tick <= r.ticks) {
				kind = BB_V_CPU_DEAD;
				family = &td_cpu_dead;
			}
			break;
		default:
			break;
		}
		for (uint32_t k = 0; k < a->n && !v && kind; k++)
			if (a->v[k].kind == kind &&
			    (kind == BB_V_CPU_DEAD ? a->v[k].cpu == r.cpu : a->v[k].lock == r.lock))
				v = &a->v[k];
		if (!v && kind == BB_V_CPU_DEAD && m->cpu[r.cpu].current != TD_NOBODY &&
		    a->cause[m->cpu[r.cpu].current] >= 0)
			continue;
		if (!v && kind) {
			v = td_add(a, family, kind, TD_R_REPORT, td_model_owner(m, r.task));
			v->lock = r.lock;
			v->class = r.class;
			v->cpu = r.cpu;
		}
		if (v && !v->has_report) {
			v->report = r;
			v->has_report = true;
		}
	}
}
