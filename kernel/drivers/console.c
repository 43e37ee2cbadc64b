/* console.c - the serial console's output side, which cannot deadlock.
 *
 * Theory. `owner` keeps the lines of several CPUs apart, nothing more: the UART needs no lock to
 * stay sane (arch_uart_putc is polled and lock-free). So the lock is a bare word that the tracker
 * does not know, taken with interrupts masked and held for one chunk:
 *   - free: we take it;
 *   - ours already (an NMI, an exception or a report inside our own output): we write through it,
 *     since waiting for ourselves would be for ever; the text may cut into the interrupted line;
 *   - another CPU's: we wait WAIT_MS at most, then count the chunk as dropped. That CPU may be
 *     stopped, or be a virtual CPU that the host does not run. The black box has the text.
 * After console_bust_lock() the word is ignored by everybody: in a panic a mixed line is better
 * than a missing one. Acquire of the word pairs with the release in console_release().
 */
#include <drivers/console.h>
#include <drivers/init.h>
#include <lib/atomic.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/printk.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/platform.h>
#include <tracing/box.h>

#define CHUNK      128u     /* bytes a hold: about half a millisecond of an emulated UART */
#define WAIT_MS    200u     /* a chunk takes far less; a loaded host may stall the owner's CPU */
#define WAIT_SPINS 4000000u /* the same while the clock is not known */

static u32 owner;   /* CPU + 1, 0 = free */
static bool busted; /* once set, for ever */

enum take { TAKE_OWNED, TAKE_THROUGH, TAKE_FAILED };

/* Interrupts masked. */
static enum take console_try_take(u32 self)
{
	u32 seen = 0;

	if (atomic_load(&busted))
		return TAKE_THROUGH;
	if (atomic_try_cmpxchg(&owner, &seen, self))
		return TAKE_OWNED;
	return seen == self ? TAKE_THROUGH : TAKE_FAILED;
}

/* Bytes; a counter of the black box, made at boot (kernel/debug/box_setup.c). */
static void count_dropped(size_t n)
{
	struct bb_counter *c = n ? box_counter("console_dropped") : NULL;

	if (c)
		atomic_fetch_add(&c->value, n);
}

/* A port that stalls loses characters, never time: see arch_uart_putc(). */
static void console_put(const char *s, size_t n)
{
	size_t lost = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			arch_uart_putc('\r');
		lost += !arch_uart_putc(s[i]);
	}
	count_dropped(lost);
}

static bool console_emit_chunk(const char *s, size_t n)
{
	u64 hz = arch_ticks_hz();
	u64 start = arch_ticks();

	for (u64 spins = 0;; spins++) {
		irqflags_t flags = arch_irq_save();
		enum take t = console_try_take(this_cpu() + 1);

		if (t != TAKE_FAILED) {
			console_put(s, n);
			if (t == TAKE_OWNED)
				atomic_store_release(&owner, 0);
			arch_irq_restore(flags);
			return true;
		}
		arch_irq_restore(flags);
		if (hz ? arch_ticks() - start > hz / 1000 * WAIT_MS : spins > WAIT_SPINS)
			break;
		arch_cpu_relax();
	}
	count_dropped(n);
	return false;
}

bool console_emit(const char *s, size_t n)
{
	bool all = true;

	while (n && all) {
		size_t c = MIN(n, (size_t)CHUNK);

		all = console_emit_chunk(s, c);
		s += c;
		n -= c;
	}
	/* What follows a dropped chunk is dropped with it: waiting again for each would add up. */
	count_dropped(n);
	return all;
}

void console_write(const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		u32 c = (u32)MIN(n - at, (size_t)CHUNK);

		box_console_write(s + at, c);
		at += c;
	}
	console_emit(s, n);
}

void console_init(void)
{
	printk_set_sink(console_emit);
}

void console_bust_lock(void)
{
	atomic_store(&busted, true);
}
