"""hs_explain.py - the commands whose words are tracedump's: why, ps, cpus, locks, trace; and dump."""
import os

import gdb

import hs_target


def make_command(name, options, what):
    class Explain(gdb.Command):
        usage = f"hs {name} {options}".rstrip()
        __doc__ = f"{what}.\nUsage: {usage}"

        def __init__(self):
            super().__init__("hs " + name, gdb.COMMAND_DATA)

        def invoke(self, arg, from_tty):
            self.dont_repeat()
            hs_target.tracedump(name, *gdb.string_to_argv(arg))

    return Explain()


class Trace(gdb.Command):
    """The last N events of all CPUs in order of time (default 40).
Usage: hs trace [N] [--cpu N] [--cat a,b] [--task TID]
For example: hs trace 100 --cpu 1 --cat sched,lock"""

    usage = "hs trace [N]"

    def __init__(self):
        super().__init__("hs trace", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        argv = gdb.string_to_argv(arg)
        count = argv.pop(0) if argv and not argv[0].startswith("-") else "40"
        if not count.isdigit() or int(count) == 0:
            raise gdb.GdbError("usage: hs trace [N] [--cpu N] [--cat a,b] [--task TID]")
        hs_target.tracedump("text", "--last", count, *argv)


class Dump(gdb.Command):
    """Write the black box to FILE, for tracedump on any machine.
Usage: hs dump FILE"""

    usage = "hs dump FILE"

    def __init__(self):
        super().__init__("hs dump", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

    def invoke(self, arg, from_tty):
        argv = gdb.string_to_argv(arg)
        if len(argv) != 1:
            raise gdb.GdbError("usage: hs dump FILE")
        path = os.path.expanduser(argv[0])
        data = hs_target.open_box().read_box()
        try:
            with open(path, "wb") as f:
                f.write(data)
        except OSError as e:
            raise gdb.GdbError(f"hs: {path}: {e.strerror}") from None
        print(f"{path}: {len(data)} bytes of black box; read it with: tracedump why {path}")


def register():
    return [
        make_command("why", "[--full]", "What is stuck and why, in plain words (--full: all evidence)"),
        make_command("ps", "", "All tasks: state, CPU, locks held, what they wait for"),
        make_command("cpus", "", "All CPUs: what runs, mode, last tick, queue"),
        make_command("locks", "", "Locks that are held or were contended: owner, waiters, sites"),
        Trace(),
        Dump(),
    ]
