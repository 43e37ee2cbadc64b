"""Hangs on demand (kernel/debug/bugs.c): each must be named by the host tool, checks on or off, and
by the guest itself when checks are on."""
import json
import re
import time

import pytest

import qemu
from conftest import SMALL, first_verdict

# What is said truly before the victim has come: the mistake has been made, nobody waits yet.
EARLY = "^BUG: nothing hangs yet"
# name: verdict in --json, what the words must hold, what the console must say with checks on (None:
# the guest itself does not notice, and says nothing)
BUGS = {
    "abba-mutex": ("cycle", ["demo.left", "demo.right", r"left_then_right\s+kernel/debug/bugs\.c:\d+",
                             r"right_then_left\s+kernel/debug/bugs\.c:\d+",
                             "2 tasks wait for each other", r"take demo\.\w+ and demo\.\w+ in one order"],
                   r"HUNG: deadlock: the wait for lock demo\.(left|right) closes a cycle"),
    "abba-spin": ("cycle", ["demo.table", "demo.list", "table-first", "list-first"],
                  r"HUNG: deadlock: the wait for lock demo\.(table|list) closes a cycle"),
    "self-spin": ("self", ["walker", "demo.table", r"walk_table\s+kernel/debug/bugs\.c:\d+",
                           r"update_table\s+kernel/debug/bugs\.c:\d+"],
                  r"HUNG: walker .* waits for lock demo\.table, which it holds itself"),
    "killed-while-holding": ("orphan", ["demo.left", "short-lived", "exited at", f"user-of-left|{EARLY}"],
                             r"BUG: short-lived .* exits while it holds lock demo\.left"),
    "leak-error-path": ("orphan", [r"lock demo\.left is held by leaker .*, but the function that took it has "
                                   r"returned", r"taken at +fill_left\s+kernel/debug/bugs\.c:\d+",
                                   r"Waiting: user-of-left .* in fill_left",
                                   r"fill_left\(\) must release demo\.left on every return path"], None),
    "sleep-in-atomic": ("owner-sleeping", ["demo.table", "sleeper", f"spinner|{EARLY}", "sleep_with_table"],
                        r"BUG: sleeper .* may sleep while it holds lock demo\.table"),
    "stop-while-holding": ("cycle", [r"stopper .* waits for a completion \(kthread\.exited\), which needs "
                                     r"user-of-left", r"user-of-left .* waits for mutex demo\.left, held by stopper",
                                     r"waits at stop_user|waits at kthread_stop"], None),
    "freed-while-held": ("corrupt-lock", [r"lock demo\.item was freed while borrower .* held it",
                                          r"taken at +borrow_item\s+kernel/debug/bugs\.c:\d+",
                                          r"freed at +free_item\s+kernel/debug/bugs\.c:\d+",
                                          r"Waiting: wanter .* in want_item"],
                         r"BUG: lock demo\.item is freed while it is held by borrower"),
    "freed-while-waited": ("corrupt-lock", [r"completion demo\.filled was freed while wanter .* waited for it",
                                            r"waits at +await_item\s+kernel/debug/bugs\.c:\d+",
                                            r"freed at +free_item\s+kernel/debug/bugs\.c:\d+"],
                           r"BUG: demo\.filled is freed while wanter .* waits for it"),
    "writer-starved": ("starved", [r"index-writer .* waits for lock demo\.index for [\d.]+ s, in which others "
                                   r"got and released it \d{4,} times", "index-reader",
                                   r"waits at +write_index"], None),
    "dead-tick": ("cpu-dead", ["cpu3", "deaf"], r"HUNG: CPU 3 has taken no timer interrupt"),
}


def matches(patterns):
    return lambda words: all(re.search(p, words) for p in patterns)


def trouble(console):
    return re.findall(r"^.*(?:HUNG|BUG:).*$", console, re.M)


@pytest.mark.parametrize("bug", BUGS)
def test_bug_is_named(arch, checks, bug):
    verdict, words_hold, console_says = BUGS[bug]
    options = qemu.kernel_options(bug=bug, checks=checks, append=SMALL)
    with qemu.Guest(arch, cpus=4, mem="256M", append=options, gdb=False) as guest:
        words = first_verdict(guest, f"{bug}/{checks}", matches(words_hold))
        assert len(words.splitlines()) <= 25, words
        code, text = guest.why("--json")
        assert code == 1 and json.loads(text)["verdicts"][0]["verdict"] == verdict, text
        if checks == "off" or console_says is None:
            assert not trouble(guest.console()), guest.console()
            return
        end = time.monotonic() + 30  # the guest's own look comes once a second
        while not trouble(console := guest.console()):
            assert time.monotonic() < end, console
            time.sleep(0.2)
        assert re.search(console_says, trouble(console)[0]), console  # its first word counts, too


