/* thread.c - kernel threads as threads of a process: what sync and the tracker need of a scheduler.
 *
 * Theory. A CPU is a pthread with one kernel thread, which never migrates. Parking waits on the
 * thread's own condition variable until its `parked` word is cleared; prepare stores the word under
 * the same mutex that unpark takes, so no wake is lost. Preemption is the host's, at any
 * instruction, and so is more hostile than the kernel's own: a holder of a spin lock may lose its
 * processor. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/errno.h>
#include <lib/string.h>
#include <sync/park.h>
#include <trace/glue.h>
#include <trace/lock_class.h>
#include <arch/thread.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include <tracing_port.h>
#include "host.h"

struct host_thread {
	struct thread thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	u32 parked; /* enum park_mode, under lock */
	unsigned int cpu;
};

static struct host_thread *threads;
static unsigned long *offsets;
static struct bb_ring *rings;
static struct bb_cpu *cpus;

/* The run that goes on; done counts those whose function has returned. */
static struct {
	void (*fn)(void *arg);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned int done;
} run = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static struct {
	u32 count, verdict; /* atomic */
} reports;

static bool single; /* host_single() */

extern struct track_class __lockclass_start[], __lockclass_end[];

static struct host_thread *host_thread_of(struct thread *t)
{
	return container_of(t, struct host_thread, thread);
}

static void host_prepare(enum park_mode mode)
{
	struct host_thread *h = host_thread_of(arch_current());

	pthread_mutex_lock(&h->lock);
	h->parked = mode;
	pthread_mutex_unlock(&h->lock);
}

static void host_cancel(void)
{
	host_prepare(PARK_NONE);
}

/* One wait until somebody unparks it; true: the deadline came first. Under lock. */
static bool host_sleep(struct host_thread *h, u64 deadline)
{
	struct timespec end = {.tv_sec = (time_t)(deadline / NSEC_PER_SEC),
			       .tv_nsec = (long)(deadline % NSEC_PER_SEC)};

	if (deadline == PARK_FOREVER)
		return pthread_cond_wait(&h->cond, &h->lock);
	return pthread_cond_timedwait(&h->cond, &h->lock, &end) == ETIMEDOUT;
}

static int host_park_until(enum park_mode mode, u64 deadline)
{
	struct host_thread *h = host_thread_of(arch_current());
	bool late = false, cut;

	if (single && h->parked) {
		fprintf(stderr, "host: sleeps, and nobody is there to wake it\n");
		abort();
	}
	pthread_mutex_lock(&h->lock);
	cut = mode >= PARK_KILLABLE && atomic_load(&h->thread.kill_pending);
	while (h->parked && !cut && !late)
		late = host_sleep(h, deadline);
	h->parked = PARK_NONE;
	cut = mode >= PARK_KILLABLE && atomic_load(&h->thread.kill_pending);
	pthread_mutex_unlock(&h->lock);
	return cut ? -ERESTARTSYS : late ? -ETIMEDOUT : 0;
}

static void host_unpark(struct thread *t)
{
	struct host_thread *h = host_thread_of(t);

	pthread_mutex_lock(&h->lock);
	h->parked = PARK_NONE;
	pthread_cond_signal(&h->cond);
	pthread_mutex_unlock(&h->lock);
}

void host_kill(unsigned int cpu)
{
	struct host_thread *h = &threads[cpu];

	pthread_mutex_lock(&h->lock);
	atomic_store(&h->thread.kill_pending, true);
	if (h->parked >= PARK_KILLABLE) {
		h->parked = PARK_NONE;
		pthread_cond_signal(&h->cond);
	}
	pthread_mutex_unlock(&h->lock);
}

bool thread_kill_pending(void)
{
	return atomic_load(&arch_current()->kill_pending);
}

static void host_preempt(void)
{
}

static const struct park_ops host_park_ops = {
	.prepare = host_prepare,
	.until = host_park_until,
	.cancel = host_cancel,
	.unpark = host_unpark,
	.preempt = host_preempt,
};

static void keep_report(const struct bb_report *r)
{
	if (single) {
		fprintf(stderr, "host: the tracker found verdict %u\n", r->verdict);
		abort();
	}
	/* Not the rest of it: its count goes on while we look. */
	atomic_store(&reports.verdict, READ_ONCE(r->verdict));
	atomic_fetch_add(&reports.count, 1);
}

unsigned int host_reports(u32 *verdict)
{
	unsigned int n = atomic_load_acquire(&reports.count);

	if (verdict)
		*verdict = atomic_load(&reports.verdict);
	return n;
}

