/* explain.c - verdicts in words for people. Verdict first, owner before waiters, names instead of
 * addresses, at most MAX_LINES lines unless everything is asked for. */
#include "think/why.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES   25
#define PLACE       320
#define SLOW_DEVICE 1000000000ull /* ns */

struct report {
	const struct td_analysis *a;
	const struct td_model *m;
	FILE *f;
	int left; /* lines that may still be printed */
	bool full;
};

__attribute__((format(printf, 2, 3))) static void line(struct report *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->full && r->left-- <= 0)
		return;
	va_start(ap, fmt);
	vfprintf(r->f, fmt, ap);
	va_end(ap);
	fputc('\n', r->f);
}

static double seconds(const struct td_model *m, uint64_t ticks)
{
	return (double)td_box_ns(m->box, ticks) / 1e9;
}

static const char *place(const struct td_model *m, uint64_t site, int pad)
{
	static char buf[4][PLACE];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct td_place p;

	td_place(m->names, site, true, &p);
	td_place_text(&p, pad, out, PLACE);
	return out;
}

static const char *func(const struct td_model *m, uint64_t site)
{
	static char buf[4][80];
	static unsigned turn;
	char *out = buf[turn++ & 3];
	struct td_place p;

	td_place(m->names, site, true, &p);
	snprintf(out, sizeof(buf[0]), "%s", p.func[0] ? p.func : "that function");
	return out;
}

static const char *wait_name(const struct td_model *m, uint32_t kind)
{
	const char *s = td_enum_name(m->names, BB_TAB_WAIT, kind);

	return s ? s : "something";
}

/* "a child", "an event", "disk I/O" */
static const char *article(uint32_t kind)
{
	switch (kind) {
	case BB_WAIT_QUEUE:
	case BB_WAIT_IPI:
		return "an ";
	case BB_WAIT_TTY:
	case BB_WAIT_IO:
	case BB_WAIT_RECLAIM:
		return "";
	default:
		return "a ";
	}
}

static const char *lock_name(const struct td_model *m, const struct td_verdict *v)
{
	return td_class_name(m->names, v->class);
}

static const char *what_waited(const struct td_model *m, const struct bb_wait *w)
{
	static char buf[4][64];
	static unsigned turn;
	char *out = buf[turn++ & 3];

	if (w->class)
		snprintf(out, sizeof(buf[0]), "%s %s", wait_name(m, w->kind),
			 td_class_name(m->names, w->class));
	else if (w->kind == BB_WAIT_IPI || w->kind == BB_WAIT_TLB)
		snprintf(out, sizeof(buf[0]), "%s of cpu%u",
			 w->kind == BB_WAIT_IPI ? "an answer" : "a TLB shootdown", w->arg);
	else
		snprintf(out, sizeof(buf[0]), "%s%s", article(w->kind), wait_name(m, w->kind));
	return out;
}

static void taken_at(struct report *r, const struct bb_held *h, int pad)
{
	line(r, "       taken at  %s   t=%.3f s  (event %u:%u)", place(r->m, h->site, pad),
	     seconds(r->m, h->ticks), (uint32_t)(h->event >> 32), (uint32_t)h->event);
}

/* The entry by which `node` holds something that waiter `who` needs. */
static const struct td_holder *held_by(const struct td_model *m, uint32_t node, uint32_t who)
{
	uint32_t n;
	const struct td_holder *h = td_model_holders(m, m->wait[who].object, &n);

	for (uint32_t i = 0; i < n; i++)
		if (h[i].node == node)
			return &h[i];
	return NULL;
}

/* Waiters at one site share a line. */
static void print_waiters(struct report *r, const struct td_verdict *v, uint32_t from, uint32_t to,
			  const char *head)
{
	bool *done = td_alloc(v->nstuck, sizeof(*done));

	for (uint32_t i = from; i < to; i++) {
		const struct bb_wait *w = &r->m->wait[v->stuck[i]];
		char names[400] = "";
		size_t at = 0;
		uint32_t more = 0;

		if (done[i])
			continue;
		for (uint32_t k = i; k < to; k++) {
			const struct bb_wait *x = &r->m->wait[v->stuck[k]];
			const char *name = td_node_name(r->m, v->stuck[k]);

			if (done[k] || x->site != w->site || x->kind != w->kind)
				continue;
			done[k] = true;
			if (at + strlen(name) + 24 > (r->full ? sizeof(names) : 200))
				more++;
			else
				at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
						       at ? ", " : "", name);
		}
		if (more)
			snprintf(names + at, sizeof(names) - at, " and %u more", more);
		if (w->kind && w->site)
			line(r, "%s %s  in %s", head, names, place(r->m, w->site, 0));
		else if (w->kind)
			line(r, "%s %s", head, names);
		else
			line(r, "%s %s  under that", head, names);
		head = "        ";
	}
	free(done);
}

