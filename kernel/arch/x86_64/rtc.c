/* rtc.c - the wall clock from the CMOS RTC (MC146818): read once at boot, in UTC as QEMU sets it.
 */
#include <arch/cpu.h>
#include <arch/time.h>
#include "acpi.h"
#include "x86.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define RTC_A      0x0a
#define RTC_B      0x0b
#define A_UPDATING 0x80
#define B_24H      0x02
#define B_BINARY   0x04
#define HOUR_PM    0x80
#define TRIES      1000000

struct rtc {
	u8 second, minute, hour, day, month, year, century;
};

static u8 cmos(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

static struct rtc rtc_read(void)
{
	for (int i = 0; i < TRIES && (cmos(RTC_A) & A_UPDATING); i++)
		arch_cpu_relax();
	return (struct rtc){cmos(0),
			    cmos(2),
			    cmos(4),
			    cmos(7),
			    cmos(8),
			    cmos(9),
			    x86_acpi.century ? cmos(x86_acpi.century) : 0};
}

static u32 value(u8 v, bool binary)
{
	return binary ? v : (u32)(v >> 4) * 10 + (v & 15);
}

/* Days since 1970-01-01 of a Gregorian date: years begin in March, so that the leap day is last. */
static u64 days(u32 y, u32 m, u32 d)
{
	u32 era_year = m > 2 ? y : y - 1, month = m > 2 ? m - 3 : m + 9;

	return era_year * 365ull + era_year / 4 - era_year / 100 + era_year / 400 +
	       (153 * month + 2) / 5 + d - 1 - 719468;
}

u64 arch_wall_ns(void)
{
	struct rtc a, b;
	u32 hour, year, month, day;
	bool binary;
	u8 mode;
	int i;

	if (x86_acpi.no_cmos)
		return 0;
	/* two equal readings: no update between them */
	for (i = 0, a = rtc_read(); i < 8; i++, a = b) {
		b = rtc_read();
		if (a.second == b.second && a.minute == b.minute && a.hour == b.hour &&
		    a.day == b.day)
			break;
	}
	mode = cmos(RTC_B);
	binary = mode & B_BINARY;
	hour = value(a.hour & (u8)~HOUR_PM, binary);
	if (!(mode & B_24H))
		hour = hour % 12 + (a.hour & HOUR_PM ? 12 : 0);
	year = value(a.year, binary) + 100 * (a.century ? value(a.century, binary) : 20);
	month = value(a.month, binary);
	day = value(a.day, binary);
	if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 ||
	    hour > 23)
		return 0;
	return (days(year, month, day) * 86400 + hour * 3600ull + value(a.minute, binary) * 60ull +
		value(a.second, binary)) *
	       1000000000ull;
}
