"""check.py - `make check`: the house rules that a program can judge. Prints `N passed, N failed`.

Who includes whom is judged from the compiler's own dependency files (*.d of the last build), who
calls whom from the object files, so `make check` builds first. The floors are those of the
architecture drawing: an include or a call may go down or stay level, never up; a folder's own headers
are nobody else's. The one list of upward calls is <arch/upcalls.h>, the entry code's.
"""
import glob
import os
import re
import subprocess
import sys

import locking

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_LINES = 900
KEPT = ("user/bench/kbench.c",)  # byte for byte what Linux was measured with: neither format nor length
LLVM = os.environ.get('LLVM') or '16'
ARCH_WORD = re.compile(r"^\s*#\s*(?:if|elif|ifdef|ifndef)\b.*(__aarch64__|__x86_64__|__arm__|__i386__|"
                       r"CONFIG_ARCH|CONFIG_X86|CONFIG_ARM)", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^">]+)[">]', re.M)
EVENT = re.compile(r"^EVENT\(\s*(\d+),\s*(\w+)", re.M)

# The house, bottom first (docs/architecture.md): a room sees its own floor and those below. `arch` is
# seen by all: its functions are the contract, declared on the ground floor.
FLOORS = (("tracing", "trace", "lib"), ("arch",), ("sync",), ("irq",), ("mm",), ("sched",), ("drivers",),
          ("fs",), ("ipc",), ("task",), ("tty",), ("syscall",), ("debug",), ("main.c",))
FLOOR = {room: n for n, rooms in enumerate(FLOORS) for room in rooms}
# Seen from every floor: the contract with the architecture.
SEEN_BY_ALL = ("arch", "asm", "uapi")


def rel(path):
    return os.path.relpath(path, ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def tracked(*patterns):
    r = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True,
                       check=True)
    return [p for p in r.stdout.splitlines() if os.path.exists(os.path.join(ROOT, p))]


def sources():
    return tracked("kernel/*.c", "kernel/*.h", "tracing/*.c", "tracing/*.h", "user/*.c", "user/*.h",
                   "tools/*.c", "tools/*.h", "tests/*.c", "tests/*.h")


def check_format():
    """source format is .clang-format's"""
    tool = f"clang-format-{LLVM}"
    r = subprocess.run([tool, "--dry-run", "-Werror", *(p for p in sources() if p not in KEPT)], cwd=ROOT, capture_output=True,
                       text=True, check=False)
    files = sorted({line.split(":")[0] for line in r.stderr.splitlines() if "clang-format" in line})
    return [f"{f}: not in format (make format)" for f in files]


def check_no_arch_ifdef():
    """no #ifdef on an architecture outside kernel/arch/"""
    return [f"{p}: {m[0].strip()}" for p in sources()
            if p.startswith(("kernel/", "tracing/")) and not p.startswith("kernel/arch/")
            for m in ARCH_WORD.finditer(read(p))]


def room_of(path):
    """Room of a source or object of the kernel; None for others. In-kernel tests see everything."""
    if re.search(r"_ktest\.c", path):
        return None
    if path.startswith("tracing/"):
        return "tracing"
    m = re.match(r"kernel/([^/]+?)(?:\.o)?(?:/|$)", path)
    return m[1] if m and m[1] in FLOOR else None


def dependencies():
    """{source: {files it includes, directly or not}} from all *.d files under build/."""
    deps = {}
    for d in glob.glob(os.path.join(ROOT, "build/*/obj/**/*.c.o.d"), recursive=True):
        with open(d, encoding="utf-8") as f:
            words = f.read().split("\n\n")[0].replace("\\\n", " ").split(":", 1)[1].split()
        words = [os.path.normpath(w) for w in words if not w.endswith(":")]
        if words and os.path.exists(os.path.join(ROOT, words[0])):
            deps.setdefault(words[0], set()).update(w for w in words[1:] if not os.path.isabs(w))
    return deps


def may_see_private(source, header):
    """Is `header`, private to its folder, used inside that folder (or one below it)?"""
    home = os.path.dirname(header)
    if header.startswith("kernel/arch/"):
        return "/include/asm/" in header or source.startswith("/".join(header.split("/")[:3]))
    if header == "kernel/trace/tracing_port.h":
        return True
    return source.startswith(home + "/")


