"""hs_target.py - what the `hs` commands look at, and how its black box is read.

A target is one of
  core   GDB has a core file open            -> the core itself is given to tracedump
  ram    `set hs-ram FILE` named the RAM of  -> that file; the guest may run, stand, or have
         the live guest (QEMU's share=on)       ended
  stub   a stopped guest behind `target      -> the box is copied out by bulk reads into a
         remote`, nothing else known            temporary file
Stacks of a guest that stands are read through GDB, else from the RAM file (ram_file.py). Reads
through GDB go through the direct map, by virtual address. QEMU's stub refuses kernel addresses while the
selected CPU is in user mode on aarch64: then every CPU is tried, and at last physical addresses.
"""
import contextlib
import os
import re
import subprocess
import tempfile

import gdb

import core_alias
import ram_file

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = 1 << 20
# The physical address of image offset 0 on QEMU's machines, for reading the header before the
# header can tell (aarch64 virt: start of RAM).
IMAGE_BASE = 0xffffffff80000000
IMAGE_PHYS = {"aarch64": 0x40000000, "x86-64": 0}


def register_parameters():
    class File(gdb.Parameter):
        """A file name of the `hs` commands."""

        def __init__(self, name, doc, value):
            self.set_doc = self.show_doc = self.__doc__ = doc
            super().__init__(name, gdb.COMMAND_DATA, gdb.PARAM_OPTIONAL_FILENAME)
            self.value = value

        def get_set_string(self):
            return ""

        def get_show_string(self, value):
            return value or "(not set)"

    File("hs-ram", "The shared RAM file of the live guest.", "")
    File("hs-tracedump", "The tracedump program.",
         os.path.join(os.path.dirname(HERE), "build/host/tracedump"))


def connection_kind():
    """'core', 'remote' or None."""
    conn = gdb.selected_inferior().connection
    if conn is None:
        return None
    return {"core": "core", "remote": "remote", "extended-remote": "remote"}.get(conn.type)


def core_path():
    m = re.search(r"Local core dump file:\s*`(.*)', file type", gdb.execute("info files", to_string=True))
    if not m:
        raise gdb.GdbError("hs: cannot tell which core file is open")
    return os.path.abspath(m[1])


def elf_path():
    name = gdb.current_progspace().filename
    return os.path.abspath(name) if name else None


def machine_name():
    """'aarch64' or 'x86-64', as GDB sees the target."""
    arch = gdb.selected_inferior().architecture().name()
    return "aarch64" if arch.startswith("aarch64") else "x86-64"


def send_packet(text):
    reply = gdb.selected_inferior().connection.send_packet(text)
    return reply if isinstance(reply, bytes) else str(reply).encode()


@contextlib.contextmanager
def physical_mode():
    """Reads inside are by physical address (QEMU's stub only)."""
    if send_packet("Qqemu.PhyMemMode:1") != b"OK":
        raise gdb.GdbError("hs: kernel memory is not readable from here and the stub has no "
                           "physical mode; interrupt the guest in the kernel and try again")
    try:
        yield
    finally:
        send_packet("Qqemu.PhyMemMode:0")


def read_range(address, size):
    """bytes at `address` by bulk reads."""
    inferior = gdb.selected_inferior()
    out = bytearray()
    while len(out) < size:
        n = min(CHUNK, size - len(out))
        out += bytes(inferior.read_memory(address + len(out), n))
    return bytes(out)


def require_stopped():
    thread = gdb.selected_thread()
    if thread is None:
        raise gdb.GdbError("hs: no guest and no core here: use `target remote SOCKET` or "
                           "`core-file FILE`, or name a RAM file with `set hs-ram FILE`")
    if thread.is_running():
        raise gdb.GdbError("hs: the guest is running and its RAM file is not known: stop it first "
                           "(`interrupt`), or name the file with `set hs-ram FILE`")


def read_kernel(address, size, pa=None):
    """Kernel memory of a stopped guest or a core; `pa`: the same as a physical address."""
    try:
        return read_range(address, size)
    except gdb.MemoryError:
        if connection_kind() != "remote":
            raise gdb.GdbError(f"hs: the core has no memory at {address:#x}") from None
    here = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            try:
                return read_range(address, size)
            except gdb.MemoryError:
                continue
    finally:
        here.switch()
    if pa is None:
        raise gdb.GdbError(f"hs: cannot read kernel memory at {address:#x}")
    with physical_mode():
        try:
            return read_range(pa, size)
        except gdb.MemoryError:
            raise gdb.GdbError(f"hs: cannot read physical memory at {pa:#x}") from None


def warn_of_another_build(kernel, box):
    if not core_alias.same_build(kernel, box):
        gdb.write(f"warning: {elf_path()} is not the kernel that made this black box (build ids "
                  "differ); lines and stacks may be wrong\n", gdb.STDERR)


