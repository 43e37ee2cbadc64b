"""Documents run: every command in README.md and docs/debugging.md is run here, as it is written.

A command is a line of an indented block, or an inline `code span`, that begins with one of FIRST.
What stands for something (FILE, CORE, kernel.elf, ...) is replaced by a file of a hung guest. A command
of an unknown kind and a block that is neither commands nor the sample output fail the test, so
what is written tomorrow is run, too.
"""
import glob
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

import qemu

DOCUMENTS = ("README.md", "docs/debugging.md")
GDBS_OWN = ("interrupt", "continue", "info", "disconnect", "target")
FIRST = ("make", "hs", "build/host/tracedump", "tracedump", "gdb-multiarch", "python3", *GDBS_OWN)
SUITES = ("make test", "make test-quick", "make test-integration", "make check", "make bench")


def read(name):
    with open(os.path.join(qemu.ROOT, name), encoding="utf-8") as f:
        return f.read()


def blocks(text):
    """The indented code blocks, each as its lines; a blank line inside belongs to it."""
    out, lines = [], []
    for line in text.splitlines() + ["end"]:
        if line.startswith("    ") or (lines and not line):
            lines.append(line[4:])
        elif lines:
            out.append("\n".join(lines).strip("\n").splitlines())
            lines = []
    return out


def is_sample(block):
    return block[0].startswith("booting ")


def command_of(line):
    """The command in a line of a block: without (gdb), and without what explains it; None if the
    line is none."""
    line = line.removeprefix("(gdb) ")
    if line.split(" ")[0] not in FIRST:
        return None
    return re.split(r"\s{2,}|\s+#", line)[0]


def spans(text):
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    for span in re.findall(r"`([^`\n]+)`", prose):
        if span.split(" ")[0] in FIRST and "|" not in span and " " in span:
            yield span


def commands():
    found = []
    for name in DOCUMENTS:
        text = read(name)
        for block in blocks(text):
            if not is_sample(block):
                found += [c for c in map(command_of, block) if c]
        found += spans(text)
    return list(dict.fromkeys(found))


def of_kind(*first):
    return [c for c in commands() if c.split(" ")[0] in first]


@pytest.fixture(scope="module")
def fill_in(hung4, hung_core, tmp_path_factory):
    """command -> the same with real files and numbers."""
    box = tmp_path_factory.mktemp("box") / "box"
    hung4.guest.gdb_batch(f"hs dump {box}")
    tid = re.search(r"sh \(pid (\d+)\)", hung4.words)[1]
    known = {"RAMFILE": hung4.guest.ram, "CORE": hung_core, "FILE": str(box), "kernel.elf": hung4.guest.elf,
             "N": tid, "7": tid, "cpuN": "cpu1", "...": hung4.guest.gdb_address}

    def fill(command):
        return re.sub(r"\b(cpuN|RAMFILE|CORE|FILE|kernel\.elf|N|7)\b|\.\.\.",
                      lambda m: known[m[0]], command)
    return fill


@pytest.mark.quick
def test_every_block_is_understood():
    for name in DOCUMENTS:
        for block in blocks(read(name)):
            strange = [line for line in block if line and not command_of(line)]
            assert is_sample(block) or not strange, f"{name}: not a command: {strange}"
    assert len(commands()) > 30, commands()


def run(command, *, timeout=200):
    p = subprocess.Popen(command, shell=True, cwd=qemu.ROOT, stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                         env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    try:
        out = p.communicate(timeout=timeout)[0]
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)  # make with all that it has started
        raise
    return p.returncode, out


@pytest.mark.parametrize("command", of_kind("make"))
def test_make(arch, command):
    if command in SUITES:
        code, out = run(f"make -n {command[5:]}", timeout=30)  # -n means: nothing is run
    else:
        code, out = run(f"{command} ARCH={arch}" if "ARCH=" not in command else command)
    assert code == 0, out


def gdb(hung4, before, *lines):
    return qemu.gdb_batch(hung4.guest.elf, lines, before=before)


@pytest.mark.parametrize("command", of_kind("hs"))
def test_hs(hung4, fill_in, command):
    """On a guest that stands and on one that runs, as the guide promises."""
    attach = [f"set hs-ram {hung4.guest.ram}", f"target remote {hung4.guest.gdb_address}"]
    line = fill_in(command)
    stands, mark, runs = gdb(hung4, attach, line, "continue &", r"echo \n@2\n", line).partition("\n@2\n")
    assert mark and stands.replace("Continuing.", "").strip() and runs.strip(), (stands, runs)


