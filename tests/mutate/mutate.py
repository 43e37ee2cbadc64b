"""mutate.py [MUTATE="think mm"] [N=60] [SEED=1] [ARCH=aarch64] [AGAIN=1] - `make mutate`: do the tests notice?

Model. A mutant is the tree with one line changed (mutations.py). It is built and run against the tests
that cover its area, the cheap ones first; a test that fails kills it, one that all tests pass has
survived: a mistake that nobody would notice. N are drawn from all changes of the chosen areas with a seeded
generator, in equal shares, so the same tree and SEED give the same mutants.

It works on copies under build/mutate/, one for each host CPU, never on the checkout. Every step first runs
without a change: that must pass, and gives each step its time limit. A mutant whose object
code is the same as without the change, and one listed in equivalent.txt, is no mutant; nor is one that does
not compile. Verdicts are appended to build/mutate/results.jsonl as they come: a run that was cut off goes
on where it was, unless the sources or tests have changed. AGAIN=1 runs only those that survived when they
were last run: has the new test killed them?

The last lines are a percentage an area and the survivors as diffs; build/mutate/report.txt has the same.
"""
import hashlib
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests/harness")]

import mutations  # noqa: E402
import qemu  # noqa: E402
from options import end_on_signals, say  # noqa: E402

BASE = os.path.join(ROOT, "build/mutate")
RESULTS = os.path.join(BASE, "results.jsonl")
LEAST_LIMIT, LIMIT_FACTOR, BUILD_LIMIT = 40.0, 5.0, 300.0  # seconds; a step may take so many times its time

PYTEST = "/usr/bin/python3 -m pytest -q -x -p no:cacheprovider --arch {arch} tests/integration/"
KERNEL = "make ARCH={arch} kernel image tracedump"
KERNELS = ("make ARCH=aarch64 kernel image", "make ARCH=x86_64 kernel image")
KTEST = PYTEST + "test_boot.py -k 'test_kernel_tests and 4cpus'"
PROGRAMS = PYTEST + "test_boot.py -k 'test_linux_programs and 4cpus'"
# The other architecture has calls, tables and barriers that this one has not; one CPU has other orders.
OTHER = "make ARCH={other} kernel image && " + PYTEST.replace("{arch}", "{other}") + \
    "test_boot.py -k '(test_kernel_tests or test_linux_programs) and 1cpu'"
READER = "make ROUNDS=2000 test-unit-reader"


class Area:
    """sources: folders; builds, then tests, in order, all of them part of `make test`, none that fails at times
    on a busy machine (it would kill what it does not see); objects: where the compiled file lies; once: what is
    built only without a change, since no change of this area gets into it."""

    def __init__(self, folders, objects, builds, tests, once=()):
        self.folders, self.objects, self.builds, self.tests, self.once = folders, objects, builds, tests, [*once]


KOBJ = "build/{arch}-debug/obj/{path}.o"
ROBJ = "build/host/tracedump.d/{path}.o"
AREAS = {
    "think": Area(["tools/tracedump/think"], ROBJ, ["make tracedump"],
                  [READER, PYTEST.format(arch="aarch64") + "test_tracedump.py"], KERNELS),
    "timeline": Area(["tools/tracedump/timeline"], ROBJ, ["make tracedump"],
                     [READER, PYTEST.removesuffix("tests/integration/") + "tests/perfetto"], KERNELS),
    "mm": Area(["kernel/mm"], KOBJ, [KERNEL],
               ["make test-unit-mm", KTEST, PROGRAMS, OTHER,
                PYTEST + "test_memory_guards.py tests/integration/test_kernel_map.py", PYTEST + "test_hostile.py"]),
    "sched": Area(["kernel/sched"], KOBJ, [KERNEL], [KTEST, PROGRAMS, OTHER, PYTEST + "test_processes.py"]),
    "sync": Area(["kernel/sync"], KOBJ, [KERNEL],
                 ["make test-unit-sync", KTEST, PROGRAMS, OTHER, PYTEST + "test_lock_order.py"]),
    "syscall": Area(["kernel/syscall"], KOBJ, [KERNEL],
                    [PROGRAMS, KTEST, OTHER, PYTEST + "test_processes.py", PYTEST + "test_hostile.py"]),
}