static void print_behind(struct report *r, const struct td_verdict *v)
{
	for (uint32_t i = v->ndirect; i < v->nstuck; i++) {
		const struct bb_wait *w = &r->m->wait[v->stuck[i]];

		if (i - v->ndirect == 4 && !r->full) {
			line(r, "         and %u more", v->nstuck - i);
			return;
		}
		if (w->kind)
			line(r, "%s %s waits for %s",
			     i == v->ndirect ? "Also stuck behind them:"
					     : "                       ",
			     td_node_name(r->m, v->stuck[i]), what_waited(r->m, w));
		else
			line(r, "%s %s",
			     i == v->ndirect ? "Also stuck behind them:"
					     : "                       ",
			     td_node_name(r->m, v->stuck[i]));
	}
}

/* ---- one function a kind of verdict: cause and hint ------------------------------------------ */

static void say_orphan(struct report *r, const struct td_verdict *v, const char *cause)
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
	const char *name = lock_name(m, v);

	if (!left && v->has_report && v->report.check == BB_CHK_LEAVE)
		left = v->report.site2;
	line(r, "%s lock %s is held by %s, %s.", cause, name, td_node_name(m, v->node),
	     why[v->reason] ? why[v->reason] : "which can never release it");
	if (v->has_held)
		taken_at(r, &v->held, 10);
	else if (v->has_report)
		line(r, "       taken at  %s", place(m, v->report.site, 10));
	if (v->reason == TD_R_LEFT_KERNEL || (v->reason == TD_R_REPORT && left)) {
		if (left && t && t->left_site)
			line(r, "       left at   %s   t=%.3f s  - %s", place(m, left, 10),
			     seconds(m, t->left_ticks),
			     v->has_held && v->held.epoch == 0 ? "that call never returns"
							       : "to user mode, lock in hand");
		else if (left)
			line(r, "       left at   %s", place(m, left, 10));
		else if (t)
			line(r, "       and has since gone to user mode %u time%s",
			     t->user_epoch - v->held.epoch,
			     t->user_epoch - v->held.epoch == 1 ? "" : "s");
	} else if (v->reason == TD_R_FRAME_GONE && t) {
		line(r, "       now in    %s", place(m, m->wait[v->node].site, 10));
	} else if (exited) {
		line(r, "       exited at %s", place(m, exited, 10));
	}
	print_waiters(r, v, 0, v->ndirect, "Waiting:");
	print_behind(r, v);
	if (!v->nstuck)
		line(r, "Waiting: 0 tasks wait yet; the next one to take it hangs.");
	if (left)
		line(r, "Fix hint: release %s before %s().", name, func(m, left));
	else if (v->reason == TD_R_DEAD || v->reason == TD_R_OWNER_GONE)
		line(r, "Fix hint: release %s on every path by which the task can exit.", name);
	else if (v->has_held)
		line(r, "Fix hint: %s() must release %s on every return path.",
		     func(m, v->held.site), name);
}

/* "take a, b and c in one order everywhere", if locks are all that the circle is made of. */
static void order_hint(struct report *r, const struct td_verdict *v)
{
	const struct td_model *m = r->m;
	char names[160] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < v->nring; i++) {
		const struct bb_wait *w = &m->wait[v->ring[i]];
		const char *before = !i ? "" : i + 1 == v->nring ? " and " : ", ";

		if (!td_wait_is_lock(w->kind) || !w->class || len >= sizeof(names) - 48) {
			line(r, "Fix hint: do not wait while holding what the other side needs.");
			return;
		}
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", before,
					td_class_name(m->names, w->class));
	}
	line(r, "Fix hint: take %s in one order everywhere.", names);
}

