"""bench.py [ROWS="read1 pipe"] [ARCH=a] [CONFIG=c] - `make bench`: kbench in the guest, beside Linux.

One run a pair of architecture and configuration: one CPU, `-icount shift=0,sleep=off`, so that a
nanosecond of the guest is an instruction and a loaded host changes nothing. The figure of a row is the
median of kbench's repetitions. (Its least one would flatter us: the first pages that are touched after
boot are cheaper than pages that were freed before.)

What is said of a row is true or nothing: a row that cannot run is named with the reason that the
program gave, a configuration that does not build is named with what make said, and neither is in a mean.
NOT_MEANT rows are shown, but in no mean either.

  bench.py            the table; build/bench.json
  bench.py --short    SHORT rows of CONFIG=debug against accepted.json; exit status 1 if one grew
  bench.py --accept   makes what is measured now the accepted
"""
import json
import math
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/harness"))

import qemu  # noqa: E402
from options import end_on_signals, say  # noqa: E402

HERE = os.path.join(ROOT, "tests/bench")
CONFIGS = ("bare", "lean", "debug")
BASE = {"aarch64": "debian", "x86_64": "minimal"}  # the Linux that `ratio` is of
# No kernel in it; idle time (Linux's timer slack of 50 us, the disk's), not instructions.
NOT_MEANT = ("user_xorshift", "sleep200us_over", "seq_read_cold64k")
SHORT = ("null_getpid", "read1_devzero", "poll10", "pipe_pingpong", "fork_exec_wait", "fault_cow")
GROWTH = 0.05  # more than this fails
ROW_LIMIT = 120.0  # seconds; a row takes 0.2 on a quiet machine

LINE = re.compile(r"^(\w+) ([\d.]+)  med ([\d.]+) max ([\d.]+) reps \d+ n \d+\r?$", re.M)
SKIP = re.compile(r"^(\w+) SKIP (\S+)\r?$", re.M)


def names():
    """All rows, in kbench's order."""
    with open(os.path.join(ROOT, "user/bench/kbench.c"), encoding="utf-8") as f:
        return re.findall(r'^\t\{ "(\w+)",', f.read(), re.M)


def linux():
    with open(os.path.join(HERE, "linux.json"), encoding="utf-8") as f:
        return json.load(f)


class Stopped(Exception):
    """The user wants no more."""


class Run:
    """kbench on one kernel: `insns` by row, and `reason` of those that did not run."""

    def __init__(self, arch, config, wanted):
        self.arch, self.config, self.wanted = arch, config, list(wanted)
        self.insns, self.reason = {}, {}
        self.now = ""  # the row in work, for who shows progress

    def read(self, console):
        self.insns.update({m[1]: float(m[3]) for m in LINE.finditer(console) if m[1] in self.wanted})
        self.reason.update({m[1]: m[2].replace("_", " ") for m in SKIP.finditer(console)
                            if m[1] in self.wanted})

    def left(self):
        return [n for n in self.wanted if n not in self.insns and n not in self.reason]

    def boot(self, stop, row_limit):
        """Runs what is left in one guest, up to its end or to a row that does not end."""
        rows = self.left()
        args = "-t -r 3 -d /tmp -x /bin/kbench" + ("" if rows == names() else " " + " ".join(rows))
        disk = os.path.join(ROOT, f"build/user/{self.arch}/bench.img")
        with qemu.Guest(self.arch, config=self.config, cpus=1, mem="1G", gdb=False, icount=True, disk=disk,
                        append=f"exit=poweroff init=/bin/kbench -- {args}",
                        time_limit=row_limit * (len(rows) + 1)) as guest:
            last = time.monotonic()
            while True:
                over = guest.poll() is not None
                console = guest.console()
                before = len(self.left())
                self.read(console)
                left = self.left()
                if over or not left:
                    break
                self.now = left[0]
                if stop.is_set():
                    raise Stopped
                if len(left) < before:
                    last = time.monotonic()
                if time.monotonic() - last > row_limit:
                    self.reason[left[0]] = f"did not end within {row_limit:.0f} s"
                    return
                time.sleep(0.05)
        if left:
            trouble = re.search(r"^.*?((?:PANIC|BUG|HUNG): .*?)\r?$", console, re.M)
            self.reason[left[0]] = trouble[1] if trouble else "the guest ended in it"

    def go(self, stop, row_limit=ROW_LIMIT):
        while self.left():
            self.boot(stop, row_limit)
        return self


