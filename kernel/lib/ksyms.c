/* ksyms.c - names and lines of kernel addresses, from the tables that the second link pass put in
 * (ksyms.py, klines.py). */
#include <lib/boot.h>
#include <lib/ksyms.h>
#include <tracing/blackbox.h>

extern const struct bb_sym __ksyms[];
extern const u32 __ksyms_count;
extern const char __ksym_names[];
extern const struct bb_line __klines[];
extern const u32 __klines_count;
extern const struct bb_place __kplaces[];
extern const char __kplace_names[];

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

struct kplace kplace_lookup(unsigned long return_address)
{
	unsigned long offset = return_address - (unsigned long)__image_start, off, size;
	struct kplace k = {.func = ksym_lookup(return_address - 1, &off, &size), .file = ""};
	u32 lo = 0, hi = __klines_count;
	const struct bb_place *p;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (__klines[mid].offset < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == __klines_count || __klines[lo].offset != offset)
		return k;
	p = &__kplaces[__klines[lo].place];
	if (p->func)
		k.func = __kplace_names + p->func;
	k.file = __kplace_names + p->file;
	k.line = __klines[lo].line;
	k.known = true;
	return k;
}
