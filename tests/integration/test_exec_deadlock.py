"""The hang of the README: the file system's root lock is taken along into user mode.

Every way out of the guest must give the same words, with the run-time checks on and off; the
serial report must come at the jump when they are on, and not at all when they are off.
"""
import json
import re
import time

import qemu
from conftest import BOOT

def same(text):
    """The words without what differs between two looks at one hang: none may."""
    return [line.rstrip() for line in text.strip().splitlines()]


def test_verdict(hung):
    words = hung.words
    # the three programs, and init, which waits for them
    assert re.match(r"HUNG: [34] tasks can never run again\.", words), words
    assert re.search(r"lock ext2\.root is held by init \(pid 1\), which has left the kernel", words), words
    assert re.search(r"taken at\s+load_init\s+kernel/task/exec\.c:\d+", words), words
    assert re.search(r"left at\s+enter_user\s+kernel/task/exec\.c:\d+", words), words
    for name in ("sh", "ls", "cat"):
        assert re.search(rf"Waiting:.*\b{name} \(pid \d+\)", words, re.S), words
    assert re.search(r"ext2_lookup\s+kernel/fs/ext2/namei\.c:\d+", words), words
    assert len(words.splitlines()) <= 25, words


def test_json_has_the_verdict(hung):
    code, text = hung.guest.why("--json")
    assert code == 1, text
    assert "orphan" in json.dumps(json.loads(text)), text


def test_words_without_the_elf(hung):
    """The black box decodes by itself, names and lines."""
    live = same(hung.guest.why()[1])
    code, words = qemu.tracedump("why", hung.guest.ram)
    assert code == 1 and same(words) == live, words


def test_same_words_from_a_core_and_gdb(hung, tmp_path):
    live = same(hung.guest.why()[1])
    core = hung.guest.dump_core(str(tmp_path / "core"), alias=False)
    code, from_core = qemu.tracedump("why", core, "--elf", hung.guest.elf)
    assert code == 1 and same(from_core) == live
    assert same(hung.guest.gdb_batch("hs why")) == live
    assert same(hung.guest.gdb_batch("hs why", ram=False)) == live


def test_serial_report_at_the_jump(hung, checks):
    console = hung.guest.console()
    reports = [line for line in console.splitlines() if "ext2.root" in line]
    if checks == "on":
        assert reports, console
        assert re.search(r"taken at +load_init +kernel/task/exec\.c:\d+\n", console), console
        assert re.search(r"left at +enter_user +kernel/task/exec\.c:\d+\n", console), console
    else:
        assert not reports, console
        assert "orphan" not in console, console


def test_why_is_quick(hung):
    assert hung.look_seconds < 2.0, f"why took {hung.look_seconds:.1f} s"


def test_stopped_guest_gives_the_same_words(hung):
    """Stopped guests give the same words as running ones."""
    live = same(hung.guest.why()[1])
    hung.guest.qmp("stop")
    try:
        assert same(hung.guest.why()[1]) == live
    finally:
        hung.guest.qmp("cont")


def test_hang_is_seen_soon(arch):
    """From the moment that the hang exists to the words: under 2 seconds."""
    with qemu.Guest(arch, cpus=4, append=qemu.kernel_options(bug="exec-deadlock")) as guest:
        guest.wait_for("ext2.root", BOOT)  # the report at the jump
        start = time.monotonic()
        while guest.why()[0] != 1:
            assert time.monotonic() - start < 2.0, guest.why()[1]
            time.sleep(0.05)