class Stopped(Exception):
    """The user wants no more."""


def tracked(*under):
    r = subprocess.run(["git", "ls-files", "-z", "--", *under], cwd=ROOT, capture_output=True, text=True, check=True)
    return [p for p in r.stdout.split("\0") if p and os.path.isfile(os.path.join(ROOT, p))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def sources(area):
    return [p for p in tracked(*AREAS[area].folders) if p.endswith(".c") and not p.endswith("_ktest.c")]


def tree_hash():
    """Of all that decides a verdict."""
    h = hashlib.sha1()
    for path in tracked("kernel", "tracing", "tools", "user", "tests", "Makefile", "gdb-scripts"):
        with open(os.path.join(ROOT, path), "rb") as f:
            h.update(path.encode() + b"\0" + f.read())
    return h.hexdigest()[:12]


def equivalent():
    """Names of the changes that change nothing: `path ## old ## new ## why`, one a line."""
    out = set()
    for line in read("tests/mutate/equivalent.txt").splitlines():
        if line and not line.startswith("#"):
            path, old, new, why = (part.strip() for part in line.split(" ## "))
            assert why, line
            out.add((path, old, new))
    return out


def draw(areas, count, seed):
    """[(area, Mutation)]: equal shares, each area's the same whatever else is asked."""
    known = equivalent()
    out = []
    for k, area in enumerate(areas):
        share = count // len(areas) + (k < count % len(areas))
        every = [m for p in sources(area) for m in mutations.candidates(p, read(p))
                 if (m.path, m.old.strip(), m.new.strip()) not in known]
        random.Random(f"{seed} {area}").shuffle(every)
        out += [(area, m) for m in every[:share]]
    return out


def survivors(areas):
    """[(area, Mutation)] that survived when they were last run, on whatever tree, and can still be made."""
    last = {}
    if os.path.exists(RESULTS):
        with open(RESULTS, encoding="utf-8") as f:
            last = {r["name"]: r["verdict"] for r in map(json.loads, f)}
    known = equivalent()
    return [(a, m) for a in areas for p in sources(a) for m in mutations.candidates(p, read(p))
            if last.get(mutations.name(m)) == "survived" and (m.path, m.old.strip(), m.new.strip()) not in known]


class Baseline:
    """What has passed without a change: limits of its steps, kept for as long as the tree stays as it is."""

    def __init__(self, key):
        self.path, self.key, self.lock = os.path.join(BASE, "limits.json"), key, threading.Lock()
        self.limits, self.claimed = {}, set()
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as f:
                self.limits = json.load(f).get(key, {})
        self.claimed.update(self.limits)

    def claim(self, step):
        """Is it the caller's to run?"""
        with self.lock:
            mine = step not in self.claimed
            self.claimed.add(step)
            return mine

    def passed(self, step, seconds):
        with self.lock:
            self.limits[step] = max(LEAST_LIMIT, LIMIT_FACTOR * seconds)
            with open(self.path, "w", encoding="utf-8") as f:
                json.dump({self.key: self.limits}, f)

    def wait(self, stop):
        while not self.claimed <= set(self.limits):
            if stop.wait(0.1):
                raise Stopped


class Tree:
    """A copy of the checkout, built, with a way to run a command in it."""

    def __init__(self, number, arch, stop):
        self.dir, self.arch, self.stop = os.path.join(BASE, f"tree{number}"), arch, stop
        self.other, = {"aarch64", "x86_64"} - {arch}
        self.limits = {}

    def fill(self):
        """Brings the sources up to date; what has not changed keeps its time, so make builds little."""
        wanted = tracked()
        for path in wanted:
            source, copy = os.path.join(ROOT, path), os.path.join(self.dir, path)
            if not os.path.exists(copy) or open(source, "rb").read() != open(copy, "rb").read():
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                # A new tree keeps the times: what is linked from the checkout, and was made from them, is good.
                (shutil.copy if os.path.exists(copy) else shutil.copy2)(source, copy)
        for folder, _, names in os.walk(self.dir):
            if os.path.relpath(folder, self.dir).split("/")[0] in ("build", ".git"):
                continue
            for n in names:
                if os.path.relpath(os.path.join(folder, n), self.dir) not in set(wanted) and n.endswith((".c", ".h")):
                    os.unlink(os.path.join(folder, n))
        if not os.path.exists(os.path.join(self.dir, ".git")):  # the tests ask git for what is tracked
            self.run("git init -q . && git add -A", 60)
        os.makedirs(os.path.join(self.dir, "build"), exist_ok=True)
        for name in ("sysroot", ".setup", "perfetto"):
            here, there = os.path.join(ROOT, "build", name), os.path.join(self.dir, "build", name)
            if os.path.exists(here) and not os.path.lexists(there):
                os.symlink(here, there)

    def words(self, command):
        return command.format(arch=self.arch, other=self.other)

    def run(self, command, limit):
        """(did it pass?, the end of what it said). A command that takes longer has failed; the time until the
        machine has room for its guests does not count."""
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("MAKE") and k not in ("ARCH", "CONFIG", "CPUS", "MEM", "CHECKS", "BUG", "APPEND", "N")}
        if "pytest" not in command:
            return self.run_now(command, limit, env)
        slot = None
        while slot is None and not self.stop.is_set():
            try:
                slot = qemu.Slot.lock_one(1.0)
            except qemu.GuestError:
                pass
        if slot is None:
            raise Stopped
        try:
            return self.run_now(command, limit, env | {qemu.Slot.MARK: str(os.getpid())})
        finally:
            os.close(slot)

    def run_now(self, command, limit, env):
        log = os.path.join(self.dir, "build", "step.log") if os.path.isdir(os.path.join(self.dir, "build")) else os.devnull
        with open(log, "wb") as out:
            p = subprocess.Popen(self.words(command), shell=True, cwd=self.dir, env=env,
                                 stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
            end = time.monotonic() + limit
            try:
                while p.poll() is None and time.monotonic() < end and not self.stop.is_set():
                    time.sleep(0.05)
            finally:
                late = p.poll() is None
                if late:
                    os.killpg(p.pid, signal.SIGTERM)
                    try:
                        p.wait(5)
                    except subprocess.TimeoutExpired:
                        os.killpg(p.pid, signal.SIGKILL)
                        p.wait()
        if self.stop.is_set():
            raise Stopped
        if log == os.devnull:
            return p.returncode == 0, ""
        with open(log, encoding="utf-8", errors="replace") as f:
            text = f.read()[-3000:]
        return p.returncode == 0 and not late, f"no end within {limit:.0f} s\n{text}" if late else text

    def code(self, area, path):
        """Hash of a file's compiled code, without its debugging data."""
        obj = os.path.join(self.dir, AREAS[area].objects.format(arch=self.arch, path=path))
        bare = obj + ".bare"
        if not os.path.exists(obj) or subprocess.call(["llvm-objcopy-16", "--strip-debug", obj, bare]):
            return None
        with open(bare, "rb") as f:
            return hashlib.sha1(f.read()).hexdigest()

    def baseline(self, areas, shared):
        """Everything passes without a change, or there is nothing to measure; gives the time limits. Each tree
        is built; of the tests, which are the same in all, each runs in one of them."""
        for area in areas:
            for step in AREAS[area].once + AREAS[area].builds:
                self.must_pass(step)
        for step in dict.fromkeys(step for area in areas for step in AREAS[area].tests):
            if shared.claim(step):
                shared.passed(step, self.must_pass(step))
        shared.wait(self.stop)
        self.limits = shared.limits

    def must_pass(self, step):
        """Seconds that it took."""
        start = time.monotonic()
        ok, text = self.run(step, 1200)
        if not ok:
            raise SystemExit(f"without any change this fails: {self.words(step)}\n{text}")
        return time.monotonic() - start

    def judge(self, area, m):
        """(verdict, by what)"""
        path = os.path.join(self.dir, m.path)
        before = self.code(area, m.path)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        try:
            with open(path, "w", encoding="utf-8") as f:
                f.write(mutations.apply(text, m))
            for step in AREAS[area].builds:
                if not self.run(step, BUILD_LIMIT)[0]:
                    return "did not compile", ""
            if before and self.code(area, m.path) == before:
                return "same code", ""
            for step in AREAS[area].tests:
                ok, _ = self.run(step, self.limits[step])
                if not ok:
                    return "killed", self.words(step)
            return "survived", ""
        finally:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)


