"""debug_run.py - `make debug-run [ARCH=] [BUG=] [CPUS=] [CHECKS=on|off]`: boot under observation.

On a terminal: a tmux session with GDB on the left (the `hs` commands loaded, the guest running) and
the guest's console on the right; on a narrow terminal, one above the other. Where tmux cannot run,
GDB comes here and the console goes to a file.
Without a terminal: boots until the prompt, a crash, or until tracedump says of the live RAM that
something is stuck, prints the words of `hs why` asked through GDB, and writes the timeline for
ui.perfetto.dev. Exit status: 0; 1 when the planted bug did not show; 2 when the boot failed.
"""
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import qemu
from options import Options, end_on_signals, on_terminal, say, shown

LOOK = 0.5        # seconds between looks at the black box
BOOT_LIMIT = 60   # to the prompt or to the hang
BUG_LIMIT = 10    # with BUG=: how long a hang may come after the prompt
CRASH_LIMIT = 10  # from the report of a crash in the black box to the end of QEMU
WIDE = 160        # columns from which two panes go side by side


def gdb_command(opt, run_dir):
    """GDB as a list: scripts loaded, attached, the guest running in the background."""
    gdb = os.environ.get("GDB") or "gdb-multiarch"
    elf = os.path.join(opt.build_dir, "kernel.elf")
    return [gdb, "-q", "-ex", "set pagination off", "-ex", "set confirm off", elf,
            "-ex", f"source {qemu.HS_SCRIPT}",
            "-ex", f"set hs-ram {run_dir}/ram",
            "-ex", f"target remote {run_dir}/gdb",
            "-ex", "continue &",
            "-ex", r"echo \nThe guest runs. `hs why` explains it, `hs help` lists more;\n"
                   r"`interrupt` stops it, `continue &` lets it go on, `quit` ends both.\n"]


