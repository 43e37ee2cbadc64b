/* ring_stress.c - the trace ring under nested writers and helpless readers.
 *
 * Theory. Every record's contents follow from its first argument, so that a record that two writers
 * made is recognised. Modes:
 *
 *   step  The writer is single-stepped (x86-64 trap flag). After EVERY instruction a handler, which
 *         stands for an interrupt, reads the ring as a stopped guest would be read, emits, and
 *         reads again. Some of the handler's own emits, and its trace_nest_begin() and _end(), are
 *         stepped in turn: a second level stands for an NMI. No lap: nothing may be lost.
 *   lap   As step, but each interrupt fills the ring more than once. Without the fence the sleeper
 *         would write into younger records. What was refused is known event by event.
 *   live  Timers interrupt the writer at two levels, a reader on the other CPU reads all the time.
 *
 * Invariants. A record whose commit word is there is complete. No torn record is accepted. Ordinals
 * ascend. In quiescence accepted + lost equals the head's event count, which equals the number of
 * emits; what is missing between two accepted records is exactly what the fence refused.
 *
 * Not modelled: an NMI between the vector and trace_nest_begin() of an interrupt that hit an emit
 * is not fenced in. It records a handful, which is no lap; here it records nothing.
 *
 * usage: ring_stress [-s seconds a mode] [-m step|lap|live]; exit code 1 if anything is wrong.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include "ring_fixture.h"

#define MAX_UNITS 4096
#define LEVELS    3

struct tally {
	uint64_t scans, accepted, torn, passed;
	uint64_t corrupt, wrong; /* must stay 0 */
};

static struct ring_fixture fx;
static uint64_t next_record; /* emits, all levels */
static uint64_t refused;     /* by the fence, where a level can know */
static uint8_t refused_event[1 << 16];
static struct tally tally;
static struct ring_record recs[LEVELS + 1][MAX_UNITS];

static uint64_t hash(uint64_t x)
{
	x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
	return x ^ x >> 32;
}
static unsigned nargs_of(uint64_t record)
{
	return record % 5 ? 1 + hash(record) % 8 : 0;
}
static unsigned id_of(uint64_t record)
{
	return record % 5 ? 2 + (hash(record) >> 16) % 4000 : 1;
}
/* Never what word1 of a record may be: its upper half is no unit number that a run reaches. */
static uint64_t arg_of(uint64_t record, unsigned i)
{
	return hash(record + i) | 1ull << 63;
}
static int consistent(const struct ring_record *r)
{
	uint64_t record = r->args[0];

	if (!r->nargs)
		return r->id == 1;
	if (r->nargs != nargs_of(record) || r->id != id_of(record))
		return 0;
	for (unsigned i = 1; i < r->nargs; i++)
		if (r->args[i] != arg_of(record, i))
			return 0;
	return 1;
}

static __attribute__((noinline)) void emit_next(void)
{
	uint64_t record = __atomic_fetch_add(&next_record, 1, __ATOMIC_RELAXED), a[8];
	unsigned n = nargs_of(record), id = id_of(record);

	a[0] = record;
	for (unsigned i = 1; i < n; i++)
		a[i] = arg_of(record, i);
	switch (n) {
	case 0:
		trace_emit0(id);
		break;
	case 1:
		trace_emit1(id, a[0]);
		break;
	case 2:
		trace_emit2(id, a[0], a[1]);
		break;
	case 3:
		trace_emit3(id, a[0], a[1], a[2]);
		break;
	case 4:
		trace_emit4(id, a[0], a[1], a[2], a[3]);
		break;
	default:
		trace_emit_args(id, a, n);
	}
}

static void look(unsigned level, struct tally *t, struct ring_scan *scan)
{
	ring_read(&fx.ring, fx.data, recs[level], MAX_UNITS, scan);
	t->scans++;
	t->accepted += scan->accepted;
	t->torn += scan->torn;
	t->passed += scan->passed;
	if (scan->disorder || scan->accepted + scan->lost != scan->head_events)
		t->wrong++;
	for (uint32_t i = 0; i < scan->accepted; i++)
		if (!consistent(&recs[level][i]))
			t->corrupt++;
}

