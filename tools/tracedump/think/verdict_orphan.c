/* verdict_orphan.c - orphan: a lock whose holder can never release it. State decides, not time. */
#include "verdict.h"

#define FRAME_MARGIN 256u /* bytes by which a dead frame must be out of reach */

/* Does anybody wait for it, and has for so long? */
static bool waited_for(const struct td_model *m, uint64_t lock, uint64_t ns)
{
	for (uint32_t i = 0; i < m->nnodes; i++)
		if (td_wait_is_lock(m->wait[i].kind) && m->wait[i].object == lock &&
		    td_model_age(m, m->wait[i].ticks) >= ns)
			return true;
	return false;
}

/* Has the function that took the lock returned without releasing it? The task looks when it goes to
 * sleep (BB_HOLD_RETURNED); a stack that is far shorter than it was shows it too. Some functions
 * take a lock for their caller: a class of which that is known is never accused, and nobody is
 * before somebody has waited for a while. */
static bool frame_gone(const struct td_model *m, const struct td_task *k, const struct td_holder *h)
{
	struct bb_class cls;

	if (k->current || k->torn & (TD_TORN_SCHED | TD_TORN_HELD) ||
	    (k->t.state != BB_ST_SLEEPING && k->t.state != BB_ST_BLOCKED))
		return false;
	if (!(h->held.mode & BB_HOLD_RETURNED) &&
	    (k->t.switch_sp <= k->t.stack_base || k->t.switch_sp >= k->t.stack_top ||
	     h->held.sp <= k->t.stack_base || h->held.sp + FRAME_MARGIN >= k->t.switch_sp))
		return false;
	if (td_box_entry(m->box, BB_SEC_CLASSES, h->held.class, &cls, sizeof(cls)) && cls.returned)
		return false;
	return waited_for(m, h->lock, TD_SECOND);
}

uint32_t td_orphan_reason(const struct td_model *m, const struct td_holder *h)
{
	const struct td_task *k;

	if (!td_is_task(m, h->node))
		return TD_R_NONE;
	k = &m->task[h->node];
	if (!k->used || k->t.state >= BB_ST_ZOMBIE) {
		uint32_t n;
		const struct td_holder *all = td_model_holders(m, h->lock, &n);

		/* somebody took it later: the dead one's entry is only a remainder */
		return k->current || (!td_shared(&h->held) && all[n - 1].held.ticks > h->held.ticks)
			       ? TD_R_NONE
			       : TD_R_DEAD;
	}
	if (k->t.flags & BB_TASK_IDLE) {
		bool idles = k->t.cpu < m->ncpus && m->cpu[k->t.cpu].c.mode == BB_MODE_IDLE &&
			     m->cpu[k->t.cpu].current == h->node;

		return idles && td_older(m, h->held.ticks, 10 * TD_MS) ? TD_R_IDLE : TD_R_NONE;
	}
	if ((int32_t)(k->t.user_epoch - h->held.epoch) > 0 || k->t.mode == BB_MODE_USER ||
	    h->held.mode & BB_HOLD_LEFT)
		return TD_R_LEFT_KERNEL;
	return frame_gone(m, k, h) ? TD_R_FRAME_GONE : TD_R_NONE;
}

static void find_orphans(struct td_analysis *a)
{
	const struct td_model *m = a->m;

	for (uint32_t i = 0; i < m->nholders; i++) {
		uint32_t reason = td_orphan_reason(m, &m->holder[i]);

		if (!reason)
			continue;
		td_add_held(a, &td_orphan, BB_V_ORPHAN, reason, &m->holder[i]);
		td_mark_waiters(a, m->holder[i].lock);
	}
}

static void say_orphan(struct td_report *r, const struct td_verdict *v, const char *cause)
{
	static const char *const why[] = {
		[TD_R_LEFT_KERNEL] = "which has left the kernel",
		[TD_R_DEAD] = "which has exited",
		[TD_R_IDLE] = "which idles and will never release it",
		[TD_R_FRAME_GONE] = "but the function that took it has returned",
		[TD_R_OWNER_GONE] = "which no longer exists",
		[TD_R_REPORT] = "which left without releasing it",
	};
	const struct td_model *m = r->m;
	const struct bb_task *t =
		v->node != TD_NOBODY && td_is_task(m, v->node) ? &m->task[v->node].t : NULL;
	uint64_t left = t && v->reason != TD_R_DEAD ? t->left_site : 0;
	uint64_t exited = v->reason != TD_R_DEAD || !t ? 0
			  : t->left_site               ? t->left_site
			  : v->has_report              ? v->report.site2
						       : 0;
	const char *name = td_lock_name(m, v);

	if (!left && v->has_report && v->report.check == BB_CHK_LEAVE)
		left = v->report.site2;
	td_line(r, "%s lock %s is held by %s, %s.", cause, name, td_node_name(m, v->node),
		why[v->reason] ? why[v->reason] : "which can never release it");
	if (v->has_held)
		td_say_taken(r, &v->held, 10);
	else if (v->has_report)
		td_line(r, "       taken at  %s", td_site(m, v->report.site, 10));
	if (v->reason == TD_R_LEFT_KERNEL || (v->reason == TD_R_REPORT && left)) {
		if (left && t && t->left_site)
			td_line(r, "       left at   %s   t=%.3f s  - %s", td_site(m, left, 10),
				td_seconds(m, t->left_ticks),
				v->has_held && v->held.epoch == 0 ? "that call never returns"
								  : "to user mode, lock in hand");
		else if (left)
			td_line(r, "       left at   %s", td_site(m, left, 10));
		else if (t)
			td_line(r, "       and has since gone to user mode %u time%s",
				t->user_epoch - v->held.epoch,
				t->user_epoch - v->held.epoch == 1 ? "" : "s");
	} else if (v->reason == TD_R_FRAME_GONE && t) {
		td_line(r, "       now in    %s", td_site(m, m->wait[v->node].site, 10));
	} else if (exited) {
		td_line(r, "       exited at %s", td_site(m, exited, 10));
	}
	td_say_waiters(r, v, 0, v->ndirect, "Waiting:");
	td_say_behind(r, v);
	if (!v->nstuck)
		td_line(r, "Waiting: 0 tasks wait yet; the next one to take it hangs.");
	if (left)
		td_line(r, "Fix hint: release %s before %s.", name, td_site_func(m, left));
	else if (v->reason == TD_R_DEAD || v->reason == TD_R_OWNER_GONE)
		td_line(r, "Fix hint: release %s on every path by which the task can exit.", name);
	else if (v->has_held)
		td_line(r, "Fix hint: %s must release %s on every return path.",
			td_site_func(m, v->held.site), name);
}

const struct td_family td_orphan = {.find = find_orphans, .say = say_orphan};
