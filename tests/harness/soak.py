"""soak.py - `make soak N=50 ARCH=..`: N boots in a row, each to a healthy prompt and off again.

Stops at the first boot that is anything else, shows its console and what tracedump says of it, and
leaves the black box beside it for a look afterwards.
"""
import os
import subprocess
import sys
import time

import qemu
from options import Options, end_on_signals, say


def one_boot(opt):
    """Seconds to the prompt."""
    with opt.guest(time_limit=120) as guest:
        try:
            guest.wait_for(qemu.PROMPT, 60)
            seconds = time.monotonic() - guest.started
            code, words = guest.why()
            if code != 0:
                raise qemu.GuestError(f"tracedump says at the prompt:\n{words}")
            guest.send(qemu.POWER_OFF)
            guest.wait_exit(30)
            if not guest.passed:
                raise qemu.GuestError(f"power-off failed: QEMU's status {guest.status}")
            return seconds
        except qemu.GuestError as e:
            keep = os.path.join(opt.build_dir, "soak-failure.ram")
            subprocess.call(["cp", "--sparse=always", guest.ram, keep])
            raise qemu.GuestError(f"{e}\n  RAM: {keep}") from None


def main(argv):
    opt = Options(argv, explains=True)
    number = os.environ.get("N") or "20"
    if not number.isdigit() or int(number) == 0:
        raise SystemExit(f"N={number}: give the number of boots")
    count = int(number)
    times = []
    for i in range(count):
        try:
            times.append(one_boot(opt))
        except qemu.GuestError as e:
            say(f"boot {i + 1} of {count} failed:\n{e}")
            say(f"{len(times)} passed, 1 failed")
            return 1
        if (i + 1) % 10 == 0 or i + 1 == count:
            say(f"  {i + 1} boots of {opt.words()}: {min(times):.1f} to {max(times):.1f} s")
    say(f"{len(times)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    end_on_signals()
    os.chdir(qemu.ROOT)
    sys.exit(main(sys.argv[1:]))