def earlier(tree):
    """Verdicts of runs on the same tree: {name: verdict}."""
    out = {}
    if os.path.exists(RESULTS):
        with open(RESULTS, encoding="utf-8") as f:
            for line in f:
                r = json.loads(line)
                if r["tree"] == tree:
                    out[r["name"]] = r["verdict"]
    return out


def report(drawn, verdicts):
    lines = [f"  {'area':<10}{'killed':>8}{'survived':>10}{'':>6}{'same code':>12}{'no compile':>12}{'not run':>9}"]
    counts = {}
    for area, m in drawn:
        counts.setdefault(area, []).append(verdicts.get(mutations.name(m), "not run"))
    everything = [v for c in counts.values() for v in c]
    for area, c in [*counts.items(), ("all", everything)]:
        killed, survived = c.count("killed"), c.count("survived")
        percent = f"{100 * killed / (killed + survived):.0f} %" if killed + survived else "-"
        lines.append(f"  {area:<10}{killed:>8}{survived:>10}{percent:>6}{c.count('same code'):>12}"
                     f"{c.count('did not compile'):>12}{c.count('not run'):>9}")
    alive = [m for _, m in drawn if verdicts.get(mutations.name(m)) == "survived"]
    return lines + [""] + [mutations.diff(m) for m in alive]


