/* ring.h - the recorder: lock-free per-CPU rings of variable-size records.
 *
 * Theory. One writer CPU a ring; what can nest is an interrupt or an NMI on that CPU. A writer
 * reserves units and its event number with ONE unlocked read-modify-write of `head`, reads the
 * clock, writes arguments, word0, and the commit word (word1) last with release. It never loops,
 * masks nothing and can be interrupted at any instruction.
 *
 * A reader needs no cooperation: it walks units from head - N; a record counts iff its unit number
 * and its 16-bit check match; on live memory it reads head again afterwards and drops what may have
 * been overwritten meanwhile. It pairs with the acquire/release of head and word1.
 *
 * A writer that sleeps a lap. All emit code lives in section trace_emit_text. Interrupt entry calls
 * trace_nest_begin(pc): if the interrupted address is inside that section, the ring is fenced:
 * nested writers may fill it up to the oldest unit that the sleeper may still write, no further;
 * beyond that their records are refused (reserved and counted in head, never written, so the loss
 * is exact). The fence outlives the interrupt: as long as the sleeper has reserved nothing since,
 * the next interrupt finds it where it was (many interrupts in one emit lap the ring together). So
 * no two writers ever write the same unit, and no torn record can look whole. For the same reason a
 * thread is never preempted there: interrupt exit checks trace_in_emit(pc).
 *
 * Rejected: a check alone (2^-16 a collision, seen in stress); cmpxchg reserve (loops under
 * nesting); per-event preempt_disable (four instructions and a lost reschedule).
 */
#ifndef TRACING_RING_H
#define TRACING_RING_H

#include <tracing/blackbox.h>
#include <tracing/config.h>
#include <tracing/record.h>
#include <tracing_port.h>

#define TRACE_TEXT __attribute__((noinline, section("trace_emit_text")))

/* The black box's static part: first thing of section .blackbox, page aligned (box.c). */
#define BOX_DIR      24
#define BOX_CLASSES  256
#define BOX_REPORTS  64
#define BOX_COUNTERS 32
#define BOX_CONSOLE  65536
#define BOX_QUEUES   8 /* disks and network cards that get rings in the box */
struct trace_box {
	struct bb_header header;
	struct bb_section dir[BOX_DIR];
	struct bb_control control;
	struct bb_class classes[BOX_CLASSES];
	struct bb_report reports[BOX_REPORTS];
	struct bb_counter counters[BOX_COUNTERS];
	struct bb_crash crash;
	struct bb_console console;
	char console_text[BOX_CONSOLE];
	struct bb_queue queues[BOX_QUEUES];
	uint8_t queue_rings[BOX_QUEUES][BB_ALIGN] __attribute__((aligned(BB_ALIGN)));
};
extern struct trace_box trace_box;

extern const char __start_trace_emit_text[], __stop_trace_emit_text[];

/* The switches live in the black box's static part. */
#define trace_control (trace_box.control)

static inline int trace_event_on(unsigned id)
{
	return TRACING &&
	       __builtin_expect(*(volatile const uint8_t *)&trace_control.event_on[id] != 0, 0);
}

/* Any context, NMI included; any lock held. Out of line, so that a probe costs a test and a call;
 * what the commit word has of the event is a constant of the call. */
#define TRACE_WORD(id, n) ((uint64_t)(id) << 20 | (uint64_t)(n) << 16)
TRACE_TEXT void trace_put0(uint64_t word);
TRACE_TEXT void trace_put1(uint64_t word, uint64_t a);
TRACE_TEXT void trace_put2(uint64_t word, uint64_t a, uint64_t b);
TRACE_TEXT void trace_put3(uint64_t word, uint64_t a, uint64_t b, uint64_t c);
TRACE_TEXT void trace_put4(uint64_t word, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
#define trace_emit0(id)             trace_put0(TRACE_WORD(id, 0))
#define trace_emit1(id, a)          trace_put1(TRACE_WORD(id, 1), a)
#define trace_emit2(id, a, b)       trace_put2(TRACE_WORD(id, 2), a, b)
#define trace_emit3(id, a, b, c)    trace_put3(TRACE_WORD(id, 3), a, b, c)
#define trace_emit4(id, a, b, c, d) trace_put4(TRACE_WORD(id, 4), a, b, c, d)
/* syscall_done, by number of arguments: the call that t is in, and its result. */
typedef void trace_put_call_fn(const struct bb_task *t, uint64_t ret);
extern trace_put_call_fn *const trace_put_call[7];
TRACE_TEXT void trace_emit_args(unsigned id, const uint64_t *args, unsigned n); /* n <= 8 */

/* Switches on the default set: all but uncontended locks and function. First thing of the boot. */
void trace_default_events(void);

#if TRACING
static inline int trace_in_emit(uintptr_t pc)
{
	return pc >= (uintptr_t)__start_trace_emit_text && pc < (uintptr_t)__stop_trace_emit_text;
}
/* Interrupt and NMI entry and exit, on the interrupted CPU. Returns a token for the end. */
TRACE_TEXT unsigned trace_nest_begin(uintptr_t pc);
TRACE_TEXT void trace_nest_end(unsigned token);

/* Position "cpu:ordinal" of the next event on this CPU. */
static inline uint64_t trace_position(void)
{
	struct bb_ring *r = port_ring();

	return r ? BB_EVENT(r->cpu, (uint32_t)r->head) : 0;
}
/* Moves what `from` recorded to the same units of `to` (larger, zeroed). Its CPU, nothing else
 * emitting. */
void trace_ring_move(struct bb_ring *to, const struct bb_ring *from);
#else
static inline int trace_in_emit(uintptr_t pc)
{
	return 0;
}
static inline unsigned trace_nest_begin(uintptr_t pc)
{
	return 0;
}
static inline void trace_nest_end(unsigned token)
{
}
static inline void trace_ring_move(struct bb_ring *to, const struct bb_ring *from)
{
}
#endif

#endif
