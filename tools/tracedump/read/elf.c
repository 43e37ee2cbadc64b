/* elf.c - address to function, file and line. The innermost inlined function wins, because that is
 * what stands in the source at the line that is shown. Paths are shown relative to the compilation
 * directory. The units' own address ranges are indexed here: clang writes no .debug_aranges for C,
 * and elfutils believes the section if any object (assembly) has one. */
#include "kelf.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unit {
	Dwarf_Addr from, to;
	Dwarf_Die cu;
};

struct td_elf {
	Dwfl *dwfl;
	Dwfl_Module *mod;
	Dwarf_Addr bias;   /* of the debug information */
	struct unit *unit; /* ascending by address */
	size_t nunits;
};

static char *debuginfo_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static int by_from(const void *a, const void *b)
{
	const struct unit *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

static void index_units(struct td_elf *elf)
{
	Dwarf_Die *cu = NULL;
	Dwarf_Addr bias;
	size_t cap = 0;

	while ((cu = dwfl_module_nextcu(elf->mod, cu, &bias))) {
		Dwarf_Addr base, from, to;
		ptrdiff_t at = 0;

		elf->bias = bias;
		while ((at = dwarf_ranges(cu, at, &base, &from, &to)) > 0) {
			elf->unit = td_grow(elf->unit, elf->nunits, &cap, sizeof(*elf->unit));
			elf->unit[elf->nunits++] = (struct unit){from, to, *cu};
		}
	}
	if (elf->nunits)
		qsort(elf->unit, elf->nunits, sizeof(*elf->unit), by_from);
}

struct td_elf *td_elf_open(const char *path, const struct bb_header *h, char *warning, size_t n,
			   struct td_error *e)
{
	struct td_elf *elf = td_alloc(1, sizeof(*elf));
	const unsigned char *id = NULL;
	GElf_Addr where, bias;
	int len;

	struct stat st;

	warning[0] = 0;
	/* elfutils would wait for a FIFO's writer */
	if (stat(path, &st)) {
		td_fail(e, "cannot read %.150s: %s", path, strerror(errno));
		goto bad;
	}
	if (!S_ISREG(st.st_mode)) {
		td_fail(e, "cannot read %.150s: it is not a regular file", path);
		goto bad;
	}
	elf->dwfl = dwfl_begin(&callbacks);
	if (!elf->dwfl) {
		td_fail(e, "cannot start elfutils: %s", dwfl_errmsg(-1));
		goto bad;
	}
	dwfl_report_begin(elf->dwfl);
	elf->mod = dwfl_report_elf(elf->dwfl, "kernel", path, -1, 0, false);
	dwfl_report_end(elf->dwfl, NULL, NULL);
	if (!elf->mod || !dwfl_module_getelf(elf->mod, &bias)) {
		td_fail(e, "cannot read %.150s: %s", path, dwfl_errmsg(-1));
		goto bad;
	}
	len = dwfl_module_build_id(elf->mod, &id, &where);
	if (h && h->build_id_len &&
	    (len != (int)h->build_id_len || memcmp(id, h->build_id, (size_t)len)))
		snprintf(warning, n,
			 "%.150s is not the kernel that made this box (build ids differ); "
			 "source lines may be wrong",
			 path);
	index_units(elf);
	if (!elf->nunits && !warning[0])
		snprintf(warning, n,
			 "%.150s has no debug information (stripped?); places are without file and "
			 "line",
			 path);
	return elf;
bad:
	td_elf_close(elf);
	return NULL;
}

void td_elf_close(struct td_elf *elf)
{
	if (!elf)
		return;
	free(elf->unit);
	if (elf->dwfl)
		dwfl_end(elf->dwfl);
	free(elf);
}

static Dwarf_Die *unit_at(struct td_elf *elf, Dwarf_Addr addr)
{
	size_t lo = 0, hi = elf->nunits;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (elf->unit[mid].from <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && addr < elf->unit[lo - 1].to ? &elf->unit[lo - 1].cu : NULL;
}

/* The innermost function, inlined or not, that contains addr. */
static const char *function_at(Dwarf_Die *cu, Dwarf_Addr addr)
{
	Dwarf_Die *scopes = NULL;
	const char *name = NULL;
	int n = dwarf_getscopes(cu, addr, &scopes);

	for (int i = 0; i < n && !name; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			name = dwarf_diename(&scopes[i]);
	}
	if (n > 0)
		free(scopes);
	return name;
}

static const char *relative(Dwarf_Die *cu, const char *file)
{
	Dwarf_Attribute attr;
	const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
	size_t n = dir ? strlen(dir) : 0;

	if (n && !strncmp(file, dir, n) && file[n] == '/')
		file += n + 1;
	while (!strncmp(file, "./", 2))
		file += 2;
	return file;
}

void td_elf_line(struct td_elf *elf, uint64_t addr, struct td_place *p)
{
	Dwarf_Die *cu = unit_at(elf, addr - elf->bias);
	const char *name = cu ? function_at(cu, addr - elf->bias) : NULL, *file;
	Dwarf_Line *line = cu ? dwarf_getsrc_die(cu, addr - elf->bias) : NULL;
	int no = 0;

	if (!name && !p->func[0])
		name = dwfl_module_addrname(elf->mod, addr);
	if (name)
		td_clean(p->func, sizeof(p->func), name, strlen(name));
	file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (!file || dwarf_lineno(line, &no) || no <= 0)
		return;
	file = relative(cu, file);
	td_clean(p->file, sizeof(p->file), file, strlen(file));
	p->line = no;
}
