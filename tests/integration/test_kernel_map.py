"""The kernel's page tables, read from outside: out of the RAM of a running guest, with nothing from the
kernel but the place of its root table. What docs/map.md promises must hold for every entry."""
import re
import struct

import pytest

import qemu

PAGE = 4096
TOP = 0xFFFF_0000_0000_0000
DIRECT = (0xFFFF_8000_0000_0000, 0xFFFF_C000_0000_0000)
VMALLOC = (0xFFFF_C000_0000_0000, 0xFFFF_D000_0000_0000)
IMAGE = (0xFFFF_FFFF_8000_0000, 1 << 64)
STACKS = VMALLOC[1] - (1 << 40)  # kernel/mm/vmalloc.c: slots of one guard page and a stack
STACK_PAGES = 4
RAM_BASE = {"aarch64": 0x4000_0000, "x86_64": 0}


def elf_symbols(path):
    """Name -> value of an ELF file's symbol table."""
    with open(path, "rb") as f:
        data = f.read()
    offset, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, offset + i * size) for i in range(count)]
    table = next(s for s in sections if s[1] == 2)
    strings = sections[table[6]][4]
    names = {}
    for at in range(table[4], table[4] + table[5], 24):
        name, value = struct.unpack_from("<I4xQ", data, at)
        end = data.index(b"\0", strings + name)
        names[data[strings + name:end].decode()] = value
    return names


class Leaf:
    """One translation with what the whole path to it allows."""

    def __init__(self, va, pa, size, write, execute, user):
        self.va, self.pa, self.size = va, pa, size
        self.write, self.execute, self.user = write, execute, user

    def __repr__(self):
        return (f"{self.va:#x} -> {self.pa:#x} + {self.size:#x} r{'w' if self.write else '-'}"
                f"{'x' if self.execute else '-'}{' user' if self.user else ''}")


def bit(entry, n):
    return entry >> n & 1


def x86_entry(entry, level):
    """(is it a leaf, may write, may execute in the kernel, may be used by user code)"""
    return level == 1 or bit(entry, 7), bit(entry, 1), not bit(entry, 63), bit(entry, 2)


def aarch64_entry(entry, level):
    if level > 1 and bit(entry, 1):  # a table: its own restrictions
        return False, not bit(entry, 62), not bit(entry, 59), not bit(entry, 61)
    return True, not bit(entry, 7), not bit(entry, 53), bit(entry, 6) or not bit(entry, 54)


class Map:
    """All leaves of the kernel's table."""

    def __init__(self, guest):
        self.arch, self.ram_path = guest.arch, guest.ram
        self.symbol = elf_symbols(guest.elf)
        self.base = RAM_BASE[guest.arch]
        self.entry = x86_entry if guest.arch == "x86_64" else aarch64_entry
        with open(guest.ram, "rb") as self.file:
            self.root = self.virt_to_phys(self.read_u64(self.image_pa("kernel_root")))
            self.root_entries = self.table(self.root)
            self.leaves = list(self.walk(self.root, 4, TOP, (True, True, True)))

    def image_pa(self, name):
        return self.symbol[name] - IMAGE[0] + self.base

    def virt_to_phys(self, va):
        return va - DIRECT[0] + self.base

    def read_u64(self, pa):
        self.file.seek(pa - self.base)
        return struct.unpack("<Q", self.file.read(8))[0]

    def table(self, pa):
        self.file.seek(pa - self.base)
        return struct.unpack("<512Q", self.file.read(PAGE))

    def walk(self, pa, level, va, allowed):
        size = PAGE << 9 * (level - 1)
        for i, entry in enumerate(self.table(pa)):
            if not entry & 1:
                continue
            leaf, *here = self.entry(entry, level)
            rights = [bool(a and b) for a, b in zip(allowed, here)]
            target = entry & 0x0000_FFFF_FFFF_F000
            if leaf:
                yield Leaf(va + i * size, target & ~(size - 1), size, *rights)
            else:
                yield from self.walk(target, level - 1, va + i * size, rights)

    def within(self, bounds):
        return [m for m in self.leaves if bounds[0] <= m.va < bounds[1]]


