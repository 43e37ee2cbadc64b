"""The harness itself; nothing is booted."""
import os
import shutil
import subprocess
import sys
import time

import pytest

import core_alias
import qemu
import ram_file
import suite
from options import Options


def box_header(phys, virt, image_phys, image_virt, direct_phys, direct_virt, total=8192):
    return core_alias.BOX.pack(
        int.from_bytes(core_alias.BOX_MAGIC, "little"), 0x10000, 240, 0x01020304, 183, 4, 4096,
        total, phys, virt, image_virt, image_phys, 0x4000, direct_virt, direct_phys, 1 << 20,
        0, 0, 0, 0, 0, b"", 0)


def make_core(path, *, ram_base=0x40000000, box_at=0x5000, magic=True, note=b""):
    """A core of 64 KiB RAM with a box header in it, as QEMU lays it out."""
    ram = bytearray(range(256)) * 256
    if magic:
        head = box_header(ram_base + box_at, 0xffffffff80000000 + box_at, ram_base + 0x2000,
                          0xffffffff80002000, ram_base, 0xffff800000000000)
        ram[box_at: box_at + len(head)] = head
    data_at = 0x1000
    phdrs = [[core_alias.PT_NOTE, 4, data_at, 0, 0, len(note), len(note), 0],
             [core_alias.PT_LOAD, 7, data_at + len(note), ram_base, ram_base, len(ram), len(ram), 0]]
    phdrs[1][3] = 0
    ehdr = core_alias.EHDR.pack(b"\x7fELF\x02\x01\x01" + bytes(9), 4, 183, 1, 0, 64, 0, 0, 64, 56,
                                len(phdrs), 0, 0, 0)
    blob = ehdr + b"".join(core_alias.PHDR.pack(*p) for p in phdrs)
    path.write_bytes(blob.ljust(data_at, b"\0") + note + ram)
    return bytes(ram)


def read_va(path, va, size):
    data = path.read_bytes()
    for kind, _, off, vaddr, _, filesz, _, _ in core_alias.load_segments(data)[2]:
        if kind == core_alias.PT_LOAD and vaddr <= va < vaddr + filesz:
            return data[off + va - vaddr: off + va - vaddr + size]
    return None


@pytest.mark.quick
@pytest.mark.parametrize("note", [b"", b"HINDSIGHT_BOX=0x40005000\n"], ids=["magic", "note"])
def test_core_gets_kernel_addresses(tmp_path, note):
    core = tmp_path / "core"
    ram = make_core(core, note=note)
    assert core_alias.add_aliases(str(core)) is True
    assert read_va(core, 0xffffffff80002000, 64) == ram[0x2000:0x2040]
    assert read_va(core, 0xffff800000000000 + 0x1234, 16) == ram[0x1234:0x1244]
    assert read_va(core, 0xffffffff80005000, 8) == core_alias.BOX_MAGIC
    size = core.stat().st_size
    assert core_alias.add_aliases(str(core)) is False and core.stat().st_size == size


@pytest.mark.quick
def test_core_without_a_box_is_refused(tmp_path):
    core = tmp_path / "core"
    make_core(core, magic=False)
    with pytest.raises(core_alias.CoreError, match="no black box"):
        core_alias.add_aliases(str(core))
    core.write_bytes(b"not a core")
    with pytest.raises(core_alias.CoreError):
        core_alias.add_aliases(str(core))


@pytest.mark.quick
def test_ram_file_is_read_by_kernel_address(tmp_path):
    """The box is found by its header; image and direct map are offsets; nothing else is made up."""
    core = tmp_path / "core"
    ram = make_core(core)
    path = tmp_path / "ram"
    path.write_bytes(ram)
    with ram_file.RamFile(str(path)) as r:
        assert r.header["phys_base"] == 0x40005000
        assert r.read(0xffffffff80002000, 64) == ram[0x2000:0x2040]
        assert r.read(0xffff800000001234, 16) == ram[0x1234:0x1244]
        for va in (0xffff800000000000 + len(ram) - 8, 0xffffc00000000000, 0x1000):
            with pytest.raises(core_alias.CoreError, match="no kernel memory"):
                r.read(va, 16)
    path.write_bytes(bytes(4096) + ram)  # the header's own address is elsewhere: not this box
    with pytest.raises(core_alias.CoreError, match="no black box"):
        ram_file.RamFile(str(path))


