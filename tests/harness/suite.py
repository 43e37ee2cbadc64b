"""suite.py full|quick|unit|integration|long - runs the parts of the test suite and adds them up.

Each part is a command of its own; its tests are counted from what it prints (cmocka, "N passed, N
failed") or from pytest's report. A part that fails without a failed test counts as one failure.
The two architectures' boots run side by side; qemu.py keeps them to one for each host CPU.
Ends with one line `N passed, N failed`, with `, N skipped` behind it if some were, and is true in its
exit status.
"""
import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOGS = os.path.join(ROOT, "build/test")
ARCHES = ("aarch64", "x86_64")
MAKE = os.environ.get("MAKE", "make")

PASSED = (re.compile(r"^\[  PASSED  \] (\d+) test", re.M), re.compile(r": passed (\d+) test", re.M))
FAILED = (re.compile(r"^\[  FAILED  \] (\d+) test", re.M),)
TOTAL = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def count_text(text):
    """(passed, failed, skipped) of what a part printed."""
    passed = sum(int(n) for r in PASSED for n in r.findall(text))
    failed = sum(int(n) for r in FAILED for n in r.findall(text))
    skipped = 0
    for p, f, s in TOTAL.findall(text):
        passed, failed, skipped = passed + int(p), failed + int(f), skipped + int(s or 0)
    return passed, failed, skipped


def total_line(passed, failed, skipped):
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def count_junit(path):
    """(passed, failed, skipped) of a pytest report."""
    p = f = s = 0
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        n, bad = int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors"))
        skipped = int(suite.get("skipped"))
        p, f, s = p + n - bad - skipped, f + bad, s + skipped
    return p, f, s


class Part:
    def __init__(self, name, command, junit=None):
        self.name, self.command, self.junit = name, command, junit
        self.passed = self.failed = self.skipped = 0
        self.seconds = 0.0
        self.looks = ""
        self.log = os.path.join(LOGS, name.replace(" ", "-") + ".log")

    def run(self):
        start = time.monotonic()
        if self.junit and os.path.exists(self.junit):
            os.unlink(self.junit)
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "BUG")}
        with open(self.log, "wb") as log:
            status = subprocess.call(self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log,
                                     stderr=subprocess.STDOUT, env=env)
        if self.junit and os.path.exists(self.junit):
            self.passed, self.failed, self.skipped = count_junit(self.junit)
            with open(self.log, encoding="utf-8", errors="replace") as f:
                found = re.search(r"^verdicts at the first look: (.*)$", f.read(), re.M)
            self.looks = found[1] if found else ""
        elif not self.junit:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                self.passed, self.failed, self.skipped = count_text(f.read())
        if status != 0 and self.failed == 0:
            self.failed = 1
        self.seconds = time.monotonic() - start
        self.show()
        return self

    def show(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"  {self.name:<22} {self.passed:4} passed {self.failed:4} failed{skipped}"
              f"   {self.seconds:6.1f} s", flush=True)
        if self.looks:
            print(f"    verdicts at the first look: {self.looks}", flush=True)
        if self.failed:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                lines = f.read().rstrip().splitlines()
            for line in lines[-60:]:
                print("    | " + line)
            print(f"    all of it: {os.path.relpath(self.log, ROOT)}", flush=True)


def make(name, *targets):
    return Part(name, [MAKE, "--no-print-directory", *targets])


def pytest_part(name, arch, *more):
    junit = os.path.join(LOGS, f"{name}.xml".replace(" ", "-"))
    return Part(name, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                       f"--junitxml={junit}", "--arch", arch, "tests/integration", "tests/gdb",
                       "tests/perfetto", *more], junit)


def unit_targets():
    """One part each, so that what a failing one printed last is what is shown."""
    return subprocess.run([MAKE, "-s", "list-unit-tests"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()


def together(parts):
    threads = []
    for p in parts:
        # A guest dies with the thread that started it; each pytest is a process, so this is safe.
        t = threading.Thread(target=p.run)
        t.start()
        threads.append(t)
    for t in threads:
        t.join()
    return parts


def long_parts(minutes, boots):
    """What `make test` has no time for. The stress of the two architectures runs side by side."""
    done = [make(f"{boots} boots {a}", "soak", f"ARCH={a}", f"N={boots}").run() for a in ARCHES]
    stress = os.path.join(ROOT, "tests/harness/stress.py")
    done += together([Part(f"stress {a}", [sys.executable, stress, f"ARCH={a}", f"MINUTES={minutes}"])
                      for a in ARCHES])
    done += [make(f"{t.removeprefix('test-')} longer", t, "SECONDS=60", "FUZZ=10000").run()
             for t in unit_targets()]
    done.append(make("mutants", "mutate").run())
    print("    what survived: build/mutate/report.txt", flush=True)  # a mutant that survives fails nothing
    return done


def main(argv):
    what = argv[1] if len(argv) > 1 else ""
    os.makedirs(LOGS, exist_ok=True)
    quick = ["--quick"] if what == "quick" else []
    done = []
    if what not in ("full", "quick", "unit", "integration", "long"):
        print("usage: suite.py full|quick|unit|integration|long", file=sys.stderr)
        return 2
    if what == "long":
        done += long_parts(os.environ["MINUTES"], os.environ["BOOTS"])
    if what in ("full", "quick", "integration"):
        done += [make(f"build {a}", f"ARCH={a}", "CONFIG=debug", "build").run() for a in ARCHES]
    if what == "full":
        done += [make(f"build {a} {c}", f"ARCH={a}", f"CONFIG={c}", "build").run()
                 for a in ARCHES for c in ("lean", "bare")]
    if what in ("full", "quick"):
        done.append(make("check", "check").run())
    if what in ("full", "quick", "unit"):
        done += [make(t.removeprefix("test-"), t, *(["SECONDS=1", "FUZZ=500"] if quick else [])).run()
                 for t in unit_targets()]
    if what == "full":
        done.append(make("programs on the host", "test-user-host").run())
    if what in ("full", "quick", "integration"):
        done += together([pytest_part(f"boots {a}", a, *quick) for a in ARCHES])
    passed, failed, skipped = (sum(getattr(p, what) for p in done) for what in ("passed", "failed", "skipped"))
    print(total_line(passed, failed, skipped), flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
