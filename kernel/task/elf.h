/* elf.h - loading an ELF64 program into an address space that does not run yet. */
#ifndef TASK_ELF_H
#define TASK_ELF_H

#include <mm/vm.h>

struct elf_image {
	unsigned long entry, phdr, phnum, base, end; /* end: first address behind the program */
	bool exec_stack;
};

/* Maps the segments of `inode` and fills *out. Thread context. -ENOEXEC for everything that is not
 * a well-formed static program of this architecture, -ENOMEM, -EIO. On failure mm may be half full.
 */
int elf_load(struct mm *mm, struct inode *inode, struct elf_image *out) must_check;

#endif
