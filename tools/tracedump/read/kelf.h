/* kelf.h - source lines from the kernel's ELF file (--elf), by elfutils. Optional: everything works
 * without. */
#ifndef TRACEDUMP_KELF_H
#define TRACEDUMP_KELF_H

#include "names.h"

/* NULL with a sentence in e. `warning` gets a sentence if it is another kernel's or
 * has no lines, else "". */
struct td_elf *td_elf_open(const char *path, const struct bb_header *h, char *warning, size_t n,
			   struct td_error *e);
void td_elf_close(struct td_elf *elf);
/* Fills file and line (and the function, if an inlined one is meant or none is known). */
void td_elf_line(struct td_elf *elf, uint64_t addr, struct td_place *p);

#endif
