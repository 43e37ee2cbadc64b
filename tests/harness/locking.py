"""locking.py [--check] - docs/locking.md from the locks themselves: the order in
kernel/include/sync/lock_order.h, and the DEFINE_LOCK_CLASS lines of the kernel.

problems() is what `make check` says: a class without a place in the order, a place without a class,
a document that is not what these files say."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ORDER = "kernel/include/sync/lock_order.h"
DOC = "docs/locking.md"
HELD = {"SPIN": "spin lock", "MUTEX": "mutex", "RWLOCK": "read-write lock", "SEM": "semaphore"}
WAITED = {"COMPLETION": "completion", "WAITQ": "wait queue"}
# Locks of demonstrations and tests: their bugs are the point.
NO_ORDER = re.compile(r"kernel/debug/bugs\.c|kernel/sync/bench\.c|.*_ktest\.c")

HEAD = f"""# Locks, and their order

Made by `make docs` from `{ORDER}` and the definitions of the classes; `make check` says when it is
old. Whoever holds a lock may take only locks further down. `tests/integration/test_lock_order.py` replays what
the guest's tests take inside what. The same names stand in every report, and `rank` in the black box.

| rank | class | kind | guards | defined in |
|---:|---|---|---|---|
"""
WAITS = """
What is waited for is held by nobody and has no rank; whoever waits for it may hold only sleeping locks.

| class | kind | defined in |
|---|---|---|
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def order():
    """[(name, rank, what it guards)], as they stand in the header."""
    found = re.findall(r"^\t(RANK_\w+) = (\d+),\s*/\*(.*?)\*/", read(ORDER), re.M | re.S)
    return [(name, int(rank), " ".join(re.sub(r"\n\s*\*", " ", text).split())) for name, rank, text in found]


def classes():
    """[(class, kind, rank's name or 0, file)] of the whole kernel."""
    files = subprocess.run(["git", "ls-files", "kernel/*.c"], cwd=ROOT, capture_output=True, text=True,
                           check=True).stdout.split()
    rows = []
    for path in files:
        for m in re.finditer(r'^(?:static )?DEFINE_LOCK_CLASS\(\w+,\s*"([^"]+)",\s*BB_LK_(\w+),\s*(\w+)\)',
                             read(path), re.M):
            rows.append((m[1], m[2], m[3], path))
    return rows


def text():
    by_rank = {}
    for name, kind, rank, path in classes():
        by_rank.setdefault(rank, []).append((name, kind, path))
    out = HEAD
    for key, rank, guards in order():
        for name, kind, path in by_rank.get(key, []):
            out += f"| {rank} | `{name}` | {HELD.get(kind, kind)} | {guards} | `{path}` |\n"
    out += WAITS
    for name, kind, _, path in sorted(classes()):
        if kind in WAITED and not NO_ORDER.fullmatch(path):
            out += f"| `{name}` | {WAITED[kind]} | `{path}` |\n"
    return out


def problems():
    bad = []
    ranks = order()
    used = set()
    for name, kind, rank, path in classes():
        if NO_ORDER.fullmatch(path):
            continue
        if kind in HELD and rank not in (r[0] for r in ranks):
            bad.append(f"{path}: lock class {name} has no place in {ORDER}")
        if kind in WAITED and rank != "0":
            bad.append(f"{path}: {name} is waited for, not held: its rank is 0")
        used.add(rank)
    bad += [f"{ORDER}: {name} is no class's" for name, _, _ in ranks if name not in used]
    bad += [f"{ORDER}: {b[0]} is not behind {a[0]}" for a, b in zip(ranks, ranks[1:]) if b[1] <= a[1]]
    if not os.path.exists(os.path.join(ROOT, DOC)) or read(DOC) != text():
        bad.append(f"{DOC} is not what the locks say (make docs)")
    return bad


def main():
    if sys.argv[1:] == ["--check"]:
        bad = problems()
        print("\n".join(bad))
        return 1 if bad else 0
    with open(os.path.join(ROOT, DOC), "w", encoding="utf-8") as f:
        f.write(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
