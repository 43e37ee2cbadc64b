"""stress.py [MINUTES=60] [ARCH=..] [CPUS=..] - the in-kernel tests, again and again, for so long.

Every boot must pass all of them, power off by itself and leave a black box that is called healthy. Stops at
the first that does not, with its console and what tracedump says of it. Part of `make test-long`.
"""
import os
import re
import time

import boots
import qemu
from options import Options, say

TOTAL = re.compile(r"^(\d+) passed, 0 failed", re.M)


def one_boot(opt):
    """Number of tests that passed."""
    with opt.guest(gdb=False, time_limit=400) as guest:
        guest.wait_exit(390)
        console = guest.console()
        found = TOTAL.search(console)
        if not found or not guest.passed:
            raise qemu.GuestError(f"status {guest.status}\n{console[-4000:]}\n{guest.why()[1]}")
        trouble = re.search(r"^.*(PANIC|HUNG|BUG|WARN):.*$", console, re.M)
        if trouble:
            raise qemu.GuestError(f"{trouble[0]}\n{console[-4000:]}")
        return int(found[1])


def main(argv):
    opt = Options(argv, explains=True)
    minutes = next((a[8:] for a in argv if a.startswith("MINUTES=")), os.environ.get("MINUTES") or "60")
    end = time.monotonic() + 60 * boots.number("MINUTES", minutes)
    opt.append = (opt.append + " ktest=1").strip()
    passed, status = boots.in_a_row(
        lambda: one_boot(opt), lambda done: not done or time.monotonic() < end,
        lambda p: say(f"  {len(p)} boots of {opt.words()}, {max(0, int(end - time.monotonic())) // 60} "
                      "minutes to go"))
    say(f"{sum(passed)} passed, {status} failed")
    return status


if __name__ == "__main__":
    boots.run(main)