@pytest.mark.parametrize("bug", ["abba-mutex", "abba-spin"])
def test_deadlock_is_told_once(arch, bug):
    """Every wait in a circle sees it, and the watchdog looks at all of them again: one finding."""
    with qemu.Guest(arch, cpus=4, mem="256M", append=qemu.kernel_options(bug=bug, checks="on", append=SMALL),
                    gdb=False) as guest:
        first_verdict(guest, f"{bug}/once", matches(BUGS[bug][1]))
        guest.wait_for("HUNG: deadlock", 30)
        time.sleep(5)  # waits of two seconds are looked at, once a second
        assert len(trouble(guest.console())) == 1, guest.console()


def test_use_of_a_destroyed_lock_is_told(arch, cpus):
    """The memory still shows it: with checks on. Off, nothing is left in the tables to tell."""
    for checks in ("on", "off"):
        options = qemu.kernel_options(bug="used-after-free", checks=checks, append=SMALL)
        with qemu.Guest(arch, cpus=cpus, mem="256M", append=options, gdb=False) as guest:
            guest.wait_for(qemu.PROMPT, 60)
            console = guest.console()
            code, words = guest.why()
            if checks == "off":
                assert code == 0 and not trouble(console), console + words
                continue
            assert re.search(r"BUG: late-user .* uses lock demo\.item at 0x\w+ after it was destroyed\.\n"
                             r" +at +use_item .*\n +destroyed at +use_item", console), console
            assert code == 1, words
            assert re.search(r"lock demo\.item was used by late-user .* after it was destroyed", words), words
            assert re.search(r"seen at +use_item\s+kernel/debug/bugs\.c:\d+", words), words


# What a disk and its driver can do to each other; the trouble comes in the middle of the boot.
DEVICE_BUGS = {
    "irq-not-enabled": ("missing-irq", [r"device vda has finished 1 request, but its interrupt never came",
                                        r"it has not interrupted once", r"Waiting: init \(pid 1\)"]),
    "lost-irq": ("missing-irq", [r"device vda has finished \d+ requests?, but its interrupt never came",
                                 r"its last interrupt was at t=[\d.]+ s, of \d+",
                                 r"Waiting: \w+ \(pid \d+\).*in blk_request\s+kernel/drivers/virtio_blk\.c:\d+"]),
    "lost-kick": ("no-waker", [r"device vda was never told of \d+ requests? in its queue",
                               r"blk_request\(\) sleeps without having notified the device"]),
    "lost-completion": ("lost-wakeup", [r"waits for device vda, which has no request left: the wake-up was lost"]),
}


@pytest.mark.parametrize("bug", DEVICE_BUGS)
def test_device_bug_is_named(arch, checks, bug, tmp_path):
    """Live and from a core, by the same words. Certain because both rings of the queue are in the
    box: a request that the device has not finished is never blamed (test_slow_is_healthy.py)."""
    verdict, words_hold = DEVICE_BUGS[bug]
    options = qemu.kernel_options(bug=bug, checks=checks, append=SMALL)
    with qemu.Guest(arch, cpus=4 if checks == "on" else 1, mem="256M", append=options, gdb=False) as guest:
        first_verdict(guest, f"{bug}/{checks}", matches(words_hold))
        end = time.monotonic() + 30
        while checks == "on" and verdict == "missing-irq" and not trouble(guest.console()):
            assert time.monotonic() < end, guest.console()
            time.sleep(0.2)
        console = guest.console()
        code, text = guest.why("--json")
        assert code == 1, text
        assert json.loads(text)["verdicts"][0]["verdict"] == verdict, text
        guest.qmp("stop")
        words = guest.why()[1]
        core = guest.dump_core(str(tmp_path / "core"), alias=False)
        assert qemu.tracedump("why", core, "--elf", guest.elf) == (1, words)
        for part in words_hold:
            assert re.search(part, words), words
        assert len(words.splitlines()) <= 25, words
        if checks == "on" and verdict == "missing-irq":
            assert "HUNG: device vda has finished a request, but its interrupt never came." in \
                trouble(console)[0]
        else:
            assert not trouble(guest.console()), guest.console()


CRASHES = {
    "null-pointer": (r"PANIC: .*null pointer.* in write_null", "write_null"),
    "stack-overflow": (r"PANIC: kernel stack overflow of digger.* in dig", "dig"),
}


@pytest.mark.parametrize("bug", CRASHES)
def test_crash_is_readable(arch, cpus, bug):
    """The report names the mistake, the thread and the way there; the machine ends with a failure
    status, and the black box still tells what happened."""
    says, function = CRASHES[bug]
    with qemu.Guest(arch, cpus=cpus, append=f"bug={bug}", gdb=False) as guest:
        guest.wait_exit(60)
        console = guest.console()
        assert re.search(says, console, re.I), console[-3000:]
        assert re.search(rf"#\d+ +{function}\+0x", console), console[-3000:]
        assert not guest.passed
        assert "PANIC inside" not in console, console[-3000:]
        code, words = guest.why()
        assert code == 1 and function in words, words


def test_unknown_bug_lists_the_known(arch):
    with qemu.Guest(arch, cpus=1, append="bug=no-such-bug", gdb=False) as guest:
        console = guest.wait_for(qemu.PROMPT, 90)
        assert "bug=no-such-bug is not known" in console and "abba-mutex" in console
        assert guest.why()[0] == 0


