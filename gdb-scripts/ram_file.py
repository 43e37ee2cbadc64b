"""ram_file.py - kernel memory out of the RAM file of a guest, while it runs or when it has ended.

The file that QEMU shares (`memory-backend-file,share=on`) is indexed by physical address; the black
box in it says where the image and the direct map lie, the kernel's page tables where its stacks
do. Nothing here asks the guest or QEMU, so a read takes no lock and stops nobody; what changes
while it is read may be torn, and callers check what they follow.
Pure Python, runs in GDB and without.
"""
import mmap

import core_alias
from core_alias import CoreError

RAM_BASE = {183: 0x40000000, 62: 0}  # QEMU's machines virt and q35
Q35_SPLIT = 0xb0000000  # from this size on, q35 puts what is above 2 GiB at 4 GiB


class RamFile:
    """`header`, and reads by physical and by kernel address. Use as a context manager."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self.header = self.find_header()
        except CoreError:
            self.close()
            raise
        self.kernel = None   # bytes of kernel.elf, for addresses that page tables map
        self.vmalloc = None  # [(va, pa, size)], read when first asked for

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.data.close()

    def find_header(self):
        at = self.data.find(core_alias.BOX_MAGIC)
        while at >= 0:
            if at % core_alias.PAGE == 0:
                try:
                    box = core_alias.parse_box_header(self.data[at: at + core_alias.BOX.size])
                    if self.offset(box, box["phys_base"]) == at:
                        return box
                except CoreError:
                    pass
            at = self.data.find(core_alias.BOX_MAGIC, at + 1)
        raise CoreError("no black box in this RAM: the kernel has not set it up yet")

    def offset(self, box, pa):
        """Where `pa` lies in the file, None if it is no RAM."""
        size = len(self.data)
        at = pa - RAM_BASE.get(box["machine"], 0)
        if box["machine"] == 62 and size >= Q35_SPLIT:
            low = 2 << 30
            if at >= 4 << 30:
                at -= (4 << 30) - low
            elif at >= low:
                return None
        return at if 0 <= at < size else None

    def read_pa(self, pa, size):
        """bytes, or None when not all of it is RAM."""
        at = self.offset(self.header, pa)
        if at is None or at + size > len(self.data):
            return None
        return self.data[at: at + size]

    def translate(self, va):
        """(physical address, bytes from there on that are contiguous); CoreError if unmapped."""
        h = self.header
        if va >= h["image_virt"]:
            return va - h["image_virt"] + h["image_phys"], 1 << 40
        if h["direct_virt"] <= va < h["direct_virt"] + (1 << 46):
            return va - h["direct_virt"] + h["direct_phys"], 1 << 40
        if self.vmalloc is None:
            root = core_alias.kernel_root(self.kernel, h, self.read_pa) if self.kernel else None
            self.vmalloc = [] if root is None else list(
                core_alias.walk_vmalloc(self.read_pa, root, h["machine"]))
        for base, pa, size in self.vmalloc:
            if base <= va < base + size:
                return pa + va - base, base + size - va
        raise CoreError(f"no kernel memory at {va:#x}")

    def read(self, va, size):
        """Kernel memory by its address."""
        out = bytearray()
        while len(out) < size:
            pa, run = self.translate(va + len(out))
            part = self.read_pa(pa, min(run, size - len(out)))
            if part is None:
                raise CoreError(f"no kernel memory at {va + len(out):#x}")
            out += part
        return bytes(out)
