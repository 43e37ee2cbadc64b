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

/* Registers of later architectures than the one we compile for. */
#define HFGRTR_EL2    s3_4_c1_c1_4
#define HFGWTR_EL2    s3_4_c1_c1_5
#define HFGITR_EL2    s3_4_c1_c1_6
#define HDFGRTR_EL2   s3_4_c3_c1_4
#define HDFGWTR_EL2   s3_4_c3_c1_5
#define HCRX_EL2      s3_4_c1_c2_2
#define SCTLR_EL12    s3_5_c1_c0_0
#define AMUSERENR_EL0 s3_3_c13_c2_3

/* Address of a symbol, relative to the pc: physical while the MMU is off. */
/* clang-format off */
.macro adr_l reg, sym
	adrp	\reg, \sym
	add	\reg, \reg, :lo12:\sym
.endm
/* clang-format on */

#endif
