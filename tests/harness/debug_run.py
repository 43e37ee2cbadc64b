"""debug_run.py - `make debug-run [ARCH=] [BUG=] [CPUS=] [CHECKS=on|off]`: boot under observation.

On a terminal: a tmux session with GDB on the left (the `hs` commands loaded, the guest running) and
the guest's console on the right. Without tmux GDB comes here and the console goes to a file.
Without a terminal: boots until the prompt or until tracedump says of the live RAM that something
is stuck, prints the words of `hs why` asked through GDB, writes the timeline for
ui.perfetto.dev, and exits 0 (2 when it did not get as far as either).
"""
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import qemu
from options import Options, on_terminal, say, shown

LOOK = 0.5        # seconds between looks at the black box
BOOT_LIMIT = 60   # to the prompt or to the hang
BUG_LIMIT = 10    # with BUG=: how long a hang may come after the prompt


def gdb_command(opt, run_dir):
    """GDB as a list: scripts loaded, attached, the guest running in the background."""
    gdb = os.environ.get("GDB") or "gdb-multiarch"
    elf = os.path.join(opt.build_dir, "kernel.elf")
    return [gdb, "-q", "-ex", "set pagination off", "-ex", "set confirm off", elf,
            "-ex", f"source {qemu.HS_SCRIPT}",
            "-ex", f"set hs-ram {run_dir}/ram",
            "-ex", f"target remote {run_dir}/gdb",
            "-ex", "continue &",
            "-ex", r"echo \nThe guest runs. `hs why` explains it, `hs help` lists more; "
                   r"`interrupt` stops it, `continue &` lets it go on.\n"]


def run_tmux(opt):
    run_dir = qemu.make_run_dir(qemu.parse_size(opt.mem))
    pidfile = os.path.join(run_dir, "pid")
    console = qemu.command_line(opt.arch, run_dir, config=opt.config, cpus=opt.cpus, mem=opt.mem,
                                append=opt.kernel_options, accel=opt.accel, interactive=True)
    console += ["-pidfile", pidfile]
    tmux = ["tmux", "-L", f"hindsight-{os.getpid()}"]
    right = (shlex.join(console) +
             "; echo; echo \"[QEMU has ended with $?; Enter closes this pane]\"; read line")
    left = (f"i=0; while [ ! -S {run_dir}/gdb ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done; "
            + shlex.join(gdb_command(opt, run_dir)) + "; " + shlex.join([*tmux, "kill-server"]))
    env = {k: v for k, v in os.environ.items() if k != "TMUX"}
    try:
        subprocess.call([*tmux, "new-session", "-s", "hindsight", "-c", qemu.ROOT, left, ";",
                         "split-window", "-h", "-c", qemu.ROOT, right, ";",
                         "select-pane", "-L", ";", "set-option", "mouse", "on", ";",
                         "set-option", "status", "off"], env=env)
    except KeyboardInterrupt:
        pass
    finally:
        subprocess.call([*tmux, "kill-server"], env=env, stderr=subprocess.DEVNULL)
        end_by_pidfile(pidfile)
        shutil.rmtree(run_dir, ignore_errors=True)
    return 0


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
    say("tmux is not installed: GDB comes here, the console goes to a file.")
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
    """Waits for the prompt or a hang. ('hang'|'prompt', seconds)."""
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
        if over:
            raise boot_failure(guest)
        if t >= next_look:
            code, words = guest.why()
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


def run_observed(opt):
    out = os.path.join(opt.build_dir, "debug-run")
    os.makedirs(out, exist_ok=True)
    name = opt.bug or "boot"
    trace, log = (os.path.join(out, name + ext) for ext in (".pftrace", ".console"))
    say(f"booting {opt.words()} ...")
    with opt.guest() as guest:
        try:
            seen, seconds = observe(guest, opt.bug)
            say(f"  {seen} seen after {seconds:.1f} s" +
                (f"; bug {opt.bug} did not show" if opt.bug and seen == "prompt" else ""))
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
    return 0


def main(argv):
    opt = Options(argv)
    try:
        if not on_terminal():
            return run_observed(opt)
        if shutil.which("tmux"):
            return run_tmux(opt)
        return run_gdb_here(opt)
    except qemu.GuestError as e:
        print(f"debug-run: {e}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    os.chdir(qemu.ROOT)
    sys.exit(main(sys.argv[1:]))
