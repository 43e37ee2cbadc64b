"""Busy, slow or waiting for somebody is not hung: the diagnosis must stay `healthy`, with 1 and 4
CPUs, however long it takes. A tool that cries wolf is turned off."""
import os
import re
import time

import qemu
from conftest import BOOT, SMALL


def stays_healthy(guest, seconds):
    """Looks again and again; returns the last words."""
    end = time.monotonic() + seconds
    while True:
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words
        if time.monotonic() > end:
            return words
        time.sleep(0.3)


def ps(guest):
    return qemu.tracedump("ps", guest.ram)[1]


def throttle(guest, bytes_per_second):
    guest.qmp("block_set_io_throttle", device="hd", bps=0, bps_rd=bytes_per_second, bps_wr=0,
              iops=0, iops_rd=0, iops_wr=0)


def test_busy_and_slow_programs(arch, cpus, tmp_path):
    """Long computation, long sleep, a full pipe whose reader sleeps, a shell that waits for a key,
    then a disk that takes seconds a request, and a debugger that stops it all for a while."""
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        for line in ("cpuhog 600 &", "sleep 1000 &", "yes | sleep 1000 &"):
            guest.shell(line)
        words = stays_healthy(guest, 4)
        assert "for a pipe" in words and "for a key" in words and "for a timer" in words, words
        assert re.search(r"^ +(busy: )?cpuhog \(pid \d+\) has had [\d.]+ s of CPU time$", words, re.M), words
        end = time.monotonic() + 20  # a look may fall into one of its timer interrupts
        while not re.search(r" user +cpuhog", told := ps(guest)):
            assert time.monotonic() < end, told

        throttle(guest, 10000)
        guest.send("md5sum /bin/testall /bin/pile /bin/forkstorm\n")
        end = time.monotonic() + 60
        while "device vda has been working on a request" not in (words := stays_healthy(guest, 0)):
            assert time.monotonic() < end, f"{words}\n{ps(guest)}"
            time.sleep(0.1)
        stays_healthy(guest, 6)  # the guest's own looks at the queue come once a second

        guest.qmp("stop")
        assert stays_healthy(guest, 2)
        core = guest.dump_core(str(tmp_path / "core"), alias=False)
        code, words = qemu.tracedump("why", core, "--elf", guest.elf)
        assert code == 0 and words.startswith("healthy:"), words
        guest.qmp("cont")
        stays_healthy(guest, 3)
        throttle(guest, 0)
        guest.wait_for("/bin/forkstorm\n", 60)
        assert "HUNG" not in guest.console() and "BUG:" not in guest.console(), guest.console()


def test_contended_but_fair_locks(arch, cpus, tmp_path):
    """Twelve threads that fight for a mutex, a reader-writer lock and a spin lock all the time:
    each of them waits more than it runs, and none of them for long."""
    options = qemu.kernel_options(bug="busy-locks", append=SMALL)
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=options, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        stays_healthy(guest, 13)  # longer than the patience of every rule
        for _ in range(4):  # a core has no second look that could excuse a rule
            core = guest.dump_core(str(tmp_path / "core"), alias=False)
            code, words = qemu.tracedump("why", core, "--elf", guest.elf)
            assert code == 0, words
            os.unlink(core)
        locks = qemu.tracedump("locks", guest.ram, "--elf", guest.elf)[1]
        assert "demo.left" in locks and "demo.index" in locks, locks
        assert "HUNG" not in guest.console() and "BUG:" not in guest.console(), guest.console()