def work(tree, todo, areas, verdicts, shared, failures):
    try:
        tree.fill()
        tree.baseline(areas, shared)
        say(f"{os.path.relpath(tree.dir, ROOT)}: all tests pass without a change")
        while not tree.stop.is_set():
            area, m = todo.get_nowait()
            start = time.monotonic()
            verdict, by = tree.judge(area, m)
            verdicts[mutations.name(m)] = verdict
            with open(RESULTS, "a", encoding="utf-8") as f:
                f.write(json.dumps({"tree": shared.key, "name": mutations.name(m), "area": area, "verdict": verdict, "by": by,
                                    "path": m.path, "line": m.line, "old": m.old, "new": m.new}) + "\n")
            say(f"  {verdict:<16} {m.path}:{m.line} {m.kind}, {time.monotonic() - start:.0f} s, {todo.qsize()} to go")
    except (queue.Empty, Stopped):
        pass
    except BaseException as e:  # pylint: disable=broad-except  # told by the main thread
        failures.append(e)
        tree.stop.set()


def main(argv):
    given = dict(os.environ) | dict(a.split("=", 1) for a in argv if "=" in a)
    if any("=" not in a for a in argv):
        print(__doc__)
        return 0
    areas = (given.get("MUTATE") or " ".join(AREAS)).split()
    if unknown := [a for a in areas if a not in AREAS]:
        raise SystemExit(f"MUTATE={' '.join(unknown)}: the areas are {' '.join(AREAS)}")
    count, jobs = int(given.get("N") or 60), int(given.get("JOBS") or os.cpu_count() or 1)
    arch = given.get("ARCH") or "aarch64"
    os.makedirs(BASE, exist_ok=True)
    drawn = survivors(areas) if given.get("AGAIN") else draw(areas, count, given.get("SEED") or "1")
    key = tree_hash()
    verdicts = earlier(key)
    todo = queue.Queue()
    fresh = [(a, m) for a, m in drawn if mutations.name(m) not in verdicts]
    random.Random(0).shuffle(fresh)  # cut off early, the areas have had about equal shares
    for item in fresh:
        todo.put(item)
    say(f"{len(drawn)} mutants of {' '.join(areas)} on {arch}, {len(fresh)} to run")
    stop, failures, shared = threading.Event(), [], Baseline(key)
    threads = [threading.Thread(target=work, args=(Tree(i, arch, stop), todo, areas, verdicts, shared, failures))
               for i in range(min(jobs, len(fresh)))]
    try:
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("stopped; the same command goes on from here")
    finally:
        stop.set()
        for t in threads:
            t.join()
    if failures:
        print(f"mutate: {failures[0]}", file=sys.stderr)
        return 1
    lines = report(drawn, verdicts)
    with open(os.path.join(BASE, "report.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    say("\n".join(lines))
    return 0


if __name__ == "__main__":
    end_on_signals()
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
