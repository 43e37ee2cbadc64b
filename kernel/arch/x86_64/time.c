/* time.c - the TSC's frequency and this CPU's one-shot timer.
 *
 * Frequency. What the CPU or the hypervisor tells is believed; otherwise the TSC is measured
 * against the ACPI PM timer or the PIT. On a busy host this machine may stand still between any two
 * instructions, so each reading of the reference is bracketed by two TSC readings and of several
 * tries the tightest is taken; of SAMPLES intervals the median counts; and if they do not agree
 * within TOLERANCE the measurement is repeated with longer intervals.
 *
 * Timer. TSC deadline where there is one, else the APIC timer in one-shot mode, measured in the
 * same intervals. The APIC timer counts another clock and at most about a second, so it may fire
 * early: x86_timer_due() then arms it again and nobody above notices. */
#define LOG_TAG "time"
#include <lib/bug.h>
#include <lib/percpu.h>
#include <lib/printk.h>
#include <arch/cpu.h>
#include <arch/time.h>
#include "acpi.h"
#include "x86.h"

#define PM_HZ    3579545u
#define PM_MASK  0xffffffu
#define PIT_HZ   1193182u
#define PIT_MASK 0xffffu

#define SAMPLES   5
#define TRIES     8
#define ROUNDS    6
#define TOLERANCE 500 /* 1/500 */

#define LVT_MASKED   0x10000
#define LVT_DEADLINE 0x40000

static u64 tsc_hz;
static u64 apic_scale; /* apic counts a TSC tick, 32.32 */

DEFINE_PER_CPU(u64, x86_deadline);

struct reference {
	const char *name;
	u32 (*read)(void);
	u32 mask, hz;
};

static u32 pm_read(void)
{
	return inl(x86_acpi.pm_timer);
}

/* Channel 2 counts down; its gate is in port 0x61. */
static void pit_start(void)
{
	outb(0x61, (u8)((inb(0x61) & ~2u) | 1));
	outb(0x43, 0xb4); /* channel 2, both bytes, rate generator */
	outb(0x42, 0xff);
	outb(0x42, 0xff);
}

static u32 pit_read(void)
{
	u32 v;

	outb(0x43, 0x80); /* latch */
	v = inb(0x42);
	v |= (u32)inb(0x42) << 8;
	return PIT_MASK - v;
}

struct reading {
	u64 tsc;
	u32 ref, apic;
};

/* One reading of all three counters; `tsc` is the middle of the tightest bracket of several. */
static struct reading take(const struct reference *ref)
{
	struct reading best = {0};
	u64 width = ~0ull;

	for (int i = 0; i < TRIES; i++) {
		u64 a = arch_ticks(), b;
		u32 r = ref->read(), c = x86_apic_timer_left();

		b = arch_ticks();
		if (b - a < width) {
			width = b - a;
			best = (struct reading){a + (b - a) / 2, r, c};
		}
	}
	return best;
}

static void sort(u64 *v, int n)
{
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && v[j] < v[j - 1]; j--) {
			u64 t = v[j];

			v[j] = v[j - 1];
			v[j - 1] = t;
		}
}

/* One round: medians into *tsc and *apic. False if the samples disagree or the reference stands. */
static bool measure(const struct reference *ref, u32 interval, u64 *tsc, u64 *apic)
{
	u64 t[SAMPLES], a[SAMPLES];

	for (int i = 0; i < SAMPLES; i++) {
		struct reading from, to;
		u32 passed;
		u64 spins = 0;

		x86_apic_timer(LVT_MASKED | VEC_TIMER, ~0u);
		from = take(ref);
		do {
			if (++spins > 100000000)
				return false;
			arch_cpu_relax();
		} while (((ref->read() - from.ref) & ref->mask) < interval);
		to = take(ref);
		passed = (to.ref - from.ref) & ref->mask;
		if (passed < interval)
			return false; /* a standstill longer than the counter's range */
		t[i] = (to.tsc - from.tsc) * ref->hz / passed;
		a[i] = (u64)(from.apic - to.apic) * ref->hz / passed;
	}
	sort(t, SAMPLES);
	sort(a, SAMPLES);
	*tsc = t[SAMPLES / 2];
	*apic = a[SAMPLES / 2];
	return *tsc && *apic && t[SAMPLES - 2] - t[1] <= *tsc / TOLERANCE &&
	       a[SAMPLES - 2] - a[1] <= *apic / TOLERANCE;
}