def build(arch, config):
    """None, or why there is no such kernel, in make's words."""
    make = [os.environ.get("MAKE", "make"), "--no-print-directory", f"ARCH={arch}", f"CONFIG={config}", "kernel",
            f"build/user/{arch}/bench.img"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in ("ARCH", "CONFIG")}
    r = subprocess.run(make, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       check=False)
    if r.returncode == 0:
        return None
    words = [line for line in r.stderr.splitlines() if line.strip()] or [f"make ended with {r.returncode}"]
    return re.sub(r"^\w*[Mm]akefile:\d+: \*\*\* |\.  Stop\.$", "", words[0])


def shown(number):
    return f"{number:.1f}" if number < 100 else f"{number:.0f}"


def mean(ratios):
    """Geometric; None of nothing."""
    ratios = list(ratios)
    return round(math.exp(sum(map(math.log, ratios)) / len(ratios)), 3) if ratios else None


def versus(over, under):
    """Mean of over / under, by row, over the rows that both have."""
    return mean(over[n] / under[n] for n in over if n in under and n not in NOT_MEANT and under[n] and over[n])


def report(runs, missing, wanted, baseline):
    """(lines of the table, what goes to bench.json). runs: {(arch, config): Run}; missing: {(arch,
    config): reason}."""
    lines, rows, means = [], [], {}
    for arch in qemu.ARCHES:
        configs = [c for c in CONFIGS if (arch, c) in runs]
        if not configs:
            continue
        others = baseline[arch]
        insns = {c: runs[arch, c].insns for c in configs}
        columns = [c for c in CONFIGS if c in configs or (arch, c) in missing]
        debug, bare = insns.get("debug", {}), insns.get("bare", {})
        lines += ["", f"{arch}, instructions an operation; Linux is {BASE[arch]} 6.1"]
        head = [*(name.replace("prove_locking", "proving") for name in others), *columns, "debug/Linux", "debug/bare"]
        lines.append(f"  {'row':<20}" + "".join(f"{h:>12}" for h in head))
        for n in wanted:
            row = [shown(others[o][n]) for o in others]
            row += [shown(insns[c][n]) if n in insns.get(c, {}) else "-" for c in columns]
            row += [f"{debug[n] / below[n]:.2f}" if debug.get(n) and below.get(n) else "-"
                    for below in (others[BASE[arch]], bare)]
            why = sorted({runs[arch, c].reason[n] for c in configs if n in runs[arch, c].reason})
            note = "  " + "; ".join(why) if why else "  (in no mean)" if n in NOT_MEANT else ""
            lines.append(f"  {n:<20}" + "".join(f"{v:>12}" for v in row) + note)
            for c in configs:
                ran = insns[c].get(n)
                rows.append({"arch": arch, "config": c, "name": n, "insns": ran, "linux": others[BASE[arch]][n],
                             "ratio": round(ran / others[BASE[arch]][n], 3) if ran is not None else None}
                            | ({"reason": runs[arch, c].reason[n]} if ran is None else {}))
        means[arch] = {"debug_vs_linux": versus(debug, others[BASE[arch]]), "debug_vs_bare": versus(debug, bare),
                       "lean_vs_bare": versus(insns.get("lean", {}), bare)}
        if "prove_locking" in others:
            means[arch]["debug_vs_prove_locking"] = versus(debug, others["prove_locking"])
        ran = max((len([n for n in insns[c] if n not in NOT_MEANT]) for c in configs), default=0)
        said = ", ".join(f"{k.replace('_vs_', ' / ')} {v if v is not None else 'unknown'}" for k, v in means[arch].items())
        lines.append(f"  geometric mean of {ran} rows: {said}")
        lines.append(f"  {len([n for n in wanted if n in insns[configs[-1]]])} of {len(wanted)} rows run")
    for (arch, config), why in missing.items():
        lines.append(f"NOT MEASURED: {arch} {config}: {why}")
    return lines, {"rows": rows, "geomean": means, "complete": wanted == names() and not missing,
                   "missing": [{"arch": a, "config": c, "reason": why} for (a, c), why in missing.items()]}


def tell(line):
    """On stderr: the table alone is on stdout."""
    print(line, file=sys.stderr, flush=True)


