"""Machines other than the usual one: each runs, or stops by itself with one sentence that says what to
do. Most differ from the usual command line in one place."""
import contextlib
import fcntl
import os
import time

import pytest

import qemu

DISK = "virtio-blk-pci,drive=hd,disable-legacy=on"


class Odd:
    """How a machine differs: -M options added, or a whole -M, -cpu, -smp, -device of the disk, more."""

    def __init__(self, machine="", replace_machine="", cpu="", smp="", disk=DISK, more=(), mem="256M",
                 append="ring=1M"):
        self.machine, self.replace_machine, self.cpu, self.smp = machine, replace_machine, cpu, smp
        self.disk, self.more, self.mem, self.append = disk, list(more), mem, append

    def edit(self, command):
        """The usual command line, changed."""
        def change(option, value):
            command[command.index(option) + 1] = value

        usual = command[command.index("-M") + 1]
        if self.replace_machine:
            change("-M", self.replace_machine + ",memory-backend=ram")
        elif self.machine:
            change("-M", usual + "," + self.machine)
        if self.cpu:
            change("-cpu", self.cpu)
        if self.smp:
            change("-smp", self.smp)
        at = command.index(DISK)
        if self.disk:
            command[at] = self.disk
        else:
            del command[at - 3:at + 1]
        return command[:1] + self.more + command[1:]


# Two bridges, one on each root bus: bus numbers are given out on both sides of the second root's.
SECOND_ROOT = ["-device", "pcie-root-port,id=slot1,chassis=1", "-device", "pxb-pcie,id=root2,bus_nr=2",
               "-device", "pcie-root-port,id=slot2,bus=root2,chassis=2,addr=3"]
BOTH = ("aarch64", "x86_64")
ARM, X86 = BOTH[:1], BOTH[1:]
RUNS = {
    "cpus-32": (BOTH, Odd(smp="32")),
    "cpus-2x3": (BOTH, Odd(smp="6,sockets=2,cores=3,threads=1")),
    "memory-32M": (BOTH, Odd(mem="32M")),
    "memory-5G": (BOTH, Odd(mem="5G")),
    "el2": (ARM, Odd("virtualization=on")),
    "secure": (ARM, Odd("secure=on")),
    "no-highmem": (ARM, Odd("highmem=off")),
    "memory-tags": (ARM, Odd("mte=on")),
    "cortex-a76": (ARM, Odd(cpu="cortex-a76")),
    "qemu64": (X86, Odd(cpu="qemu64")),
    "nehalem": (X86, Odd(cpu="Nehalem")),
    "opteron-g4": (X86, Odd(cpu="Opteron_G4")),  # offers XSAVE, and its emulation refuses to switch it on
    "no-xsave": (X86, Odd(cpu="max,-xsave")),
    "disk-transitional": (BOTH, Odd(disk="virtio-blk-pci,drive=hd")),
    "disk-4k-blocks": (BOTH, Odd(disk=DISK + ",logical_block_size=4096,physical_block_size=4096")),
    "disk-no-msix": (BOTH, Odd(disk=DISK + ",vectors=0")),
    "disk-intx-of-slot-25": (X86, Odd(disk=DISK + ",vectors=0,addr=0x19")),
    "disk-queue-4": (BOTH, Odd(disk=DISK + ",queue-size=4")),
    "disk-behind-bridge": (BOTH, Odd(disk=DISK + ",bus=slot1",
                                     more=["-device", "pcie-root-port,id=slot1,chassis=1"])),
    "disk-behind-second-root-bus": (BOTH, Odd(disk=DISK + ",bus=slot2", more=SECOND_ROOT)),
    "disk-no-msix-behind-second-root-bus": (BOTH, Odd(disk=DISK + ",vectors=0,bus=slot2", more=SECOND_ROOT)),
    "ring-4G": (BOTH, Odd(append="ring=4G")),
    "unknown-options": (BOTH, Odd(append="ring=1M foo bar=baz trace=nonsense tasks=many " + "x" * 1500)),
}
STOPS = {
    "no-lse": (ARM, Odd(cpu="cortex-a72"), "this CPU has no atomic instructions (ARMv8.1 LSE); use -cpu max"),
    "no-lse-el2": (ARM, Odd("virtualization=on", cpu="cortex-a72"), "(ARMv8.1 LSE); use -cpu max"),
    "gicv2": (ARM, Odd(replace_machine="virt,gic-version=2"), "use -M virt,gic-version=3"),
    "pc": (X86, Odd(replace_machine="pc"), "PANIC: no root file system: there is no disk vda: this machine has no PCI "
           "configuration space in memory (ECAM): on QEMU use -M q35"),
    "no-nx": (X86, Odd(cpu="qemu64,-nx"), "cannot forbid execution (NX); use -cpu max"),
    "no-64-bit": (X86, Odd(cpu="qemu32"), "no 64-bit mode or cannot forbid execution (NX); use -cpu max"),
    "no-apic": (X86, Odd(cpu="max,-apic"), "this CPU has no local APIC"),
    "no-disk": (BOTH, Odd(disk=None), "is a disk image attached?"),
    "disk-legacy-only": (BOTH, Odd(disk="virtio-blk-pci,drive=hd,disable-modern=on,disable-legacy=off"),
                         "use disable-legacy=on"),
    "memory-8M": (BOTH, Odd(mem="8M"), "no room for the black box"),
}


