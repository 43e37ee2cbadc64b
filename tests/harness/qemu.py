"""qemu.py - the one place that knows how QEMU is started and spoken to, for both architectures.

Model. A Guest is one QEMU process in one private run directory (in /dev/shm when it has room) that
holds the guest's RAM as a shared file, the QMP and GDB sockets and the console log. The console is
QEMU's own stdio: its stdin is our pipe, its stdout our log file, so nothing has to be drained and
a stuck reader cannot stall the guest. Reading the log, asking tracedump about the RAM file and
dumping a core never need the guest's help.

What holds: every Guest has a time limit; stop() ends only the process that this object started;
QEMU dies with the thread that started it (PR_SET_PDEATHSIG), so a killed test run leaves nothing;
at most `nproc` processes have guests at a time on a machine (slots are locked files).
"""
import ctypes
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHES = ("aarch64", "x86_64")
PROMPT = "hindsight# "
TRACEDUMP = os.path.join(ROOT, "build/host/tracedump")
HS_SCRIPT = os.path.join(ROOT, "gdb-scripts/hindsight.py")
POWER_OFF = "busybox poweroff -f\n"  # typed at the prompt
LEAST_MEM = 20 << 20  # one CPU and the smallest rings
PASS_STATUS = {"aarch64": 0, "x86_64": 33}  # semihosting exit 0; isa-debug-exit 0x10
FAIL_STATUS = {"aarch64": 1, "x86_64": 35}  # the same, by a kernel that stops itself: no reset, no signal

sys.path.insert(0, os.path.join(ROOT, "gdb-scripts"))
import core_alias  # noqa: E402  (lives with the GDB scripts, which must load without the harness)


class GuestError(Exception):
    """The guest did not do what was asked; the text says what and shows the console's end."""


def parse_size(text):
    """'512M' -> bytes."""
    m = re.fullmatch(r"([0-9]+)([MG])", str(text).upper())
    if not m:
        raise ValueError(f"MEM={text}: give a number with M or G, like 512M")
    size = int(m[1]) << {"M": 20, "G": 30}[m[2]]
    if size < LEAST_MEM:
        raise ValueError(f"MEM={text}: the kernel needs {LEAST_MEM >> 20}M")
    return size


def build_dir(arch, config="debug"):
    return os.path.join(ROOT, "build", f"{arch}-{config}")


SHM = "/dev/shm"


def run_base(size):
    """Directory for run directories: RAM if it has room for `size` bytes, else the temp disk. A
    guest whose RAM file finds no room dies of SIGBUS in mid-run, so it is not started."""
    places = [SHM, tempfile.gettempdir()]
    for place in places:
        try:
            st = os.statvfs(place)
        except OSError:
            continue
        if st.f_bavail * st.f_frsize > size + (64 << 20) and os.access(place, os.W_OK):
            return place
    raise GuestError(f"no room for {size >> 20} MiB of guest RAM in {' or '.join(places)}: "
                     "free some, name another directory with TMPDIR=, or give a smaller MEM=")


def make_run_dir(size):
    """A private run directory with room for `size` bytes of RAM. Sweeps away those of processes that
    were killed before they could."""
    base = run_base(size)
    for name in os.listdir(base):
        m = re.fullmatch(r"hindsight-(\d+)-\w+", name)
        if m and not os.path.exists(f"/proc/{m[1]}"):
            shutil.rmtree(os.path.join(base, name), ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"hindsight-{os.getpid()}-", dir=base)


