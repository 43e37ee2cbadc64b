/* elf.c - the ELF64 loader: static programs (ET_EXEC) and static-pie (ET_DYN without interpreter).
 *
 * The file is hostile: every field is checked against the file's size and the user half before it
 * is used, every sum for overflow. What does not fit is -ENOEXEC. Segments may be aligned to more
 * than a page (aarch64 programs have 64 KiB); only file offset and address modulo the page must
 * agree. Pages come in on demand from the page cache; the part of a segment behind its file bytes
 * reads as zero. ABI source: System V gABI chapter 5, Linux's binfmt_elf for what is tolerated.
 */
#include <fs/vfs.h>
#include <lib/string.h>
#include <arch/cpu.h>
#include <uapi/elf.h>
#include "elf.h"

#define ELF_MAX_PHDRS 64u
/* Where a position-independent program goes: far from the stack and from the lowest pages. */
#define ELF_DYN_BASE 0x555555000000ul

static bool elf_header_ok(const struct elf64_ehdr *h)
{
	return memcmp(h->e_ident, ELF_MAGIC, 4) == 0 && h->e_ident[EI_CLASS] == ELF_CLASS64 &&
	       h->e_ident[EI_DATA] == ELF_DATA_LSB && h->e_ident[EI_VERSION] == ELF_VERSION &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) && h->e_machine == arch_elf_machine &&
	       h->e_version == ELF_VERSION && h->e_phentsize == sizeof(struct elf64_phdr) &&
	       h->e_phnum >= 1 && h->e_phnum <= ELF_MAX_PHDRS;
}

/* Exactly n bytes at pos, or -ENOEXEC. */
static int elf_read(struct inode *inode, void *buf, size_t n, u64 pos)
{
	u64 end;
	ssize_t got;

	if (__builtin_add_overflow(pos, n, &end) || end > inode->size)
		return -ENOEXEC;
	got = inode_read(inode, buf, n, pos);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

static bool segment_ok(const struct elf64_phdr *ph, u64 bias, u64 file_size)
{
	u64 start, end, file_end;

	return !__builtin_add_overflow(ph->p_vaddr, bias, &start) && start >= USER_BASE &&
	       !__builtin_add_overflow(start, ph->p_memsz, &end) && end <= USER_END &&
	       !__builtin_add_overflow(ph->p_offset, ph->p_filesz, &file_end) &&
	       file_end <= file_size && ph->p_filesz <= ph->p_memsz &&
	       ((ph->p_vaddr ^ ph->p_offset) & (PAGE_SIZE - 1)) == 0 &&
	       (ph->p_align & (ph->p_align - 1)) == 0;
}

static u32 segment_flags(const struct elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? VMA_READ : 0) | (ph->p_flags & PF_W ? VMA_WRITE : 0) |
	       (ph->p_flags & PF_X ? VMA_EXEC : 0);
}

static int segment_map(struct mm *mm, struct inode *inode, const struct elf64_phdr *ph, u64 bias)
{
	unsigned long addr = ALIGN_DOWN(ph->p_vaddr + bias, PAGE_SIZE);
	unsigned long skip = ph->p_vaddr & (PAGE_SIZE - 1);
	unsigned long size = ALIGN_UP(ph->p_memsz + skip, PAGE_SIZE);
	bool from_file = ph->p_filesz != 0;

	return vm_map(mm, &addr, size, segment_flags(ph) | VMA_MAY_ALL, from_file ? inode : NULL,
		      from_file ? ph->p_offset - skip : 0, from_file ? ph->p_filesz + skip : 0);
}

static bool segment_holds(const struct elf64_phdr *ph, u64 vaddr)
{
	return vaddr >= ph->p_vaddr && vaddr - ph->p_vaddr < ph->p_memsz;
}

/* Maps everything that is loadable; notes where entry and program headers end up. */
static int elf_map(struct mm *mm, struct inode *inode, const struct elf64_ehdr *h,
		   const struct elf64_phdr *ph, struct elf_image *out)
{
	u64 bias = h->e_type == ET_DYN ? ELF_DYN_BASE : 0;
	bool entry_found = false;

	for (u32 i = 0; i < h->e_phnum; i++) {
		int err;

		if (ph[i].p_type == PT_INTERP)
			return -ENOEXEC; /* dynamic programs are not supported */
		if (ph[i].p_type == PT_GNU_STACK)
			out->exec_stack = ph[i].p_flags & PF_X;
		if (ph[i].p_type != PT_LOAD || ph[i].p_memsz == 0)
			continue;
		if (!segment_ok(&ph[i], bias, inode->size))
			return -ENOEXEC;
		err = segment_map(mm, inode, &ph[i], bias);
		if (err)
			return err == -EINVAL ? -ENOEXEC : err;
		if ((ph[i].p_flags & PF_X) && segment_holds(&ph[i], h->e_entry))
			entry_found = true;
		/* The headers are visible if the segment's file bytes hold all of them. */
		if (h->e_phoff >= ph[i].p_offset &&
		    h->e_phoff - ph[i].p_offset + h->e_phnum * sizeof(*ph) <= ph[i].p_filesz)
			out->phdr = ph[i].p_vaddr + bias + (h->e_phoff - ph[i].p_offset);
		out->end = MAX(out->end, ALIGN_UP(ph[i].p_vaddr + bias + ph[i].p_memsz, PAGE_SIZE));
	}
	if (!entry_found)
		return -ENOEXEC;
	out->entry = h->e_entry + bias;
	out->phnum = h->e_phnum;
	out->base = 0; /* AT_BASE is the interpreter's */
	return 0;
}

int elf_load(struct mm *mm, struct inode *inode, struct elf_image *out)
{
	struct elf64_ehdr h;
	struct elf64_phdr *ph;
	size_t size;
	int err = elf_read(inode, &h, sizeof(h), 0);

	if (err)
		return err;
	if (!elf_header_ok(&h))
		return -ENOEXEC;
	size = h.e_phnum * sizeof(*ph);
	ph = kmalloc(size);
	if (!ph)
		return -ENOMEM;
	*out = (struct elf_image){0};
	err = elf_read(inode, ph, size, h.e_phoff);
	if (!err)
		err = elf_map(mm, inode, &h, ph, out);
	kfree(ph);
	return err;
}
