"""What probes and locks cost in the kernel, in instructions: exact under -icount, so the bars are too."""
import os
import re
import subprocess

import pytest

import qemu

ON = {"aarch64": 49.0, "x86_64": 53.0}
OFF = 3.0
# A pair, uncontended, with records and checks on.
LOCKS = {"spin pair": 60.0, "irqsave pair": 80.0, "mutex pair": 90.0, "killable mutex pair": 90.0,
         "rwlock read pair": 90.0, "rwlock write pair": 90.0}


# The same without recorder, tracker and checks: what is left is the lock.
BARE = {"aarch64": {"spin pair": 21.0, "irqsave pair": 30.0}, "x86_64": {"spin pair": 20.0, "irqsave pair": 30.0}}
BARE_SLEEPING = {"mutex pair": 30.0, "rwlock read pair": 30.0, "rwlock write pair": 30.0}


def count(arch, config, tmp_path):
    """{what: instructions} that the kernel counted of itself."""
    cmd = qemu.command_line(arch, str(tmp_path), cpus=1, append="bench=1", gdb=False, disk="/none", config=config)
    cmd += ["-icount", "shift=0,sleep=off"]
    # one tick of the counter = one instruction
    cmd[cmd.index("-cpu") + 1] = "max,cntfrq=1000000000" if arch == "aarch64" else "max"
    slot = qemu.Slot()
    try:
        run = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
    finally:
        slot.release()
    console = (tmp_path / "console.log").read_text(errors="replace")
    assert run.returncode == qemu.PASS_STATUS[arch], console
    assert "verdict" not in console
    return {what: float(ticks) for what, ticks in re.findall(r"bench: (.*) (\d+\.\d+) ticks", console)}


@pytest.fixture(scope="module")
def costs(arch, tmp_path_factory):
    return count(arch, "debug", tmp_path_factory.mktemp("bench"))


def below(costs, bars):
    for what, bar in bars.items():
        assert costs[what] <= bar + 0.5, f"{what}: {costs[what]} instructions, the bar is {bar}"


def test_instructions_of_a_probe(arch, costs):
    below(costs, {"event with 4 arguments": ON[arch], "event switched off": OFF})


def test_instructions_of_a_lock(costs):
    below(costs, LOCKS)


def test_instructions_of_a_bare_lock(arch, tmp_path):
    if not os.path.exists(os.path.join(qemu.build_dir(arch, "bare"), "kernel.elf")):
        pytest.skip("CONFIG=bare is not built")
    below(count(arch, "bare", tmp_path), BARE[arch] | BARE_SLEEPING)


def test_short_ways_are_leaves(arch):
    """They are compiled without a frame, take their caller from the link register and go on to the
    long way by a jump: with a call in between both would be wrong."""
    elf = os.path.join(qemu.build_dir(arch), "kernel.elf")
    names = ["spin_lock", "spin_unlock", "spin_lock_irqsave", "spin_unlock_irqrestore",
             "spin_release_raw", "mutex_lock", "mutex_lock_killable", "mutex_trylock", "mutex_unlock", "rw_read_lock",
             "rw_read_unlock", "rw_write_lock", "rw_write_unlock"]
    code = subprocess.run(["llvm-objdump-16", "-d", "--no-show-raw-insn",
                           f"--disassemble-symbols={','.join(names)}", elf],
                          capture_output=True, text=True, check=True).stdout
    for name in names:
        body = re.search(rf"<{name}>:\n(.*?)(?=\n\n|\Z)", code, re.S)[1]
        found = re.findall(r"\t((?:bl|blr|callq?)\s.*|.*(?:x30.*\[sp|%rbp, %rsp|%rsp, %rbp).*)", body)
        assert not found, f"{name}: {found}"


def test_commit_word_is_the_last_store(arch):
    """A reader on another CPU believes the commit word: in each writer nothing is stored behind it,
    and on aarch64 it is a release."""
    elf = os.path.join(qemu.build_dir(arch), "kernel.elf")
    names = [f"trace_put{n}" for n in range(5)]
    code = subprocess.run(["llvm-objdump-16", "-d", "--no-show-raw-insn",
                           f"--disassemble-symbols={','.join(names)}", elf],
                          capture_output=True, text=True, check=True).stdout
    for name in names:
        lines = re.search(rf"<{name}>:\n(.*?)(?=\n\n|\Z)", code, re.S)[1].splitlines()
        lines = [line.split(":", 1)[1].strip() for line in lines]
        end = next(i for i, line in enumerate(lines) if line.startswith("ret"))
        if arch == "aarch64":
            stores = [line for line in lines[:end] if re.match(r"st[lru]", line) and "[sp" not in line]
            assert stores[-1].startswith("stlr") and sum("stlr" in s for s in stores) == 1, stores
        else:
            stores = [line for line in lines[:end] if re.match(r"mov\w*\s+%\w+, .*\(", line)]
            assert re.search(r", 0x8\(%r\w+,%r\w+\)$", stores[-1]), stores
