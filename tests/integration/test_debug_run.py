"""`make run` and `make debug-run`: without a terminal, on one, and when they are cut off."""
import fcntl
import glob
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

import qemu

HARNESS = os.path.join(qemu.ROOT, "tests/harness")


def script(name, *args, timeout=150):
    r = subprocess.run([sys.executable, os.path.join(HARNESS, name), *args], cwd=qemu.ROOT,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=timeout, check=False)
    return r.returncode, r.stdout


@pytest.mark.quick
def test_debug_run_explains_the_hang(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=exec-deadlock", "CPUS=4", "CHECKS=on")
    assert code == 0, out
    assert re.search(r"hang seen after [\d.]+ s", out), out
    assert re.search(r"^HUNG: [34] tasks can never run again\.$", out, re.M), out
    assert "load_init" in out and "enter_user" in out, out
    trace = re.search(r"Timeline: (\S+\.pftrace)", out)
    assert trace and os.path.getsize(os.path.join(qemu.ROOT, trace[1])) > 1000, out
    assert "ui.perfetto.dev" in out, out


def test_debug_run_without_a_bug(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=", "CPUS=2")
    assert code == 0, out
    assert re.search(r"prompt seen after [\d.]+ s", out) and "healthy:" in out, out


def test_debug_run_says_when_the_boot_fails(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=", "APPEND=init=/no/such/program")
    assert code == 2, out
    assert "/no/such/program" in out, out


def test_run_powers_off(arch):
    code, out = script("run.py", f"ARCH={arch}", "BUG=", "CPUS=4")
    assert code == 0, out
    assert "healthy:" in out and "powered off" in out, out


def test_debug_run_explains_a_crash(arch):
    """The panic ends QEMU; its RAM file is still asked, and a planted crash is a success."""
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=null-pointer", "CPUS=2")
    assert code == 0, out
    assert re.search(r"crash seen after [\d.]+ s", out), out
    assert re.search(r"^CRASHED: null pointer", out, re.M) and "write_null kernel/debug/bugs.c" in out, out
    trace = re.search(r"Timeline: (\S+\.pftrace)", out)
    assert trace and os.path.getsize(os.path.join(qemu.ROOT, trace[1])) > 1000, out


def test_debug_run_says_when_the_bug_does_not_show(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=abba-spin", "CPUS=1")
    assert code == 1, out
    assert "bug abba-spin did not show: abba-spin needs two CPUs" in out, out
    assert "healthy:" in out, out


def test_unknown_bug_is_said_with_the_known(arch):
    code, out = script("debug_run.py", f"ARCH={arch}", "BUG=nonsense", "CPUS=1")
    assert code == 2, out
    assert "BUG=nonsense is not known; use one of: exec-deadlock, " in out, out


def left_over(pid):
    """What a run by process `pid` has left: directories and processes that name them."""
    dirs = [d for base in ("/dev/shm", "/tmp") for d in glob.glob(f"{base}/hindsight-{pid}-*")]
    found = list(dirs)
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                if f"/hindsight-{pid}-".encode() in f.read():
                    found.append(path)
        except OSError:
            pass  # it ended just now
    return found


def nothing_left_over(pid):
    for _ in range(50):
        if not left_over(pid):
            return
        time.sleep(0.1)
    raise AssertionError(left_over(pid))


@pytest.mark.parametrize("number,status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129),
                                           (signal.SIGINT, 130)])
def test_debug_run_cut_off_leaves_nothing(arch, number, status):
    cmd = [sys.executable, os.path.join(HARNESS, "debug_run.py"), f"ARCH={arch}", "BUG=dead-tick"]
    # Below nohup, or in the background of a script, these would be ignored from the start.
    p = subprocess.Popen(cmd, cwd=qemu.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    while "prompt after" not in (line := p.stdout.readline()):
        assert line, "it ended before the prompt"
    p.send_signal(number)
    p.stdout.close()
    assert p.wait(30) == status
    nothing_left_over(p.pid)


def test_a_closed_pipe_is_no_traceback():
    cmd = [sys.executable, os.path.join(HARNESS, "debug_run.py"), "ARCH=aarch64", "BUG=self-spin"]
    p = subprocess.Popen(cmd, cwd=qemu.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    p.stdout.readline()
    p.stdout.close()
    assert "Traceback" not in p.stderr.read()
    p.stderr.close()
    assert p.wait(60) == 128 + signal.SIGPIPE
    nothing_left_over(p.pid)


class Terminal:
    """A script of the harness on a terminal of its own."""

    def __init__(self, name, *args, term="xterm", size=(200, 50)):
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(qemu.ROOT)
            os.environ["TERM"] = term
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.execv(sys.executable, [sys.executable, os.path.join(HARNESS, name), *args])
        self.pid, self.fd, self.text, self.status = pid, fd, "", None

    def wait_for(self, text, timeout=60):
        """Until `text` (a pattern) is on the screen; what was drawn before it does not count again."""
        end = time.monotonic() + timeout
        while not (m := re.search(text, self.text)):
            left = end - time.monotonic()
            assert left > 0, f"no {text!r}:\n{self.text[-3000:]}"
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:  # the other side has closed
                    assert re.search(text, self.text), f"no {text!r} at its end:\n{self.text[-3000:]}"
        self.text = self.text[m.end():]
        return m

    def type(self, text):
        os.write(self.fd, text.encode())

    def hangs(self, timeout=30):
        """Asks GDB until it says so: the guest may not have got there yet."""
        end = time.monotonic() + timeout
        while True:
            self.type("hs why\n")
            said = self.wait_for(r"(healthy: \d|tracedump: .*|Fix hint: )")[1]
            if said == "Fix hint: ":
                return
            # An error is no answer to wait out; that the kernel has no clock yet is none.
            assert said.startswith("healthy") or "has not set its clock up yet" in said, said
            assert time.monotonic() < end, self.text[-3000:]

    def end(self, timeout=30):
        """Its exit status; reads on, so that it can end."""
        limit = time.monotonic() + timeout
        while time.monotonic() < limit:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGTERM)
        raise AssertionError(f"it did not end:\n{self.text[-3000:]}")


class Tmux(Terminal):
    """debug_run.py with its panes. tmux draws a screen in pieces and out of order, so it is asked
    for the text of GDB's pane, and types into it."""

    def tmux(self, *args):
        return subprocess.run(["tmux", "-L", f"hindsight-{self.pid}", *args], text=True, check=False,
                              capture_output=True).stdout

    def wait_for(self, text, timeout=60):
        end = time.monotonic() + timeout
        while not (m := re.search(text, pane := self.tmux("capture-pane", "-pJ", "-t", ":0.0"))):
            assert time.monotonic() < end, f"no {text!r}:\n{pane}\n{self.text[-2000:]}"
            if select.select([self.fd], [], [], 0.1)[0]:
                self.text += os.read(self.fd, 65536).decode("utf-8", "replace")
        return m

    def type(self, text):
        self.tmux("send-keys", "-t", ":0.0", "C-l")
        self.tmux("send-keys", "-t", ":0.0", "-l", text)


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux")
@pytest.mark.parametrize("size", [(200, 50), (80, 24)], ids=["wide", "narrow"])
def test_debug_run_on_a_terminal(arch, size):
    t = Tmux("debug_run.py", f"ARCH={arch}", "BUG=exec-deadlock", size=size)
    t.wait_for(r"(?s)The guest runs.*\(gdb\)\s*$")  # what is typed before is lost
    t.hangs()
    widths = [int(w) for w in t.tmux("list-panes", "-F", "#{pane_width}").split()]
    assert widths == [size[0]] * 2 if size[0] < 160 else sum(widths) == size[0] - 1, widths
    t.type("interrupt\n")
    t.wait_for(r"SIGINT")
    t.type("hs bt 1\n")
    t.wait_for(r"init \(tid 1\): ")
    t.type("quit\n")
    assert t.end() == 0
    nothing_left_over(t.pid)


def test_debug_run_where_tmux_cannot(arch):
    t = Terminal("debug_run.py", f"ARCH={arch}", "BUG=self-spin", term="dumb")
    console = t.wait_for(r"console: tail -f (\S+)")[1]
    t.wait_for(r"(?s)The guest runs.*\(gdb\) ")  # what is typed before is lost
    assert os.path.exists(console)
    t.hangs()
    t.type("quit\n")
    assert t.end() == 0
    nothing_left_over(t.pid)


def test_run_on_a_terminal(arch):
    t = Terminal("run.py", f"ARCH={arch}", "CPUS=2")
    t.wait_for(re.escape(qemu.PROMPT))
    t.type("echo one two | wc -w\n")
    t.wait_for(r"\n\s*2\s")
    t.type("\x01x")
    assert t.end() == 0, t.text
    nothing_left_over(t.pid)


def test_run_ends_with_its_terminal(arch):
    t = Terminal("run.py", f"ARCH={arch}", "CPUS=1")
    t.wait_for(re.escape(qemu.PROMPT))
    os.close(t.fd)
    os.waitpid(t.pid, 0)
    nothing_left_over(t.pid)
