/* tracker_fixture.h - a small machine for the tracker's tests: 2 CPUs and 8 task slots in tables of
 * the black box's form. "Being" a task or an interrupt is setting the port's thread-locals. Sites
 * are plain numbers. */
#ifndef TRACKER_FIXTURE_H
#define TRACKER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>

#define TASKS 8
#ifndef CPUS
#define CPUS 2
#endif
#define LOCKS 64

static struct bb_task tasks[TASKS];
static struct bb_cpu cpus[CPUS];
static struct bb_lock locks[LOCKS];
static struct bb_ring ring;
static uint64_t ring_data[(256 + BB_RING_SPARE) * 2];
static struct track_class spin_class = {.name = "test.spin", .kind = BB_LK_SPIN, .rank = 7};
static struct track_class mutex_class = {.name = "test.mutex", .kind = BB_LK_MUTEX};
static struct track_lock spin, m1, m2, m3;

static inline int setup(void **state)
{
	memset(tasks, 0, sizeof(tasks));
	memset(cpus, 0, sizeof(cpus));
	memset(locks, 0, sizeof(locks));
	memset(trace_box.reports, 0, sizeof(trace_box.reports));
	memset(trace_box.counters, 0, sizeof(trace_box.counters));
	track_tables.tasks = tasks;
	track_tables.ntasks = TASKS;
	track_tables.cpus = cpus;
	track_tables.ncpus = CPUS;
	track_tables.locks = locks;
	track_tables.nlocks = LOCKS;
	for (uint32_t i = 0; i < TASKS; i++) {
		tasks[i].tid = 100 + i;
		tasks[i].state = BB_ST_RUNNABLE;
	}
	for (uint32_t i = 0; i < CPUS; i++)
		cpus[i].cpu = i;
	memset(&ring, 0, sizeof(ring));
	ring.units = 256;
	ring.data_virt = (uint64_t)(uintptr_t)ring_data;
	host_ring = &ring;
	host_report_count = 0;
	host_irq_depth = host_irqs_off = 0;
	trace_box.control.checks_on = 1;
	track_lock_init(&spin, &spin_class);
	track_lock_init(&m1, &mutex_class);
	track_lock_init(&m2, &mutex_class);
	track_lock_init(&m3, &mutex_class);
	return 0;
}

/* From here on this thread is task `slot`, running on `cpu`. */
static inline void be(uint32_t slot, uint32_t cpu)
{
	host_cpu = &cpus[cpu];
	host_task = &tasks[slot];
	__atomic_store_n(&cpus[cpu].current, slot + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&tasks[slot].cpu, cpu, __ATOMIC_RELAXED);
	__atomic_store_n(&tasks[slot].state, BB_ST_RUNNING, __ATOMIC_RELAXED);
}
static inline void sleep_as(uint32_t slot)
{
	tasks[slot].state = BB_ST_BLOCKED;
	for (uint32_t c = 0; c < CPUS; c++)
		if (cpus[c].current == slot + 1)
			cpus[c].current = 0;
}
static inline void take(struct track_lock *l, uint64_t site)
{
	l->owner = track_self();
	track_acquired(l, BB_HOLD_EXCL, site, 0x5000);
}
static inline void drop(struct track_lock *l, uint64_t site)
{
	track_released(l, BB_HOLD_EXCL, site);
	l->owner = 0;
}
static inline unsigned reports(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < BOX_REPORTS; i++)
		n += trace_box.reports[i].seq != 0;
	assert_int_equal(n, host_report_count);
	return n;
}
/* From here on every finding is new again. */
static inline void forget_reports(unsigned from)
{
	memset(&trace_box.reports[from], 0, sizeof(trace_box.reports[0]) * (BOX_REPORTS - from));
	host_report_count = from;
}
static inline const struct bb_report *only_report(uint32_t verdict, uint32_t check)
{
	assert_int_equal(reports(), 1);
	assert_int_equal(trace_box.reports[0].seq % 2, 0);
	assert_int_equal(trace_box.reports[0].verdict, verdict);
	assert_int_equal(trace_box.reports[0].check, check);
	assert_int_equal(host_last_report.verdict, verdict);
	return &trace_box.reports[0];
}
static inline uint64_t addr(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

#define T(f) cmocka_unit_test_setup(f, setup)

#endif
