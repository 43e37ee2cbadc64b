"""What a probe costs in the kernel, in instructions: exact under -icount, so the bars are too."""
import os
import re
import subprocess

import qemu

ON = {"aarch64": 53.0, "x86_64": 58.0}
OFF = 3.0


def test_instructions_of_a_probe(arch, tmp_path):
    cmd = qemu.command_line(arch, str(tmp_path), cpus=1, append="bench=1", gdb=False, disk="/none")
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
    for what, bar in (("event with 4 arguments", ON[arch]), ("event switched off", OFF)):
        found = re.search(rf"{what} (\d+\.\d+) ticks", console)
        assert found, console
        assert float(found[1]) <= bar + 0.5, f"{what}: {found[1]} instructions, the bar is {bar}"


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
