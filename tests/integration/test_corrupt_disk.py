"""Disks that lie. The host fuzzes the file system's code (tests/unit/ext2_test.c); here a kernel
lives with such a disk: what is wrong is said and refused, what is right is read, nothing hangs."""
import os
import random
import re
import shutil
import struct
import subprocess

import pytest

import qemu
from conftest import BOOT

TROUBLE = re.compile(r"oops|BUG|WARN|verdict|undefined behaviour|hung")
EDGES = [0, 1, 2, 7, 11, 0x7fff, 0xffff, 12287, 12288, 0x7fffffff, 0x80000000, 0xffffffff]


class Ext2:
    """An image in memory: where its inodes and their blocks are."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        (self.log_block,) = struct.unpack_from("<I", self.data, 1024 + 24)
        self.block = 1024 << self.log_block
        (self.per_group,) = struct.unpack_from("<I", self.data, 1024 + 40)
        (self.inode_size,) = struct.unpack_from("<H", self.data, 1024 + 88)
        self.groups = self.block if self.block > 1024 else 2048

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def put(self, at, fmt, value):
        size = struct.calcsize(fmt)
        struct.pack_into("<" + fmt, self.data, at, value & ((1 << 8 * size) - 1))

    def inode(self, ino):
        group, index = divmod(ino - 1, self.per_group)
        return self.u32(self.groups + 32 * group + 8) * self.block + index * self.inode_size

    def mode(self, ino):
        return struct.unpack_from("<H", self.data, self.inode(ino))[0]

    def pointer(self, ino, n):
        return self.u32(self.inode(ino) + 40 + 4 * n)

    def entries(self, ino):
        """(offset in the image, inode number, name) of a directory's entries."""
        (size,) = struct.unpack_from("<I", self.data, self.inode(ino) + 4)
        for n in range(size // self.block):
            at = self.pointer(ino, n) * self.block
            end = at + self.block
            while at < end:
                child, rec, length = struct.unpack_from("<IHB", self.data, at)
                name = bytes(self.data[at + 8: at + 8 + length])
                if child and name not in (b".", b".."):
                    yield at, child, name
                at += rec

    def find(self, name, ino=2):
        return next(child for _, child, n in self.entries(ino) if n == name)


def fill(root):
    """What the damage is done to: small, large and sparse files, links, directories of two blocks."""
    for d in range(30):
        sub = f"{root}/hurt/d{d:02}"
        os.makedirs(f"{sub}/inner")
        for i in range(60 if d % 5 == 0 else 6):
            with open(f"{sub}/a-file-with-a-name-of-some-length-to-fill-blocks-{i:03}", "wb") as f:
                f.write(bytes([d]) * (200000 if i == 0 else 3000))
        with open(f"{sub}/sparse", "wb") as f:
            f.seek(5 << 20)
            f.write(b"end")
        os.symlink("../../etc/motd", f"{sub}/short")
        os.symlink("/" + "x/" * 100 + "y", f"{sub}/long")


def damage(fs, rnd):
    """One wrong thing in every directory of /hurt."""
    for _, top, _ in list(fs.entries(fs.find(b"hurt"))):
        entries = list(fs.entries(top))
        at, ino, _ = rnd.choice(entries)
        kind = rnd.randrange(6)
        if kind == 0:  # a directory entry: inode, record length, name length, type
            field, fmt = rnd.choice([(0, "I"), (4, "H"), (6, "B"), (7, "B")])
            fs.put(at + field, fmt, rnd.choice(EDGES))
        elif kind == 1:  # its bytes
            for _ in range(8):
                fs.put(at + rnd.randrange(24), "B", rnd.randrange(256))
        elif kind == 2:  # an inode: mode, size, links, flags
            field, fmt = rnd.choice([(0, "H"), (4, "I"), (26, "H"), (32, "I"), (108, "I")])
            fs.put(fs.inode(ino) + field, fmt, rnd.choice(EDGES))
        elif kind == 3:  # where its blocks are
            fs.put(fs.inode(ino) + 40 + 4 * rnd.randrange(15), "I", rnd.choice(EDGES))
        elif kind == 4:  # an indirect block that points to itself, to nowhere, to other tables
            big = next(c for _, c, n in entries if n.endswith(b"-000"))
            table = fs.pointer(big, 12)
            for _ in range(20):
                fs.put(table * fs.block + 4 * rnd.randrange(40), "I", rnd.choice([table, *EDGES]))
        else:  # a directory without its first block, or the directory as a file of its own
            fs.put(fs.inode(top) + 40, "I", rnd.choice([0, fs.pointer(ino, 0), 3, 0xffffffff]))


def disk(arch):
    return os.path.join(qemu.build_dir(arch, "debug"), "disk.img")


@pytest.fixture(scope="module")
def hurt_tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    fill(root)
    return root


def hurt_disk(arch, tree, path, seed):
    """A copy of the disk of `arch` with a damaged /hurt, written by debugfs."""
    shutil.copy(disk(arch), path)
    commands = []
    for base, dirs, files in os.walk(tree):
        inside = os.path.relpath(base, tree)
        for name in dirs:
            commands.append(f"mkdir /{os.path.join(inside, name)}")
        for name in files:
            full, to = os.path.join(base, name), f"/{os.path.join(inside, name)}"
            if os.path.islink(full):
                commands.append(f"symlink {to} {os.readlink(full)}")
            else:
                commands.append(f"write {full} {to}")
    env = dict(os.environ, PATH=os.environ["PATH"] + ":/sbin:/usr/sbin")
    subprocess.run(["debugfs", "-w", "-f", "-", path], input="\n".join(commands).encode(),
                   check=True, capture_output=True, env=env)
    fs = Ext2(path)
    damage(fs, random.Random(seed))
    with open(path, "wb") as f:
        f.write(fs.data)


@pytest.mark.parametrize("seed", [1, 2])
def test_damaged_tree(arch, hurt_tree, tmp_path, seed):
    image = str(tmp_path / "disk.img")
    hurt_disk(arch, hurt_tree, image, seed)
    with qemu.Guest(arch, cpus=4, disk=image) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        names = guest.shell("find /hurt -maxdepth 4 | wc -l", 120)
        read = guest.shell("find /hurt -maxdepth 3 -type f | xargs head -c 250000 | wc -c", 120)
        assert max(map(int, re.findall(r"^(\d+)$", names, re.M))) > 150, names
        assert max(map(int, re.findall(r"^(\d+)$", read, re.M))) > 1 << 20, read
        console = guest.console()
        said = re.findall(r"ext2: vda: corrupt: .*", console)
        assert 1 <= len(said) <= 10 and "%" not in "".join(said), said
        assert not TROUBLE.search(console), console[-3000:]
        assert "still here" in guest.shell("echo still here")
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words


SUPER = 1024
REFUSED = {  # what is changed: (offset, format, value), and what the kernel says of it
    "magic": (SUPER + 56, "H", 0x1234, "no ext2 file system"),
    "block size": (SUPER + 24, "I", 20, "block size"),
    "64 KiB blocks": (SUPER + 24, "I", 6, "block size 64 KiB is not supported"),
    "blocks": (SUPER + 4, "I", 0xffffffff, "blocks of 4096 bytes on a device"),
    "inodes a group": (SUPER + 40, "I", 0, "per group are impossible"),
    "inode size": (SUPER + 88, "H", 100, "inode size 100 is impossible"),
    "extents": (SUPER + 96, "I", 0x42, "extents"),
    "inode table": (4096 + 8, "I", 0xfffffff0, "inode table at block"),
    "root inode": ("root", "H", 0x8180, r"root inode is no directory \(mode 0100600\)"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_disk(arch, tmp_path, what):
    at, fmt, value, words = REFUSED[what]
    fs = Ext2(disk(arch))
    fs.put(fs.inode(2) if at == "root" else at, fmt, value)
    image = tmp_path / "disk.img"
    image.write_bytes(fs.data)
    with qemu.Guest(arch, cpus=1, disk=str(image), append="ring=256K", time_limit=60) as guest:
        console = guest.wait_for("PANIC: no root file system on vda", 40)
        assert re.search(rf"(ext2|vfs): vda: .*{words}", console), console
        assert not TROUBLE.search(console), console


@pytest.mark.parametrize("kind", ["MBR", "GPT"])
def test_a_partitioned_disk_is_recognised(arch, tmp_path, kind):
    data = bytearray(1 << 20)
    data[510:512] = b"\x55\xaa"
    if kind == "MBR":
        data[446 + 16 + 4] = 0x83  # the second of its four entries
    else:
        data[512:520] = b"EFI PART"
    image = tmp_path / "disk.img"
    image.write_bytes(data)
    with qemu.Guest(arch, cpus=1, disk=str(image), append="ring=256K", time_limit=60) as guest:
        console = guest.wait_for("PANIC: no root file system", 40)
        assert re.search(r"ext2: vda: .* it has a partition table, .*attach the file system itself", console), \
            console
