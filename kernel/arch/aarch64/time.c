/* time.c - the generic timer: virtual counter and virtual timer of each CPU, PL031 as wall clock.
 */
#include <lib/clock.h>
#include <lib/bug.h>
#include "arch.h"

#define CNTV_ENABLE 1ul

static u64 ticks_hz;

u64 arch_ticks_hz(void)
{
	return ticks_hz;
}

void arch_time_init(void)
{
	ticks_hz = platform.timer_hz ? platform.timer_hz : sysreg_read(cntfrq_el0);
	if (!ticks_hz)
		panic("the firmware did not set the timer frequency (CNTFRQ_EL0 is 0)");
}

void timer_disarm(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

void arch_timer_init_cpu(void)
{
	timer_disarm();
	arch_irq_unmask(platform.timer_irq);
}

void arch_timer_set(u64 ticks)
{
	if (ticks == ~0ull) {
		timer_disarm();
		return;
	}
	sysreg_write(cntv_cval_el0, ticks);
	sysreg_write(cntv_ctl_el0, CNTV_ENABLE);
	isb();
}

u64 arch_wall_ns(void)
{
	const u8 *rtc;

	if (!platform.rtc_pa)
		return 0;
	rtc = map_mmio(platform.rtc_pa, PAGE_SIZE);
	return mmio_read32(rtc) * NSEC_PER_SEC; /* RTCDR: seconds since 1970 */
}
