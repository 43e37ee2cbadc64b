/* lib/extable.h - instructions that may fault, and where to go on when they do.
 *
 * Two words an entry, each relative to itself: the instruction and its recovery label. Assembly
 * writes `ex_table insn, fixup`, C puts EX_TABLE("insn", "fixup") into an asm statement. */
#ifndef LIB_EXTABLE_H
#define LIB_EXTABLE_H

#ifdef __ASSEMBLER__
/* clang-format off */
.macro ex_table insn, fixup
	.pushsection .ex_table, "a"
	.balign	4
	.long	\insn - .
	.long	\fixup - .
	.popsection
.endm
/* clang-format on */
#else
#include <lib/types.h>

#define EX_TABLE(insn, fixup)                                                                      \
	".pushsection .ex_table, \"a\"\n\t"                                                        \
	".balign 4\n\t"                                                                            \
	".long " insn " - .\n\t"                                                                   \
	".long " fixup " - .\n\t"                                                                  \
	".popsection\n\t"

struct trap_frame;
/* A fault that nobody could resolve: tf goes on at the recovery label of its instruction. False if
 * the table does not know it. Any context. */
bool extable_fixup(struct trap_frame *tf) must_check;
#endif
#endif
