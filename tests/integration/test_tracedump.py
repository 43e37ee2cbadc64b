"""tracedump as a program: what it says and how it ends when files, options or outputs are not what
they should be. 0 all well, 1 something hangs, 2 bad input; one line on stderr, never a signal."""
import os
import signal
import struct
import subprocess
import time

import pytest

import qemu
from conftest import BOOT, SMALL

pytestmark = pytest.mark.noarch


def run(*args, **more):
    r = subprocess.run([qemu.TRACEDUMP, *args], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, timeout=30, **more)
    return r.returncode, r.stdout, r.stderr


def refused(*args, **more):
    """One sentence on stderr, nothing else; returns it."""
    code, out, err = run(*args, **more)
    assert code == 2 and not out and err.startswith("tracedump: ") and err.count("\n") == 1, (code, out, err)
    return err


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("core") / "core")
    with qemu.Guest("x86_64", cpus=1, mem="64M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.dump_core(path, alias=False)
    return path


def test_files_that_hold_nothing(tmp_path):
    empty, noise, sparse, fifo = (str(tmp_path / n) for n in ("empty", "noise", "sparse", "fifo"))
    open(empty, "w").close()
    with open(noise, "wb") as f:
        f.write(os.urandom(100000))
    with open(sparse, "wb") as f:
        f.truncate(1 << 36)
    os.mkfifo(fifo)
    assert "too few for a black box" in refused("why", empty)
    assert "no black box in this file" in refused("why", noise)
    assert "no black box in this file" in refused("info", sparse)
    assert "not a regular file" in refused("why", fifo)
    assert "not a regular file" in refused("ps", str(tmp_path))
    assert "not a regular file" in refused("why", "/dev/zero")
    assert "No such file" in refused("why", str(tmp_path / "missing"))
    assert "not a core dump" in refused("why", "/bin/true")


def test_a_file_that_shrinks(tmp_path):
    """Its pages are gone in the middle of the search: SIGBUS, caught and said."""
    path = str(tmp_path / "core")
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 4, 183, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = 2 << 30
    load = struct.pack("<IIQQQQQQ", 1, 0, 0, 0, 0, size, size, 4096)
    said = ""
    for _ in range(20):
        with open(path, "wb") as f:
            f.write(header + load)
            f.truncate(size)
        proc = subprocess.Popen([qemu.TRACEDUMP, "why", path], stderr=subprocess.PIPE, text=True)
        time.sleep(0.05)
        os.truncate(path, 4096)
        said = proc.communicate(timeout=60)[1]
        assert proc.returncode == 2, (proc.returncode, said)
        if "shorter while it was being read" in said:
            return
    pytest.fail(f"never caught it in the middle: {said}")


def test_bad_command_lines(core):
    assert "no command 'whi'" in refused("whi", core)
    assert "'x' is not a number" in refused("text", core, "--last", "x")
    assert "'-1' is not a number" in refused("text", core, "--cpu", "-1")
    assert "no cpu7; the machine has 1" in refused("text", core, "--cpu", "7")
    assert "'ps' has no option --json" in refused("ps", core, "--json")
    assert "'why' has no option --output" in refused("why", core, "-o", "x")
    assert run("why")[0] == 2 and "usage:" in run("why")[2]
    assert run("--nonsense", core)[0] == 2
    for option in ("--help", "-h", "--version"):
        code, out, err = run(option)
        assert code == 0 and out.startswith(("usage:", "tracedump ")) and not err
    for command in ("why", "text", "perfetto", "ps", "locks", "cpus", "info"):
        assert f"  {command} " in run("--help")[1]


def test_elf_that_does_not_fit(core):
    assert "cannot read" in refused("why", core, "--elf", "/nonexistent")
    code, out, _ = run("why", core, "--elf", "/bin/true")
    assert code == 0 and out.startswith("warning: /bin/true is not the kernel that made this box"), out


def test_outputs(core, tmp_path):
    """A full disk, a missing directory, the input itself, a reader that has seen enough."""
    timeline = str(tmp_path / "t")
    assert run("perfetto", core, "-o", timeline)[0] == 0 and os.path.getsize(timeline) > 1000
    assert "No space left" in refused("perfetto", core, "-o", "/dev/full")
    assert "No such file" in refused("perfetto", core, "-o", str(tmp_path / "no" / "t"))
    before = os.path.getsize(core)
    assert "is the input" in refused("perfetto", core, "-o", core)
    os.symlink(core, str(tmp_path / "link"))
    assert "is the input" in refused("perfetto", core, "-o", str(tmp_path / "link"))
    assert os.path.getsize(core) == before
    with open("/dev/full", "w") as full:
        r = subprocess.run([qemu.TRACEDUMP, "text", core], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30)
    assert r.returncode == 2 and "No space left" in r.stderr, r
    proc = subprocess.Popen([qemu.TRACEDUMP, "text", core], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, restore_signals=True)
    assert proc.stdout.readline()
    proc.stdout.close()
    assert proc.wait(30) in (0, -signal.SIGPIPE) and proc.stderr.read() == ""


def test_every_command_is_well(core):
    for command in ("why", "text", "ps", "locks", "cpus", "info"):
        code, out, err = run(command, core)
        assert code == 0 and out and not err, (command, code, out, err)
