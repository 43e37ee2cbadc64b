"""hs_explain.py - the commands whose words are tracedump's: why, ps, cpus, locks, trace; and dump."""
import os

import gdb

import hs_target


def make_command(name, command, doc):
    class Explain(gdb.Command):
        def __init__(self):
            super().__init__("hs " + name, gdb.COMMAND_DATA)

        def invoke(self, arg, from_tty):
            self.dont_repeat()
            hs_target.tracedump(command, *gdb.string_to_argv(arg))

    Explain.__doc__ = doc
    return Explain()


class Trace(gdb.Command):
    """hs trace [N] - the last N events of all CPUs in time order (default 40)
More options are tracedump's: hs trace 100 --cpu 1 --cat sched,lock --task 7"""

    def __init__(self):
        super().__init__("hs trace", gdb.COMMAND_DATA)

    def invoke(self, arg, from_tty):
        argv = gdb.string_to_argv(arg)
        count = argv.pop(0) if argv and not argv[0].startswith("-") else "40"
        if not count.isdigit() or int(count) == 0:
            raise gdb.GdbError("usage: hs trace [N] [tracedump's options]")
        hs_target.tracedump("text", "--last", count, *argv)


class Dump(gdb.Command):
    """hs dump FILE - write the black box to FILE, for tracedump on any machine"""

    def __init__(self):
        super().__init__("hs dump", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

    def invoke(self, arg, from_tty):
        argv = gdb.string_to_argv(arg)
        if len(argv) != 1:
            raise gdb.GdbError("usage: hs dump FILE")
        path = os.path.expanduser(argv[0])
        data = hs_target.Box().read_box()
        try:
            with open(path, "wb") as f:
                f.write(data)
        except OSError as e:
            raise gdb.GdbError(f"hs: {path}: {e.strerror}") from None
        print(f"{path}: {len(data)} bytes of black box; read it with: tracedump why {path}")


def register():
    return [
        make_command("why", "why", "hs why - what is stuck and why, in plain words (--full: evidence)"),
        make_command("ps", "ps", "hs ps - all tasks: state, CPU, locks held, what they wait for"),
        make_command("cpus", "cpus", "hs cpus - all CPUs: what runs, mode, last tick, queue"),
        make_command("locks", "locks", "hs locks - locks that were contended: owner, waiters, sites"),
        Trace(),
        Dump(),
    ]