def check_layers():
    """includes go down, private headers stay private"""
    deps = dependencies()
    if not deps:
        return ["nothing is built: no dependency files to judge"]
    bad = []
    for source, headers in sorted(deps.items()):
        for h in sorted(headers):
            if h.startswith("kernel/") and not h.startswith("kernel/include/") and \
                    not may_see_private(source, h):
                bad.append(f"{source}: sees {h}, which is private to its folder")
            if h.startswith("tests/") or h.startswith("tools/") or h.startswith("user/"):
                bad.append(f"{source}: the kernel sees {h}")
        room = room_of(source)
        text = read(source)
        for inc in INCLUDE.findall(text):
            home = inc.split("/")[0]
            if not room or "/" not in inc or home in (*SEEN_BY_ALL, ".."):
                continue
            if home not in FLOOR:
                bad.append(f"{source}: <{inc}> is in no room of FLOORS")
            elif FLOOR[home] > FLOOR[room]:
                bad.append(f"{source}: includes <{inc}> of a floor above its own")
            if source.startswith("tracing/") and not inc.startswith("tracing/") and "/" in inc:
                bad.append(f"{source}: tracing sees <{inc}> of the kernel")
    return bad


def symbols(path):
    """(defined, wanted) global names of an object file."""
    r = subprocess.run([f"llvm-nm-{LLVM}", path], capture_output=True, text=True, check=True)
    words = [line.split() for line in r.stdout.splitlines()]
    return ({w[-1] for w in words if w[-2] in "TDBRVW"}, {w[-1] for w in words if w[-2] == "U"})


def check_calls():
    """calls go down: no object wants a name from a floor above its own"""
    upcalls = set(re.findall(r"(\w+)\(", re.sub(r"/\*.*?\*/", "", read("kernel/include/arch/upcalls.h"),
                                                flags=re.S)))
    bad = []
    for arch in ("aarch64", "x86_64"):
        base = os.path.join(ROOT, f"build/{arch}-debug/obj")
        objects = [os.path.relpath(p, base) for p in glob.glob(base + "/**/*.o", recursive=True)]
        objects = [o for o in objects if os.path.exists(os.path.join(ROOT, o[:-2])) and room_of(o)]
        if not objects:
            bad.append(f"nothing is built for {arch}: no object files to judge")
        names = {o: symbols(os.path.join(base, o)) for o in objects}
        home = {name: o for o, (defined, _) in names.items() for name in defined}
        for o, (_, wanted) in sorted(names.items()):
            for name in sorted(wanted & home.keys()):
                here, there = room_of(o), room_of(home[name])
                if there != "arch" and FLOOR[there] > FLOOR[here] and \
                        not (here == "arch" and name in upcalls):
                    bad.append(f"{o[:-2]} ({here}) wants {name} of {there}, a floor above its own")
    return sorted(set(bad))


def check_events():
    """event ids are append-only"""
    known = dict(line.split()[:2] for line in read("tests/harness/event_ids.txt").splitlines() if line)
    now = EVENT.findall(read("tracing/events.def"))
    ids = dict(now)
    bad = [f"event id {i} is used twice" for i in {i for i, _ in now if [n for n, _ in now].count(i) > 1}]
    bad += [f"event {i} was {name}, is {ids.get(i, 'gone')}" for i, name in known.items()
            if ids.get(i) != name]
    bad += [f"new event: add the line `{i} {name}` to tests/harness/event_ids.txt" for i, name in now
            if i not in known]
    return bad


def check_readmes():
    """every folder of the house has its README"""
    folders = {os.path.dirname(p) for p in tracked("*/sources.mk")}
    folders |= {"kernel/include/arch", "tools/tracedump", "user", "user/bench", "gdb-scripts", "tests/harness",
                "tests/integration", "tests/gdb", "tests/perfetto", "tests/unit", "tests/bench", "tests/mutate"}
    return [f"{d}/README.md is missing" for d in sorted(folders)
            if os.path.isdir(os.path.join(ROOT, d)) and not os.path.exists(os.path.join(ROOT, d, "README.md"))]


def check_length():
    """no source file is longer than a reader's patience"""
    return [f"{p}: {n} lines, more than {MAX_LINES}" for p in sources()
            if (n := read(p).count("\n")) > MAX_LINES and p not in KEPT]


def check_locks():
    """every lock has its place in the one order, and docs/locking.md says it"""
    return locking.problems()


def check_sources_listed():
    """every kernel source is listed in its sources.mk"""
    listed = set()
    for mk in [*tracked("*/sources.mk"), "kernel/kernel.mk"]:
        listed.update(re.findall(r"\b((?:kernel|tracing)/[\w/.-]+\.[cS])\b", read(mk)))
    return [f"{p}: not in any sources.mk" for p in tracked("kernel/*.c", "kernel/*.S", "tracing/*.c")
            if p not in listed and not p.endswith("asm-offsets.c") and not p.endswith(".lds.S")]


CHECKS = (check_format, check_no_arch_ifdef, check_layers, check_calls, check_events, check_locks, check_readmes,
          check_length, check_sources_listed)


def main():
    failed = 0
    for check in CHECKS:
        bad = check()
        failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} - {check.__doc__}")
        for line in bad[:40]:
            print(f"    {line}")
        if len(bad) > 40:
            print(f"    ... and {len(bad) - 40} more")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
