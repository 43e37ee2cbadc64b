"""What a probe costs in the kernel, in instructions: exact under -icount, so the bars are too."""
import re
import subprocess

import qemu

BARS = {"event with 4 arguments": 68.0, "event switched off": 3.0}


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
    for what, bar in BARS.items():
        found = re.search(rf"{what} (\d+\.\d+) ticks", console)
        assert found, console
        assert float(found[1]) <= bar + 0.5, f"{what}: {found[1]} instructions, the bar is {bar}"
