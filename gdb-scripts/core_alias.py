"""core_alias.py - makes a memory core of QEMU (dump-guest-memory, paging=false) readable for GDB.

Such a core lists memory by physical address, but the kernel's pointers are addresses of its image
and of the direct map. The black box inside the core says where both lie; this adds program headers
that show the same bytes at those addresses. Only a new header table is appended and two header
fields are changed, so it is quick on any size, and readers of physical addresses see no
difference. Pure Python, runs in GDB and without: `python3 core_alias.py CORE`.
"""
import mmap
import re
import struct
import sys

BOX_MAGIC = b"HNDSIGHT"
PAGE = 4096
PT_LOAD, PT_NOTE = 1, 4
EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")  # type flags offset vaddr paddr filesz memsz align
# struct bb_header (tracing/blackbox.h) up to ram_size
BOX = struct.Struct("<QIIIIII QQQ QQQ QQ Q".replace(" ", ""))
BOX_FIELDS = ("magic version header_size byte_order machine cpus page_size total_size phys_base "
              "virt_base image_virt image_phys image_size direct_virt direct_phys ram_size").split()


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


def add_aliases(path):
    """Adds the kernel's addresses to the core at `path`, once. Returns True if it changed it."""
    with open(path, "r+b") as f:
        with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            _, phnum, segments = load_segments(data)
            if any(s[0] == PT_LOAD and s[3] >> 47 for s in segments):
                return False
            box = read_box_header(data, segments)
        new = alias_segments(segments, box)
        if phnum + len(new) > 0xfffe:
            raise CoreError("too many segments")
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
    if len(argv) != 2:
        print("usage: core_alias.py CORE", file=sys.stderr)
        return 2
    try:
        changed = add_aliases(argv[1])
    except (OSError, ValueError, CoreError) as e:
        print(f"core_alias: {argv[1]}: {e}", file=sys.stderr)
        return 2
    print(f"{argv[1]}: " + ("kernel addresses added" if changed else "has kernel addresses already"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
