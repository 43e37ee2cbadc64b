"""`make bench`: its short form measures; the rest judges what it makes of the guest's words."""
import os
import subprocess
import sys
import threading

import pytest

import qemu

sys.path.insert(0, os.path.join(qemu.ROOT, "tests/bench"))
import bench  # noqa: E402

OUT = """# kbench dir=/tmp reps=3 scale=100%
null_getpid 100.0  med 110.0 max 120.0 reps 3 n 20000
eventfd_rw SKIP eventfd:Function_not_implemented
pipe_rw1 7.0  med 8.5 max 9.0 reps 3 n 10000
user_xorshift 5.0  med 6.0 max 7.0 reps 3 n 10
"""


def test_short_form(arch):
    r = subprocess.run([sys.executable, os.path.join(bench.HERE, "bench.py"), "--short", f"ARCH={arch}"],
                       cwd=qemu.ROOT, capture_output=True, text=True, timeout=300, check=False)
    print(r.stdout)
    assert r.returncode == 0, r.stdout + r.stderr


def test_counts_repeat(arch):
    """Twice the same kernel: what makes the comparison above no timed test."""
    rows = ["null_getpid", "poll10", "pipe_pingpong"]
    one, two = (bench.Run(arch, "debug", rows).go(threading.Event()).insns for _ in range(2))
    for name in rows:
        assert one[name] == pytest.approx(two[name], rel=0.005), (one, two)


def a_run(arch, config, text, wanted):
    run = bench.Run(arch, config, wanted)
    run.read(text)
    return run


@pytest.mark.quick
def test_kept_as_it_is_and_every_row_has_linux():
    for arch, kernels in bench.linux().items():
        if arch in qemu.ARCHES:
            for kernel, rows in kernels.items():
                assert list(rows) == bench.names(), kernel
    assert set(bench.SHORT) <= set(bench.names()) and set(bench.NOT_MEANT) <= set(bench.names())
    r = subprocess.run(["git", "hash-object", "user/bench/kbench.c"], cwd=qemu.ROOT, text=True,
                       capture_output=True, check=True)
    assert r.stdout.strip() == KBENCH, "kbench.c has changed: Linux was measured with another"


KBENCH = "fc52427bf550c67f13ff41d17ac8e6034a43779d"


@pytest.mark.quick
def test_rows_and_reasons():
    wanted = ["null_getpid", "eventfd_rw", "pipe_rw1", "poll10"]
    run = a_run("x86_64", "debug", OUT.replace("\n", "\r\n"), wanted)
    assert run.insns == {"null_getpid": 110.0, "pipe_rw1": 8.5}
    assert run.reason == {"eventfd_rw": "eventfd:Function not implemented"}
    assert run.left() == ["poll10"]


@pytest.mark.quick
def test_nothing_is_left_out_silently():
    """A row that did not run, a kernel that was not built and a row that is no cost are all named, and
    in no mean."""
    wanted = ["null_getpid", "eventfd_rw", "pipe_rw1", "user_xorshift"]
    runs = {("x86_64", "debug"): a_run("x86_64", "debug", OUT, wanted),
            ("x86_64", "lean"): a_run("x86_64", "lean", OUT.replace("110", "55"), wanted)}
    base = {"x86_64": {"minimal": dict.fromkeys(wanted, 10.0), "prove_locking": dict.fromkeys(wanted, 20.0)}}
    lines, result = bench.report(runs, {("x86_64", "bare"): "no such thing"}, wanted, base)
    text = "\n".join(lines)
    assert "NOT MEASURED: x86_64 bare: no such thing" in text
    assert "eventfd:Function not implemented" in text and "(in no mean)" in text and "3 of 4 rows run" in text
    assert result["geomean"]["x86_64"] == {"debug_vs_linux": 3.058, "debug_vs_bare": None, "lean_vs_bare": None,
                                           "debug_vs_prove_locking": 1.529}
    assert not result["complete"] and len(result["rows"]) == 8
    row = next(r for r in result["rows"] if r["name"] == "null_getpid" and r["config"] == "debug")
    assert row == {"arch": "x86_64", "config": "debug", "name": "null_getpid", "insns": 110.0, "linux": 10.0,
                   "ratio": 11.0}
    row = next(r for r in result["rows"] if r["name"] == "eventfd_rw")
    assert row["insns"] is None and row["ratio"] is None and "not implemented" in row["reason"]


@pytest.mark.quick
def test_growth_fails_and_shrinking_is_said():
    base = dict.fromkeys(bench.SHORT, 100.0)
    assert not bench.compare(base, base)[1]
    assert not bench.compare(base, base | {"poll10": 104.9})[1]
    lines, bad = bench.compare(base, base | {"poll10": 105.1})
    assert bad and "GREW" in "\n".join(lines)
    lines, bad = bench.compare(base, base | {"poll10": 90.0})
    assert not bad and "bench-accept" in lines[-1]
    assert bench.compare(base, {k: v for k, v in base.items() if k != "poll10"})[1]
    assert not bench.compare({}, base)[1]


@pytest.mark.quick
def test_bench_says_what_it_does_not_know():
    for argv, words in ((["ROWS=no-such-row"], "the rows are user_xorshift null_getpid"), (["--nonsense"], "")):
        r = subprocess.run([sys.executable, os.path.join(bench.HERE, "bench.py"), *argv], cwd=qemu.ROOT,
                           capture_output=True, text=True, timeout=60, check=False)
        assert r.returncode != 0 and words in r.stdout + r.stderr and "Traceback" not in r.stderr, r.stderr