/* All writers are done: nothing is missing but what was overwritten or refused. */
static void look_quiescent(void)
{
	struct ring_scan scan;
	uint32_t missing = 0, first;

	look(LEVELS, &tally, &scan);
	if (scan.head_events != (uint32_t)next_record || fx.ring.fenced ||
	    !ring_guard_intact(&fx) || scan.passed)
		tally.wrong++;
	if (!scan.accepted)
		return;
	first = recs[LEVELS][0].event;
	for (uint32_t e = first; e != scan.head_events; e++)
		missing += refused_event[e & 0xffff];
	if (missing != scan.lost_gap)
		tally.wrong++;
	if (!refused && scan.head_units > fx.ring.units &&
	    recs[LEVELS][0].unit - (scan.head_units - fx.ring.units) >= 5)
		tally.wrong++;
}

static void reset(uint32_t units)
{
	if (fx.data)
		ring_close(&fx);
	ring_open(&fx, units);
	next_record = 0;
	refused = 0;
	memset(refused_event, 0, sizeof(refused_event));
	memset(&tally, 0, sizeof(tally));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int show(const char *mode, const struct tally *reader)
{
	struct tally t = tally;

	if (reader) {
		t.scans += reader->scans;
		t.accepted += reader->accepted;
		t.torn += reader->torn;
		t.passed += reader->passed;
		t.corrupt += reader->corrupt;
		t.wrong += reader->wrong;
	}
	printf("ring_stress %-5s %s: %llu emitted, %llu refused, %llu scans, %llu accepted, "
	       "%llu torn units, %llu passed; corrupt %llu, wrong %llu\n",
	       mode, t.corrupt || t.wrong ? "FAILED" : "ok", (unsigned long long)next_record,
	       (unsigned long long)refused, (unsigned long long)t.scans,
	       (unsigned long long)t.accepted, (unsigned long long)t.torn,
	       (unsigned long long)t.passed, (unsigned long long)t.corrupt,
	       (unsigned long long)t.wrong);
	fflush(stdout);
	return t.corrupt || t.wrong || !t.accepted;
}

#if defined(__x86_64__)
/* ---- step and lap -------------------------------------------------------------------------- */
#define TRAP_FLAG 0x100ull

static volatile unsigned depth;
static volatile unsigned steps, steps_recorded;
static unsigned burst;      /* records an interrupt emits */
static unsigned nest_every; /* every so many steps the interrupt is itself stepped */
static unsigned turn[2];    /* lap: the steps within an emit at which the interrupts record */
static int lap;
static uint64_t round_head;                               /* when this emit began */
static uint64_t head_seen[LEVELS], head_reserved[LEVELS]; /* by the level that steps, from 1 */

#define STEP_ON()  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG)
#define STEP_OFF() __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~TRAP_FLAG)

/* One emit whose fate is seen at once: nothing interrupts it. */
static void emit_watched(void)
{
	uint64_t head = fx.ring.head;
	uint32_t unit = (uint32_t)(head >> 32);
	const uint64_t *w = (const uint64_t *)fx.data + 2 * (unit & (fx.ring.units - 1));

	emit_next();
	refused_event[head & 0xffff] = w[1] >> 32 != unit;
	refused += refused_event[head & 0xffff];
}

/* An emit that is stepped: its reservation is the change of head between two traps. */
static void emit_stepped(unsigned level, uintptr_t pc)
{
	const uint64_t *w;
	uint32_t unit;
	unsigned token;

	head_seen[level] = fx.ring.head;
	head_reserved[level] = ~0ull;
	STEP_ON();
	token = trace_nest_begin(pc);
	emit_next();
	trace_nest_end(token);
	STEP_OFF();
	if (head_reserved[level] == ~0ull)
		abort();
	unit = (uint32_t)(head_reserved[level] >> 32);
	w = (const uint64_t *)fx.data + 2 * (unit & (fx.ring.units - 1));
	refused_event[head_reserved[level] & 0xffff] = w[1] >> 32 != unit;
	refused += w[1] >> 32 != unit;
}

static void on_step(int sig, siginfo_t *info, void *context)
{
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	unsigned level = ++depth, token;
	struct ring_scan scan;

	if (fx.ring.head != head_seen[level])
		head_reserved[level] = head_seen[level];
	look(level, &tally, &scan);
	tally.wrong += scan.half != 0;
	if (level == 1 && lap && ++steps != turn[0] && steps != turn[1]) {
		/* only two interrupts of this emit record */
	} else if (!lap && (uint32_t)((fx.ring.head - round_head) >> 32) > MAX_UNITS - 512) {
		/* instrumented code has so many instructions that this would become a lap */
	} else if (level == 1 && ++steps_recorded % nest_every == 0) {
		emit_stepped(2, pc);
	} else if (level == 1 || fx.ring.fenced || trace_in_emit(pc)) {
		token = trace_nest_begin(pc);
		for (unsigned i = 0; i < burst; i++)
			emit_watched();
		if (lap)
			look(level, &tally, &scan);
		trace_nest_end(token);
	}
	head_seen[level] = fx.ring.head;
	depth--;
}

static int run_steps(const char *mode, double seconds)
{
	struct sigaction sa = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_NODEFER};
	double end = now() + seconds;
	unsigned rounds = 0;

	lap = mode[0] == 'l';
	reset(lap ? 64 : MAX_UNITS);
	sigaction(SIGTRAP, &sa, NULL);
	do {
		steps = steps_recorded = 0;
		if (lap) { /* any two instructions; an emit has at most 180 or so */
			turn[0] = 1 + hash(2 * rounds) % 180;
			turn[1] = 1 + hash(2 * rounds + 1) % 180;
			burst = 15 + rounds % 23;
			nest_every = 1 + rounds % 3;
		} else {
			burst = 1;
			nest_every = 61 + rounds % 97;
		}
		round_head = fx.ring.head;
		emit_stepped(1, 0);
		look_quiescent();
		if (!lap && refused)
			tally.wrong++;
		rounds++;
	} while (now() < end);
	if (lap && !refused)
		tally.wrong++;
	return show(mode, NULL);
}
#else
static int run_steps(const char *mode, double seconds)
{
	printf("ring_stress %-5s skipped: needs x86-64's trap flag\n", mode);
	return 0;
}
#endif

