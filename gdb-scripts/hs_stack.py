"""hs_stack.py - `hs bt`: the kernel stack of any task, running or not, live or in a core.

A task that runs has its registers in a CPU: GDB's own backtrace of that CPU is shown, if the guest
stands. A task that does not run left pc, fp and sp in its entry of the task table when it was switched out; its frames
are linked by frame pointers: [fp] = the caller's fp, [fp + 8] = the return address, on both
architectures. The layout of the tables comes from the kernel's own debug information
(struct bb_task, bb_cpu, bb_section), decoded from bytes that are read in bulk.
"""
import gdb

import hs_target

SEC_CPUS, SEC_TASKS = 6, 7  # enum bb_section_kind
TASK_IDLE = 2
STATE_NAMES = ("none", "new", "runnable", "running", "sleeping", "blocked", "stopped", "zombie", "dead")
MODE_USER = 1
MAX_FRAMES = 64


# -- pure helpers ---------------------------------------------------------------------------
def walk_frames(fp, low, high, read_word):
    """Return addresses of the frames from `fp` up, innermost first. A link must go up and stay in
    [low, high), so a damaged stack ends the walk instead of leading it astray."""
    out = []
    while low <= fp <= high - 16 and fp % 8 == 0 and len(out) < MAX_FRAMES:
        caller, pc = read_word(fp), read_word(fp + 8)
        if pc == 0:
            break
        out.append(pc)
        if caller <= fp:
            break
        fp = caller
    return out


def parse_who(text):
    """'cpu2' -> ('cpu', 2); '7' -> ('tid', 7); '' -> None."""
    text = text.strip()
    if not text:
        return None
    if text.lower().startswith("cpu") and text[3:].isdigit():
        return "cpu", int(text[3:])
    if text.isdigit():
        return "tid", int(text)
    raise gdb.GdbError("usage: hs bt [TID|cpuN]")


# -- the tables -----------------------------------------------------------------------------
def lookup_type(name):
    try:
        return gdb.lookup_type("struct " + name)
    except gdb.error:
        raise gdb.GdbError(f"hs: the loaded kernel.elf does not describe struct {name}") from None


def sections(box):
    """{kind: (offset, size, entry_size, count)} of the box's directory."""
    head = lookup_type("bb_header")
    h = gdb.Value(box.read_box(0, head.sizeof), head)
    row = lookup_type("bb_section")
    count, stride = int(h["dir_count"]), int(h["dir_entry_size"])
    if not (0 < count <= 256 and row.sizeof <= stride <= 4096):
        raise gdb.GdbError("hs: the black box's directory is damaged")
    raw = box.read_box(int(h["dir_offset"]), count * stride)
    out = {}
    for i in range(count):
        s = gdb.Value(raw[i * stride: i * stride + row.sizeof], row)
        out[int(s["kind"])] = tuple(int(s[f]) for f in ("offset", "size", "entry_size", "count"))
    return out


def table(box, kind, type_name):
    """[(index, gdb.Value)] of a section's entries."""
    t = lookup_type(type_name)
    dirs = sections(box)
    if kind not in dirs:
        raise gdb.GdbError(f"hs: the black box has no section {kind}")
    offset, size, stride, count = dirs[kind]
    if stride < t.sizeof or count * stride > size or offset + size > box.header["total_size"]:
        raise gdb.GdbError(f"hs: section {kind} of the black box is damaged")
    raw = box.read_box(offset, count * stride)
    return [(i, gdb.Value(raw[i * stride: i * stride + t.sizeof], t)) for i in range(count)]


def task_name(task):
    return bytes(int(task["name"][i]) & 0xff for i in range(task["name"].type.range()[1] + 1)
                 ).partition(b"\0")[0].decode("utf-8", "replace")


# -- printing -------------------------------------------------------------------------------
def describe_pc(pc):
    """'func+12 at file.c:34' of a return address: the call is in front of it."""
    line = gdb.find_pc_line(pc - 1)
    sym = gdb.execute(f"info symbol {pc - 1:#x}", to_string=True)
    name = "??" if sym.startswith("No symbol") else sym.split(" in section ")[0].strip()
    base, plus, offset = name.rpartition(" + ")
    if plus and offset.isdigit():
        name = f"{base}+{int(offset) + 1}"
    elif name != "??":
        name += "+1"
    where = f" at {line.symtab.filename}:{line.line}" if line.symtab and line.line else ""
    return name + where


