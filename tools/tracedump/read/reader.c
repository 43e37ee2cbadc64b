/* reader.c - finds a black box in a file.
 *
 * Theory. Every number in the file is hostile: it is checked against the bytes that the file really
 * has before it is used, and every sum and product is checked for overflow. The ELF core is parsed
 * here by hand, because what is needed is small (PT_LOAD with p_paddr, one note) and a library
 * would trust more than we do. A file of RAM is searched with SEEK_DATA, so that holes of a sparse
 * file are neither read nor, on tmpfs, filled.
 */
#include "reader.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC_SWAPPED __builtin_bswap64(BB_MAGIC)
#define MAX_SEGMENTS  4096u

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static bool is_magic(const uint8_t *p)
{
	uint64_t v = load64(p);

	return v == BB_MAGIC || v == MAGIC_SWAPPED;
}

static uint32_t header_crc(const uint8_t *base, const struct bb_header *h)
{
	static const uint8_t zero[4];
	uint32_t off = offsetof(struct bb_header, checksum);
	uLong crc = crc32(0, base, off);

	crc = crc32(crc, zero, 4);
	crc = crc32(crc, base + off + 4, h->header_size - off - 4);
	return (uint32_t)crc32(crc, base + h->dir_offset, h->dir_count * h->dir_entry_size);
}

int td_header_check(const uint8_t *base, uint64_t avail, uint64_t where, struct bb_header *out,
		    struct td_error *e)
{
	struct bb_header h;
	uint64_t dir_end;

	if (avail < sizeof(h))
		return td_fail(e,
			       "black box at 0x%llx is truncated: its header needs %zu bytes, "
			       "the file has %llu",
			       (unsigned long long)where, sizeof(h), (unsigned long long)avail);
	memcpy(&h, base, sizeof(h));
	if (h.magic == MAGIC_SWAPPED || h.byte_order == __builtin_bswap32(BB_BYTE_ORDER))
		return td_fail(e,
			       "black box at 0x%llx was written by a machine of the other byte "
			       "order, which this tool does not read",
			       (unsigned long long)where);
	if (h.magic != BB_MAGIC)
		return td_fail(e, "no black box at 0x%llx: the magic number is 0x%016llx",
			       (unsigned long long)where, (unsigned long long)h.magic);
	if (h.byte_order != BB_BYTE_ORDER)
		return td_fail(e, "black box at 0x%llx has no known byte order (0x%08x)",
			       (unsigned long long)where, h.byte_order);
	if (h.version >> 16 != BB_VERSION >> 16)
		return td_fail(e,
			       "black box at 0x%llx has format version %u.%u, this tool reads "
			       "%u.x",
			       (unsigned long long)where, h.version >> 16, h.version & 0xffff,
			       BB_VERSION >> 16);
	if (h.header_size < sizeof(h) || h.header_size > BB_ALIGN)
		return td_fail(e, "black box at 0x%llx: header size %u is impossible",
			       (unsigned long long)where, h.header_size);
	if (h.dir_entry_size < sizeof(struct bb_section) || h.dir_entry_size > BB_ALIGN ||
	    h.dir_count > 1024 || h.dir_offset < h.header_size)
		return td_fail(e,
			       "black box at 0x%llx: directory of %u entries of %u bytes at %u "
			       "is impossible",
			       (unsigned long long)where, h.dir_count, h.dir_entry_size,
			       h.dir_offset);
	dir_end = (uint64_t)h.dir_offset + (uint64_t)h.dir_count * h.dir_entry_size;
	if (dir_end > avail || h.total_size > avail)
		return td_fail(
			e,
			"black box at 0x%llx is truncated: it needs %llu bytes, the file "
			"has %llu",
			(unsigned long long)where,
			(unsigned long long)(dir_end > h.total_size ? dir_end : h.total_size),
			(unsigned long long)avail);
	if (dir_end > h.total_size)
		return td_fail(e,
			       "black box at 0x%llx: the directory ends at %llu, behind the box's "
			       "%llu bytes",
			       (unsigned long long)where, (unsigned long long)dir_end,
			       (unsigned long long)h.total_size);
	if (header_crc(base, &h) != h.checksum)
		return td_fail(e,
			       "black box at 0x%llx: the checksum of header and directory is "
			       "0x%08x but should be 0x%08x",
			       (unsigned long long)where, h.checksum, header_crc(base, &h));
	if (!h.clock_hz || h.clock_hz > 1000000000000ull)
		return td_fail(e,
			       h.clock_hz ? "black box at 0x%llx: a clock of %llu Hz is impossible"
					  : "black box at 0x%llx: the kernel has not set its clock "
					    "up yet (%llu Hz); look again when it has booted on",
			       (unsigned long long)where, (unsigned long long)h.clock_hz);
	if (!h.cpus || h.cpus > 4096)
		return td_fail(e, "black box at 0x%llx: %u CPUs are impossible",
			       (unsigned long long)where, h.cpus);
	if (h.build_id_len > sizeof(h.build_id))
		return td_fail(e, "black box at 0x%llx: a build id of %u bytes is impossible",
			       (unsigned long long)where, h.build_id_len);
	*out = h;
	return 0;
}

