"""format_reader.py - a reader of black boxes written from tracing/FORMAT.md alone.

It takes the layouts from that file's text, knows no header of the kernel and shares nothing with
tools/tracedump: what it cannot decode, a stranger with the document could not either. Slow and
plain; for copies that nobody writes to.
"""
import binascii
import re
import struct

MAGIC = b"HNDSIGHT"
MASK64 = (1 << 64) - 1
SIZES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i", "i64": "q"}
NAMES = {1: "control", 2: "schema", 3: "enums", 4: "rings", 5: "ring data", 6: "cpus", 7: "tasks",
         8: "lock classes", 9: "locks", 10: "symbols", 11: "symbol names", 12: "console",
         13: "crash", 14: "counters", 15: "command line", 16: "reports",
         17: "device queues", 18: "lines", 19: "places", 20: "place names",
         21: "system calls"}
CATEGORY, STATE, SYSCALL, ERRNO, MODE = 1, 2, 3, 4, 7


class Layouts:
    """The lines `bb_name size: field type, ...` of the document."""

    def __init__(self, document):
        block = re.search(r"^## Layouts\n(.*?)(?=^## |\Z)", document, re.S | re.M)[1]
        text = re.sub(r"\n {6}", " ", block)
        self.size, self.fields = {}, {}
        for name, size, fields in re.findall(r"^    (bb_\w+) (\d+): (.*)$", text, re.M):
            self.size[name], self.fields[name] = int(size), []
            at = 0
            for field in fields.split(", "):
                label, kind, count = re.fullmatch(r"(\S+) (\w+)(?:\[(\d+)\])?", field).groups()
                one = 1 if kind == "char" else (self.size[kind] if kind in self.size
                                                else struct.calcsize(SIZES[kind]))
                self.fields[name].append((label, kind, count and int(count), at, one))
                at += one * int(count or 1)
            if at != int(size):
                raise ValueError(f"{name}: the fields take {at} bytes, not {size}")

    def read(self, name, data, at, limit=None):
        """A dictionary; fields beyond `limit` bytes are 0: the writer was older."""
        data = bytes(data[at:at + min(self.size[name], limit or self.size[name])])
        data = data.ljust(self.size[name], b"\0")
        out = {}
        for label, kind, count, offset, one in self.fields[name]:
            if label == "-":
                continue
            if kind == "char":
                value = data[offset:offset + count].split(b"\0")[0].decode("ascii", "replace")
            else:
                value = [self.read(kind, data, offset + i * one) if kind in self.size else
                         struct.unpack_from("<" + SIZES[kind], data, offset + i * one)[0]
                         for i in range(count or 1)]
                value = value if count else value[0]
            out[label] = value
        return out


def rol(x, n):
    return (x << n | x >> (64 - n)) & MASK64


def check16(word0, word1, args):
    x = word0 & ~0xffff & MASK64 ^ rol(word1, 23)
    for i, arg in enumerate(args):
        x ^= rol(arg, 7 * i + 3)
    return (x * 0xd6e8feb86659fd93 & MASK64) >> 48


