/* uaccess.c - the exception table of the copy routines (uaccess.S): instruction and recovery label,
 * each relative to its own word. A handful of entries: searched from end to end. */
#include <arch/trap.h>
#include <arch/uaccess.h>

struct ex_entry {
	s32 insn, fixup;
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];

bool arch_fixup_exception(struct trap_frame *tf)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++) {
		if ((u64)&e->insn + (u64)(s64)e->insn != tf->rip)
			continue;
		tf->rip = (u64)&e->fixup + (u64)(s64)e->fixup;
		return true;
	}
	return false;
}