@pytest.mark.quick
def test_ram_file_knows_the_hole_of_q35(tmp_path):
    """With 3 GiB, q35 has 2 GiB below the hole and the rest from 4 GiB on."""
    box = dict(machine=62)
    r = ram_file.RamFile.__new__(ram_file.RamFile)
    path = tmp_path / "ram"
    with open(path, "wb") as f:
        f.truncate(3 << 30)
    with open(path, "rb") as f:
        r.data = ram_file.mmap.mmap(f.fileno(), 0, access=ram_file.mmap.ACCESS_READ)
    assert r.offset(box, 0x1000) == 0x1000
    assert r.offset(box, 2 << 30) is None and r.offset(box, (4 << 30) - 1) is None
    assert r.offset(box, 4 << 30) == 2 << 30
    assert r.offset(box, 5 << 30) is None
    r.close()


@pytest.mark.quick
@pytest.mark.parametrize("mem,why", [("abc", "number with M or G"), ("0", "number with M or G"),
                                     ("1M", "needs 20M"), ("1500K", "number with M or G")])
def test_mem_is_judged_before_the_boot(monkeypatch, mem, why):
    monkeypatch.setenv("MEM", mem)
    with pytest.raises(SystemExit, match=f"MEM={mem}: .*{why}"):
        Options([])


@pytest.mark.quick
def test_a_bug_needs_a_kernel_that_has_it():
    with pytest.raises(SystemExit, match="CONFIG=lean has no planted bugs"):
        Options(["BUG=abba-spin", "CONFIG=lean"])
    with pytest.raises(SystemExit, match="CONFIG=bare records nothing"):
        Options(["CONFIG=bare"], explains=True)


@pytest.mark.quick
def test_no_room_for_ram_is_said(monkeypatch, tmp_path):
    """QEMU on a full disk dies of SIGBUS in mid-run; before that, /dev/shm may be absent."""
    monkeypatch.setattr(qemu, "SHM", str(tmp_path / "absent"))
    monkeypatch.setattr(qemu.tempfile, "gettempdir", lambda: str(tmp_path))
    assert qemu.run_base(1 << 20) == str(tmp_path)
    with pytest.raises(qemu.GuestError, match="no room for .* MiB of guest RAM.*TMPDIR"):
        qemu.run_base(1 << 50)


@pytest.mark.quick
def test_command_lines_differ_only_where_they_must():
    for arch in qemu.ARCHES:
        cmd = " ".join(qemu.command_line(arch, "/r", cpus=3, mem="1G", append="a=b"))
        assert "share=on" in cmd and f"size={1 << 30}" in cmd and "-m 1024M" in cmd and "-smp 3" in cmd
        assert "vmcoreinfo" in cmd and "-no-reboot" in cmd
        assert ("isa-debug-exit" in cmd) == (arch == "x86_64")
        assert ("-semihosting" in cmd) == (arch == "aarch64")


@pytest.mark.quick
def test_options(monkeypatch):
    for name in ("ARCH", "BUG", "CHECKS", "CPUS", "APPEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CPUS", "2")
    opt = Options(["BUG=exec-deadlock", "CHECKS=off", "APPEND=ring=1M"])
    assert (opt.arch, opt.cpus) == ("aarch64", 2)
    assert opt.kernel_options == "bug=exec-deadlock checks=off ring=1M"
    with pytest.raises(SystemExit, match="ARCH=m68k"):
        Options(["ARCH=m68k"])