def command_line(arch, run_dir, *, config="debug", cpus=4, mem="512M", append="", accel="tcg",
                 gdb=True, interactive=False, stopped=False, kernel=None, disk=None, icount=False):
    """The QEMU command line as a list. `interactive` puts the console on the terminal with QEMU's
    escape keys (Ctrl-A x quits). With `icount` one nanosecond of the guest's clock is one instruction,
    whatever the host does; the clock leaps over idle time."""
    out = build_dir(arch, config)
    size = parse_size(mem)
    disk = disk or os.path.join(out, "disk.img")
    qemu = os.environ.get(f"QEMU_{arch}") or f"qemu-system-{arch}"
    if arch == "aarch64":
        machine = ["-M", "virt,gic-version=3,memory-backend=ram", "-semihosting"]
        kernel = kernel or os.path.join(out, "kernel.img")
    else:
        machine = ["-M", "q35,memory-backend=ram",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=1"]
        kernel = kernel or os.path.join(out, "kernel.elf")
    con = "stdio,id=con,logfile=" + os.path.join(run_dir, "console.log")
    con += ",signal=off" + (",mux=on" if interactive else "")
    cmd = [qemu, *machine, "-cpu", "max", "-accel", accel, "-smp", str(cpus), "-m", f"{size >> 20}M",
           "-object", f"memory-backend-file,id=ram,size={size},share=on,"
                      f"mem-path={os.path.join(run_dir, 'ram')}",
           "-nodefaults", "-display", "none", "-no-reboot",
           "-chardev", con, "-serial", "chardev:con",
           "-qmp", f"unix:{os.path.join(run_dir, 'qmp')},server=on,wait=off",
           "-device", "vmcoreinfo",
           "-kernel", kernel, "-append", append]
    if icount:
        cmd += ["-icount", "shift=0,sleep=off"]
        if arch == "aarch64":  # by default the counter runs at 62.5 MHz: 16 instructions a tick
            cmd[cmd.index("-cpu") + 1] = "max,cntfrq=1000000000"
    if interactive:
        cmd += ["-mon", "chardev=con,mode=readline"]
    if os.path.exists(disk):
        cmd += ["-drive", f"if=none,id=hd,format=raw,snapshot=on,file={disk}",
                "-device", "virtio-blk-pci,drive=hd,disable-legacy=on"]
    if gdb:
        cmd += ["-chardev", f"socket,id=gdb,path={os.path.join(run_dir, 'gdb')},server=on,wait=off",
                "-gdb", "chardev:gdb"]
    if stopped:
        cmd.append("-S")
    return cmd


def kernel_options(*, bug="", checks="on", append=""):
    """The kernel command line for the user's BUG=, CHECKS= and APPEND=. APPEND comes last: it may
    hold `--` and what follows belongs to the first program."""
    opts = []
    if bug:
        opts.append(f"bug={bug}")
    if checks == "off":
        opts.append("checks=off")
    if append:
        opts.append(append)
    return " ".join(opts)


class Slot:
    """One of `nproc` machine-wide permits to run guests; held by a locked file.

    A permit belongs to a process with its children, not to a guest: whoever has a guest already
    gets more at once. Were each guest to wait for its own, two test runs that each hold a shared
    guest would wait for each other for ever.
    """
    MARK = "HINDSIGHT_SLOT"  # in the environment of a holder and of what it starts
    users = 0
    fd = -1

    @classmethod
    def take(cls, wait=600.0):
        if cls.users == 0 and cls.MARK not in os.environ:
            cls.fd = cls.lock_one(wait)
            os.environ[cls.MARK] = str(os.getpid())
        cls.users += 1

    @classmethod
    def release(cls):
        cls.users -= 1
        if cls.users == 0 and cls.fd >= 0:
            del os.environ[cls.MARK]
            os.close(cls.fd)
            cls.fd = -1

    @staticmethod
    def lock_one(wait):
        base = os.path.join(tempfile.gettempdir(), f"hindsight-slots-{os.getuid()}")
        os.makedirs(base, exist_ok=True)
        count = max(1, os.cpu_count() or 1)
        end = time.monotonic() + wait
        told = time.monotonic() + 2
        while True:
            for i in range(count):
                fd = os.open(os.path.join(base, str(i)), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return fd
                except BlockingIOError:
                    os.close(fd)
            if time.monotonic() > end:
                raise GuestError(f"all {count} QEMU slots stayed busy for {wait:.0f} s")
            if time.monotonic() > told:
                print(f"waiting: {count} test runs have guests on this machine already", file=sys.stderr)
                told = end + 1
            time.sleep(0.1)


class Qmp:
    """Line-wise client of QEMU's machine protocol; events are dropped."""

    def __init__(self, path, timeout=10.0):
        end = time.monotonic() + timeout
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            try:
                self.sock.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError) as e:
                self.sock.close()
                if time.monotonic() > end:
                    raise GuestError(f"no QMP socket: {e}") from None
                time.sleep(0.02)
        self.file = self.sock.makefile("rw")
        self._line()  # greeting
        self.command("qmp_capabilities")

    def _line(self):
        try:
            line = self.file.readline()
        except (OSError, ValueError) as e:
            raise GuestError(f"QMP: {e}") from None
        if not line:
            raise GuestError("QMP: QEMU closed the connection")
        return json.loads(line)

    def command(self, name, timeout=60.0, **args):
        self.sock.settimeout(timeout)
        try:
            self.file.write(json.dumps({"execute": name, "arguments": args}) + "\n")
            self.file.flush()
        except OSError as e:
            raise GuestError(f"QMP {name}: {e}") from None
        while True:
            reply = self._line()
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise GuestError(f"QMP {name}: {reply['error'].get('desc')}")

    def close(self):
        try:
            self.file.close()
        except OSError:
            pass
        self.sock.close()


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


class Guest:
    """One run. Use as a context manager, or call stop() in a `finally`."""

    def __init__(self, arch, *, config="debug", cpus=4, mem="512M", append="", accel="tcg",
                 gdb=True, time_limit=180.0, stopped=False, kernel=None, disk=None, icount=False):
        if arch not in ARCHES:
            raise ValueError(f"ARCH={arch} is not one of {', '.join(ARCHES)}")
        self.arch, self.config, self.cpus, self.mem = arch, config, int(cpus), mem
        self.append, self.accel, self.gdb, self.time_limit = append, accel, gdb, time_limit
        self.stopped, self.kernel, self.disk, self.icount = stopped, kernel, disk, icount
        self.elf = os.path.join(build_dir(arch, config), "kernel.elf")
        self.proc = None
        self.status = None
        self.timed_out = False
        self.run_dir = None
        self._slot = self._timer = self._qmp = self._log = None
        self._seen = 0  # wait_for() looks behind this offset of the console

    # -- life -------------------------------------------------------------------------------
    def start(self):
        needed = self.kernel or os.path.join(
            build_dir(self.arch, self.config), "kernel.img" if self.arch == "aarch64" else "kernel.elf")
        if not os.path.exists(needed):
            raise GuestError(f"{os.path.relpath(needed, ROOT)} is missing: "
                             f"run `make ARCH={self.arch} CONFIG={self.config} build` first")
        Slot.take()
        self._slot = True
        try:
            self.run_dir = make_run_dir(parse_size(self.mem))
            self.cmd = command_line(self.arch, self.run_dir, config=self.config, cpus=self.cpus,
                                    mem=self.mem, append=self.append, accel=self.accel,
                                    gdb=self.gdb, stopped=self.stopped, kernel=self.kernel,
                                    disk=self.disk, icount=self.icount)
            self._log = open(os.path.join(self.run_dir, "qemu.log"), "wb")
            self.started = time.monotonic()
            self.proc = subprocess.Popen(self.cmd, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                         stderr=self._log, cwd=ROOT, start_new_session=True,
                                         preexec_fn=_die_with_parent)
        except BaseException:
            self.stop()
            raise
        self._timer = threading.Timer(self.time_limit, self._limit)
        self._timer.daemon = True
        self._timer.start()
        return self

    def _limit(self):
        if self.proc and self.proc.poll() is None:
            self.timed_out = True
            self.proc.kill()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def poll(self):
        """QEMU's exit status, None while it runs."""
        return self.proc.poll()

    def wait_exit(self, timeout=30.0):
        """Waits until QEMU ends by itself; its exit status."""
        try:
            self.status = self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            raise GuestError(self._words(f"still running after {timeout:.0f} s")) from None
        if self.timed_out:
            raise GuestError(self._words(f"hit the time limit of {self.time_limit:.0f} s"))
        return self.status

    @property
    def passed(self):
        """Did the guest power off saying that all was well?"""
        return self.status == PASS_STATUS[self.arch]

    def stop(self):
        """Ends QEMU if it still runs and removes the run directory. Safe to call twice."""
        if self._timer:
            self._timer.cancel()
        if self._qmp:
            self._qmp.close()
            self._qmp = None
        if self.proc:
            if self.proc.poll() is None:
                self.proc.terminate()
                try:
                    self.proc.wait(3)
                except subprocess.TimeoutExpired:
                    self.proc.kill()
            self.status = self.proc.wait()
            try:
                self.proc.stdin.close()
            except OSError:
                pass  # unsent input to a QEMU that is gone
        if self._log:
            self._log.close()
        if self._slot:
            Slot.release()
            self._slot = None
        if self.run_dir:
            shutil.rmtree(self.run_dir, ignore_errors=True)
            self.run_dir = None

    # -- console ----------------------------------------------------------------------------
    @property
    def console_path(self):
        return os.path.join(self.run_dir, "console.log")

    def console(self):
        """All console text so far."""
        try:
            with open(self.console_path, "rb") as f:
                return f.read().decode("utf-8", "replace").replace("\r", "")
        except FileNotFoundError:
            return ""

    def qemu_messages(self):
        with open(os.path.join(self.run_dir, "qemu.log"), "rb") as f:
            return f.read().decode("utf-8", "replace")

    def _words(self, what):
        tail = "\n".join("    | " + line for line in self.console().splitlines()[-30:])
        msg = self.qemu_messages().strip()
        return (f"{self.arch} with {self.cpus} CPUs: {what}\n"
                f"  console:\n{tail or '    (nothing)'}" + (f"\n  QEMU says: {msg}" if msg else "") +
                self._diagnosis())

    def _diagnosis(self):
        """What the black box says; RAM outlives QEMU."""
        if not os.path.exists(TRACEDUMP) or not os.path.exists(self.ram):
            return ""
        try:
            code, words = self.why()
        except subprocess.TimeoutExpired:
            return "\n  tracedump why did not end"
        return "" if code == 2 else "\n  tracedump why:\n" + "\n".join("    | " + w for w in words.splitlines())

    def wait_for(self, text, timeout=60.0, poll=0.02):
        """Waits for `text` on the console behind what earlier calls matched; returns the console
        text up to its end. Fails when QEMU ends or the time is over."""
        end = time.monotonic() + timeout
        while True:
            over = self.poll() is not None  # looked at first: the console is complete then
            con = self.console()
            at = con.find(text, self._seen)
            if at >= 0:
                self._seen = at + len(text)
                return con[: self._seen]
            if over:
                why = "hit its time limit" if self.timed_out else f"ended with {self.poll()}"
                raise GuestError(self._words(f"QEMU {why} before {text!r} was seen"))
            if time.monotonic() > end:
                raise GuestError(self._words(f"no {text!r} within {timeout:.0f} s"))
            time.sleep(poll)

    def send(self, text):
        """Types `text` (bytes go out at once; the guest's UART paces them)."""
        try:
            self.proc.stdin.write(text.encode())
            self.proc.stdin.flush()
        except BrokenPipeError:
            raise GuestError(self._words("QEMU is gone; cannot type")) from None

    def shell(self, line, timeout=60.0):
        """Types a command at the prompt and returns what it printed."""
        start = self._seen
        self.send(line + "\n")
        text = self.wait_for(PROMPT, timeout)[start:]
        return text[: -len(PROMPT)].partition("\n")[2]

    # -- what tools ask ---------------------------------------------------------------------
    @property
    def ram(self):
        """The guest's RAM as a file, readable while it runs."""
        return os.path.join(self.run_dir, "ram")

    @property
    def gdb_address(self):
        return os.path.join(self.run_dir, "gdb")

    def qmp(self, name, **args):
        if not self._qmp:
            self._qmp = Qmp(os.path.join(self.run_dir, "qmp"))
        return self._qmp.command(name, **args)

    def dump_core(self, path, alias=True):
        """Writes an ELF core of all RAM. `alias` adds the kernel's own addresses, which GDB
        needs (QEMU's core knows physical ones only)."""
        path = os.path.abspath(path)
        self.qmp("dump-guest-memory", paging=False, protocol="file:" + path)
        os.chmod(path, 0o600)
        if alias:
            core_alias.add_aliases(path, self.elf)
        return path

    def why(self, *options):
        """tracedump's diagnosis of the running guest: (exit status, text)."""
        return tracedump("why", self.ram, "--elf", self.elf, *options)

    def gdb_batch(self, *commands, timeout=120.0, ram=True):
        """Runs GDB commands on the live guest (which stands still meanwhile), or on the RAM of one
        that has ended; returns stdout."""
        pre = [f"set hs-ram {self.ram}"] if ram else []
        if self.poll() is None:
            pre.append(f"target remote {self.gdb_address}")
        return gdb_batch(self.elf, commands, timeout, before=pre)


def tracedump(*args, timeout=60.0):
    """(exit status, stdout); the words on stderr are appended when it failed on its input."""
    if not os.path.exists(TRACEDUMP):
        raise GuestError("build/host/tracedump is missing: run `make tracedump` first")
    r = subprocess.run([TRACEDUMP, *args], capture_output=True, timeout=timeout, cwd=ROOT)
    out = r.stdout.decode("utf-8", "replace")
    if r.returncode not in (0, 1):
        out += r.stderr.decode("utf-8", "replace")
    return r.returncode, out


def gdb_batch(elf, commands, timeout=120.0, before=()):
    """Runs GDB with the Hindsight commands loaded: first `before` (attaching), then `commands`,
    whose stdout is returned. Raises with GDB's stderr when the last command failed."""
    gdb = os.environ.get("GDB") or "gdb-multiarch"
    cmd = [gdb, "-q", "-nx", "-batch", "-iex", "set auto-load no", "-iex", "set pagination off",
           "-iex", "set width 0", "-iex", "set style enabled off", elf, "-ex", f"source {HS_SCRIPT}"]
    for c in [*before, r"echo \n@@@\n", *commands]:
        cmd += ["-ex", c]
    try:
        r = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, cwd=ROOT)
    except FileNotFoundError:
        raise GuestError(f"{gdb} is not installed: run `make setup`") from None
    except subprocess.TimeoutExpired:
        raise GuestError(f"GDB did not finish within {timeout:.0f} s: {commands}") from None
    out = r.stdout.decode("utf-8", "replace")
    err = r.stderr.decode("utf-8", "replace")
    if r.returncode != 0:
        raise GuestError(f"GDB failed ({r.returncode}):\n{err.strip()}")
    out = out.partition("\n@@@\n")[2]
    return re.sub(r"\[Inferior \d+ \([^)]*\) detached\]\n$", "", out)
