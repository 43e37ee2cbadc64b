"""What the black box says about processes: who is whose child, who has ended, what they call."""
import re
import time

import qemu
from conftest import BOOT, SMALL


def ps(guest):
    """Rows of `tracedump ps` by pid."""
    code, out = qemu.tracedump("ps", guest.ram)
    assert code == 0, out
    return {int(row.split()[1]): row for row in out.splitlines()[1:]}


def test_an_adopted_child_can_be_waited_for(arch, cpus):
    """pid 1 waits for a child that it has not made itself."""
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=f"{SMALL} init=/tests/family -- adopted",
                    gdb=False) as guest:
        guest.wait_for("waits for an adopted child", BOOT)
        time.sleep(2)  # a wait without a child is called a hang after one second
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words
        rows = [row.split() for row in ps(guest).values()]
        assert [r[2] for r in rows if r[6] == "family" and r[1] != "1"] == ["1"], rows


def test_an_unreaped_child_is_a_zombie(arch, cpus):
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.send("/tests/family zombie\n")
        guest.wait_for("has ended", 30)
        pid = int(re.search(r"family: (\d+) has ended", guest.console())[1])
        row = ps(guest)[pid].split()
        assert row[4] == "zombie" and row[6:] == ["true"], row
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words
        guest.send("\n")
        guest.shell("true")
        assert pid not in ps(guest), ps(guest)[pid]
