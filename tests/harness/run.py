"""run.py - `make run`: boots to the prompt.

On a terminal the console is yours (Ctrl-A x ends QEMU, Ctrl-A c is QEMU's own prompt). Without one
it boots to the prompt, shows the console and the diagnosis, powers off, and its exit status is
true: 0 only for a healthy boot and a clean power-off.
"""
import os
import shutil
import subprocess
import sys

import qemu
from options import Options, end_on_signals, on_terminal, say


def run_interactive(opt):
    run_dir = qemu.make_run_dir(qemu.parse_size(opt.mem))
    cmd = qemu.command_line(opt.arch, run_dir, config=opt.config, cpus=opt.cpus, mem=opt.mem,
                            append=opt.kernel_options, accel=opt.accel, interactive=True)
    say(f"booting {opt.words()}; Ctrl-A x ends it")
    proc = subprocess.Popen(cmd, cwd=qemu.ROOT)
    try:
        status = wait_on_terminal(proc)
    except KeyboardInterrupt:
        status = 130
    finally:
        proc.terminate()
        proc.wait()
        shutil.rmtree(run_dir, ignore_errors=True)
    return 0 if status in (0, qemu.PASS_STATUS[opt.arch]) else status


def wait_on_terminal(proc):
    """QEMU's exit status. It would outlive a terminal that is closed: only the leader of a session
    is told of that, and below `make` that is somebody else."""
    while True:
        try:
            return proc.wait(1)
        except subprocess.TimeoutExpired:
            if not on_terminal():
                proc.terminate()


def run_to_prompt(opt):
    say(f"booting {opt.words()} ... (no terminal: to the prompt and off again)")
    with opt.guest() as guest:
        guest.wait_for(qemu.PROMPT, 90)
        code, words = guest.why()
        say(guest.console().rstrip())
        say(words.rstrip())
        guest.send(qemu.POWER_OFF)
        guest.wait_exit(30)
        off = "powered off" if guest.passed else f"power-off failed (QEMU's status {guest.status})"
        say(off)
        return 0 if code == 0 and guest.passed else 1


def main(argv):
    opt = Options(argv)
    try:
        if on_terminal():
            return run_interactive(opt)
        return run_to_prompt(opt)
    except qemu.GuestError as e:
        print(f"run: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    end_on_signals()
    os.chdir(qemu.ROOT)
    sys.exit(main(sys.argv[1:]))
