"""The `hs` commands in gdb-multiarch, live and on a core."""
import os
import re

import pytest

import qemu

LIVE, STUB, CORE = "live", "stub", "core"


@pytest.fixture(params=[LIVE, STUB, CORE])
def hs(request, hung4, hung_core):
    """hs('why', 'ps') -> stdout; through the RAM file, through the stub alone, or on the core."""
    def run(*commands):
        lines = [c if c.startswith("set ") else "hs " + c for c in commands]
        if request.param == CORE:
            return qemu.gdb_batch(hung4.guest.elf, lines, before=[f"core-file {hung_core}"])
        return hung4.guest.gdb_batch(*lines, ram=request.param == LIVE)
    run.kind = request.param
    return run


def test_why_ps_cpus_locks(hs, hung4):
    words = hs("why")
    assert words.strip() == hung4.guest.why()[1].strip()
    ps = hs("ps")
    for name in ("init", "sh", "ls", "cat"):
        assert re.search(rf"\b{name}\b", ps), ps
    assert "ext2.root" in hs("locks")
    cpus = hs("cpus")
    assert len([line for line in cpus.splitlines() if line.strip()]) >= 4, cpus


def test_trace(hs):
    ten = hs("trace 10").strip().splitlines()
    assert 10 <= len(ten) <= 14, ten  # events, perhaps a head line
    assert "lock_wait" in hs("trace 2000 --cat lock")


def test_bt_of_a_waiter(hs):
    ps = hs("ps")
    tid = re.search(r"^.*\bcat\b.*$", ps, re.M)[0]
    tid = re.search(r"\b(\d+)\b", tid)[1]
    bt = hs(f"bt {tid}")
    assert "ext2_lookup" in bt and re.search(r"kernel/fs/ext2/namei\.c:\d+", bt), bt
    assert re.search(r"#0 .*\n.*#1 ", bt), bt


def test_bt_of_a_cpu_and_of_all(hs):
    assert "#0" in hs("bt cpu0")
    everything = hs("bt")
    for name in ("init", "sh", "ls", "cat"):
        assert re.search(rf"^{name} \(tid \d+\): ", everything, re.M), everything


def test_dump_decodes_by_itself(hs, hung4, tmp_path):
    path = tmp_path / "box"
    assert str(path) in hs(f"dump {path}")
    code, words = qemu.tracedump("why", str(path), "--elf", hung4.guest.elf)
    assert code == 1 and words.strip() == hung4.guest.why()[1].strip()


def test_help_lists_every_command(hs):
    text = hs("help")
    for c in ("why", "ps", "cpus", "locks", "trace", "bt", "dump", "help"):
        assert f"hs {c}" in text, text


def test_errors_are_clear(hs):
    with pytest.raises(qemu.GuestError, match="no task 99999"):
        hs("bt 99999")
    with pytest.raises(qemu.GuestError, match="usage: hs bt"):
        hs("bt fred")
    with pytest.raises(qemu.GuestError, match="usage: hs dump"):
        hs("dump")
    with pytest.raises(qemu.GuestError, match="no CPU 77"):
        hs("bt cpu77")


def test_a_raw_core_is_made_readable(hung4, tmp_path):
    core = hung4.guest.dump_core(str(tmp_path / "core"), alias=False)
    out = qemu.gdb_batch(hung4.guest.elf, ["hs bt cpu0"], before=[f"core-file {core}"])
    assert "added the kernel's addresses" in out and "#0" in out, out


def test_plain_gdb_reads_kernel_variables(hung4, hung_core):
    out = qemu.gdb_batch(hung4.guest.elf, ["x/s &__blackbox_start"], before=[f"core-file {hung_core}"])
    assert "HNDSIGHT" in out, out


def test_guest_goes_on_after_gdb(hung4):
    hung4.guest.gdb_batch("hs why", ram=False)
    assert hung4.guest.qmp("query-status")["running"]


@pytest.mark.noarch
def test_no_target_is_said():
    elf = next((os.path.join(qemu.build_dir(a), "kernel.elf") for a in qemu.ARCHES
                if os.path.exists(os.path.join(qemu.build_dir(a), "kernel.elf"))), None)
    if elf is None:
        pytest.skip("no kernel is built")
    for command in ("hs why", "hs bt", "hs dump /dev/null"):
        with pytest.raises(qemu.GuestError, match="no guest and no core"):
            qemu.gdb_batch(elf, [command])