def test_gdbs_own_commands(hung4):
    """`interrupt`, `info threads`, `continue &`, `disconnect`: what the guide says of them is so."""
    said = {c for c in of_kind(*GDBS_OWN)}
    said |= {s for s in re.findall(r"`([a-z]+)`", read("docs/debugging.md")) if s in GDBS_OWN}
    assert said <= {"interrupt", "disconnect", "continue &", "info threads", "target remote ..."}, said
    remote = f"target remote {hung4.guest.gdb_address}"
    out = gdb(hung4, [remote], "info threads", "continue &")
    assert "CPU#3" in out, out
    assert hung4.guest.qmp("query-status")["running"]
    gdb(hung4, [remote], "disconnect")
    assert not hung4.guest.qmp("query-status")["running"]
    hung4.guest.qmp("cont")


@pytest.mark.parametrize("command", of_kind("tracedump", "build/host/tracedump"))
def test_tracedump(fill_in, command):
    code, out = run(fill_in(command))
    assert code == 1 and "ext2.root" in out, out


@pytest.mark.parametrize("command", of_kind("gdb-multiarch"))
def test_gdb(hung4, fill_in, command):
    """The command lines that start GDB: each ends up where `hs why` explains the guest."""
    argv = shlex.split(fill_in(command))
    source = [] if "source" in command else ["-ex", "source gdb-scripts/hindsight.py"]  # "source as above"
    needs_stub = "CORE" not in command and "hs-ram" not in command
    stub = ["-ex", f"target remote {hung4.guest.gdb_address}"] if needs_stub else []
    r = subprocess.run([argv[0], "-nx", "-batch", "-ex", "set pagination off", *argv[1:], *source, *stub,
                        "-ex", "hs why"], cwd=qemu.ROOT, capture_output=True, text=True, timeout=120,
                       check=False)
    assert r.returncode == 0 and "lock ext2.root is held by init" in r.stdout, r.stdout + r.stderr


@pytest.mark.noarch
@pytest.mark.parametrize("command", of_kind("python3"))
def test_open_trace(command):
    """The link that it prints leads to the file, and it ends when the page has it."""
    path = command.split()[-1]
    if not os.path.exists(os.path.join(qemu.ROOT, path)):
        run("make debug-run BUG=exec-deadlock")
    for _ in range(60):  # the port is one for the machine
        p = subprocess.Popen([sys.executable, *command.split()[1:]], cwd=qemu.ROOT, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        first = p.stdout.readline()
        if "9001" not in first:
            break
        p.wait()
        time.sleep(1)
    url = re.search(r"url=(http://127\.0\.0\.1:9001/\S+)", p.stdout.readline())[1]
    with urllib.request.urlopen(url, timeout=30) as reply:
        data = reply.read()
    assert p.wait(30) == 0 and len(data) == os.path.getsize(os.path.join(qemu.ROOT, path))
    p.stdout.close()


def masked(lines):
    """Numbers differ from run to run, and lines of source move."""
    return [re.sub(r"\d+(\.\d+)?", "N", line).rstrip() for line in lines if line.strip()]


def test_readme_shows_what_is_printed(arch):
    """The sample output of README.md, but for its numbers."""
    sample = next(b for b in blocks(read("README.md")) if is_sample(b))
    code, out = run(f"make debug-run BUG=exec-deadlock ARCH={arch}")
    assert code == 0, out
    out = out[out.index("booting "):].replace(arch, "aarch64")
    assert masked(out.splitlines()) == masked(sample)


@pytest.mark.quick
def test_every_bug_and_verdict_is_in_the_guide():
    guide = read("docs/debugging.md")
    bugs = re.findall(r'^\t\{"([a-z-]+)", ', read("kernel/debug/bugs.c"), re.M)
    assert len(bugs) >= 9 and [b for b in bugs if f"`{b}`" not in guide] == []
    families = glob.glob(os.path.join(qemu.ROOT, "tools/tracedump/think/verdict_*.c"))
    kinds = {k for path in families for k in re.findall(r"\bBB_V_([A-Z_]+)\b", read(path))} - {"NONE"}
    missing = [k for k in kinds if not re.search(rf"^\|[^|]*\b{k.lower().replace('_', '-')}\b", guide, re.M)]
    assert len(kinds) >= 9 and missing == [], missing


@pytest.mark.quick
def test_links_lead_somewhere():
    for name in DOCUMENTS:
        text = read(name)
        heads = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-")
                 for h in re.findall(r"^#+ (.*)$", text, re.M)}
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if link.startswith("#"):
                assert link[1:] in heads, (name, link)
            elif not link.startswith("http"):
                path = os.path.join(qemu.ROOT, os.path.dirname(name), link)
                assert os.path.exists(path), (name, link)