def tmux_works():
    """Is it installed, and does it know this terminal? (It refuses TERM=dumb, say.)"""
    if not shutil.which("tmux") or os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return False
    return subprocess.call(["infocmp"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0 \
        if shutil.which("infocmp") else True


def run_tmux(opt):
    run_dir = qemu.make_run_dir(qemu.parse_size(opt.mem))
    pidfile, ended = os.path.join(run_dir, "pid"), os.path.join(run_dir, "ended")
    console = qemu.command_line(opt.arch, run_dir, config=opt.config, cpus=opt.cpus, mem=opt.mem,
                                append=opt.kernel_options, accel=opt.accel, interactive=True)
    console += ["-pidfile", pidfile]
    tmux = ["tmux", "-L", f"hindsight-{os.getpid()}"]
    q = shlex.quote
    right = (f"{shlex.join(console)}; s=$?; : >{q(ended)}; echo; echo "
             "\"[QEMU has ended with $s; hs why still explains it. Enter closes this pane]\"; read line")
    left = (f"i=0; while [ ! -S {q(run_dir)}/gdb ] && [ ! -e {q(ended)} ] && [ $i -lt 100 ]; "
            "do sleep 0.1; i=$((i+1)); done; "
            + shlex.join(gdb_command(opt, run_dir)) + "; " + shlex.join([*tmux, "kill-session"]))
    env = {k: v for k, v in os.environ.items() if k != "TMUX"}
    side = shutil.get_terminal_size().columns >= WIDE
    try:
        return subprocess.call(
            [*tmux, "-f", "/dev/null", "new-session", "-s", "hindsight", "-c", qemu.ROOT, left, ";",
             "split-window", "-h" if side else "-v", "-c", qemu.ROOT, right, ";",
             "select-pane", "-L" if side else "-U", ";", "set-option", "mouse", "on", ";",
             "set-option", "status-left-length", "120", ";", "set-option", "status-left",
             f" {opt.words()} | other pane: click, or Ctrl-b o | end: quit in GDB ", ";",
             "set-option", "status-right", "", ";", "set-option", "window-status-format", "", ";",
             "set-option", "window-status-current-format", ""], env=env)
    finally:
        subprocess.call([*tmux, "kill-server"], env=env, stderr=subprocess.DEVNULL)
        end_by_pidfile(pidfile)
        shutil.rmtree(run_dir, ignore_errors=True)


def end_by_pidfile(pidfile):
    """Ends the QEMU of this run, should it have outlived its pane."""
    try:
        with open(pidfile, encoding="ascii") as f:
            pid = int(f.read())
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if pidfile.encode() in f.read():
                os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        pass  # it is gone


def run_gdb_here(opt):
    say("tmux is not installed or cannot use this terminal: GDB comes here, the console goes to a file.")
    with opt.guest(time_limit=24 * 3600) as guest:
        say(f"console: tail -f {guest.console_path}")
        while not os.path.exists(guest.gdb_address):
            if guest.poll() is not None:
                raise qemu.GuestError("QEMU ended at once: " + guest.qemu_messages())
            time.sleep(0.05)
        old = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is GDB's
        try:
            return subprocess.call(gdb_command(opt, guest.run_dir), cwd=qemu.ROOT)
        finally:
            signal.signal(signal.SIGINT, old)


def observe(guest, bug):
    """Waits for the prompt, a hang or a crash. ('hang'|'prompt'|'crash', seconds)."""
    next_look = LOOK
    prompt_at = None
    while True:
        t = time.monotonic() - guest.started
        over = guest.poll() is not None
        if prompt_at is None and qemu.PROMPT in guest.console():
            prompt_at = t
            unknown = guest.console().find(f"bug={bug} is not known")
            if bug and unknown >= 0:
                known = [w.split()[-1] for w in guest.console()[unknown:].splitlines()[1:]
                         if "] bug:   " in w]
                raise qemu.GuestError(f"BUG={bug} is not known; use one of: {', '.join(known)}")
            if bug:
                say(f"  prompt after {t:.1f} s; waiting for bug {bug} to show")
        if prompt_at is not None and (not bug or t > prompt_at + BUG_LIMIT):
            return "prompt", prompt_at
        if over or t >= next_look:
            code, words = guest.why()
            if code == 1 and words.startswith("CRASHED"):
                guest.wait_exit(CRASH_LIMIT)  # the panic ends the machine when it has said all
                return "crash", t
            if over:
                raise boot_failure(guest)
            if code == 1:
                settle(guest, words)
                return "hang", t
            next_look = time.monotonic() - guest.started + LOOK
        if t > BOOT_LIMIT and prompt_at is None:
            raise boot_failure(guest)
        time.sleep(0.05)


def boot_failure(guest):
    """Neither prompt nor hang: what the console and the black box say."""
    try:
        guest.wait_for(qemu.PROMPT, 0)
    except qemu.GuestError as e:
        return qemu.GuestError(f"boot failed: {e}")
    return qemu.GuestError(f"QEMU has ended after the prompt\n{guest.why()[1]}")


def settle(guest, words):
    """A hang draws more tasks in for a moment: waits until two looks agree, at most 2 s."""
    for _ in range(8):
        time.sleep(0.25)
        again = guest.why()[1]
        if again == words:
            return
        words = again


def why_not(guest, bug):
    """What the guest's console said of a bug that did not show ('' if nothing)."""
    lines = [line.partition("] bug: ")[2] for line in guest.console().splitlines() if "] bug: " in line]
    return f"bug {bug} did not show" + (f": {'; '.join(lines)}" if lines else "")


def run_observed(opt):
    out = os.path.join(opt.build_dir, "debug-run")
    os.makedirs(out, exist_ok=True)
    name = opt.bug or "boot"
    trace, log = (os.path.join(out, name + ext) for ext in (".pftrace", ".console"))
    say(f"booting {opt.words()} ...")
    status = 0
    with opt.guest() as guest:
        try:
            seen, seconds = observe(guest, opt.bug)
            say(f"  {seen} seen after {seconds:.1f} s")
            if opt.bug and seen == "prompt":
                say(f"  {why_not(guest, opt.bug)}")
                status = 1
            elif seen == "crash" and not opt.bug:
                status = 2
            say("  asking GDB: hs why\n")
            say(guest.gdb_batch("hs why").rstrip() + "\n")
            code, text = qemu.tracedump("perfetto", guest.ram, "--elf", guest.elf, "-o", trace)
            if code != 0:
                raise qemu.GuestError(f"tracedump perfetto failed:\n{text}")
        finally:
            with open(log, "w", encoding="utf-8") as f:
                f.write(guest.console())
    say(f"Console:  {shown(log)}")
    say(f"Timeline: {shown(trace)}\n"
        f"          open it: python3 tests/harness/open_trace.py {shown(trace)}\n"
        f"          (or drop the file on https://ui.perfetto.dev)")
    return status


def main(argv):
    opt = Options(argv, explains=True)
    try:
        if not on_terminal():
            return run_observed(opt)
        if tmux_works():
            return run_tmux(opt)
        return run_gdb_here(opt)
    except qemu.GuestError as e:
        print(f"debug-run: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    end_on_signals()
    os.chdir(qemu.ROOT)
    sys.exit(main(sys.argv[1:]))
