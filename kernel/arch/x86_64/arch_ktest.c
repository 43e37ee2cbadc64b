/* arch_ktest.c - what only this architecture can get wrong. What its contract promises to all is
 * tested where it is used (irq/nmi_ktest.c, mm/uaccess_ktest.c). FP registers across switches are
 * user/tests'. */
#include <lib/ktest.h>

/* A selector of the local table names nothing: VERR says so and reads no memory. */
KTEST(x86_there_is_no_ldt)
{
	bool readable;

	for (u16 selector = 4; selector < 64; selector += 8) {
		__asm__ volatile("verr %w1" : "=@ccz"(readable) : "r"(selector));
		KT_ASSERT(!readable);
	}
}