/* ---- ELF core ------------------------------------------------------------------------------- */

/* Looks for HINDSIGHT_BOX=0x... in the text of a VMCOREINFO note. */
static void parse_vmcoreinfo(struct td_source *s, const uint8_t *text, uint64_t len)
{
	static const char key[] = "HINDSIGHT_BOX=0x";
	const uint8_t *p = memmem(text, len, key, sizeof(key) - 1);
	uint64_t v = 0;
	unsigned digits = 0;

	if (!p)
		return;
	for (p += sizeof(key) - 1; p < text + len && digits < 16; p++, digits++) {
		if (*p >= '0' && *p <= '9')
			v = v << 4 | (uint64_t)(*p - '0');
		else if ((*p | 32) >= 'a' && (*p | 32) <= 'f')
			v = v << 4 | (uint64_t)((*p | 32) - 'a' + 10);
		else
			break;
	}
	if (digits) {
		s->hint = v;
		s->has_hint = true;
	}
}

static void parse_notes(struct td_source *s, uint64_t off, uint64_t size)
{
	while (size >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		uint64_t name, desc, next;

		memcpy(&n, s->map + off, sizeof(n));
		name = sizeof(n);
		desc = name + (((uint64_t)n.n_namesz + 3) & ~3ull);
		next = desc + (((uint64_t)n.n_descsz + 3) & ~3ull);
		if (desc + n.n_descsz > size)
			return;
		if (n.n_namesz == 11 && !memcmp(s->map + off + name, "VMCOREINFO", 11))
			parse_vmcoreinfo(s, s->map + off + desc, n.n_descsz);
		if (next > size)
			return;
		off += next;
		size -= next;
	}
}

