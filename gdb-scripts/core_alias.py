"""core_alias.py - makes a memory core of QEMU (dump-guest-memory, paging=false) readable for GDB.

Such a core lists memory by physical address, but the kernel's pointers are addresses of its image
and of the direct map. The black box inside the core says where both lie; this adds program headers
that show the same bytes at those addresses. Only a new header table is appended and two header
fields are changed, so it is quick on any size, and readers of physical addresses see no
difference. Kernel stacks lie in the vmalloc range: where, only the kernel's page tables know; their
root is found by the symbol kernel_root when kernel.elf is given.
Pure Python, runs in GDB and without: `python3 core_alias.py CORE [KERNEL_ELF]`.
"""
import mmap
import re
import struct
import sys

BOX_MAGIC = b"HNDSIGHT"
PAGE = 4096
PT_LOAD, PT_NOTE = 1, 4
EM_NAMES = {183: "aarch64", 62: "x86-64"}
VMALLOC = (0xffffc00000000000, 0xffffd00000000000)  # kernel/include/arch/mmu.h
PTE_ADDRESS = 0x0000fffffffff000  # both architectures; x86-64 guests have less than 48 bits too
MAX_SEGMENTS = 60000
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")  # type flags offset vaddr paddr filesz memsz align
# struct bb_header (tracing/blackbox.h) up to build_id_len
BOX = struct.Struct("<QIIIIII QQQ QQQ QQ Q IIQQQ 20sI".replace(" ", ""))
BOX_FIELDS = ("magic version header_size byte_order machine cpus page_size total_size phys_base "
              "virt_base image_virt image_phys image_size direct_virt direct_phys ram_size clock_kind "
              "clock_flags clock_hz clock_anchor wall_anchor build_id build_id_len").split()


class CoreError(Exception):
    """The file cannot be used; the text says why."""


def parse_box_header(data):
    """dict of the black box header's leading fields; CoreError when it is none."""
    if len(data) < BOX.size or data[:8] != BOX_MAGIC:
        raise CoreError("no black box here")
    box = dict(zip(BOX_FIELDS, BOX.unpack(data[: BOX.size])))
    if box["byte_order"] != 0x01020304:
        raise CoreError("the black box has another byte order")
    if box["version"] >> 16 != 1:
        raise CoreError(f"black box format {box['version'] >> 16} is not known, only 1")
    return box


def load_segments(data):
    """(e_phoff, e_phnum, [program headers as lists]) of an ELF64 core."""
    if len(data) < EHDR.size or data[:7] != b"\x7fELF\x02\x01\x01":
        raise CoreError("not a little-endian ELF64 file")
    h = EHDR.unpack(data[: EHDR.size])
    e_type, phoff, phentsize, phnum = h[1], h[5], h[9], h[10]
    if e_type != 4:
        raise CoreError("an ELF file, but not a core")
    if phentsize != PHDR.size or phoff + phnum * PHDR.size > len(data):
        raise CoreError("program headers are outside the file")
    return phoff, phnum, [list(PHDR.unpack_from(data, phoff + i * PHDR.size)) for i in range(phnum)]


def file_offset(segments, pa):
    """Where physical address `pa` lies in the file, None if it is not there."""
    for kind, _, off, _, paddr, filesz, _, _ in segments:
        if kind == PT_LOAD and paddr <= pa < paddr + filesz:
            return off + pa - paddr
    return None


def box_address(data, segments):
    """Physical address of the black box: the VMCOREINFO note's word, else by its magic."""
    for kind, _, off, _, _, filesz, _, _ in segments:
        if kind == PT_NOTE:
            m = re.search(rb"HINDSIGHT_BOX=(0x[0-9a-fA-F]+)", data[off: off + filesz])
            if m:
                return int(m[1], 16)
    for kind, _, off, _, paddr, filesz, _, _ in segments:
        at = data.find(BOX_MAGIC, off, off + filesz) if kind == PT_LOAD else -1
        while at >= 0:
            pa = paddr + at - off
            if pa % PAGE == 0:
                try:
                    if parse_box_header(data[at: at + BOX.size])["phys_base"] == pa:
                        return pa
                except CoreError:
                    pass
            at = data.find(BOX_MAGIC, at + 1, off + filesz)
    raise CoreError("no black box in this core (the guest was dumped before its kernel ran?)")


