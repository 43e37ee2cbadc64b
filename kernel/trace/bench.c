/* bench.c - what a probe costs in this kernel. Boot option bench=1, meant for QEMU's -icount, where
 * the counter counts instructions (shift=0; aarch64 with cntfrq=1000000000) and every run repeats.
 * Prints ticks for each loop body, in hundredths, with the empty loop's cost taken off. */
#include <trace/glue.h>
#include <arch/irqflags.h>
#include <arch/time.h>
#include <tracing/events.h>

#define LOG_TAG "bench"
#include <lib/printk.h>

#define ROUNDS 10000u

static u64 sink[4096 / 8] __aligned(64);

static __noinline u64 loop_empty(void)
{
	u64 start = arch_ticks();

	for (u64 i = 0; i < ROUNDS; i++)
		barrier();
	return arch_ticks() - start;
}

/* The unit of the bar in docs: read the counter and store 32 bytes. */
static __noinline u64 loop_reference(void)
{
	u64 start = arch_ticks();

	for (u64 i = 0; i < ROUNDS; i++) {
		u64 *p = &sink[i * 4 % ARRAY_SIZE(sink)];

		WRITE_ONCE(p[0], arch_ticks());
		WRITE_ONCE(p[1], i);
		WRITE_ONCE(p[2], start);
		WRITE_ONCE(p[3], i);
	}
	return arch_ticks() - start;
}

static __noinline u64 loop_event(void)
{
	u64 start = arch_ticks();

	for (u64 i = 0; i < ROUNDS; i++) {
		trace(bench, i, start, i, start);
		barrier();
	}
	return arch_ticks() - start;
}

static void show(const char *what, u64 ticks, u64 empty)
{
	u64 h = (ticks - MIN(empty, ticks)) * 100 / ROUNDS;

	pr_info("%s %llu.%02llu ticks", what, (unsigned long long)h / 100,
		(unsigned long long)h % 100);
}

void trace_bench(void)
{
	irqflags_t f = arch_irq_save();
	u64 empty, reference, on, off;
	u8 was = trace_control.event_on[EV_bench];

	loop_reference(); /* warm: page tables, translated code */
	loop_event();
	empty = loop_empty();
	reference = loop_reference();
	trace_control.event_on[EV_bench] = 1;
	on = loop_event();
	trace_control.event_on[EV_bench] = 0;
	off = loop_event();
	trace_control.event_on[EV_bench] = was;
	arch_irq_restore(f);
	show("reference", reference, empty);
	show("event with 4 arguments", on, empty);
	show("event switched off", off, empty);
}
