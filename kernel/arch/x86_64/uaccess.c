/* uaccess.c - the exception table of the copy routines (uaccess.S): instruction and recovery label,
 * each relative to its own word. A handful of entries: searched from end to end. */
#include <arch/uaccess.h>
#include <arch/trap.h>
#include "x86.h"

struct ex_entry {
	s32 insn, fixup;
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];

static unsigned long find(unsigned long pc)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++)
		if ((unsigned long)&e->insn + (unsigned long)(long)e->insn == pc)
			return (unsigned long)&e->fixup + (unsigned long)(long)e->fixup;
	return 0;
}

bool x86_has_fixup(unsigned long pc)
{
	return find(pc) != 0;
}

bool arch_fixup_exception(struct trap_frame *tf)
{
	unsigned long to = find(tf->rip);

	if (!to)
		return false;
	tf->rip = to;
	return true;
}