def read_box_header(data, segments):
    pa = box_address(data, segments)
    off = file_offset(segments, pa)
    if off is None:
        raise CoreError(f"the black box at physical {pa:#x} is not in the core")
    return parse_box_header(data[off: off + BOX.size])


def alias_segments(segments, box):
    """The program headers to add: the image (with the black box behind it) and the direct map."""
    start, end = box["image_phys"], box["image_phys"] + box["image_size"]
    shift = box["image_virt"] - box["image_phys"]
    if box["virt_base"] - box["phys_base"] == shift:
        end = max(end, box["phys_base"] + box["total_size"])
    new = []
    for kind, flags, off, _, paddr, filesz, _, _ in segments:
        if kind != PT_LOAD or not filesz:
            continue
        lo, hi = max(paddr, start), min(paddr + filesz, end)
        if lo < hi:
            new.append([PT_LOAD, flags, off + lo - paddr, lo + shift, lo, hi - lo, hi - lo, 0])
        lo, hi = max(paddr, box["direct_phys"]), paddr + filesz
        if lo < hi and paddr < box["direct_phys"] + (1 << 46):
            va = lo - box["direct_phys"] + box["direct_virt"]
            new.append([PT_LOAD, flags, off + lo - paddr, va, lo, hi - lo, hi - lo, 0])
    return new


def elf_sections(data):
    h = EHDR.unpack(data[: EHDR.size])
    return [SHDR.unpack_from(data, h[6] + i * h[11]) for i in range(h[12])]


def elf_build_id(data):
    """The NT_GNU_BUILD_ID of an ELF64 file, b'' if it has none."""
    for _, kind, _, _, off, size, *_ in elf_sections(data):
        if kind != 7 or size < 16:  # SHT_NOTE
            continue
        namesz, descsz, note = struct.unpack_from("<III", data, off)
        if note == 3 and data[off + 12: off + 12 + namesz] == b"GNU\0":
            return data[off + 16: off + 16 + descsz]
    return b""


def same_build(kernel, box):
    """Was this kernel.elf the one that made the black box? (Yes, if the box does not know.)"""
    n = min(box["build_id_len"], 20)
    return not n or elf_build_id(kernel) == box["build_id"][:n]


def load_kernel(path, box):
    """Bytes of kernel.elf; CoreError when it cannot be the kernel of this black box."""
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < EHDR.size or data[:7] != b"\x7fELF\x02\x01\x01":
        raise CoreError(f"{path} is not a little-endian ELF64 file")
    machine = EHDR.unpack(data[: EHDR.size])[2]
    if machine != box["machine"]:
        raise CoreError(f"{path} is for {EM_NAMES.get(machine, machine)}, but the guest is "
                        f"{EM_NAMES.get(box['machine'], box['machine'])}: load its own kernel.elf")
    return data


def elf_symbol(data, name):
    """Value of a symbol of an ELF64 file, None if it has none of that name."""
    sections = elf_sections(data)
    for _, kind, _, _, off, size, link, _, _, entry in sections:
        if kind != 2:  # SHT_SYMTAB
            continue
        strings = sections[link][4]
        for at in range(off, off + size, entry or SYM.size):
            st_name, _, _, _, value, _ = SYM.unpack_from(data, at)
            end = strings + st_name + len(name)
            if data[strings + st_name: end + 1] == name.encode() + b"\0":
                return value
    return None


def leaf_size(pte, level, machine):
    """0: absent, 1: a lower table, else the bytes that the entry maps. Level 1 is the lowest."""
    if not pte & 1:
        return 0
    if level == 1:
        return PAGE
    large = pte & 0x80 if machine == 62 else not pte & 2
    return PAGE << 9 * (level - 1) if large else 1


