"""hindsight.py - the `hs` commands of GDB: `source gdb-scripts/hindsight.py`, then `hs help`.

Thin by design: every explanation is tracedump's own text, so a live guest, a core and the command
line give the same words. No command runs guest code or writes guest memory. This file only
registers; hs_target.py finds the black box, hs_explain.py and hs_stack.py hold the commands.
"""
import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(os.path.expanduser(__file__))))

import hs_explain  # noqa: E402
import hs_stack  # noqa: E402
import hs_target  # noqa: E402


class Hs(gdb.Command):
    """Hindsight: what the kernel's black box says. `hs help` lists the commands."""

    def __init__(self):
        super().__init__("hs", gdb.COMMAND_DATA, gdb.COMPLETE_NONE, True)

    def invoke(self, arg, from_tty):
        self.dont_repeat()
        if arg.strip():
            raise gdb.GdbError(f"hs: there is no command {arg.split()[0]!r}; `hs help` lists them")
        hs_help()


class HsHelp(gdb.Command):
    """This list.
Usage: hs help"""

    usage = "hs help"

    def __init__(self):
        super().__init__("hs help", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        hs_help()


COMMANDS = []


def hs_help():
    for c in COMMANDS:
        print(f"  {c.usage:<18} {c.__doc__.splitlines()[0]}")
    print("Each works on a guest that runs or has ended (`set hs-ram FILE`: its RAM file is read), on\n"
          "one that stands (through GDB), and on a core; `help hs trace` shows more about one.")


def register():
    Hs()
    hs_target.register_parameters()
    COMMANDS.extend([*hs_explain.register(), *hs_stack.register(), HsHelp()])


register()