unsigned int host_locks_held(void)
{
	unsigned int n = 0;

	for_each_cpu (c)
		n += READ_ONCE(threads[c].thread.bb->nheld);
	return n;
}

static void build_box(unsigned int n)
{
	struct box_plan plan = {.cpus = n, .ring_units = 4096, .tasks = n, .locks = 256};
	struct bb_header facts = {.clock_kind = BB_CLOCK_HOST};
	u64 size;

	plan.cmdline = "";
	size = ALIGN_UP(box_dynamic_size(&plan), PAGE_SIZE);
	plan.dynamic_virt = aligned_alloc(PAGE_SIZE, size);
	memset(plan.dynamic_virt, 0, size);
	box_build(&plan, &facts);
	trace_box.control.checks_on = 1;
	rings = box_section(BB_SEC_RINGS, NULL);
	cpus = box_section(BB_SEC_CPUS, NULL);
}

static void init_cpu(unsigned int c)
{
	size_t size = (size_t)(__percpu_end - __percpu_start);
	struct host_thread *h = &threads[c];
	pthread_condattr_t monotonic;
	char *copy = __percpu_start;

	if (c) {
		copy = aligned_alloc(64, ALIGN_UP(size, 64));
		memcpy(copy, __percpu_start, size);
	}
	offsets[c] = (unsigned long)copy - (unsigned long)__percpu_start;
	h->thread.bb = &track_tables.tasks[c];
	h->thread.slot = c;
	track_context_task(&h->thread.hold, h->thread.bb, c);
	h->cpu = c;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC); /* arch_ticks() */
	pthread_cond_init(&h->cond, &monotonic);
	h->thread.bb->tid = h->thread.bb->pid = c + 1;
	h->thread.bb->cpu = c;
	h->thread.bb->state = BB_ST_RUNNING;
	snprintf(h->thread.bb->name, sizeof(h->thread.bb->name), "host-%u", c);
}

void host_init(unsigned int n)
{
	host_console_init();
	trace_default_events();
	for (struct track_class *k = __lockclass_start; k < __lockclass_end; k++)
		track_class_add(k);
	build_box(n);
	threads = calloc(n, sizeof(*threads));
	offsets = calloc(n, sizeof(*offsets));
	nr_cpus = n;
	/* Copies first: CPU 0 uses the section itself. */
	for (unsigned int c = n; c-- > 0;)
		init_cpu(c);
	percpu_offset = offsets;
	for_each_cpu (c) {
		*per_cpu_ptr(&cpu_number, c) = c;
		*per_cpu_ptr(&trace_ring, c) = &rings[c];
		*per_cpu_ptr(&trace_cpu, c) = &cpus[c];
		trace_context_cpu_init(c, &cpus[c]);
		threads[c].thread.ring = &rings[c];
		threads[c].thread.cpu_box = &cpus[c];
		cpumask_set(&cpu_online, c);
	}
	park_ops = &host_park_ops;
	trace_set_report(keep_report);
}

void host_single(void)
{
	host_init(1);
	single = true;
	arch_set_current(&threads[0].thread);
}

static void *cpu_main(void *p)
{
	struct host_thread *h = p;

	host_percpu_offset = offsets[h->cpu];
	arch_set_current(&h->thread);
	run.fn(run.arg);
	pthread_mutex_lock(&run.lock);
	run.done++;
	pthread_cond_broadcast(&run.cond);
	pthread_mutex_unlock(&run.lock);
	return NULL;
}

unsigned int host_run_for(unsigned int n, unsigned int ms, void (*fn)(void *arg), void *arg)
{
	struct timespec end;
	unsigned int done;
	pthread_t id;

	run.fn = fn;
	run.arg = arg;
	run.done = 0;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += (time_t)((u64)end.tv_nsec + (u64)ms * 1000000) / 1000000000;
	end.tv_nsec = (long)(((u64)end.tv_nsec + (u64)ms * 1000000) % 1000000000);
	for (unsigned int c = 0; c < n; c++) {
		if (pthread_create(&id, NULL, cpu_main, &threads[c]))
			abort();
		pthread_detach(id);
	}
	pthread_mutex_lock(&run.lock);
	while (run.done < n && !pthread_cond_timedwait(&run.cond, &run.lock, &end))
		;
	done = run.done;
	pthread_mutex_unlock(&run.lock);
	return done;
}

void host_run(unsigned int n, void (*fn)(void *arg), void *arg)
{
	if (host_run_for(n, 60000, fn, arg) != n) {
		fprintf(stderr, "host: some CPUs did not finish in a minute\n");
		abort();
	}
}