static void say_cycle(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	uint32_t hint = 0, worst = 0, tasks = 0;

	for (uint32_t i = 0; i < v->nring; i++)
		tasks += td_is_task(m, v->ring[i]);
	line(r, "%s %u %s wait for each other in a circle.", cause, v->nring,
	     tasks == v->nring ? "tasks" : "tasks and interrupts");
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t me = v->ring[i], next = v->ring[(i + 1) % v->nring];
		const struct bb_wait *w = &m->wait[me];
		const struct td_holder *h = held_by(m, next, me);

		if (!w->kind) {
			line(r, "       %s is interrupted by %s", td_node_name(m, me),
			     td_node_name(m, next));
			continue;
		}
		line(r, "       %s waits for %s, %s %s", td_node_name(m, me), what_waited(m, w),
		     h                         ? "held by"
		     : w->kind == BB_WAIT_READ ? "behind"
					       : "which needs",
		     td_node_name(m, next));
		line(r, "         waits at %s   since t=%.3f s", place(m, w->site, 0),
		     seconds(m, w->ticks));
		if (h)
			line(r, "         taken at %s   t=%.3f s  (event %u:%u)",
			     place(m, h->held.site, 0), seconds(m, h->held.ticks),
			     (uint32_t)(h->held.event >> 32), (uint32_t)h->held.event);
	}
	if (v->nstuck > v->nring)
		print_behind(r, v);
	/* the edge that goes against the declared order, if classes have ranks */
	for (uint32_t i = 0; i < v->nring; i++) {
		uint32_t me = v->ring[i], prev = v->ring[(i + v->nring - 1) % v->nring];
		const struct td_holder *h = held_by(m, me, prev);
		struct bb_class have, want;

		if (!h || !m->wait[me].class || !h->held.class ||
		    !td_box_entry(m->box, BB_SEC_CLASSES, h->held.class, &have, sizeof(have)) ||
		    !td_box_entry(m->box, BB_SEC_CLASSES, m->wait[me].class, &want, sizeof(want)))
			continue;
		if (have.rank && want.rank && have.rank >= want.rank &&
		    have.rank - want.rank >= worst) {
			worst = have.rank - want.rank;
			hint = i + 1;
		}
	}
	if (hint) {
		uint32_t me = v->ring[hint - 1];
		const struct td_holder *h =
			held_by(m, me, v->ring[(hint - 2 + v->nring) % v->nring]);

		line(r, "Fix hint: %s() takes %s while holding %s, against the declared order.",
		     func(m, m->wait[me].site), td_class_name(m->names, m->wait[me].class),
		     td_class_name(m->names, h->held.class));
	} else {
		order_hint(r, v);
	}
}

static void say_self(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	uint32_t waiter = v->nstuck ? v->stuck[0] : v->node;
	const char *name = lock_name(m, v);

	if (v->kind == BB_V_IRQ_SELF)
		line(r,
		     "%s an interrupt on cpu%u waits for lock %s, which the task it interrupted "
		     "holds: %s.",
		     cause, v->cpu, name, td_node_name(m, v->node));
	else
		line(r, "%s %s waits for lock %s, which it holds itself.", cause,
		     td_node_name(m, v->node), name);
	taken_at(r, &v->held, 10);
	line(r, "       again at  %s   t=%.3f s", place(m, m->wait[waiter].site, 10),
	     seconds(m, m->wait[waiter].ticks));
	if (v->ndirect > 1)
		print_waiters(r, v, 1, v->ndirect, "Waiting:");
	print_behind(r, v);
	if (v->kind == BB_V_IRQ_SELF)
		line(r,
		     "Fix hint: %s() must take %s with interrupts off, because an interrupt "
		     "handler takes it too.",
		     func(m, v->held.site), name);
	else
		line(r,
		     "Fix hint: %s() is reached with %s held; release it first or use a variant "
		     "for callers that hold it.",
		     func(m, m->wait[waiter].site), name);
}

