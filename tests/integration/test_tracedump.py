"""tracedump as a program: what it says and how it ends when files, options or outputs are not what
they should be. 0 all well, 1 something hangs, 2 bad input; one line on stderr, never a signal."""
import os
import signal
import socket
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


def test_files_of_another_kind(tmp_path):
    """What people have instead of memory is named, with the way to get what is needed."""
    def like(name, head, size=1 << 20):
        path = str(tmp_path / name)
        with open(path, "wb") as f:
            f.write(head)
            f.truncate(size)
        return path

    flat = struct.pack(">16sQQ", b"makedumpfile", 1, 1)
    assert "compressed kdump" in refused("why", like("flat", flat)) and "dump-guest-memory FILE" in refused(
        "info", like("flat", flat, 4096))
    assert "compressed kdump" in refused("why", like("kdump", b"KDUMP   " + struct.pack("<I", 6)))
    assert "a migration stream" in refused("why", like("migrate", b"QEVM" + struct.pack(">I", 3)))
    assert "dump-guest-memory FILE" in refused("why", like("migrate", b"QEVM" + struct.pack(">I", 3)))
    assert "migration stream" in refused("why", like("saved", b"LibvirtQemudSave"))
    assert "disk image" in refused("why", like("qcow2", b"QFI\xfb\0\0\0\3"))
    for head, tool in ((b"\x1f\x8b\x08", "gunzip"), (b"\xfd7zXZ\0", "unxz"), (b"\x28\xb5\x2f\xfd", "unzstd")):
        assert tool in refused("why", like("packed", head))
    end = socket.socket(socket.AF_UNIX)
    end.bind(str(tmp_path / "sock"))
    assert "cannot open" in refused("why", str(tmp_path / "sock"))
    end.close()
    if os.geteuid():
        path = like("secret", b"")
        os.chmod(path, 0)
        assert "Permission denied" in refused("why", path)


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
    assert "'' is not a number" in refused("text", core, "--cpu", "")
    assert "' 3' is not a number" in refused("text", core, "--last", " 3")
    assert "'99999999999999999999' is not a number" in refused("text", core, "--task", "99999999999999999999")
    assert "no cpu7; the machine has 1" in refused("text", core, "--cpu", "7")
    assert "no thread 9999" in refused("text", core, "--task", "9999")
    assert "no thread 4294967297" in refused("text", core, "--task", str((1 << 32) + 1))
    assert "no category ''" in refused("text", core, "--cat", "")
    assert "no category 'nonsense'" in refused("text", core, "--cat", "sched,nonsense")
    assert run("text", core, "--last", "0") == (0, "", "")
    assert run("text", core, "--last", "1")[1].count("\n") == 1
    assert run("text", core, "--task", "1")[1].count("init/1") > 10
    assert "'ps' has no option --json" in refused("ps", core, "--json")
    assert "'why' has no option --output" in refused("why", core, "-o", "x")
    assert run("why")[0] == 2 and "usage:" in run("why")[2]
    assert run("--nonsense", core)[0] == 2
    for option in ("--help", "-h", "--version"):
        code, out, err = run(option)
        assert code == 0 and out.startswith(("usage:", "tracedump ")) and not err
    for command in ("why", "text", "perfetto", "ps", "locks", "cpus", "info"):
        assert f"  {command} " in run("--help")[1]


def test_elf_that_does_not_fit(core, tmp_path):
    assert "cannot read" in refused("why", core, "--elf", "/nonexistent")
    code, out, _ = run("why", core, "--elf", "/bin/true")
    assert code == 0 and out.startswith("warning: /bin/true is not the kernel that made this box"), out
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo", "/dev/null"):
        assert "is not a regular file" in refused("why", core, "--elf", str(path))
    (tmp_path / "text").write_text("no kernel")
    assert "cannot read" in refused("why", core, "--elf", str(tmp_path / "text"))
    stripped = str(tmp_path / "stripped.elf")
    subprocess.run([f"llvm-strip-{os.environ.get('LLVM') or 16}", qemu.build_dir("x86_64") + "/kernel.elf", "-o", stripped], check=True)
    code, out, _ = run("why", core, "--elf", stripped)
    assert code == 0 and out.startswith(f"warning: {stripped} has no debug information"), out
    assert "has no debug information" in run("ps", core, "--elf", stripped)[2]


def test_outputs(core, tmp_path):
    """A full disk, a missing directory, the input itself, a reader that has seen enough."""
    timeline = str(tmp_path / "t")
    assert run("perfetto", core, "-o", timeline)[0] == 0 and os.path.getsize(timeline) > 1000
    assert "No space left" in refused("perfetto", core, "-o", "/dev/full")
    for wrong in ("0", "-1", "x", "4294967296"):
        assert "is not a machine's number" in refused("perfetto", core, "--machine=" + wrong)
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


def test_without_scheduling_events():
    """Whose an event is follows from the switches of tasks. Without them it is unknown, not "idle"."""
    with qemu.Guest("x86_64", cpus=1, mem="64M", append=f"{SMALL} trace=syscall,process", gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.qmp("stop")
        code, out, err = run("text", guest.ram)
        assert code == 0 and "switches of tasks were not recorded" in err
        events = [line.split()[2] for line in out.splitlines() if " cpu0 " in line and "lost" not in line]
        assert len(events) > 10 and "unknown" in events and "idle" not in events, set(events)
        # what init's own events say of themselves: that it is exec'd and enters user mode
        code, own, err = run("text", guest.ram, "--task", "1")
        assert code == 0 and {" exec ", " enter_user "} == {w for w in (" exec ", " enter_user ") if w in own}, own
        assert "syscall" not in own, own