class Box:
    def __init__(self, layouts, data, at):
        self.layouts, self.data, self.at = layouts, data, at
        self.header = layouts.read("bb_header", data, at)
        self.sections = {}
        h = self.header
        for i in range(h["dir_count"]):
            s = layouts.read("bb_section", data, at + h["dir_offset"] + i * h["dir_entry_size"],
                             h["dir_entry_size"])
            if s["kind"]:
                self.sections[s["kind"]] = s
        self.enums = {}
        for row in self.table(3, "bb_enum_row"):
            self.enums[row["table"], row["value"]] = row["name"]
        self.events = {row["id"]: row for row in self.table(2, "bb_event_row")}

    @staticmethod
    def verify(layouts, data, at):
        """The five tests of a candidate, in the document's order."""
        if data[at:at + 8] != MAGIC or len(data) - at < layouts.size["bb_header"]:
            return False
        h = layouts.read("bb_header", data, at)
        if h["byte_order"] != 0x01020304 or h["version"] >> 16 != 1:
            return False
        directory = h["dir_count"] * h["dir_entry_size"]
        if max(h["header_size"], h["dir_offset"] + directory, h["total_size"]) > len(data) - at:
            return False
        fields = {f[0]: f[3] for f in layouts.fields["bb_header"]}
        head = bytearray(data[at:at + h["header_size"]])
        head[fields["checksum"]:fields["checksum"] + 4] = bytes(4)
        crc = binascii.crc32(head)
        crc = binascii.crc32(data[at + h["dir_offset"]:at + h["dir_offset"] + directory], crc)
        return crc == h["checksum"]

    def table(self, kind, layout):
        s = self.sections[kind]
        return [self.layouts.read(layout, self.data, self.at + s["offset"] + i * s["entry_size"],
                                  s["entry_size"]) for i in range(s["count"])]

    def name(self, table, value):
        return self.enums.get((table, value))

    def ns(self, ticks):
        return (ticks - self.header["clock_anchor"]) * 10**9 // self.header["clock_hz"]

    def walk(self, ring):
        """(records in the order of slots, events reserved). A record: ordinal, id, args, ticks48."""
        units, events = ring["head"] >> 32, ring["head"] & 0xffffffff
        words = memoryview(self.data)[self.at + ring["data_offset"]:][:(ring["units"] + 4) * 16]
        unit, out = max(0, units - ring["units"]), []
        while unit < units:
            at = unit % ring["units"] * 16
            word0, word1 = struct.unpack_from("<QQ", words, at)
            ident, nargs = word1 >> 20 & 0xfff, word1 >> 16 & 0xf
            length = 1 + (nargs + 1) // 2
            unit += 1
            if word1 >> 32 != unit - 1 or not ident or nargs > 8 or unit - 1 + length > units:
                continue
            args = struct.unpack_from(f"<{nargs}Q", words, at + 16)
            if check16(word0, word1, args) == word0 & 0xffff:
                out.append([word1 & 0xffff, ident, args, word0 >> 16, unit - 1])
                unit += length - 1
        later, later_unit = events, units
        for r in reversed(out):
            # at least one event for each 5 units between them
            least = (later_unit - r[4] - (1 + (len(r[2]) + 1) // 2)) // 5
            r[0] = later - 1 - least - (later - 1 - least - r[0]) % 0x10000
            later, later_unit = r[0], r[4]
        return out, events

    def full_ticks(self, ticks48, near):
        """The stamp nearest to `near` with these low 48 bits."""
        d = (ticks48 - near) & 0xffffffffffff
        return near + (d - (1 << 48) if d >> 47 else d)

    def show(self, arg, value):
        """An argument in the document's words; None where names of other sections would be due."""
        signed = value - (1 << 64) if value >> 63 else value
        show, table = arg["show"], arg["table"]
        if show == 1:
            return str(signed)
        if show in (2, 7):
            return str(value)
        if show in (3, 4, 8, 15):
            return hex(value)
        if show == 10:
            return f"{value}ns"
        if show == 11:
            return f"{value * 10**9 // self.header['clock_hz']}ns"
        if show == 12:
            return self.name(SYSCALL, signed) or str(signed)
        if show == 13:
            word = self.name(ERRNO, -signed) if signed < 0 else None
            return f"-{word}" if word else str(signed)
        if show == 16:
            return '"%s"' % struct.pack("<Q", value).split(b"\0")[0].decode("ascii", "replace")
        if show == 17:
            return self.name(table, signed) or str(signed)
        if show == 19:
            return f"{value}B"
        if show == 20:
            return f"0{value:o}"
        if show == 22:
            return str((value & 0xffffffff ^ 1 << 31) - (1 << 31))
        return None


def find(layouts, data):
    """Offset of the box in `data`: a bare box, an ELF core with the note, or an image of memory."""
    if data[:4] == b"\x7fELF":
        note = re.search(rb"HINDSIGHT_BOX=0x([0-9a-f]+)", data[:1 << 20])
        phoff, = struct.unpack_from("<Q", data, 32)
        size, count = struct.unpack_from("<HH", data, 54)
        for i in range(count):
            kind, _, offset, _, paddr, filesz = struct.unpack_from("<IIQQQQ", data, phoff + i * size)
            if kind == 1 and note and paddr <= int(note[1], 16) < paddr + filesz:
                at = offset + int(note[1], 16) - paddr
                if Box.verify(layouts, data, at):
                    return at
        raise ValueError("no note leads to a box")
    for at in range(0, len(data), 4096):
        if data[at:at + 8] == MAGIC and Box.verify(layouts, data, at):
            return at
    raise ValueError("no box")