static void say_owner(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_task *t =
		v->node != TD_NOBODY && td_is_task(m, v->node) ? &m->task[v->node].t : NULL;
	const char *name = lock_name(m, v), *who = td_node_name(m, v->node);
	uint32_t cur = v->cpu < m->ncpus ? m->cpu[v->cpu].current : TD_NOBODY;

	switch (v->reason) {
	case TD_R_CPU_OFFLINE:
		line(r, "%s lock %s is held by %s, whose cpu%u is offline.", cause, name, who,
		     v->cpu);
		break;
	case TD_R_CPU_DEAD:
		line(r,
		     "%s lock %s is held by %s on cpu%u, which has had no timer tick for %.1f s.",
		     cause, name, who, v->cpu,
		     (double)td_model_age(m, m->cpu[v->cpu].c.last_tick) / 1e9);
		break;
	case TD_R_PREEMPTED:
		line(r, "%s lock %s is held by %s, which was preempted on cpu%u by %s;", cause,
		     name, who, v->cpu, td_node_name(m, cur));
		line(r, "       that one spins for the lock and never lets it back in.");
		break;
	case TD_R_STARVED:
		line(r, "%s lock %s is held by %s, which is runnable but has not run for %.1f s;",
		     cause, name, who, t ? (double)td_model_age(m, t->since) / 1e9 : 0.0);
		line(r, "       cpu%u runs %s instead.", v->cpu, td_node_name(m, cur));
		break;
	case TD_R_STOPPED:
		line(r, "%s lock %s is held by %s, which is stopped.", cause, name, who);
		break;
	default:
		line(r, "%s spin lock %s is held by %s, which went to sleep with it.", cause, name,
		     who);
		break;
	}
	if (v->has_held)
		taken_at(r, &v->held, 10);
	else if (v->has_report)
		line(r, "       taken at  %s", place(m, v->report.site, 10));
	if (v->kind == BB_V_OWNER_SLEEPING && t && t->wait.kind)
		line(r, "       sleeps at %s   t=%.3f s", place(m, t->wait.site, 10),
		     seconds(m, t->wait.ticks));
	else if (v->kind == BB_V_OWNER_SLEEPING && v->has_report)
		line(r, "       sleeps at %s", place(m, v->report.site2, 10));
	print_waiters(r, v, 0, v->ndirect, "Waiting:");
	print_behind(r, v);
	if (v->kind == BB_V_OWNER_SLEEPING)
		line(r, "Fix hint: release %s before anything that can sleep, or make it a mutex.",
		     name);
	else if (v->reason == TD_R_PREEMPTED)
		line(r, "Fix hint: hold %s with preemption off.", name);
}

static void say_cpu(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_cpu *c = &m->cpu[v->cpu].c;

	line(r, "%s cpu%u has had no timer tick for %.1f s (last at t=%.3f s) and is not idle.",
	     cause, v->cpu, (double)td_model_age(m, c->last_tick) / 1e9, seconds(m, c->last_tick));
	line(r, "       it runs   %s, in %s mode", td_node_name(m, m->cpu[v->cpu].current),
	     c->mode == BB_MODE_USER ? "user" : "kernel");
	if (c->irqs_off_since)
		line(r, "       interrupts off since t=%.3f s  at %s",
		     seconds(m, c->irqs_off_since), place(m, c->irqs_off_site, 0));
	if (c->nmi_ticks && c->nmi_ticks >= c->last_tick)
		line(r, "       seen at   %s   t=%.3f s (by NMI)", place(m, c->nmi_pc, 10),
		     seconds(m, c->nmi_ticks));
	print_behind(r, v);
	if (!c->irqs_off_since && (!c->nmi_ticks || c->nmi_ticks < c->last_tick))
		line(r,
		     "Fix hint: `hs bt cpu%u` in GDB shows where it is; who there masks "
		     "interrupts?",
		     v->cpu);
	if (c->irqs_off_since)
		line(r,
		     "Fix hint: %s() switched interrupts off; find the path that does not switch "
		     "them on again.",
		     func(m, c->irqs_off_site));
}

