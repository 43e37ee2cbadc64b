/* macros.h - for the assembly files of this folder. */
#ifndef AARCH64_MACROS_H
#define AARCH64_MACROS_H
#include "asm-offsets.h"

#define FUNC(name)                                                                                 \
	.globl name;                                                                               \
	.type name, % function;                                                                    \
	.balign 4;                                                                                 \
	name:
#define END(name) .size name, .- name

/* Address of a symbol, relative to the pc: physical while the MMU is off. */
/* clang-format off */
.macro adr_l reg, sym
	adrp	\reg, \sym
	add	\reg, \reg, :lo12:\sym
.endm
/* clang-format on */

#endif