/* What CPUID tells: leaf 0x15 (crystal times ratio), or in kHz the hypervisor's 0x40000010, where
 * it is one that knows VMware's convention: with others that leaf may hold anything. */
static u64 cpuid_hz(void)
{
	bool told = false;
	struct cpuid l;

	if (cpuid(0, 0).a >= 0x15) {
		l = cpuid(0x15, 0);
		if (l.a && l.b && l.c)
			return (u64)l.c * l.b / l.a;
	}
	if (x86_hypervisor_is("VMwareVMware") || x86_hypervisor_is("KVMKVMKVM\0\0"))
		told = cpuid(0x40000000, 0).a >= 0x40000010;
	if (told)
		return (u64)cpuid(0x40000010, 0).a * 1000;
	return 0;
}

u64 arch_ticks_hz(void)
{
	return tsc_hz;
}

void arch_time_init(void)
{
	struct reference ref = {"ACPI PM timer", pm_read, PM_MASK, PM_HZ};
	u64 told = cpuid_hz(), tsc = 0, apic = 0;
	u32 interval;
	int round = 0;

	if (!x86_acpi.pm_timer) {
		ref = (struct reference){"PIT", pit_read, PIT_MASK, PIT_HZ};
		pit_start();
	}
	/* 4 ms at first; the PIT's range is 54 ms */
	for (interval = ref.hz / 250; !measure(&ref, interval, &tsc, &apic);
	     interval += interval / 2)
		if (++round == ROUNDS)
			break;
	x86_apic_timer(LVT_MASKED | VEC_TIMER, 0);
	if (round == ROUNDS && tsc && apic)
		pr_warn("the %s and the TSC do not keep step: time may be off", ref.name);
	if (!apic && !(told && x86_has_deadline))
		panic("no clock to measure the TSC with: the %s does not count", ref.name);
	apic_scale = told || tsc ? (apic << 32) / (told ? told : tsc) : 0;
	tsc_hz = told ? told : tsc;
	pr_info("TSC %llu kHz by %s, timer: %s", (unsigned long long)(tsc_hz / 1000),
		told ? "CPUID" : ref.name, x86_has_deadline ? "TSC deadline" : "APIC one-shot");
}

void arch_timer_init_cpu(void)
{
	*this_cpu_ptr(&x86_deadline) = ~0ull;
	if (x86_has_deadline) {
		x86_apic_timer(LVT_DEADLINE | VEC_TIMER, 0);
		/* the mode is in memory, the deadline in an MSR: in order only by this (SDM vol. 3,
		 * 11.5.4.1) */
		__asm__ volatile("mfence" ::: "memory");
	} else {
		x86_apic_timer(VEC_TIMER, 0);
	}
}

void arch_timer_set(u64 ticks)
{
	u64 now = arch_ticks(), delta;

	*this_cpu_ptr(&x86_deadline) = ticks;
	if (x86_has_deadline) {
		wrmsr(MSR_TSC_DEADLINE, ticks == ~0ull ? 0 : MAX(ticks, 1ull));
		return;
	}
	if (ticks == ~0ull) {
		x86_apic_timer_count(0);
		return;
	}
	delta = ticks > now ? MIN(ticks - now, tsc_hz) : 0;
	x86_apic_timer_count((u32)(delta * apic_scale >> 32) + 1);
}

bool x86_timer_due(void)
{
	u64 deadline = *this_cpu_ptr(&x86_deadline);

	if (deadline == ~0ull)
		return false; /* disarmed while the interrupt was on its way */
	if (arch_ticks() >= deadline)
		return true;
	arch_timer_set(deadline);
	return false;
}