@pytest.mark.parametrize("how", ["crosspipe", "crosspipe alone"])
def test_processes_that_wait_for_each_other_by_pipes(arch, checks, how):
    """Who has the other end of a pipe open is in the box, so a knot of pipes is proved."""
    with qemu.Guest(arch, cpus=4 if checks == "on" else 1, mem="256M",
                    append=qemu.kernel_options(checks=checks, append=SMALL), gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, 60)
        guest.send(how + "\n")
        guest.wait_for("crosspipe waits", 30)
        time.sleep(2)  # a wait of less than a second proves nothing
        code, words = guest.why()
        assert code == 1, words
        if "alone" in how:
            assert re.search(r"crosspipe .* waits for a pipe \(pipe\.data\), whose other end only it has open "
                             r"itself", words), words
        else:
            assert len(re.findall(r"crosspipe \(pid \d+\) waits for a pipe \(pipe\.data\), whose other end is "
                                  r"open in crosspipe", words)) == 2, words
        assert re.search(r"Also stuck behind them: sh .* waits for a child", words), words


def test_processes_that_poll_for_each_other(arch, checks):
    """A poll of one pipe without a time limit is a wait for that pipe; the same poll with a limit never is a
    hang, and ends."""
    with qemu.Guest(arch, cpus=4 if checks == "on" else 1, mem="256M",
                    append=qemu.kernel_options(checks=checks, append=SMALL), gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, 60)
        guest.send("crosspoll 4\n")
        guest.wait_for("crosspoll waits", 30)
        end = time.monotonic() + 60
        polled = 0
        while "crosspoll went on" not in guest.console():
            code, words = guest.why()
            assert code == 0 and words.startswith("healthy:"), words
            polled += "2 for a file to be ready" in words
            assert time.monotonic() < end, guest.console()
            time.sleep(0.2)
        assert polled > 2, polled  # it was looked at while both were waiting

        guest.send("crosspoll\n")
        end = time.monotonic() + 30
        while guest.console().count("crosspoll waits") < 2:
            assert time.monotonic() < end, guest.console()
            time.sleep(0.05)
        words = first_verdict(guest, f"crosspoll/{checks}", lambda w: len(re.findall(
            r"crosspoll \(pid \d+\) waits for a file to be ready \(pipe\.data\), whose other end is open in "
            r"crosspoll", w)) == 2)
        assert re.search(r"Also stuck behind them: sh .* waits for a child", words), words
        code, text = guest.why("--json")
        assert code == 1 and json.loads(text)["verdicts"][0]["verdict"] == "cycle", text


def test_a_program_that_spins_in_a_call_that_is_not_there(arch, checks):
    """It is no hang: the words under `healthy` say who, in which call, how often. Who has asked once and
    computes is only busy."""
    with qemu.Guest(arch, cpus=4 if checks == "on" else 1, mem="256M",
                    append=qemu.kernel_options(checks=checks, append=SMALL), gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, 60)
        guest.shell("enosys-loop once &")
        guest.wait_for("enosys-loop begins", 30)
        end = time.monotonic() + 30
        while "busy: enosys-loop" not in (words := guest.why()[1]):
            assert time.monotonic() < end, words
            time.sleep(0.2)
        code, words = guest.why()
        assert code == 0 and "spins" not in words, words
        assert re.search(r"enosys-loop +.*1 x -ENOSYS, last add_key\(\)", qemu.tracedump("ps", guest.ram)[1])
        assert json.loads(guest.why("--json")[1])["asks_in_vain"] == []

        guest.shell("enosys-loop &")
        end = time.monotonic() + 30
        while not (said := re.findall(
                r"^ +enosys-loop \(pid (\d+)\) spins in system call (\d+) \(add_key\), which this kernel does "
                r"not have: -ENOSYS ([\d,]+) times, last [\d.]+ ms ago$", (words := guest.why()[1]), re.M)):
            assert time.monotonic() < end, words
            time.sleep(0.2)
        (pid, number, times), = said
        assert words.startswith("healthy:"), words
        code, text = guest.why("--json")
        spins, = json.loads(text)["asks_in_vain"]
        assert code == 0 and json.loads(text)["healthy"] and not json.loads(text)["verdicts"], text
        assert (spins["call"], spins["name"]) == (int(number), "add_key")
        assert spins["count"] >= int(times.replace(",", "")) > 100


def test_who_has_the_other_end_open(arch):
    """Over fork, dup2, close and exec: in a pipeline it is the program before, and nobody else."""
    with qemu.Guest(arch, cpus=1, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, 60)
        guest.send("busybox ash -c 'sleep 1000 | cat | wc'\n")
        end = time.monotonic() + 30
        ps = ""
        while ps.count("other end is open in") < 2 and time.monotonic() < end:
            time.sleep(0.2)
            ps = qemu.tracedump("ps", guest.ram)[1]
        open_in = dict(re.findall(r" (\w+) +in read\(\).* other end is open in (\w+) \(pid \d+\) in", ps))
        assert open_in == {"cat": "sleep", "wc": "cat"}, ps
        code, words = guest.why()
        assert code == 0, words
