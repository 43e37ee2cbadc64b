/* watchdog.c - notices what no check at a lock can: a CPU without ticks, a wait that only became
 * hopeless after it began, and a machine in which nothing can ever happen again.
 *
 * Theory. Each CPU has a one-second timer, also while idle. In it the CPU looks at its buddy, the
 * next CPU that is online: a buddy that is not idle and has had no timer interrupt for STUCK_NS is
 * interrupted by NMI (x86) or by an interrupt of NMI priority (aarch64), which records where it is;
 * then it is reported. CPU 0's timer also walks the waits (track_scan_waits). The last CPU to go
 * idle asks whether any timer but these is armed; if none is and somebody waits for a lock, the
 * scan runs at once. All of it only with checks on; the records are there anyway.
 *
 * One record is made here, checks on or off: each CPU's timer looks whether devices whose
 * interrupts come to this CPU have finished what no handler has seen (box_queues_look). */
#include <debug/debug.h>
#include <irq/timer.h>
#include <lib/cpu.h>
#include <sched/sched.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/smp.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

#define PERIOD_NS    NSEC_PER_SEC
#define STUCK_NS     (8 * NSEC_PER_SEC)
#define WAIT_OLD_NS  (2 * NSEC_PER_SEC)
#define IDLE_LOOK_NS (NSEC_PER_SEC / 4) /* how often a CPU that goes idle looks at all waits */

static DEFINE_PER_CPU(struct timer, watchdog_timer);
static DEFINE_PER_CPU(bool, watchdog_armed);

static bool checks_on(void)
{
	return READ_ONCE(trace_box.control.checks_on) != 0;
}

static void look_at(unsigned int cpu)
{
	struct bb_cpu *b = *per_cpu_ptr(&trace_cpu, cpu);
	u64 last = READ_ONCE(b->last_tick), now = arch_ticks(), limit;

	if (READ_ONCE(b->mode) == BB_MODE_IDLE || !last || now < last ||
	    ticks_to_ns(now - last) < STUCK_NS)
		return;
	arch_nmi_send(cpu);
	limit = now + ns_to_ticks(20000000);
	while (READ_ONCE(b->nmi_ticks) < now && arch_ticks() < limit)
		arch_cpu_relax();
	trace(watchdog, cpu, now - last, READ_ONCE(b->nmi_ticks) >= now ? b->nmi_pc : 0);
	/* It may have answered and ticked meanwhile: then it was only slow. */
	if (READ_ONCE(b->last_tick) == last)
		track_report(BB_V_CPU_DEAD, BB_CHK_WATCHDOG, NULL,
			     READ_ONCE(b->nmi_ticks) >= now ? READ_ONCE(b->nmi_pc) : 0, 0,
			     READ_ONCE(b->current));
}

static void watchdog_fire(struct timer *t)
{
	unsigned int here = this_cpu(), buddy = here;
	const struct bb_queue *missed;

	do {
		buddy = (buddy + 1) % nr_cpus;
	} while (buddy != here && !cpumask_test(&cpu_online, buddy));
	if (checks_on() && buddy != here)
		look_at(buddy);
	if (checks_on() && here == 0)
		track_scan_waits(ns_to_ticks(WAIT_OLD_NS));
	missed = box_queues_look(here, arch_ticks());
	if (missed && checks_on())
		track_report(BB_V_MISSING_IRQ, BB_CHK_QUEUE, NULL, (unsigned long)missed, 0,
			     BB_OWNER_CPU | here);
	timer_arm(t, arch_ticks() + ns_to_ticks(PERIOD_NS), watchdog_fire);
}

static void arm_here(void)
{
	timer_arm(this_cpu_ptr(&watchdog_timer), arch_ticks() + ns_to_ticks(PERIOD_NS),
		  watchdog_fire);
}

static void watchdog_tick(void)
{
	bool *armed = this_cpu_ptr(&watchdog_armed);

	if (!*armed) {
		*armed = true;
		arm_here();
	}
}

static DEFINE_PER_CPU(u64, last_look);

static void watchdog_idle(void)
{
	u64 *last = this_cpu_ptr(&last_look), now = arch_ticks();

	/* Is anything but the watchdog's own timers going to happen? Idle CPUs only: racy reads,
	 * and a wrong guess costs one scan. */
	watchdog_tick();
	if (!checks_on() || now - *last < ns_to_ticks(IDLE_LOOK_NS) ||
	    READ_ONCE(port_cpu()->next_timer) != this_cpu_ptr(&watchdog_timer)->deadline)
		return;
	for_each_online_cpu (c) {
		struct bb_cpu *b = *per_cpu_ptr(&trace_cpu, c);

		if (c != this_cpu() && READ_ONCE(b->mode) != BB_MODE_IDLE)
			return;
	}
	*last = now;
	track_scan_waits(ns_to_ticks(WAIT_OLD_NS / 2));
}

void watchdog_init(void)
{
	irqflags_t f = arch_irq_save();

	sched_set_idle_hook(watchdog_idle);
	timer_add_tick_hook(watchdog_tick);
	watchdog_tick();
	arch_irq_restore(f);
}
