"""soak.py - `make soak N=50 ARCH=..`: N boots in a row, each to a healthy prompt and off again.

Stops at the first boot that is anything else, shows its console and what tracedump says of it, and
leaves the black box beside it for a look afterwards.
"""
import os
import subprocess
import time

import boots
import qemu
from options import Options, say


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
    count = boots.number("N", os.environ.get("N") or "20", least=1)
    times, status = boots.in_a_row(
        lambda: one_boot(opt), lambda done: done < count,
        lambda t: say(f"  {len(t)} boots of {opt.words()}: {min(t):.1f} to {max(t):.1f} s"))
    say(f"{len(times)} passed, {status} failed")
    return status


if __name__ == "__main__":
    boots.run(main)
