/* held.h - the held stack of a context, and how a lock goes on it and off again.
 *
 * Theory. A context is what can hold locks: a task, or the interrupt level of a CPU. Each has a
 * stack of struct bb_held in the box behind one word {count : 32 | version : 32}, count in the
 * upper half; held_seq and nheld of the wire are its halves. Only the context itself writes.
 *
 *   push     fill held[count], then one store of {count + 1, version + 2}
 *   pop      of the newest: compare, then one store of count - 1
 *   the rest (another order of release, a change inside an entry) makes the version odd meanwhile
 *
 * A reader takes entries 0..count-1 between two equal reads of the word, the version being even.
 * Why that holds: entries below count are written only while the version is odd; count grows only
 * by a push, which changes the version; so between two equal reads no push has ended, and what one
 * in progress writes lies at or above every count since. The order: the store of a pop before those
 * of the next push (the fence below) and those before the push's word (release); the reader's
 * loads pair with both (acquire). tests/unit/held.pml is the model.
 *
 * Who writes. The context in force is what port_context() names: the task's own, swapped for the
 * CPU's where an interrupt begins and back where it ends. An interrupt inside an interrupt, or an
 * NMI, may hit in the middle of a push on the CPU's stack: such a context has no stack of its own.
 * It records nothing and counts (held_lost); it should take no lock anyway.
 *
 * `stack` and `max` are what the short way uses. track_divert() makes it fail both ways (nothing
 * fits, nothing is the newest), so whoever wants more than the record - the events of all locks, a
 * hold that lasts too long - pays for it on the long way, and the short one tests nothing.
 *
 * Compile with -fno-strict-aliasing: the word is two fields of the wire. */
#ifndef TRACING_HELD_H
#define TRACING_HELD_H

#include <tracing/blackbox.h>
#include <tracing/config.h>

struct track_stack {
	uint64_t word;
	uint32_t lost; /* holds that found no room */
	uint32_t reserved;
	struct bb_held held[];
};

#if TRACING
struct track_context {
	struct track_stack *stack; /* for the short way: real, or one on which it fails */
	uint32_t max;              /* limit, or 0 */
	uint32_t owner;            /* the context's number: BB_OWNER_CPU | cpu, or slot + 1 */
	struct track_stack *real;
	uint32_t limit; /* entries; 0: counts only */
	uint32_t until; /* diverted until the stack is no higher than this */
};
#else
struct track_context {
	uint32_t owner;
};
#endif

#define TRACK_PUSHED ((1ull << 32) + 2)

static inline struct track_stack *track_task_stack(struct bb_task *t)
{
	return (struct track_stack *)(void *)&t->held_seq;
}
static inline struct track_stack *track_cpu_stack(struct bb_cpu *c)
{
	return (struct track_stack *)(void *)&c->held_seq;
}

_Static_assert(__builtin_offsetof(struct bb_task, held_seq) % 8 == 0 &&
		       __builtin_offsetof(struct bb_task, nheld) ==
			       __builtin_offsetof(struct bb_task, held_seq) + 4 &&
		       __builtin_offsetof(struct bb_task, held) ==
			       __builtin_offsetof(struct bb_task, held_seq) +
				       sizeof(struct track_stack),
	       "a task's held stack is a struct track_stack");
_Static_assert(__builtin_offsetof(struct bb_cpu, held_seq) % 8 == 0 &&
		       __builtin_offsetof(struct bb_cpu, nheld) ==
			       __builtin_offsetof(struct bb_cpu, held_seq) + 4 &&
		       __builtin_offsetof(struct bb_cpu, held) ==
			       __builtin_offsetof(struct bb_cpu, held_seq) +
				       sizeof(struct track_stack),
	       "a CPU's held stack is a struct track_stack");

/* The thread sanitizer must see that it is meant; else these stay plain loads and stores, which the
 * compiler may pair or fold. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HELD_ATOMIC 1
#endif
#endif
#ifdef HELD_ATOMIC
#define HELD_PUT(field, v) __atomic_store_n(&(field), (v), __ATOMIC_RELAXED)
#define HELD_GET(field)    __atomic_load_n(&(field), __ATOMIC_RELAXED)
#else
#define HELD_PUT(field, v) ((field) = (v))
#define HELD_GET(field)    (field)
#endif

/* Fields `class` to `frame`, and `epoch` and `caller`, as the two words that they are. */
#define HELD_TAG(class, mode) ((uint64_t)(mode) << 32 | (class))
#define HELD_TAG_FRAME        48 /* first bit of `frame` */

static inline uint64_t *held_tag_word(struct bb_held *h)
{
	return (uint64_t *)(void *)&h->class;
}
static inline uint64_t *held_epoch_word(struct bb_held *h)
{
	return (uint64_t *)(void *)&h->epoch;
}

static inline uint32_t *held_event_halves(struct bb_held *h)
{
	return (uint32_t *)(void *)&h->event; /* ordinal, CPU */
}

/* The short way on: the entry to fill; 0 if it does not lead there. Then track_pushed() with the
 * word seen. stack and max are the context's. The context's own; where it runs. */
static inline __attribute__((always_inline)) int track_room(struct track_stack *s, uint32_t max,
							    uint64_t *word, struct bb_held **h)
{
	uint64_t w = __atomic_load_n(&s->word, __ATOMIC_RELAXED);
	uint64_t n = w >> 32;

	*word = w;
	*h = &s->held[n];
	__atomic_thread_fence(__ATOMIC_RELEASE);
	return __builtin_expect(n < max, 1);
}
static inline __attribute__((always_inline)) void track_pushed(struct track_stack *s, uint64_t word)
{
	__atomic_store_n(&s->word, word + TRACK_PUSHED, __ATOMIC_RELEASE);
}

/* The newest entry, if there are `n`. With an empty stack this is what lies before the entries, the
 * wait record's site for the lock's address: no lock has a code address. */
static inline __attribute__((always_inline)) struct bb_held *track_newest(struct track_stack *s,
									  uint32_t n)
{
	return (struct bb_held *)((uintptr_t)s->held + sizeof(struct bb_held) * (uintptr_t)n) - 1;
}
static inline uint32_t *track_count(struct track_stack *s)
{
	return &((uint32_t *)(void *)&s->word)[1];
}

#if TRACING
/* Own contexts of a task and of a CPU; a CPU's of which `deep` is set counts only. */
void track_context_task(struct track_context *c, struct bb_task *t, uint32_t slot);
void track_context_cpu(struct track_context *c, struct bb_cpu *cpu, int deep);
/* From now on every hold and release of the context goes the long way, until it holds no more than
 * `until` locks; back again. */
void track_divert(struct track_context *c, uint32_t until);
void track_undivert(struct track_context *c);
#endif

#endif
