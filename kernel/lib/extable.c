/* extable.c - see <lib/extable.h>. A dozen entries: searched from end to end. */
#include <lib/extable.h>
#include <arch/trap.h>

struct ex_entry {
	s32 insn, fixup; /* each relative to its own address */
};
extern const struct ex_entry __ex_table_start[], __ex_table_end[];

static unsigned long target(const s32 *word)
{
	return (unsigned long)word + (unsigned long)(long)*word;
}

bool extable_fixup(struct trap_frame *tf)
{
	for (const struct ex_entry *e = __ex_table_start; e < __ex_table_end; e++) {
		if (target(&e->insn) == trap_pc(tf)) {
			trap_set_pc(tf, target(&e->fixup));
			return true;
		}
	}
	return false;
}