static int parse_core(struct td_source *s, struct td_error *e)
{
	Elf64_Ehdr eh;
	uint64_t count, table;

	if (s->size < sizeof(eh))
		return td_fail(e, "the ELF file is truncated inside its header");
	memcpy(&eh, s->map, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return td_fail(e, "the ELF file is not 64-bit little-endian, which is what QEMU's "
				  "dump of these guests is");
	if (eh.e_type != ET_CORE)
		return td_fail(e,
			       "the ELF file is not a core dump (type %u); a kernel goes behind "
			       "--elf",
			       eh.e_type);
	count = eh.e_phnum;
	if (count == PN_XNUM) { /* the true count is in section header 0 */
		Elf64_Shdr sh;

		if (eh.e_shoff > s->size || s->size - eh.e_shoff < sizeof(sh))
			return td_fail(
				e, "the ELF core's section header at 0x%llx is outside the file",
				(unsigned long long)eh.e_shoff);
		memcpy(&sh, s->map + eh.e_shoff, sizeof(sh));
		count = sh.sh_info;
	}
	table = count * (uint64_t)eh.e_phentsize;
	if (eh.e_phentsize < sizeof(Elf64_Phdr) || count > MAX_SEGMENTS || eh.e_phoff > s->size ||
	    s->size - eh.e_phoff < table)
		return td_fail(e,
			       "the ELF core's program headers (%llu at 0x%llx) are outside the "
			       "file",
			       (unsigned long long)count, (unsigned long long)eh.e_phoff);
	s->segs = td_alloc(count, sizeof(*s->segs));
	for (uint64_t i = 0; i < count; i++) {
		Elf64_Phdr ph;
		uint64_t size;

		memcpy(&ph, s->map + eh.e_phoff + i * eh.e_phentsize, sizeof(ph));
		if (ph.p_offset >= s->size)
			continue;
		size = s->size - ph.p_offset < ph.p_filesz ? s->size - ph.p_offset : ph.p_filesz;
		if (ph.p_type == PT_NOTE)
			parse_notes(s, ph.p_offset, size);
		if (ph.p_type == PT_LOAD && size)
			s->segs[s->nsegs++] = (struct td_segment){ph.p_paddr, ph.p_offset, size};
	}
	return 0;
}

/* ---- opening and finding -------------------------------------------------------------------- */

/* Files that people have instead of memory, by their first bytes, and what to do with them. */
static const struct {
	const char *magic;
	unsigned len;
	const char *says;
} others[] = {
	{"makedumpfile", 12,
	 "this is a compressed kdump (dump-guest-memory with -z, -l or -s): dump with "
	 "`dump-guest-memory FILE`, without these"},
	{"KDUMP   ", 8,
	 "this is a compressed kdump (makedumpfile, or virsh dump --format kdump-...): dump as "
	 "ELF, "
	 "with `dump-guest-memory FILE`"},
	{"QEVM", 4,
	 "this is a migration stream (QEMU's migrate or savevm; virsh save): dump with "
	 "`dump-guest-memory FILE`"},
	{"LibvirtQemudSave", 16,
	 "this is a saved guest of libvirt, a migration stream: dump with `virsh dump "
	 "--memory-only`"},
	{"QFI\xfb", 4, "this is a qcow2 disk image: it holds no memory to read"},
	{"\x1f\x8b", 2, "this file is compressed: unpack it with gunzip"},
	{"\xfd\x37zXZ", 5, "this file is compressed: unpack it with unxz"},
	{"\x28\xb5\x2f\xfd", 4, "this file is compressed: unpack it with unzstd"},
};

static int classify(struct td_source *s, struct td_error *e)
{
	if (s->size < 8)
		return td_fail(e, "the file has %llu bytes, too few for a black box",
			       (unsigned long long)s->size);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (s->size >= others[i].len && !memcmp(s->map, others[i].magic, others[i].len))
			return td_fail(e, "%s", others[i].says);
	if (!memcmp(s->map, ELFMAG, SELFMAG)) {
		s->kind = TD_CORE;
		return parse_core(s, e);
	}
	s->kind = is_magic(s->map) ? TD_BOX : TD_RAW;
	return 0;
}

int td_source_memory(struct td_source *s, const void *data, uint64_t size, struct td_error *e)
{
	*s = (struct td_source){.map = data, .size = size, .fd = -1};
	if (classify(s, e)) {
		td_source_close(s);
		return -1;
	}
	return 0;
}

int td_source_open(struct td_source *s, const char *path, struct td_error *e)
{
	struct stat st;
	void *map;

	*s = (struct td_source){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (s->fd < 0)
		return td_fail(e, "cannot open %.150s: %s", path, strerror(errno));
	if (fstat(s->fd, &st) || !S_ISREG(st.st_mode)) {
		td_source_close(s);
		return td_fail(e, "%.150s is not a regular file", path);
	}
	s->size = (uint64_t)st.st_size;
	if (s->size) {
		map = mmap(NULL, s->size, PROT_READ, MAP_SHARED, s->fd, 0);
		if (map == MAP_FAILED) {
			int err = errno;

			td_source_close(s);
			return td_fail(e, "cannot map %.150s: %s", path, strerror(err));
		}
		s->map = map;
	}
	if (classify(s, e)) {
		td_source_close(s);
		return -1;
	}
	return 0;
}

void td_source_close(struct td_source *s)
{
	if (s->fd >= 0) {
		if (s->map)
			munmap((void *)(uintptr_t)s->map, s->size);
		close(s->fd);
	}
	free(s->segs);
	*s = (struct td_source){.fd = -1};
}

/* One candidate. Keeps the first refusal in e, which is the one worth telling. */
static bool try_at(struct td_source *s, uint64_t off, uint64_t avail, bool *refused,
		   struct td_error *e)
{
	struct bb_header h;
	struct td_error mine;

	if (td_header_check(s->map + off, avail, off, &h, &mine)) {
		if (!*refused)
			*e = mine;
		*refused = true;
		return false;
	}
	s->box = s->map + off;
	s->avail = avail;
	s->box_offset = off;
	return true;
}

static bool search_range(struct td_source *s, uint64_t from, uint64_t end, uint64_t align_base,
			 uint64_t limit, bool *refused, struct td_error *e)
{
	uint64_t off = from + (BB_ALIGN - (from - align_base) % BB_ALIGN) % BB_ALIGN;

	for (; off + 8 <= end; off += BB_ALIGN)
		if (is_magic(s->map + off) && try_at(s, off, limit - off, refused, e))
			return true;
	return false;
}

static bool search_raw(struct td_source *s, bool *refused, struct td_error *e)
{
	uint64_t off = 0;

	if (s->fd < 0)
		return search_range(s, 0, s->size, 0, s->size, refused, e);
	while (off < s->size) {
		off_t data = lseek(s->fd, (off_t)off, SEEK_DATA);
		off_t hole;

		if (data < 0)
			return false; /* ENXIO: only a hole is left */
		hole = lseek(s->fd, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole > s->size)
			hole = (off_t)s->size;
		if (search_range(s, (uint64_t)data, (uint64_t)hole, 0, s->size, refused, e))
			return true;
		off = (uint64_t)hole;
	}
	return false;
}

int td_source_find(struct td_source *s, struct td_error *e)
{
	bool refused = false;

	if (s->kind == TD_BOX && try_at(s, 0, s->size, &refused, e))
		return 0;
	if (s->kind == TD_CORE && s->has_hint) {
		for (uint32_t i = 0; i < s->nsegs; i++) {
			struct td_segment *g = &s->segs[i];

			if (s->hint < g->phys || s->hint - g->phys >= g->size ||
			    g->size - (s->hint - g->phys) < 8)
				continue;
			if (try_at(s, g->offset + (s->hint - g->phys),
				   g->size - (s->hint - g->phys), &refused, e))
				return 0;
		}
	}
	if (s->kind == TD_CORE) {
		for (uint32_t i = 0; i < s->nsegs; i++) {
			struct td_segment *g = &s->segs[i];

			/* page boundaries are those of the memory, not of the file */
			if (search_range(s, g->offset, g->offset + g->size,
					 g->offset - g->phys % BB_ALIGN, g->offset + g->size,
					 &refused, e))
				return 0;
		}
	} else if (search_raw(s, &refused, e)) {
		return 0;
	}
	if (refused)
		return -1;
	return td_fail(e,
		       "no black box in this file: its magic number is at no page boundary of the "
		       "%llu bytes (a kernel sets it up in its first milliseconds)",
		       (unsigned long long)s->size);
}