def measure(pairs, wanted):
    """Builds one after the other and runs as many at a time as the host has CPUs: (runs, missing)."""
    runs, missing, failures, stop = {}, {}, [], threading.Event()
    todo = []
    for arch, config in pairs:
        tell(f"building {arch} {config}")
        why = build(arch, config)
        if why:
            missing[arch, config] = why
        else:
            todo.append(Run(arch, config, wanted))

    def work():
        # A guest dies with the thread that started it, so a thread sees its guests to their end.
        while todo and not stop.is_set():
            run = todo.pop(0)
            start = time.monotonic()
            try:
                runs[run.arch, run.config] = run.go(stop)
                tell(f"{run.arch} {run.config}: {len(run.insns)} of {len(wanted)} rows ran,"
                     f" {time.monotonic() - start:.0f} s")
            except Stopped:
                pass
            except Exception as e:  # pylint: disable=broad-except  # told by the main thread
                failures.append(f"{run.arch} {run.config}: {e}")
                stop.set()

    active = list(todo)
    qemu.Slot.take()
    threads = [threading.Thread(target=work) for _ in range(min(len(todo), os.cpu_count() or 1))]
    try:
        for t in threads:
            t.start()
        told = time.monotonic()
        while any(t.is_alive() for t in threads):
            time.sleep(0.1)
            if time.monotonic() - told > 5:
                told = time.monotonic()
                tell("  " + ", ".join(f"{r.arch} {r.config}: {len(wanted) - len(r.left())}/{len(wanted)} {r.now}"
                                      for r in active if r.now and r.left()))
    finally:
        stop.set()
        for t in threads:
            t.join()
        qemu.Slot.release()
    if failures:
        raise qemu.GuestError("\n".join(failures))
    return runs, missing


def accepted_path():
    return os.path.join(HERE, "accepted.json")


def compare(accepted, insns):
    """(lines, did a row grow too much?)"""
    lines, grew, shrank = [], False, False
    for n in SHORT:
        was, now = accepted.get(n), insns.get(n)
        if now is None:
            lines.append(f"  {n:<20} did not run")
            grew = True
            continue
        change = now / was - 1 if was else 0.0
        word = "GREW" if change > GROWTH else "shrank" if change < -GROWTH else "" if was else "is new"
        grew, shrank = grew or change > GROWTH, shrank or word in ("shrank", "is new")
        lines.append(f"  {n:<20} {shown(was or now):>10} {shown(now):>10} {100 * change:+7.1f} %  {word}".rstrip())
    if grew:
        lines.append(f"  a row grew by more than {100 * GROWTH:.0f} %: mend it, or say why in the commit that runs"
                     " `make bench-accept`")
    elif shrank:
        lines.append("  cheaper than what is accepted, or new: `make bench-accept` keeps it so")
    return lines, grew


def short(arches, accept):
    """The short form, or what it is compared with made new."""
    runs, missing = measure([(a, "debug") for a in arches], SHORT)
    if missing:
        raise qemu.GuestError("\n".join(missing.values()))
    with open(accepted_path(), encoding="utf-8") as f:
        accepted = json.load(f)
    bad = False
    for arch in arches:
        lines, grew = compare(accepted.get(arch, {}), runs[arch, "debug"].insns)
        say(f"{arch}: instructions an operation, accepted and now\n" + "\n".join(lines))
        bad = bad or grew
        accepted[arch] = {n: runs[arch, "debug"].insns[n] for n in SHORT if n in runs[arch, "debug"].insns}
    if accept:
        with open(accepted_path(), "w", encoding="utf-8") as f:
            f.write(json.dumps(accepted, indent=1) + "\n")
        return 0
    return 1 if bad else 0


def main(argv):
    given = dict(a.split("=", 1) for a in argv if "=" in a)
    flags = [a for a in argv if "=" not in a]
    if set(flags) - {"--short", "--accept"} or set(given) - {"ROWS", "ARCH", "CONFIG"}:
        print(__doc__)
        return 0 if flags in (["--help"], ["-h"]) else 2
    arches = [given["ARCH"]] if given.get("ARCH") else list(qemu.ARCHES)
    if flags:
        return short(arches, "--accept" in flags)
    words = given.get("ROWS", "").split()
    wanted = [n for n in names() if not words or any(w in n for w in words)]
    if not wanted:
        raise SystemExit(f"ROWS={given['ROWS']}: no row has that in its name; the rows are {' '.join(names())}")
    configs = [given["CONFIG"]] if given.get("CONFIG") else CONFIGS
    runs, missing = measure([(a, c) for a in arches for c in configs], wanted)
    lines, result = report(runs, missing, wanted, linux())
    say("\n".join(lines).lstrip("\n"))
    with open(os.path.join(ROOT, "build/bench.json"), "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1)
    say("build/bench.json" + ("" if result["complete"] else " (not complete)"))
    return 0 if runs else 1


if __name__ == "__main__":
    end_on_signals()
    os.chdir(ROOT)
    try:
        sys.exit(main(sys.argv[1:]))
    except qemu.GuestError as e:
        print(f"bench: {e}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