@pytest.fixture(scope="module")
def kernel_map(healthy):
    return Map(healthy)


def test_nothing_is_writable_and_executable(kernel_map):
    assert len(kernel_map.leaves) > 100
    assert [m for m in kernel_map.leaves if m.write and m.execute] == []


def test_no_kernel_page_is_for_users(kernel_map):
    assert [m for m in kernel_map.leaves if m.user] == []


def test_only_the_text_is_executable(kernel_map):
    start, end = (kernel_map.symbol[n] for n in ("__text_start", "__text_end"))
    found = sorted((m.va, m.va + m.size) for m in kernel_map.leaves if m.execute)
    assert found[0][0] == start and found[-1][1] == end
    assert all(a[1] == b[0] for a, b in zip(found, found[1:])), found


def test_text_and_constants_are_writable_nowhere(kernel_map):
    start, end = (kernel_map.image_pa(n) for n in ("__image_start", "__data_start"))
    seen = [m for m in kernel_map.leaves if m.pa < end and m.pa + m.size > start]
    assert {m.va >> 47 for m in seen} == {0x1FFFF} and len(seen) >= 2 * (end - start) // PAGE, seen
    assert [m for m in seen if m.write] == []


def test_every_page_lies_where_the_map_says(kernel_map):
    places = [DIRECT, VMALLOC, IMAGE]
    assert [m for m in kernel_map.leaves if not any(p[0] <= m.va < p[1] for p in places)] == []
    assert all(kernel_map.within(p) for p in places)
    assert [e for e in kernel_map.root_entries[:256] if e] == [], "the user half of the kernel's root"
    for m in kernel_map.within(DIRECT):
        assert m.pa == m.va - DIRECT[0] + kernel_map.base, m
    for m in kernel_map.within(IMAGE):
        assert m.pa == m.va - IMAGE[0] + kernel_map.base, m


def test_stacks_have_guard_pages(kernel_map, cpus):
    """Each slot in use is mapped whole but for its first page, and all frames are different."""
    mapped = {}
    for m in kernel_map.within((STACKS, VMALLOC[1])):
        assert m.size == PAGE and m.write and not m.execute, m
        slot, page = divmod((m.va - STACKS) // PAGE, STACK_PAGES + 1)
        mapped.setdefault(slot, set()).add(page)
    assert len(mapped) >= cpus  # idle threads but the boot CPU's, reaper, init, shell
    assert all(pages == set(range(1, STACK_PAGES + 1)) for pages in mapped.values()), mapped
    frames = [m.pa for m in kernel_map.within((STACKS, VMALLOC[1]))]
    assert len(set(frames)) == len(frames)
    below_boot = kernel_map.symbol["boot_stack"] - PAGE
    assert [m for m in kernel_map.leaves if m.va <= below_boot < m.va + m.size] == []


def test_every_cpu_uses_this_map(healthy, kernel_map):
    """Each CPU's root shows this kernel half; on x86-64 the monitor also shows that the protections
    are switched on (QEMU 7.2 shows aarch64's control registers to nobody)."""
    if healthy.arch == "aarch64":
        text = healthy.gdb_batch("thread apply all -q p/x $TTBR1_EL1", "detach")
        roots = [int(v, 16) & 0xfffffffffffe for v in re.findall(r"= (0x[0-9a-f]+)", text)]
    else:
        text = healthy.qmp("human-monitor-command", **{"command-line": "info registers -a"})
        roots = [int(v, 16) for v in re.findall(r"CR3=([0-9a-f]+)", text)]
        for register, bits in (("CR0", 1 << 16), ("CR4", 3 << 20), ("EFER", 1 << 11)):
            values = re.findall(rf"{register}=([0-9a-f]+)", text)
            assert len(values) == healthy.cpus, text
            assert all(int(v, 16) & bits == bits for v in values), f"{register}: {values}"
    assert len(roots) == healthy.cpus, text
    with open(healthy.ram, "rb") as kernel_map.file:
        for root in roots:
            assert kernel_map.table(root)[256:] == kernel_map.root_entries[256:], hex(root)
