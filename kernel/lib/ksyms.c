/* ksyms.c - name of a kernel address, from the table that the second link pass put in. */
#include <lib/boot.h>
#include <lib/ksyms.h>
#include <tracing/blackbox.h>

extern const struct bb_sym __ksyms[];
extern const u32 __ksyms_count;
extern const char __ksym_names[];

const char *ksym_lookup(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	unsigned long base = (unsigned long)__image_start;
	u32 lo = 0, hi = __ksyms_count;
	const struct bb_sym *s;

	if (addr < base || addr >= (unsigned long)__image_end || !hi)
		return "?";
	while (hi - lo > 1) {
		u32 mid = lo + (hi - lo) / 2;

		if (__ksyms[mid].offset <= addr - base)
			lo = mid;
		else
			hi = mid;
	}
	s = &__ksyms[lo];
	if (addr - base < s->offset || addr - base > s->offset + s->size)
		return "?";
	if (offset)
		*offset = addr - base - s->offset;
	if (size)
		*size = s->size;
	return __ksym_names + s->name;
}