def walk_vmalloc(read_pa, root, machine):
    """Yields (va, pa, size) of what the table at physical `root` maps in the vmalloc range."""
    def table(pa, level, base):
        step = PAGE << 9 * (level - 1)
        raw = read_pa(pa, PAGE)
        if raw is None:
            return
        for i, pte in enumerate(struct.unpack("<512Q", raw)):
            va = base + i * step
            if not pte or va + step <= VMALLOC[0] or va >= VMALLOC[1]:
                continue
            size = leaf_size(pte, level, machine)
            if size == 1:
                yield from table(pte & PTE_ADDRESS, level - 1, va)
            elif size:
                yield va, pte & PTE_ADDRESS & ~(size - 1), size

    yield from table(root, 4, 0xffff000000000000)  # entry 256 is the first of the upper half


def kernel_root(kernel, box, read_pa):
    """Physical address of the kernel's top page table, None when it has none yet."""
    pointer = elf_symbol(kernel, "kernel_root")
    raw = read_pa(pointer - box["image_virt"] + box["image_phys"], 8) if pointer else None
    root = int.from_bytes(raw, "little") if raw else 0
    if root >= box["image_virt"]:
        return root - box["image_virt"] + box["image_phys"]
    if root >= box["direct_virt"]:
        return root - box["direct_virt"] + box["direct_phys"]
    return None


def vmalloc_segments(data, segments, box, kernel):
    """Program headers that show the vmalloc range; [] when the kernel has no table yet."""
    def read_pa(pa, size):
        off = file_offset(segments, pa)
        return data[off: off + size] if off is not None and off + size <= len(data) else None

    root = kernel_root(kernel, box, read_pa)
    if root is None:
        return []
    new = []
    for va, pa, size in walk_vmalloc(read_pa, root, box["machine"]):
        off = file_offset(segments, pa)
        if off is None or file_offset(segments, pa + size - 1) is None:
            continue  # a device's registers
        last = new[-1] if new else None
        if last and last[3] + last[5] == va and last[2] + last[5] == off:
            last[5] += size
            last[6] += size
        elif len(new) < MAX_SEGMENTS:
            new.append([PT_LOAD, 6, off, va, pa, size, size, 0])
    return new


def in_vmalloc(segment):
    return segment[0] == PT_LOAD and VMALLOC[0] <= segment[3] < VMALLOC[1]


def add_aliases(path, kernel_elf=None):
    """Adds the kernel's addresses to the core at `path`, each kind once: what was added without
    kernel.elf is completed when it is given. Another build's kernel.elf does not know where the page
    tables are and adds nothing. Returns True if it changed the core."""
    with open(path, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _, phnum, segments = load_segments(data)
        box = read_box_header(data, segments)
        kernel = load_kernel(kernel_elf, box) if kernel_elf else None
        have = any(s[0] == PT_LOAD and s[3] >> 47 for s in segments)
        new = [] if have else alias_segments(segments, box)
        if kernel and same_build(kernel, box) and not any(map(in_vmalloc, segments)):
            new += vmalloc_segments(data, segments, box, kernel)
    if not new:
        return False
    if phnum + len(new) > 0xfffe:
        raise CoreError("too many segments")
    with open(path, "r+b") as f:
        f.seek(0, 2)
        table = (f.tell() + 7) & ~7
        f.seek(table)
        f.write(b"".join(PHDR.pack(*s) for s in segments + new))
        f.flush()
        f.seek(32)  # e_phoff
        f.write(struct.pack("<Q", table))
        f.seek(56)  # e_phnum
        f.write(struct.pack("<H", phnum + len(new)))
    return True


def main(argv):
    if len(argv) not in (2, 3):
        print("usage: core_alias.py CORE [KERNEL_ELF]", file=sys.stderr)
        return 2
    try:
        changed = add_aliases(*argv[1:])
    except (OSError, ValueError, CoreError) as e:
        print(f"core_alias: {argv[1]}: {e}", file=sys.stderr)
        return 2
    print(f"{argv[1]}: " + ("kernel addresses added" if changed else "has kernel addresses already"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
