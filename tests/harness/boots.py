"""boots.py - boots in a row that must all be good: the loop of soak.py and stress.py."""
import os
import sys

import qemu
from options import end_on_signals, say


def number(name, value, least=0):
    """The user's NAME=value as a number."""
    if not value.isdigit() or int(value) < least:
        raise SystemExit(f"{name}={value}: give a number" + (f" from {least} up" if least else ""))
    return int(value)


def in_a_row(one_boot, more, report):
    """Calls one_boot() as long as more(boots) says so; stops at the first GuestError. `report` gets
    the list of results after every tenth boot and at the end. (results, exit status)."""
    results = []
    while more(len(results)):
        try:
            results.append(one_boot())
        except qemu.GuestError as e:
            say(f"boot {len(results) + 1} failed:\n{e}")
            return results, 1
        if len(results) % 10 == 0:
            report(results)
    if len(results) % 10:
        report(results)
    return results, 0


def run(main):
    end_on_signals()
    os.chdir(qemu.ROOT)
    sys.exit(main(sys.argv[1:]))