def print_saved(box, task):
    pc, fp = int(task["switch_pc"]), int(task["switch_fp"])
    low, high = int(task["stack_base"]), int(task["stack_top"])
    if not pc:
        print("  (it never left a CPU: no saved registers)")
        return
    stack = {}

    def read_word(address):
        if not stack:
            stack["bytes"] = box.read(low, high - low)
        off = address - low
        return int.from_bytes(stack["bytes"][off: off + 8], "little")

    frames = walk_frames(fp, low, high, read_word) if 0 < high - low <= 1 << 20 else []
    if not frames or frames[0] != pc:  # the saved pc is also the innermost return address
        frames.insert(0, pc)
    for i, a in enumerate(frames):
        print(f"  #{i:<2} {a:#018x} in {describe_pc(a)}")


def trim_backtrace(text):
    """GDB's backtrace without what it finds beyond the kernel's first frame."""
    lines = [line for line in text.splitlines() if not line.startswith("Backtrace stopped:")]
    known = [i for i, line in enumerate(lines) if " in ?? ()" not in line]
    return lines[: known[-1] + 1] if known else lines


def print_cpu(cpu):
    threads = sorted(gdb.selected_inferior().threads(), key=lambda t: t.num)
    if cpu >= len(threads):
        raise gdb.GdbError(f"hs: there is no CPU {cpu} (0 to {len(threads) - 1})")
    here = gdb.selected_thread()
    try:
        threads[cpu].switch()
        # Without symbols behind pointers: GDB warns inside the frame of one that leads into read-only
        # data, as clang's .debug_aranges list data, too.
        text = gdb.execute("with print symbol off -- bt", to_string=True)
    finally:
        here.switch()
    gdb.write("".join("  " + line + "\n" for line in trim_backtrace(text)))


def print_task(box, slot, task, running_on):
    state = int(task["state"])
    words = STATE_NAMES[state] if state < len(STATE_NAMES) else f"state {state}"
    idle = int(task["flags"]) & TASK_IDLE
    who = f"idle of CPU {int(task['cpu'])}" if idle else f"{task_name(task)} (tid {int(task['tid'])})"
    cpu = running_on.get(slot)
    if cpu is not None:
        mode = ", in user mode" if int(task["mode"]) == MODE_USER else ""
        print(f"{who}: on CPU {cpu}{mode}")
        if box.registers:
            print_cpu(cpu)
        else:
            print("  (its registers are in the CPU; for its stack stop the guest with `interrupt`)")
    else:
        print(f"{who}: {words}")
        print_saved(box, task)


def look():
    """(box, {slot: task}, {slot: CPU that it runs on}, number of CPUs)"""
    box = hs_target.open_box()
    cpus = table(box, SEC_CPUS, "bb_cpu")
    tasks = {i: t for i, t in table(box, SEC_TASKS, "bb_task") if int(t["state"])}
    running_on = {int(c["current"]) - 1: i for i, c in cpus if int(c["current"])}  # 0: not up yet
    return box, tasks, running_on, len(cpus)


class Bt(gdb.Command):
    """Kernel stack of a task, of what runs on a CPU, or of all tasks.
Usage: hs bt [TID|cpuN]
TID is a task's number in `hs ps`. The stack of a task that is on a CPU needs a guest that stands."""

    usage = "hs bt [TID|cpuN]"

    def __init__(self):
        super().__init__("hs bt", gdb.COMMAND_DATA)

    def complete(self, text, word):
        try:
            _, tasks, _, cpus = look()
        except gdb.error:
            return []
        tids = [str(int(t["tid"])) for t in tasks.values() if not int(t["flags"]) & TASK_IDLE]
        return [w for w in [*(f"cpu{i}" for i in range(cpus)), *tids] if w.startswith(word or "")]

    def invoke(self, arg, from_tty):
        self.dont_repeat()
        who = parse_who(arg)
        box, tasks, running_on, cpus = look()
        if who is None:
            for slot, task in tasks.items():
                if not int(task["flags"]) & TASK_IDLE:
                    print_task(box, slot, task, running_on)
            return
        if who[0] == "cpu":
            if who[1] >= cpus:
                raise gdb.GdbError(f"hs: there is no CPU {who[1]} (0 to {cpus - 1})")
            slot = next((s for s, c in running_on.items() if c == who[1]), None)
            if slot in tasks:
                print_task(box, slot, tasks[slot], running_on)
            elif box.registers:
                print_cpu(who[1])
            else:
                print(f"CPU {who[1]}: not up yet")
            return
        for slot, task in tasks.items():
            if int(task["tid"]) == who[1] and not int(task["flags"]) & TASK_IDLE:
                print_task(box, slot, task, running_on)
                return
        raise gdb.GdbError(f"hs: there is no task {who[1]}; `hs ps` lists them")


def register():
    return [Bt()]