/* ---- live ---------------------------------------------------------------------------------- */
static int stop;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* one CPU only: still a test */
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
#if defined(__x86_64__)
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
	uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.pc;
#endif
	unsigned token = trace_nest_begin(pc);

	for (int i = 0; i < (sig == SIGRTMIN ? 5 : 2); i++)
		emit_next();
	trace_nest_end(token);
}

static void *read_live(void *arg)
{
	struct ring_scan scan;

	pin(1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		look(1, arg, &scan);
	return NULL;
}

static int run_live(double seconds)
{
	static struct tally reader;
	struct sigaction sa = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO | SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID};
	double end = now() + seconds;
	timer_t timers[2];
	pthread_t thread;

	reset(4096);
	if (pthread_create(&thread, NULL, read_live, &reader))
		return 1;
	pin(0);
	ev._sigev_un._tid = gettid();
	sigemptyset(&sa.sa_mask); /* the second level interrupts the first, and not itself */
	for (int i = 0; i < 2; i++) {
		struct itimerspec every = {{0, 30000 - 13000 * i}, {0, 30000 - 13000 * i}};

		if (i)
			sigaddset(&sa.sa_mask, SIGRTMIN);
		sigaction(SIGRTMIN + i, &sa, NULL);
		ev.sigev_signo = SIGRTMIN + i;
		if (timer_create(CLOCK_MONOTONIC, &ev, &timers[i]) ||
		    timer_settime(timers[i], 0, &every, NULL))
			return 1;
	}
	do {
		for (int i = 0; i < 2000; i++)
			emit_next();
	} while (now() < end);
	for (int i = 0; i < 2; i++)
		timer_delete(timers[i]);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	look_quiescent();
	return show("live", &reader);
}

int main(int argc, char **argv)
{
	double seconds = 2;
	const char *only = NULL;
	int failed = 0, o;

	while ((o = getopt(argc, argv, "s:m:")) != -1) {
		switch (o) {
		case 's':
			seconds = atof(optarg);
			break;
		case 'm':
			only = optarg;
			break;
		default:
			fprintf(stderr, "usage: %s [-s seconds] [-m step|lap|live]\n", argv[0]);
			return 2;
		}
	}
	if (!only || !strcmp(only, "step"))
		failed |= run_steps("step", seconds);
	if (!only || !strcmp(only, "lap"))
		failed |= run_steps("lap", seconds);
	if (!only || !strcmp(only, "live"))
		failed |= run_live(seconds);
	return failed;
}