def cases(table):
    return [pytest.param(arch, *rest, id=f"{arch}-{name}")
            for name, (arches, *rest) in table.items() for arch in arches]


def start(monkeypatch, arch, odd):
    usual = qemu.command_line
    monkeypatch.setattr(qemu, "LEAST_MEM", 0)
    monkeypatch.setattr(qemu, "command_line", lambda *a, **k: odd.edit(usual(*a, **k)))
    return qemu.Guest(arch, mem=odd.mem, append=odd.append, gdb=False)


@pytest.mark.parametrize("arch, odd", cases(RUNS))
def test_runs(monkeypatch, arch, odd):
    with start(monkeypatch, arch, odd) as guest:
        guest.wait_for(qemu.PROMPT, 90)
        assert "one two" in guest.shell("echo one two")
        assert "bin" in guest.shell("busybox ls /")
        for word in ("PANIC", "WARN", "BUG", "HUNG", "does not start"):
            assert word not in guest.console(), guest.console()
        code, words = guest.why()
        assert code == 0, words


@pytest.mark.parametrize("arch, odd, sentence", cases(STOPS))
def test_stops_with_a_sentence(monkeypatch, arch, odd, sentence):
    with start(monkeypatch, arch, odd) as guest:
        guest.wait_exit(60)
        console = guest.console()
        assert sentence in console and console.count("PANIC") == 1, console
        assert guest.status == qemu.FAIL_STATUS[arch], guest.status  # of itself, and called a failure
        assert "reserved bits" not in console and os.path.getsize(guest.console_path) < 8192, console


@pytest.mark.parametrize("arch", ARM)
@pytest.mark.parametrize("el2", ("off", "on"))
def test_a_refused_cpu_stops_without_semihosting(monkeypatch, arch, el2):
    """The instruction that would hand QEMU a status is undefined there; the machine is off all the same."""
    odd = Odd("virtualization=" + el2, cpu="cortex-a72")
    usual = odd.edit
    monkeypatch.setattr(odd, "edit", lambda command: [w for w in usual(command) if w != "-semihosting"])
    with start(monkeypatch, arch, odd) as guest:
        guest.wait_exit(60)
        assert "no atomic instructions" in guest.console() and guest.status == 0, guest.console()


@contextlib.contextmanager
def stalled_pipe(path):
    """QEMU's two FIFOs for a serial port whose other side takes nothing: (to the guest, from it)."""
    os.mkfifo(path + ".in")
    os.mkfifo(path + ".out")
    ends = [os.open(path + end, os.O_RDWR | os.O_NONBLOCK) for end in (".in", ".out")]
    try:
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(ends[1], b"x")
        yield ends
    finally:
        for end in ends:
            os.close(end)


# QEMU's PL011 has no stalled state: it stops the whole machine until its other side reads.
@pytest.mark.parametrize("arch", X86)
def test_a_stalled_serial_port_costs_text_not_time(monkeypatch, arch, tmp_path):
    """The kernel boots, drops what the port does not take, and is heard again when it drains. The clock
    counts instructions here: polling each character to its limit would make seconds of the boot."""
    usual = qemu.command_line

    def with_pipe(*a, **k):
        command = usual(*a, **k)
        command[command.index("-chardev") + 1] = f"pipe,id=con,path={tmp_path}/port"
        return command

    monkeypatch.setattr(qemu, "command_line", with_pipe)
    with stalled_pipe(f"{tmp_path}/port") as (to_guest, from_guest), \
            qemu.Guest(arch, cpus=1, icount=True, gdb=False) as guest:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            code, tasks = qemu.tracedump("ps", guest.ram, "--elf", guest.elf)
            if code == 0 and " sh " in tasks:
                break
            time.sleep(0.2)
        assert " sh " in tasks, tasks
        _, messages = qemu.tracedump("text", guest.ram, "--elf", guest.elf, "--cat", "printk")
        seconds = float(messages.splitlines()[-1].split()[0])
        assert "ext2: vda" in messages and seconds < 0.2, messages
        assert guest.why()[0] == 0, guest.why()
        os.set_blocking(from_guest, True)
        os.read(from_guest, 4096)
        os.write(to_guest, b"echo heard again\n")
        heard = b""
        while b"heard again\r\n" not in heard.replace(b"echo heard again", b""):
            heard += os.read(from_guest, 4096)