class Box:
    """The black box of a stopped guest or of a core: header and reads by address."""

    registers = True  # GDB knows those of the CPUs

    def __init__(self):
        require_stopped()
        if connection_kind() == "core":
            alias_core()
        try:
            start = int(gdb.parse_and_eval("(unsigned long)&__blackbox_start"))
        except gdb.error:
            raise gdb.GdbError("hs: no symbol __blackbox_start: load the kernel with "
                               "`file build/ARCH-CONFIG/kernel.elf`") from None
        pa = start - IMAGE_BASE + IMAGE_PHYS[machine_name()]
        try:
            self.header = core_alias.parse_box_header(read_kernel(start, core_alias.BOX.size, pa))
        except core_alias.CoreError:
            raise gdb.GdbError(f"hs: no black box at {start:#x}: the kernel has not set it up yet, or "
                               "another kernel.elf is loaded than the one that runs") from None
        with open(elf_path(), "rb") as f:
            warn_of_another_build(f.read(), self.header)

    def read(self, address, size):
        """Kernel memory by its address (image or direct map)."""
        h = self.header
        pa = None
        if h["direct_virt"] <= address < h["direct_virt"] + (1 << 46):
            pa = address - h["direct_virt"] + h["direct_phys"]
        elif h["image_virt"] <= address:
            pa = address - h["image_virt"] + h["image_phys"]
        return read_kernel(address, size, pa)

    def read_box(self, offset=0, size=None):
        """Bytes of the box itself, through the direct map (it is physically contiguous)."""
        h = self.header
        base = h["phys_base"] - h["direct_phys"] + h["direct_virt"]
        return self.read(base + offset, h["total_size"] - offset if size is None else size)


class RamBox:
    """The same from the RAM file, while the guest runs or when it has ended."""

    registers = False

    def __init__(self, path):
        elf = elf_path()
        if not elf:
            raise gdb.GdbError("hs: load the kernel with `file build/ARCH-CONFIG/kernel.elf`")
        with ram_errors(path):
            self.ram = ram_file.RamFile(path)
            self.header = self.ram.header
            self.ram.kernel = core_alias.load_kernel(elf, self.header)
        warn_of_another_build(self.ram.kernel, self.header)

    def read(self, address, size):
        with ram_errors(self.ram):
            return self.ram.read(address, size)

    def read_box(self, offset=0, size=None):
        h = self.header
        size = h["total_size"] - offset if size is None else size
        data = self.ram.read_pa(h["phys_base"] + offset, size)
        if data is None:
            raise gdb.GdbError("hs: the black box is damaged: it ends outside of RAM")
        return data


@contextlib.contextmanager
def ram_errors(path):
    try:
        yield
    except FileNotFoundError:
        raise gdb.GdbError(f"hs: the RAM file {path} is gone: the guest has ended") from None
    except (OSError, ValueError) as e:
        raise gdb.GdbError(f"hs: {path}: {e}") from None
    except core_alias.CoreError as e:
        raise gdb.GdbError(f"hs: {e}") from None


def open_box():
    """The black box of what there is: a core, a guest that stands, or a RAM file."""
    thread = gdb.selected_thread()
    ram = gdb.parameter("hs-ram")
    if ram and connection_kind() != "core" and (thread is None or thread.is_running()):
        return RamBox(ram)
    return Box()


def alias_core():
    """A fresh core of QEMU knows physical addresses only: adds the kernel's and opens it again."""
    path = core_path()
    try:
        if core_alias.add_aliases(path, elf_path()):
            print(f"hs: added the kernel's addresses to {path}")
            gdb.execute(f"core-file {path}", to_string=True)
    except PermissionError:
        raise gdb.GdbError(f"hs: {path} lists physical addresses only and may not be written: "
                           f"python3 {HERE}/core_alias.py COPY kernel.elf adds the kernel's") from None
    except (OSError, ValueError, core_alias.CoreError) as e:
        raise gdb.GdbError(f"hs: {path}: {e}") from None


@contextlib.contextmanager
def box_file():
    """A file that tracedump can read for the current target."""
    kind = connection_kind()
    if kind == "core":
        yield core_path()
        return
    ram = gdb.parameter("hs-ram")
    if ram:
        with ram_errors(ram):
            os.stat(ram)
        yield ram
        return
    box = open_box()
    fd, path = tempfile.mkstemp(prefix="hindsight-box-")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(box.read_box())
        yield path
    finally:
        os.unlink(path)


def tracedump(command, *options):
    """Runs tracedump on the current target and prints its words."""
    program = gdb.parameter("hs-tracedump")
    if not program or not os.path.exists(program):
        raise gdb.GdbError(f"hs: {program or 'tracedump'} is missing: run `make tracedump`")
    elf = elf_path()
    width = gdb.parameter("width")  # None: no end
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    if width:
        environment["COLUMNS"] = str(width)
    with box_file() as path:
        argv = [program, command, path, *(["--elf", elf] if elf else []), *options]
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, check=False, env=environment)
    gdb.write(r.stdout.decode("utf-8", "replace"))
    if r.returncode not in (0, 1):
        raise gdb.GdbError(r.stderr.decode("utf-8", "replace").strip() or
                           f"tracedump ended with {r.returncode}")
