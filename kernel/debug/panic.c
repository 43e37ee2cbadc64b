/* panic.c - the end: stop the other CPUs, write the crash record, print the report, power off.
 *
 * Theory. The first CPU to panic owns the end; others that panic stop. `depth` counts panics inside
 * the panic: the second prints one line and powers off, a third halts. No lock is taken; the
 * console ignores its own. The crash record is complete before the first character is printed, so a
 * crash in printing loses nothing. The other CPUs are stopped by NMI, so masked interrupts do not
 * matter. */
#include <debug/debug.h>
#include <lib/atomic.h>
#include <lib/boot.h>
#include <lib/bug.h>
#include <lib/clock.h>
#include <lib/cpu.h>
#include <lib/ksyms.h>
#include <lib/string.h>
#include <trace/glue.h>
#include <arch/cpu.h>
#include <arch/irqflags.h>
#include <arch/thread.h>
#include <arch/upcalls.h>
#include <tracing/box.h>
#include <tracing/events.h>
#include <tracing/tracker.h>
#include "debug_private.h"

#define LOG_TAG "panic"
#include <lib/printk.h>

static u32 panic_owner; /* cpu + 1 */
static u32 panic_depth;
static struct cpumask panic_stopped;

void emit_line(const char *line)
{
	console_write(line, strlen(line));
}

void emit(const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	emit_line(buf);
}

static void stop_others(void)
{
	u64 limit = arch_ticks() + arch_ticks_hz() / 4;

	for_each_online_cpu (c)
		if (c != this_cpu())
			arch_nmi_send(c);
	for_each_online_cpu (c) {
		while (c != this_cpu() && !cpumask_test(&panic_stopped, c) && arch_ticks() < limit)
			arch_cpu_relax();
	}
}

void (*debug_nmi_call)(void);

/* In the NMI of a CPU that is told to stop, or that looks up for the watchdog. */
static void debug_nmi(struct trap_frame *tf)
{
	void (*call)(void) = atomic_xchg(&debug_nmi_call, NULL);
	struct bb_cpu *c = port_cpu();

	if (call)
		call();
	if (c) {
		WRITE_ONCE(c->nmi_pc, trap_pc(tf));
		WRITE_ONCE(c->nmi_fp, trap_fp(tf));
		WRITE_ONCE(c->nmi_ticks, arch_ticks());
	}
	if (atomic_load(&panic_owner) && atomic_load(&panic_owner) != this_cpu() + 1) {
		cpumask_set(&panic_stopped, this_cpu());
		arch_halt();
	}
}

void trap_nmi(struct trap_frame *tf)
{
	/* Always fenced: an NMI may hit between an interrupt's vector and its own fence. */
	unsigned int token = trace_nest_begin((unsigned long)__start_trace_emit_text);
	struct track_context was;

	was = trace_nmi_enter();
	trace(nmi, trap_pc(tf));
	debug_nmi(tf);
	trace_nmi_exit(was);
	trace_nest_end(token);
}

/* The held locks of the running context, newest last. */
static void print_held(void)
{
	struct bb_task *t = port_task();

	for (u32 i = 0; t && i < MIN(t->nheld, BB_MAX_HELD); i++) {
		struct kplace k = kplace_lookup(t->held[i].site);
		u32 class = t->held[i].class;

		emit("    holds %s, taken in %s  %s:%u\n",
		     class && class < BOX_CLASSES ? trace_box.classes[class].name : "a lock",
		     k.func, k.known ? k.file : "?", k.line);
	}
}

static void emit_register_line(const char *line)
{
	emit("%s\n", line);
}

static void __noreturn die(const char *reason, const struct crash_facts *f)
{
	struct bb_crash *cr = &trace_box.crash;
	struct thread *t = arch_current();
	u64 shown[BB_CRASH_FRAMES + 1] = {f->pc}, caller = f->tf ? backtrace_astray(f->tf) : 0;
	unsigned int n = 0;
	char who[64];
	u32 none = 0;

	arch_irq_disable();
	if (!atomic_try_cmpxchg(&panic_owner, &none, this_cpu() + 1) && none != this_cpu() + 1)
		arch_halt();
	switch (atomic_fetch_add(&panic_depth, 1)) {
	case 0:
		break;
	case 1:
		console_bust_lock();
		emit("PANIC inside the panic: %s\n", reason);
		arch_poweroff(false);
	default:
		arch_halt();
	}
	cr->cpu = this_cpu();
	cr->task = t ? t->slot + 1 : 0;
	cr->ticks = arch_ticks();
	cr->pc = f->pc;
	cr->sp = f->sp;
	cr->fp = f->fp;
	cr->addr = f->addr;
	cr->code = f->code;
	strscpy(cr->reason, reason, sizeof(cr->reason));
	if (caller)
		cr->frames[n++] = caller;
	cr->nframes = n + backtrace_collect(0, f->fp, cr->frames + n, BB_CRASH_FRAMES - n);
	atomic_store_release(&cr->valid, 1);
	atomic_store_release(&trace_box.control.panicked, 1);
	stop_others();
	console_bust_lock();
	emit("\nPANIC: %s\n", reason);
	emit("    CPU %u, %s, %llu ms after boot\n", this_cpu(),
	     owner_name(cr->task, who, sizeof(who)), (unsigned long long)time_ns() / 1000000);
	if (f->tf)
		arch_trap_print(f->tf, emit_register_line);
	memcpy(shown + 1, cr->frames, cr->nframes * sizeof(*shown));
	frames_print(shown, cr->nframes + 1);
	print_held();
	if (cmdline_is("panic", "halt")) {
		emit("Halted (panic=halt): the black box can be read.\n");
		arch_halt();
	}
	arch_poweroff(false);
}

static const struct bug_ops ops = {.die = die, .backtrace = backtrace_print};

void debug_init(void)
{
	bug_register(&ops);
	trace_set_report(report_print);
}
