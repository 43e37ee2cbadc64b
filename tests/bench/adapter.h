/* adapter.h - tracing/ in a foreign cost harness: five inlines around the real probes, so that the
 * enabled test is inlined as in the kernel. One ring a thread, in the memory that is given. */
#ifndef BENCH_ADAPTER_H
#define BENCH_ADAPTER_H

#include <stddef.h>
#include <stdint.h>
#include <tracing/events.h>

/* mem: the ring's units, a power of two of bytes, with BB_RING_SPARE units more behind it. The
 * descriptor is apart, as in the kernel. Switches the measured events. */
static inline int tcx_thread_init(void *mem, size_t bytes)
{
	static __thread struct bb_ring ring __attribute__((aligned(64)));

	ring = (struct bb_ring){.units = bytes / BB_UNIT, .data_virt = (uint64_t)(uintptr_t)mem};
	host_ring = &ring;
	trace_control.event_on[EV_bench] = 1;
	trace_control.event_on[EV_timer_entry] = 1;
	trace_control.event_on[EV_sched_wake] = 1;
	trace_control.event_on[EV_lock_waited] = 0;
	return 0;
}
static inline void tcx_off2(uint64_t a, uint64_t b)
{
	trace(lock_waited, a, b);
}
static inline void tcx_ev0(void)
{
	trace(timer_entry);
}
static inline void tcx_ev2(uint64_t a, uint64_t b)
{
	trace(sched_wake, a, b);
}
static inline void tcx_ev4(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	trace(bench, a, b, c, d);
}

#endif