static void say_task(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_wait *w = v->node < m->nnodes ? &m->wait[v->node] : NULL;
	const struct bb_task *t = v->node < m->ntasks ? &m->task[v->node].t : NULL;
	const char *who = td_node_name(m, v->node);
	struct bb_lock l;

	switch (v->reason) {
	case TD_R_NO_QUEUE:
		line(r, "%s %s is runnable but in no run queue, since t=%.3f s.", cause, who,
		     t ? seconds(m, t->since) : 0.0);
		break;
	case TD_R_IDLE_CPU:
		line(r, "%s %s is in the run queue of cpu%u since t=%.3f s, but cpu%u idles.",
		     cause, who, v->cpu, t ? seconds(m, t->since) : 0.0, v->cpu);
		break;
	case TD_R_NO_CHILD:
		line(r, "%s %s waits for a child, but it has none that could exit.", cause, who);
		break;
	case TD_R_ZOMBIE_CHILD:
		line(r, "%s %s waits for a child that has already exited: the wake-up was lost.",
		     cause, who);
		break;
	case TD_R_NO_TIMER:
		line(r, "%s %s waits for time to pass, but no CPU has a timer programmed.", cause,
		     who);
		break;
	case TD_R_FREE_LOCK:
		line(r, "%s %s waits for lock %s, which nobody holds: the wake-up was lost.", cause,
		     who, lock_name(m, v));
		if (td_model_lock(m, v->lock, &l) && l.release_site)
			line(r, "       released  %s   t=%.3f s", place(m, l.release_site, 10),
			     seconds(m, l.release_ticks));
		break;
	default:
		line(r, "%s %s can never run again.", cause, who);
		break;
	}
	if (t && v->kind == BB_V_STRANDED && td_model_owner(m, t->waker) != TD_NOBODY)
		line(r, "       last woken by %s", td_node_name(m, td_model_owner(m, t->waker)));
	if (t && v->kind == BB_V_STRANDED && t->switch_pc)
		line(r, "       left its CPU in %s", place(m, t->switch_pc, 0));
	if (w && w->kind && w->site)
		line(r, "       waits at  %s   since t=%.3f s", place(m, w->site, 10),
		     seconds(m, w->ticks));
	if (v->ndirect > 1)
		print_waiters(r, v, 1, v->ndirect, "Waiting:");
	print_behind(r, v);
}

static void say_corrupt(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;

	if (v->reason == TD_R_TWO_OWNERS) {
		line(r, "%s lock %s has two owners at once: %s and %s.", cause, lock_name(m, v),
		     td_node_name(m, v->ring[0]), td_node_name(m, v->ring[1]));
		taken_at(r, &v->held, 10);
	} else if (v->has_report && v->report.check == BB_CHK_UNINIT) {
		line(r, "%s a lock that was never initialised was used by %s.", cause,
		     td_node_name(m, v->node));
	} else {
		line(r, "%s lock %s was released by %s, which did not hold it.", cause,
		     lock_name(m, v), td_node_name(m, v->node));
	}
	if (v->has_report) {
		line(r, "       seen at   %s   t=%.3f s, %llu time%s", place(m, v->report.site, 10),
		     seconds(m, v->report.ticks), (unsigned long long)v->report.count,
		     v->report.count == 1 ? "" : "s");
		if (v->report.site2)
			line(r, "       before at %s", place(m, v->report.site2, 10));
	}
}

static void say_queue(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_queue *q = &v->queue.q;
	uint32_t n = v->reason == TD_R_NOT_ANNOUNCED ? v->queue.unannounced : v->queue.done;

	switch (v->reason) {
	case TD_R_UNSEEN:
		line(r, "%s device %s has finished %u request%s, but its interrupt never came.",
		     cause, q->name, n, n == 1 ? "" : "s");
		line(r,
		     "       cpu%u, which should get it, takes its timer's and has found it so "
		     "%u times since t=%.3f s",
		     q->cpu, q->looks, seconds(m, q->unseen_since));
		break;
	case TD_R_NOT_TAKEN:
		line(r,
		     "%s device %s has finished %u request%s and has interrupted since, but the "
		     "handler took none.",
		     cause, q->name, n, n == 1 ? "" : "s");
		break;
	case TD_R_NOT_ANNOUNCED:
		line(r, "%s device %s was never told of %u request%s in its queue.", cause, q->name,
		     n, n == 1 ? "" : "s");
		break;
	default:
		line(r,
		     "%s %s waits for device %s, which has no request left: the wake-up was lost.",
		     cause, td_node_name(m, v->node), q->name);
		break;
	}
	if (q->irqs)
		line(r, "       its last interrupt was at t=%.3f s, of %" PRIu64,
		     seconds(m, q->last_irq), q->irqs);
	else
		line(r, "       it has not interrupted once");
	print_waiters(r, v, 0, v->ndirect, "Waiting:");
	print_behind(r, v);
	if (v->reason == TD_R_UNSEEN && q->irqs)
		line(r, "Fix hint: find what masked or moved the interrupt after t=%.3f s.",
		     seconds(m, q->last_irq));
	else if (v->reason == TD_R_UNSEEN)
		line(r, "Fix hint: the interrupt was never enabled, or goes to a vector without a "
			"handler.");
	else if (v->reason == TD_R_NOT_ANNOUNCED && v->ndirect)
		line(r, "Fix hint: %s() sleeps without having notified the device.",
		     func(m, m->wait[v->stuck[0]].site));
}

