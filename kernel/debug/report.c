/* report.c - the serial console's short form of a finding: verdict, owner, sites. The long form is
 * the host tool's. Called by the tracker in any context, with any lock held; takes none. */
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ksyms.h>
#include <lib/string.h>
#include <arch/cpu.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "debug_private.h"

static const char *class_name(u32 class)
{
	return class && class < BOX_CLASSES ? trace_box.classes[class].name : "(a lock)";
}

const char *owner_name(u32 owner, char *buf, size_t size)
{
	const struct bb_task *t;

	if (!owner || (!(owner & BB_OWNER_CPU) && owner > track_tables.ntasks)) {
		strscpy(buf, "nobody", size);
		return buf;
	}
	if (owner & BB_OWNER_CPU) {
		snprintf(buf, size, "an interrupt on CPU %u", owner & ~BB_OWNER_CPU);
		return buf;
	}
	t = &track_tables.tasks[owner - 1];
	if (t->flags & BB_TASK_KTHREAD)
		snprintf(buf, size, "%.31s (kernel thread %u)", t->name, t->tid);
	else
		snprintf(buf, size, "%.31s (pid %u)", t->name, t->pid);
	return buf;
}

static void site(const char *label, u64 addr)
{
	struct kplace k = kplace_lookup(addr);
	unsigned long off = 0, size = 0;

	if (!addr)
		return;
	if (k.known) {
		emit("       %-10s %s  %s:%u\n", label, k.func, k.file, k.line);
		return;
	}
	ksym_lookup(addr - 1, &off, &size);
	emit("       %-10s %s+0x%lx\n", label, k.func, off + 1);
}

static void sentence(const struct bb_report *r)
{
	const char *lock = class_name(r->class);
	char who[64];

	owner_name(r->task, who, sizeof(who));
	switch (r->check) {
	case BB_CHK_LEAVE:
		emit("BUG: %s leaves the kernel while it holds lock %s.\n", who, lock);
		break;
	case BB_CHK_EXIT:
		emit("BUG: %s exits while it holds lock %s.\n", who, lock);
		break;
	case BB_CHK_ORPHAN:
		emit("HUNG: lock %s is held by %s, which can never release it.\n", lock, who);
		break;
	case BB_CHK_CYCLE:
		emit("HUNG: deadlock: the wait for lock %s closes a cycle; it is held by %s.\n",
		     lock, who);
		break;
	case BB_CHK_SELF:
		if (r->verdict == BB_V_IRQ_SELF)
			emit("HUNG: an interrupt waits for lock %s, held by %s, which it "
			     "interrupted.\n",
			     lock, who);
		else
			emit("HUNG: %s waits for lock %s, which it holds itself.\n", who, lock);
		break;
	case BB_CHK_SLEEP:
		emit("BUG: %s may sleep while %s%s.\n", who, r->lock ? "it holds lock " : "",
		     r->lock ? lock : "interrupts are off");
		break;
	case BB_CHK_UNLOCK:
		emit("BUG: lock %s is released by somebody who does not hold it (%s).\n", lock,
		     who);
		break;
	case BB_CHK_UNINIT:
		emit("BUG: a lock at 0x%llx was never initialised.\n", (unsigned long long)r->lock);
		break;
	case BB_CHK_DEAD:
		emit("BUG: %s uses lock %s at 0x%llx after it was destroyed.\n", who, lock,
		     (unsigned long long)r->lock);
		break;
	case BB_CHK_FREED:
		emit("BUG: lock %s is freed while it is held by %s.\n", lock, who);
		break;
	case BB_CHK_FREED_WAIT:
		emit("BUG: %s is freed while %s waits for it.\n", lock, who);
		break;
	case BB_CHK_QUEUE:
		emit("HUNG: device %.15s has finished a request, but its interrupt never came.\n",
		     ((const struct bb_queue *)(unsigned long)r->site)->name);
		break;
	case BB_CHK_WATCHDOG:
		emit("HUNG: CPU %u has taken no timer interrupt for seconds; it runs %s.\n",
		     r->task && r->task <= track_tables.ntasks ? track_tables.tasks[r->task - 1].cpu
							       : ~0u,
		     who);
		break;
	default:
		emit("BUG: check %u found a problem with lock %s (%s).\n", r->check, lock, who);
		break;
	}
}

/* Keeps the lines of two reports apart, for a while: whoever waits too long, or interrupts the one
 * that prints, prints all the same. Returns whether the turn is ours to give back. */
#define TURN_MS 100
static u32 report_turn; /* CPU + 1 */

static bool take_turn(void)
{
	u64 end = arch_ticks() + arch_ticks_hz() / 1000 * TURN_MS;
	u32 seen;

	do {
		seen = 0;
		if (atomic_try_cmpxchg(&report_turn, &seen, this_cpu() + 1))
			return true;
		arch_cpu_relax();
	} while (seen != this_cpu() + 1 && arch_ticks() < end);
	return false;
}

void report_print(const struct bb_report *r)
{
	bool turn = take_turn();

	static const char *const second[] = {
		[BB_CHK_LEAVE] = "left at",
		[BB_CHK_EXIT] = "exits at",
		[BB_CHK_SLEEP] = "sleeps at",
		[BB_CHK_UNLOCK] = "before at",
		[BB_CHK_HOLD] = "",
		[BB_CHK_FREED] = "freed at",
		[BB_CHK_FREED_WAIT] = "freed at",
		[BB_CHK_DEAD] = "destroyed at",
	};
	static const char *const first[] = {
		[BB_CHK_UNLOCK] = "at",
		[BB_CHK_WATCHDOG] = "at",
		[BB_CHK_FREED_WAIT] = "waits at",
		[BB_CHK_DEAD] = "at",
	};
	const char *label =
		r->check < ARRAY_SIZE(second) && second[r->check] ? second[r->check] : "waits at";

	sentence(r);
	if (r->check != BB_CHK_QUEUE)
		site(r->check < ARRAY_SIZE(first) && first[r->check] ? first[r->check] : "taken at",
		     r->site);
	site(label, r->site2);
	emit("       %s CPU %u, t=%llu.%03llu s, event %u:%u\n",
	     r->check == BB_CHK_WATCHDOG || r->check == BB_CHK_QUEUE ? "noticed by" : "on", r->cpu,
	     (unsigned long long)(ticks_to_ns(r->ticks - box_header()->clock_anchor) / 1000000000),
	     (unsigned long long)(ticks_to_ns(r->ticks - box_header()->clock_anchor) / 1000000 %
				  1000),
	     (u32)(r->event >> 32), (u32)r->event);
	if (turn)
		atomic_store_release(&report_turn, 0);
}
