"""Healthy boots: prompt, diagnosis, in-kernel tests, Linux programs, power-off."""
import os
import re
import subprocess

import pytest

import qemu
import suite
from conftest import BOOT

# In-kernel tests that may be skipped, and on which boots; others may not.
SKIPPED = {"misuse": {1, 4}, "overflow": {1, 4}, "CPUs": {1}}


def total(text):
    """(passed, failed, skipped) of the last "N passed, N failed" that the guest printed."""
    found = suite.TOTAL.findall(text)
    assert found, f"no total in:\n{text[-3000:]}"
    return tuple(int(n or 0) for n in found[-1])


def test_healthy_is_an_answer(healthy):
    code, words = healthy.why()
    assert code == 0, words
    assert words.startswith("healthy:"), words


def test_all_cpus_online(healthy, cpus):
    code, words = qemu.tracedump("cpus", healthy.ram, "--elf", healthy.elf)
    assert code == 0, words
    listed = [n for n in range(cpus + 1) if re.search(rf"^\s*(cpu\s*)?{n}\b", words, re.M | re.I)]
    assert listed == list(range(cpus)), words
    assert f"smp: {cpus} of {cpus} CPUs are up" in healthy.console(), healthy.console()


def test_no_trouble_on_the_console(healthy):
    for word in ("panic", "BUG", "WARN", "oops", "verdict"):
        assert word not in healthy.console(), healthy.console()


@pytest.mark.quick
def test_shell_and_power_off(arch):
    with qemu.Guest(arch, cpus=4) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        assert "one two" in guest.shell("echo one two")
        code, words = guest.why()
        assert code == 0, words
        guest.send(qemu.POWER_OFF)
        guest.wait_exit(30)
        assert guest.passed, f"QEMU's status {guest.status}\n{guest.console()[-2000:]}"


def test_kernel_tests(arch, cpus):
    with qemu.Guest(arch, cpus=cpus, append="ktest=1") as guest:
        guest.wait_exit(120)
        passed, failed, skipped = total(guest.console())
        assert failed == 0 and passed > 0 and guest.passed, guest.console()[-4000:]
        assert not re.search(r"^not ok", guest.console(), re.M)
        reasons = re.findall(r"^ok \d+ - \w+ # SKIP needs .*?(\w+)(?:=NAME)?$", guest.console(), re.M)
        assert len(reasons) == skipped, guest.console()[-4000:]
        assert all(cpus in SKIPPED.get(what, ()) for what in reasons), reasons


def test_linux_programs(arch, cpus):
    with qemu.Guest(arch, cpus=cpus, append="exit=poweroff init=/bin/testall",
                    time_limit=300) as guest:
        guest.wait_exit(240)
        passed, failed, _ = total(guest.console())
        assert failed == 0 and passed > 0 and guest.passed, guest.console()[-4000:]


@pytest.mark.parametrize("count", [2, 8])
def test_other_numbers_of_cpus(arch, count):
    with qemu.Guest(arch, cpus=count) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        code, words = guest.why()
        assert code == 0, words


def is_built(arch, config):
    if not os.path.exists(os.path.join(qemu.build_dir(arch, config), "kernel.elf")):
        pytest.skip(f"CONFIG={config} is not built")


def test_bare_kernel_runs_programs(arch, cpus):
    is_built(arch, "bare")
    with qemu.Guest(arch, config="bare", cpus=cpus, append="exit=poweroff init=/bin/testall",
                    time_limit=300) as guest:
        guest.wait_exit(240)
        passed, failed, _ = total(guest.console())
        assert failed == 0 and passed > 0 and guest.passed, guest.console()[-4000:]


def test_bare_kernel_is_not_called_healthy(arch):
    """It records nothing; what needs records says so. A crash is told all the same."""
    is_built(arch, "bare")
    with qemu.Guest(arch, config="bare", cpus=4) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        for command in ("why", "text", "locks"):
            code, words = qemu.tracedump(command, guest.ram, "--elf", guest.elf)
            assert code == 2 and "built without recorder and tracker" in words, words
        code, words = qemu.tracedump("ps", guest.ram, "--elf", guest.elf)
        assert code == 0 and "init" in words, words
        elf = subprocess.run(["llvm-nm-16", guest.elf], capture_output=True, text=True, check=True).stdout
        assert not re.search(r" (trace_put\d|track_\w+|held_\w+)$", elf.replace(" track_tables", ""), re.M), elf
    with qemu.Guest(arch, config="bare", cpus=1, append="init=/none") as guest:
        guest.wait_exit(60)
        code, words = guest.why()
        assert code == 1 and words.startswith("CRASHED"), words


def test_lean_build_has_no_bug_points(arch):
    """BUG= means nothing in a build without bug points."""
    is_built(arch, "lean")
    with qemu.Guest(arch, config="lean", cpus=4, append="bug=exec-deadlock") as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        code, words = guest.why()
        assert code == 0, words
