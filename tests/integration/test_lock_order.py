"""What is taken inside what, while all of the guest's programs run: each lock only inside locks that
stand before it in the one order (kernel/include/sync/lock_order.h, docs/locking.md).

The kernel records every acquire and release (category lockall); here they are replayed for each
context, that is a task, or a CPU while it is in interrupts."""
import collections
import re
import subprocess

import locking
import qemu

EVENT = re.compile(r"^\s*[\d.]+ cpu(\d+)\s+(\S.*?)\s+(lock_acquire|lock_release|(?:irq|ipi|timer)_(?:entry|return))"
                   r"\b\s*(.*)$")
LOST = re.compile(r"^\s*cpu\d+ +-- \d+ events lost")
PARTS = 3  # boots over which the programs are spread: the rings hold what one does
# Two locks of these classes nest, in an order that their class's line in the header gives.
OWN_ORDER = {"sched.runqueue"}


def ranks():
    numbers = {name: rank for name, rank, _ in locking.order()}
    return {name: numbers[rank] for name, kind, rank, _ in locking.classes() if rank in numbers}


def nestings(text):
    """{(outer class, inner class): where that was}"""
    held = collections.defaultdict(list)  # by context: (lock, class, site)
    depth = collections.Counter()
    pairs = {}
    for line in text.splitlines():
        if LOST.search(line):  # among them releases: what stood before this line proves nothing
            held.clear()
            pairs.clear()
            continue
        m = EVENT.match(line)
        if not m:
            continue
        cpu, task, event, rest = m.groups()
        if event.endswith("_entry") or event.endswith("_return"):
            depth[cpu] += 1 if event.endswith("_entry") else -1
            continue
        lock, name, site = (re.search(rf"\b{key}=(\S+)", rest)[1] for key in ("lock", "class", "site"))
        context = ("interrupt", cpu) if depth[cpu] > 0 else (task, cpu if task == "idle" else "")
        if event == "lock_acquire":
            for _, outer, outer_site in held[context]:
                pairs.setdefault((outer, name), f"{site} in {outer_site}, {' '.join(context)}")
            held[context].append((lock, name, site))
            continue
        # A lock may be given back by another than its taker: a run queue's by the next thread.
        owner = next((h for h in (held[context], *held.values()) if any(lock == x[0] for x in h)), None)
        if owner:
            del owner[max(i for i, x in enumerate(owner) if x[0] == lock)]
    return pairs


def against(pairs, rank):
    """The nestings that the order forbids, in words."""
    return [f"{inner} is taken inside {outer}: {where}" for (outer, inner), where in sorted(pairs.items())
            if outer in rank and inner in rank and
            (rank[inner] <= rank[outer] and not (inner == outer and inner in OWN_ORDER))]


def test_locks_are_taken_in_their_order(arch):
    pairs, rank = {}, ranks()
    for part in range(PARTS):
        with qemu.Guest(arch, cpus=2, mem="1G", time_limit=300, append="exit=poweroff ring=96M "
                        f"trace=irq,timer,sched,process,lockall init=/bin/testall -- /tests {part} {PARTS}") as guest:
            guest.wait_exit(240)
            text = subprocess.run([qemu.TRACEDUMP, "text", guest.ram], capture_output=True, text=True, check=True).stdout
            pairs = nestings(text) | pairs
    # It saw something: paths into the file system, faults inside calls, switches.
    for seen in (("ext2.root", "mm.as"), ("mm.as", "fs.pages"), ("fs.pages", "fs.meta_pages"), ("file.pos", "mm.as"),
                 ("process.tree", "sched.runqueue"), ("mm.vmalloc", "mm.buddy")):
        assert seen in pairs, sorted(pairs)
    assert not against(pairs, rank), "\n".join(against(pairs, rank))
    # And it can tell: with two places exchanged it complains.
    rank["ext2.root"], rank["mm.as"] = rank["mm.as"], rank["ext2.root"]
    assert any("mm.as is taken inside ext2.root" in words for words in against(pairs, rank))


def test_a_loss_makes_nothing_held():
    line = "  0.1 cpu0  init/1  lock_{} lock=0x{} class={} site=f\n"
    acquire = [line.format("acquire", 1, "a"), line.format("acquire", 2, "b")]
    assert set(nestings("".join(acquire))) == {("a", "b")}
    lost = "                 cpu1  -- 17 events lost --\n"
    assert not nestings(acquire[0] + lost + acquire[1])
    assert not nestings("".join(acquire) + lost)
