/* bug.c - the doors to the end of the world, open from the first instruction and to the lowest
 * floor. What happens behind them (stop the CPUs, crash record, report) is debug/'s; before that
 * has registered, the reason goes to the console ring and this CPU stops. */
#include <lib/bug.h>
#include <lib/ksyms.h>
#include <lib/string.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/trap.h>
#include <tracing/events.h>

#define LOG_TAG "bug"
#include <lib/printk.h>

static const struct bug_ops *ops;

void bug_register(const struct bug_ops *o)
{
	ops = o;
}

static void __noreturn die(const char *reason, const struct crash_facts *f)
{
	if (ops)
		ops->die(reason, f);
	pr_err("%s", reason);
	arch_halt();
}

void panic(const char *fmt, ...)
{
	/* Inside the call: what follows it may be the next function. */
	struct crash_facts f = {
		.pc = RET_IP - 1, .sp = arch_sp(), .fp = *(unsigned long *)arch_fp()};
	char reason[160];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	die(reason, &f);
}

void oops(struct trap_frame *tf, const char *what, u64 code, unsigned long addr)
{
	struct crash_facts f = {.tf = tf,
				.pc = trap_pc(tf),
				.sp = trap_sp(tf),
				.fp = trap_fp(tf),
				.addr = addr,
				.code = code};
	unsigned long off = 0, size = 0;
	char reason[160];
	const char *where = ksym_lookup(f.pc, &off, &size);

	trace(exception, 0, f.pc, code);
	snprintf(reason, sizeof(reason), "%s in %s+0x%lx (address 0x%lx, code 0x%llx)", what, where,
		 off, addr, (unsigned long long)code);
	die(reason, &f);
}

void warn_at(const char *file, int line, const char *what)
{
	pr_warn("WARNING at %s:%d: %s", file, line, what);
	if (ops)
		ops->backtrace(RET_IP - 1, *(unsigned long *)arch_fp());
}
