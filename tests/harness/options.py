"""options.py - the user's ARCH=, CPUS=, BUG=, ... as every script of the harness takes them."""
import os
import signal
import sys

import qemu


class Options:
    """From the environment that the Makefile exports; NAME=value arguments win. explains: who asks wants
    to know afterwards what hung."""

    def __init__(self, argv, default_arch="aarch64", explains=False):
        env = dict(os.environ)
        self.rest = []
        for a in argv:
            name, eq, value = a.partition("=")
            if eq and name.isupper():
                env[name] = value
            else:
                self.rest.append(a)
        get = lambda name, default: env.get(name) or default  # noqa: E731  empty means default
        self.arch = get("ARCH", default_arch)
        self.config = get("CONFIG", "debug")
        cpus = get("CPUS", "4")
        if not cpus.isdigit() or not 1 <= int(cpus) <= 256:
            raise SystemExit(f"CPUS={cpus}: give a number from 1 to 256")
        self.cpus = int(cpus)
        self.mem = get("MEM", "512M")
        try:
            qemu.parse_size(self.mem)
        except ValueError as e:
            raise SystemExit(str(e)) from None
        self.checks = get("CHECKS", "on")
        self.bug = get("BUG", "")
        self.accel = get("ACCEL", "tcg")
        self.append = get("APPEND", "")
        if self.arch not in qemu.ARCHES:
            raise SystemExit(f"ARCH={self.arch}: use one of {', '.join(qemu.ARCHES)}")
        if self.checks not in ("on", "off"):
            raise SystemExit(f"CHECKS={self.checks}: use on or off")
        if self.bug and self.config in ("lean", "bare"):
            raise SystemExit(f"BUG={self.bug}: CONFIG={self.config} has no planted bugs; use CONFIG=debug")
        if explains and self.config == "bare":
            raise SystemExit("CONFIG=bare records nothing that could be explained; use CONFIG=debug or lean")

    @property
    def kernel_options(self):
        return qemu.kernel_options(bug=self.bug, checks=self.checks, append=self.append)

    @property
    def build_dir(self):
        return qemu.build_dir(self.arch, self.config)

    def guest(self, **more):
        return qemu.Guest(self.arch, config=self.config, cpus=self.cpus, mem=self.mem,
                          append=self.kernel_options, accel=self.accel, **more)

    def words(self):
        """'aarch64 with 4 CPUs (bug exec-deadlock, checks off)'"""
        extra = [f"bug {self.bug}"] if self.bug else []
        extra += ["checks off"] if self.checks == "off" else []
        extra += [self.append] if self.append else []
        cpus = f"{self.cpus} CPU" + ("" if self.cpus == 1 else "s")
        return f"{self.arch} with {cpus}" + (f" ({', '.join(extra)})" if extra else "")


def say(text):
    try:
        print(text, flush=True)
    except BrokenPipeError:  # `make debug-run | head`: whoever read has gone, and so do we
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(128 + signal.SIGPIPE) from None


def end_on_signals():
    """A closed terminal or a `kill` unwinds like an error does, so that no guest, no directory and
    no terminal setting is left behind."""
    def end(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def on_terminal():
    return sys.stdin.isatty() and sys.stdout.isatty()


def shown(path):
    """Path as the user would type it."""
    rel = os.path.relpath(path)
    return path if rel.startswith("..") else rel
