"""Programs that mean harm: hostile system calls, random code, all memory eaten. The kernel may end
them; it must go on itself, lose nothing, and be called healthy afterwards."""
import re

import pytest

import qemu
from conftest import BOOT

CONSOLE_TROUBLE = re.compile(r"PANIC|BUG|WARN|oops|verdict|corrupt")


def healthy(guest):
    code, words = guest.why()
    assert code == 0 and words.startswith("healthy:"), words
    assert not CONSOLE_TROUBLE.search(guest.console()), guest.console()[-4000:]


def attack(arch, cpus, mode, seed, rounds):
    with qemu.Guest(arch, cpus=cpus, append=f"exit=poweroff init=/tests/hostile -- {mode} {seed} {rounds}",
                    time_limit=200) as guest:
        guest.wait_for("hostile: ok", 180)
        healthy(guest)
        guest.send("\n")
        guest.wait_exit(30)
        assert guest.passed, guest.console()[-2000:]


def test_system_calls(arch):
    attack(arch, 4, "calls", 7, 1)


def test_random_code(arch, cpus):
    attack(arch, cpus, "insns", 7, 2)


def test_all_memory_eaten(arch, cpus):
    with qemu.Guest(arch, cpus=cpus, mem="64M", append="ring=256K", time_limit=300) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        words = guest.shell("/tests/oom", 200)
        assert re.search(r"^1\.\.14$", words, re.M) and not re.search(r"^not ok", words, re.M), words
        assert "out of memory: killed oom (pid" in words
        healthy(guest)


def test_unwaited_children_end_their_parent(arch):
    """Ended children that nobody waits for eat the memory: who made them ends, not whoever has most pages."""
    with qemu.Guest(arch, cpus=2, mem="40M", append="ring=64K tasks=8192") as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        words = guest.shell("/tests/oom innocent", 60)
        assert re.search(r"^1\.\.2$", words, re.M) and not re.search(r"^not ok", words, re.M), words
        assert len(re.findall("out of memory: killed", guest.console())) == 1, guest.console()[-2000:]
        healthy(guest)


def test_prompt_beside_a_hog(arch):
    """Somebody has all memory and keeps it: a command at the prompt is worth more."""
    with qemu.Guest(arch, cpus=4, mem="64M", append="ring=256K") as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell("/tests/oom hold &")
        guest.shell("/bin/sleep 2; ls /; ls /bin")
        assert "still here" in guest.shell("echo still here")
        assert "out of memory: killed oom (pid" in guest.console()
        healthy(guest)