@pytest.mark.quick
def test_setup_is_a_no_op_with_its_stamp(tmp_path):
    stamp = tmp_path / "stamp"
    setup = [os.path.join(qemu.ROOT, "tests/harness/setup.sh"), str(stamp)]
    r = subprocess.run([*setup, "python3"], capture_output=True, text=True, check=False)
    assert r.returncode == 0 and r.stdout == "" and stamp.read_text() == "python3\n"
    broken = {"PATH": "/nonexistent"}
    r = subprocess.run(["/bin/sh", *setup, "python3"], env=broken | {"PATH": "/bin"},
                       capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stderr


def run_setup(tmp_path, **programs):
    """setup.sh on a machine where one package is missing and only `programs` (name=script) and a
    few tools exist."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "cat", "mkdir", "dirname", "mktemp", "rm", "tail", "grep", "env"):
        (tools / name).symlink_to(shutil.which(name))
    for name, text in programs.items():
        path = tools / name.replace("_", "-")
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
    return subprocess.run([os.path.join(qemu.ROOT, "tests/harness/setup.sh"), str(tmp_path / "stamp"),
                           "no-such-tool-16"], env={"PATH": str(tools)}, capture_output=True, text=True,
                          check=False)


def debian_12():
    with open("/etc/os-release", encoding="utf-8") as f:
        text = f.read()
    return "ID=debian" in text and 'VERSION_ID="12"' in text


@pytest.mark.quick
@pytest.mark.skipif(not debian_12(), reason="elsewhere nothing is installed")
def test_setup_says_what_to_type(tmp_path):
    """Not root: the command that this machine can run, with sudo only where there is one."""
    visitor = dict(id="echo 1000", dpkg_query="exit 1")
    (tmp_path / "a").mkdir()
    r = run_setup(tmp_path / "a", **visitor)
    assert r.returncode == 1 and "su -c 'apt-get update && apt-get install" in r.stderr, r.stderr
    assert "no-such-tool-16'" in r.stderr and "sudo sh" not in r.stderr, r.stderr
    (tmp_path / "b").mkdir()
    r = run_setup(tmp_path / "b", sudo="exit 1", **visitor)
    assert r.returncode == 1 and "sudo sh -c 'apt-get update && apt-get install" in r.stderr, r.stderr


@pytest.mark.quick
@pytest.mark.skipif(not debian_12(), reason="elsewhere nothing is installed")
def test_setup_installs_and_says_so(tmp_path):
    apt = 'case "$*" in *" -s "*) echo "Inst a"; echo "Inst b" ;; *) echo "did $*" >>' + str(tmp_path / "log")
    (tmp_path / "a").mkdir()
    r = run_setup(tmp_path / "a", id="echo 0", dpkg_query="exit 1", apt_get=apt + " ;; esac")
    assert r.returncode == 0 and "installing 2 packages" in r.stdout, r.stdout + r.stderr
    assert "install" in (tmp_path / "log").read_text()
    (tmp_path / "b").mkdir()
    r = run_setup(tmp_path / "b", id="echo 0", dpkg_query="exit 1", apt_get="echo no route; exit 100")
    assert r.returncode == 1 and "could not install: no-such-tool-16" in r.stderr, r.stderr
    assert "no route" in r.stderr and not (tmp_path / "b" / "stamp").exists()


@pytest.mark.quick
@pytest.mark.parametrize("text,want", [
    ("[  PASSED  ] 7 test(s).\n", (7, 0, 0)),
    ("[  PASSED  ] 5 test(s).\n[  FAILED  ] 2 test(s), listed below:\n", (5, 2, 0)),
    ("ok\n12 passed, 1 failed\n", (12, 1, 0)),
    ("3 passed, 0 failed, 2 skipped\n4 passed, 1 failed\n", (7, 1, 2)),
    ("ring_test (san): passed 9 test(s).\n", (9, 0, 0)),
    ("nothing\n", (0, 0, 0)),
])
def test_suite_counts(text, want):
    assert suite.count_text(text) == want


@pytest.mark.quick
def test_suite_says_skips_in_its_last_line():
    assert suite.total_line(5, 0, 0) == "5 passed, 0 failed"
    assert suite.total_line(5, 1, 2) == "5 passed, 1 failed, 2 skipped"


TAP_PROGRAMS = {
    "good": ("echo ok 1 - a; echo ok 2 - b; echo 1..2", "PASS good"),
    "no-plan": ("echo ok 1 - a", "FAIL no-plan: ended after 1 checks without a plan"),
    "lost": ("echo ok 1 - a; echo 1..2", "FAIL lost: 1 checks, 0 failed, 2 planned"),
    "bad": ("echo ok 1 - a; echo not ok 2 - b; echo 1..2", "FAIL bad: 2 checks, 1 failed, 2 planned"),
    "nothing": ("echo 1..0", "FAIL nothing: 0 checks, 0 failed, 0 planned"),
    "silent": ("true", "FAIL silent: ended after 0 checks without a plan"),
    "status": ("echo ok 1 - a; echo 1..1; exit 3", "FAIL status: wait status 0x300"),
    "two-plans": ("echo ok 1 - a; echo 1..1; echo 1..1", "FAIL two-plans: 1 checks, 0 failed, 0 planned"),
    "half-line": ("printf 'ok 1'; printf ' - a\\n1..'; sleep 0.1; echo 1", "PASS half-line"),
    "orphan": ("sleep 20 & echo ok 1 - a; echo 1..1", "PASS orphan"),  # it keeps the pipe open
}


@pytest.mark.quick
def test_lost_checks_fail(tmp_path):
    """The guest's testall, natively: exit status 0 is not enough."""
    testall = os.path.join(qemu.ROOT, "build/user/x86_64/testall")
    for name, (text, _) in TAP_PROGRAMS.items():
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + text + "\n")
        path.chmod(0o755)
    (tmp_path / "list").write_text("\n".join(TAP_PROGRAMS) + "\n")
    r = subprocess.run([testall, str(tmp_path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    said = [line for line in r.stdout.splitlines() if line.startswith(("PASS", "FAIL"))]
    assert said == [want for _, want in TAP_PROGRAMS.values()], r.stdout
    assert r.stdout.endswith("3 passed, 7 failed\n") and r.returncode == 1


@pytest.mark.quick
def test_guest_dies_with_its_starter(tmp_path):
    """A killed test run leaves no QEMU behind."""
    code = (f"import sys; sys.path.insert(0, {os.path.join(qemu.ROOT, 'tests/harness')!r})\n"
            "import qemu, subprocess, time\n"
            "p = subprocess.Popen(['sleep', '100'], preexec_fn=qemu._die_with_parent)\n"
            "print(p.pid, flush=True); time.sleep(100)\n")
    p = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(p.stdout.readline())
    p.kill()
    p.wait()
    for _ in range(100):
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as f:
                if f.read().split()[2] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.02)
    os.kill(child, 9)
    raise AssertionError("the child outlived its parent")


@pytest.mark.quick
def test_slots_do_not_deadlock(tmp_path, monkeypatch):
    """Whoever holds a slot gets more without waiting; others wait until the last is given back."""
    monkeypatch.delenv(qemu.Slot.MARK, raising=False)
    monkeypatch.setattr(qemu.Slot, "users", 0)
    monkeypatch.setattr(qemu.Slot, "fd", -1)
    monkeypatch.setattr(qemu.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(qemu.os, "cpu_count", lambda: 1)
    qemu.Slot.take()
    qemu.Slot.take(wait=0)
    with pytest.raises(qemu.GuestError, match="stayed busy"):
        qemu.Slot.lock_one(0)
    qemu.Slot.release()
    with pytest.raises(qemu.GuestError, match="stayed busy"):
        qemu.Slot.lock_one(0)
    qemu.Slot.release()
    os.close(qemu.Slot.lock_one(0))
