/* elf.c - address to function, file and line. The innermost inlined function wins, because that is
 * what stands in the source at the line that is shown. Paths are shown relative: what the build's
 * prefix map left, without a leading "./" or "/". */
#include "kelf.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct td_elf {
	Dwfl *dwfl;
	Dwfl_Module *mod;
};

static char *debuginfo_path;
static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

struct td_elf *td_elf_open(const char *path, const struct bb_header *h, char *warning, size_t n,
			   struct td_error *e)
{
	struct td_elf *elf = td_alloc(1, sizeof(*elf));
	const unsigned char *id = NULL;
	GElf_Addr where, bias;
	int len;

	warning[0] = 0;
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
		snprintf(warning, n, "%.150s is not the kernel that made this box (build ids differ); "
				     "source lines may be wrong", path);
	return elf;
bad:
	td_elf_close(elf);
	return NULL;
}

void td_elf_close(struct td_elf *elf)
{
	if (!elf)
		return;
	if (elf->dwfl)
		dwfl_end(elf->dwfl);
	free(elf);
}

/* The innermost function, inlined or not, that contains addr. */
static const char *function_at(Dwfl_Module *mod, Dwarf_Addr addr)
{
	Dwarf_Addr bias;
	Dwarf_Die *cu = dwfl_module_addrdie(mod, addr, &bias), *scopes = NULL;
	const char *name = NULL;
	int n = cu ? dwarf_getscopes(cu, addr - bias, &scopes) : 0;

	for (int i = 0; i < n && !name; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			name = dwarf_diename(&scopes[i]);
	}
	if (n > 0)
		free(scopes);
	return name;
}

void td_elf_line(struct td_elf *elf, uint64_t addr, struct td_place *p)
{
	Dwfl_Line *line = dwfl_module_getsrc(elf->mod, addr);
	const char *name = function_at(elf->mod, addr), *file;
	int no = 0;

	if (!name && !p->func[0])
		name = dwfl_module_addrname(elf->mod, addr);
	if (name)
		td_clean(p->func, sizeof(p->func), name, strlen(name));
	file = line ? dwfl_lineinfo(line, NULL, &no, NULL, NULL, NULL) : NULL;
	if (!file || no <= 0)
		return;
	while (*file == '/' || !strncmp(file, "./", 2))
		file += *file == '/' ? 1 : 2;
	td_clean(p->file, sizeof(p->file), file, strlen(file));
	p->line = no;
}