static void say_starved(struct report *r, const struct td_verdict *v, const char *cause)
{
	const struct td_model *m = r->m;
	const struct bb_wait *w = &m->wait[v->node];
	struct bb_lock l;
	uint32_t n;
	const struct td_holder *h = td_model_holders(m, v->lock, &n);

	line(r, "%s %s waits for lock %s for %.1f s, in which others got and released it %u times.",
	     cause, td_node_name(m, v->node), lock_name(m, v),
	     (double)td_model_age(m, w->ticks) / 1e9, v->passed);
	line(r, "       waits at  %s   since t=%.3f s", place(m, w->site, 10),
	     seconds(m, w->ticks));
	if (h)
		line(r, "       taken at  %s   by %s", place(m, h->held.site, 10),
		     td_node_name(m, h->node));
	if (td_model_lock(m, v->lock, &l) && l.history_next) {
		uint32_t last = (l.history_next - 1) % BB_LOCK_HISTORY;

		line(r, "       before at %s   t=%.3f s", place(m, l.history[last].site, 10),
		     seconds(m, l.history[last].ticks));
	}
	print_behind(r, v);
	line(r, "Fix hint: new takers of %s must not pass those who wait.", lock_name(m, v));
}

static void say(struct report *r, const struct td_verdict *v, const char *cause)
{
	switch (v->kind) {
	case BB_V_ORPHAN:
		say_orphan(r, v, cause);
		break;
	case BB_V_CYCLE:
		say_cycle(r, v, cause);
		break;
	case BB_V_SELF:
	case BB_V_IRQ_SELF:
		say_self(r, v, cause);
		break;
	case BB_V_OWNER_NOT_RUNNING:
	case BB_V_OWNER_SLEEPING:
		say_owner(r, v, cause);
		break;
	case BB_V_CPU_DEAD:
		say_cpu(r, v, cause);
		break;
	case BB_V_CORRUPT_LOCK:
		say_corrupt(r, v, cause);
		break;
	case BB_V_STARVED:
		say_starved(r, v, cause);
		break;
	default:
		if (v->queue.id)
			say_queue(r, v, cause);
		else
			say_task(r, v, cause);
		break;
	}
}

/* ---- the rest of the report ------------------------------------------------------------------ */

/* Slow is not stuck, but worth a word: the oldest wait for a request that is with the device. */
static void say_busy_devices(struct report *r)
{
	const struct td_model *m = r->m;
	struct td_queue q;

	for (uint32_t i = 0; i < td_queues(m); i++) {
		uint64_t age = 0;

		if (!td_queue(m, i, &q) || !q.busy)
			continue;
		for (uint32_t k = 0; k < m->ntasks; k++)
			if (td_waits_for_queue(m, &q, k) && td_model_age(m, m->wait[k].ticks) > age)
				age = td_model_age(m, m->wait[k].ticks);
		if (age >= SLOW_DEVICE)
			line(r, "         device %s has been working on a request for %.1f s.",
			     q.q.name, (double)age / 1e9);
	}
}

static void say_healthy(struct report *r)
{
	const struct td_model *m = r->m;
	uint32_t tasks = 0, waiting = 0, by_kind[BB_WAIT_KINDS] = {0};
	char detail[400] = "";
	size_t at = 0;

	for (uint32_t i = 0; i < m->ntasks; i++) {
		if (!m->task[i].used || m->task[i].t.flags & BB_TASK_IDLE)
			continue;
		tasks++;
		if (m->wait[i].kind) {
			waiting++;
			by_kind[m->wait[i].kind]++;
		}
	}
	for (uint32_t k = 1; k < BB_WAIT_KINDS; k++)
		if (by_kind[k] && at < sizeof(detail) - 48)
			at += (size_t)snprintf(detail + at, sizeof(detail) - at, "%s%u for %s%s",
					       at ? ", " : "", by_kind[k], article(k),
					       k == BB_WAIT_TTY ? "a key" : wait_name(m, k));
	line(r, "healthy: %u task%s, %u waiting%s%s%s; nothing is stuck.", tasks,
	     tasks == 1 ? "" : "s", waiting, at ? " (" : "", detail, at ? ")" : "");
	say_busy_devices(r);
}

