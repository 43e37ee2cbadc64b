"""`make run` and `make debug-run` as they behave without a terminal."""
import os
import re
import subprocess
import sys

import pytest

import qemu

HARNESS = os.path.join(qemu.ROOT, "tests/harness")


def script(name, *args, timeout=150):
    r = subprocess.run([sys.executable, os.path.join(HARNESS, name), *args], cwd=qemu.ROOT,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=timeout, check=False)
    return r.returncode, r.stdout


@pytest.mark.quick
def test_debug_run_explains_the_hang(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=exec-deadlock", "CPUS=4", "CHECKS=on")
    assert code == 0, out
    assert re.search(r"hang seen after [\d.]+ s", out), out
    assert re.search(r"^HUNG: [34] tasks can never run again\.$", out, re.M), out
    assert "load_init" in out and "enter_user" in out, out
    trace = re.search(r"Timeline: (\S+\.pftrace)", out)
    assert trace and os.path.getsize(os.path.join(qemu.ROOT, trace[1])) > 1000, out
    assert "ui.perfetto.dev" in out, out


def test_debug_run_without_a_bug(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=", "CPUS=2")
    assert code == 0, out
    assert re.search(r"prompt seen after [\d.]+ s", out) and "healthy:" in out, out


def test_debug_run_says_when_the_boot_fails(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=", "APPEND=init=/no/such/program")
    assert code == 2, out
    assert "/no/such/program" in out, out


def test_run_powers_off(arch):
    code, out = script("run.py", f"ARCH={arch}", "BUG=", "CPUS=4")
    assert code == 0, out
    assert "healthy:" in out and "powered off" in out, out
