/* uaccess.S - user memory through the unprivileged load and store instructions: the user's own
 * permissions apply and PAN does not, so a kernel bug cannot reach user memory by accident.
 *
 * size_t f(dst, src, n): bytes not copied. 32 bytes a turn; a fault in such a turn is retried byte
 * by byte, so that everything before the faulting byte has been copied and the count is exact.
 */
#include <lib/extable.h>
#include "macros.h"

FUNC(arch_copy_from_user)
	cmp	x2, #32
	b.lo	2f
1:	ldtr	x3, [x1]
11:	ldtr	x4, [x1, #8]
12:	ldtr	x5, [x1, #16]
13:	ldtr	x6, [x1, #24]
	stp	x3, x4, [x0], #16
	stp	x5, x6, [x0], #16
	add	x1, x1, #32
	sub	x2, x2, #32
	cmp	x2, #32
	b.hs	1b
2:	cbz	x2, 4f
3:	ldtrb	w3, [x1]
	strb	w3, [x0], #1
	add	x1, x1, #1
	sub	x2, x2, #1
	cbnz	x2, 3b
4:	mov	x0, x2
	ret
	ex_table 1b, 2b
	ex_table 11b, 2b
	ex_table 12b, 2b
	ex_table 13b, 2b
	ex_table 3b, 4b
END(arch_copy_from_user)

FUNC(arch_copy_to_user)
	cmp	x2, #32
	b.lo	2f
1:	ldp	x3, x4, [x1]
	ldp	x5, x6, [x1, #16]
11:	sttr	x3, [x0]
12:	sttr	x4, [x0, #8]
13:	sttr	x5, [x0, #16]
14:	sttr	x6, [x0, #24]
	add	x0, x0, #32
	add	x1, x1, #32
	sub	x2, x2, #32
	cmp	x2, #32
	b.hs	1b
2:	cbz	x2, 4f
3:	ldrb	w3, [x1], #1
31:	sttrb	w3, [x0]
	add	x0, x0, #1
	sub	x2, x2, #1
	cbnz	x2, 3b
4:	mov	x0, x2
	ret
	ex_table 11b, 2b
	ex_table 12b, 2b
	ex_table 13b, 2b
	ex_table 14b, 2b
	ex_table 31b, 4b
END(arch_copy_to_user)

/* size_t arch_clear_user(dst, n) */
FUNC(arch_clear_user)
	cmp	x1, #16
	b.lo	2f
1:	sttr	xzr, [x0]
11:	sttr	xzr, [x0, #8]
	add	x0, x0, #16
	sub	x1, x1, #16
	cmp	x1, #16
	b.hs	1b
2:	cbz	x1, 4f
3:	sttrb	wzr, [x0]
	add	x0, x0, #1
	sub	x1, x1, #1
	cbnz	x1, 3b
4:	mov	x0, x1
	ret
	ex_table 1b, 2b
	ex_table 11b, 2b
	ex_table 3b, 4b
END(arch_clear_user)

/* void icache_sync_range(va, end, ctr): data to the point of unification, then drop instructions.
 * A line that is not mapped (user range) is skipped: there is nothing to clean. */
FUNC(icache_sync_range)
	mov	x6, #4
	ubfx	x3, x2, #16, #4		/* DminLine: log2 words */
	lsl	x3, x6, x3
	sub	x4, x3, #1
	bic	x5, x0, x4
1:	dc	cvau, x5
2:	add	x5, x5, x3
	cmp	x5, x1
	b.lo	1b
	dsb	ish
	ubfx	x3, x2, #14, #2		/* L1Ip: unless 3 (PIPT) the same line has several places, by */
	cmp	x3, #3			/* addresses that are not ours (Arm ARM B2.4.6): drop all */
	b.ne	5f
	and	x3, x2, #0xf		/* IminLine */
	lsl	x3, x6, x3
	sub	x4, x3, #1
	bic	x5, x0, x4
3:	ic	ivau, x5
4:	add	x5, x5, x3
	cmp	x5, x1
	b.lo	3b
	dsb	ish
	isb
	ret
5:	ic	ialluis
	dsb	ish
	isb
	ret
	ex_table 1b, 2b
	ex_table 3b, 4b
END(icache_sync_range)
