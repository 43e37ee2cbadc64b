"""conftest.py - what the tests that boot share: which architectures, and running guests.

Guests that nobody changes are booted once a module and shared (`healthy`, `hung`); a test that
changes its guest boots its own. --arch limits the architectures, --quick runs only what is marked
`quick`.
"""
import os
import re
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "harness"), os.path.join(HERE, "perfetto")]

import qemu  # noqa: E402

BOOT = 90.0  # seconds to the prompt on a loaded machine
SMALL = "ring=1M"  # enough for a hang; GDB's stub reads some 5 MB a second


def pytest_addoption(parser):
    parser.addoption("--arch", action="append", default=[], help="only this architecture")
    parser.addoption("--quick", action="store_true", help="only tests marked quick")


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: part of `make test-quick`")
    config.addinivalue_line("markers", "noarch: boots nothing")


def pytest_collection_modifyitems(config, items):
    arches = config.getoption("--arch")
    keep, drop = [], []
    for item in items:
        arch = item.callspec.params.get("arch") if hasattr(item, "callspec") else None
        wrong_arch = arches and arch and arch not in arches
        elsewhere = arches and arch is None and qemu.ARCHES[0] not in arches  # run once in two halves
        slow = config.getoption("--quick") and not item.get_closest_marker("quick")
        (drop if wrong_arch or elsewhere or slow else keep).append(item)
    config.hook.pytest_deselected(items=drop)
    items[:] = keep


@pytest.fixture(scope="module", params=qemu.ARCHES)
def arch(request):
    return request.param


@pytest.fixture(scope="module", params=[1, 4], ids=["1cpu", "4cpus"])
def cpus(request):
    return request.param


@pytest.fixture(scope="module", params=["on", "off"], ids=["checks", "nochecks"])
def checks(request):
    return request.param


@pytest.fixture(scope="module")
def healthy(arch, cpus):
    """A guest at its prompt; only to be looked at."""
    with qemu.Guest(arch, cpus=cpus) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        yield guest


LOOKS = {}  # what hung: how many looks until the first verdict


def first_verdict(guest, what, right, limit=60.0):
    """Looks until `why` has a verdict, and judges that one: right(words) must hold. `healthy` says that the
    hang is not there yet; anything else that is not the right verdict is a wrong one, and wrong is wrong
    though a later look would be right. Returns the words."""
    end = time.monotonic() + limit
    looks = 0
    while True:
        looks += 1
        booted = "boot: Hindsight" in guest.console()  # until the kernel has its clock there is nothing to see
        code, words = guest.why()
        if code == 1:
            break
        assert code == 0 or not booted, words
        if guest.poll() is not None or time.monotonic() > end:
            guest.wait_for(f"a verdict in {looks} looks", 0)
        time.sleep(0.25)
    LOOKS[what] = looks
    assert right(words), f"the first verdict, at look {looks}:\n{words}\n{guest.console()[-2000:]}"
    return words


def pytest_terminal_summary(terminalreporter):
    if LOOKS:
        terminalreporter.write_line("verdicts at the first look: " + ", ".join(
            f"{what} {n}" for what, n in sorted(LOOKS.items())))


class Hang:
    """A guest in the exec-deadlock: `seconds` from start to the first `why` that said so."""

    def __init__(self, guest, limit=BOOT):
        self.guest = guest
        self.words = first_verdict(guest, f"exec-deadlock/{guest.cpus}", self.right, limit)
        self.seconds = time.monotonic() - guest.started
        # What is under `Waiting` grows until all three programs have run into it.
        end = time.monotonic() + 10
        while True:
            before = time.monotonic()
            self.words = guest.why()[1]
            self.look_seconds = time.monotonic() - before
            assert self.right(self.words), self.words
            if all(f"{name} (pid" in self.words for name in ("sh", "ls", "cat")):
                break
            assert time.monotonic() < end, self.words
            time.sleep(0.25)

    @staticmethod
    def right(words):
        return re.match(r"HUNG: \d tasks? can never run again\.", words) and \
            "lock ext2.root is held by init (pid 1), which has left the kernel" in words


@pytest.fixture(scope="module")
def hung(arch, cpus, checks):
    """The exec-deadlock, hung."""
    options = qemu.kernel_options(bug="exec-deadlock", checks=checks, append=SMALL)
    with qemu.Guest(arch, cpus=cpus, append=options, mem="256M") as guest:
        yield Hang(guest)


@pytest.fixture(scope="module")
def hung4(arch):
    """The exec-deadlock with 4 CPUs and checks on; what tests of tools look at."""
    options = qemu.kernel_options(bug="exec-deadlock", append=SMALL)
    with qemu.Guest(arch, cpus=4, append=options, mem="256M") as guest:
        yield Hang(guest)


@pytest.fixture(scope="module")
def hung_core(hung4, tmp_path_factory):
    """Its core, as QEMU wrote it plus the kernel's addresses."""
    path = tmp_path_factory.mktemp("core") / "core"
    hung4.guest.dump_core(str(path))
    yield str(path)
    os.unlink(path)