static void say_crash(struct report *r)
{
	const struct bb_crash *c = &r->m->crash;
	char reason[sizeof(c->reason)];
	uint32_t n = c->nframes < BB_CRASH_FRAMES ? c->nframes : BB_CRASH_FRAMES;

	td_clean(reason, sizeof(reason), c->reason, sizeof(c->reason));
	line(r, "CRASHED: %s", reason);
	line(r, "       on cpu%u in %s   t=%.3f s", c->cpu,
	     td_node_name(r->m, td_model_owner(r->m, c->task)), seconds(r->m, c->ticks));
	if (c->pc)
		line(r, "       at %s", place(r->m, c->pc + 1, 0));
	for (uint32_t i = 0; i < n && (r->full || i < 6); i++)
		line(r, "       from %s", place(r->m, c->frames[i], 0));
}

static void say_evidence(struct report *r)
{
	const struct td_model *m = r->m;

	line(r, "%s", "");
	line(r, "Locks held:");
	for (uint32_t i = 0; i < m->nholders; i++) {
		const struct td_holder *h = &m->holder[i];

		line(r, "  %-20s 0x%" PRIx64 "  by %s  at %s  t=%.6f s  sp=0x%" PRIx64 " epoch=%u",
		     td_class_name(m->names, h->held.class), h->lock, td_node_name(m, h->node),
		     place(m, h->held.site, 0), seconds(m, h->held.ticks), h->held.sp,
		     h->held.epoch);
	}
	line(r, "Waits:");
	for (uint32_t i = 0; i < m->nnodes; i++)
		if (m->wait[i].kind)
			line(r, "  %s: %s 0x%" PRIx64 "  at %s  since t=%.6f s%s",
			     td_node_name(m, i), what_waited(m, &m->wait[i]), m->wait[i].object,
			     place(m, m->wait[i].site, 0), seconds(m, m->wait[i].ticks),
			     r->a->cause[i] >= 0 ? "  - stuck" : "");
	line(r, "Reports of the run-time checks:");
	for (uint32_t i = 0; i < td_box_count(m->box, BB_SEC_REPORTS); i++) {
		struct bb_report b;
		const char *verdict;

		td_box_entry(m->box, BB_SEC_REPORTS, i, &b, sizeof(b));
		if (!b.seq)
			continue;
		verdict = td_enum_name(m->names, BB_TAB_VERDICT, b.verdict);
		line(r, "  t=%.6f s  %s  %s by %s  at %s, %s  (%" PRIu64 " times)",
		     seconds(m, b.ticks), verdict ? verdict : "?", td_class_name(m->names, b.class),
		     td_node_name(m, td_model_owner(m, b.task)), place(m, b.site, 0),
		     place(m, b.site2, 0), b.count);
	}
}

int td_explain(const struct td_analysis *a, FILE *f, bool full, const char *elf_warning)
{
	struct report r = {.a = a, .m = a->m, .f = f, .left = MAX_LINES, .full = full};
	uint32_t tasks = 0, handlers = 0;

	for (uint32_t i = 0; i < a->m->nnodes; i++) {
		if (a->cause[i] < 0)
			continue;
		if (!td_is_task(a->m, i))
			handlers++;
		else if (!(a->m->task[i].t.flags & BB_TASK_IDLE))
			tasks++;
	}
	if (elf_warning && *elf_warning)
		line(&r, "warning: %s", elf_warning);
	if (a->m->crashed)
		say_crash(&r);
	if (tasks && a->v[0].kind == BB_V_STARVED)
		line(&r, "HUNG: %u task%s make%s no progress.", tasks, tasks == 1 ? "" : "s",
		     tasks == 1 ? "s" : "");
	else if (tasks)
		line(&r, "HUNG: %u task%s can never run again.", tasks, tasks == 1 ? "" : "s");
	else if (handlers)
		line(&r, "HUNG: %u interrupt handler%s can never go on.", handlers,
		     handlers == 1 ? "" : "s");
	else if (a->n && a->v[0].kind == BB_V_CPU_DEAD)
		line(&r, "HUNG: cpu%u does nothing any more.", a->v[0].cpu);
	else if (a->n)
		line(&r, "BUG: nothing hangs yet, but it will.");
	else if (!a->m->crashed)
		say_healthy(&r);
	for (uint32_t i = 0; i < a->n; i++) {
		if (i == 3 && !full) {
			line(&r, "And %u more; see --full.", a->n - i);
			break;
		}
		say(&r, &a->v[i], i ? "And:  " : "Cause:");
	}
	if (full)
		say_evidence(&r);
	return a->n || a->m->crashed;
}
