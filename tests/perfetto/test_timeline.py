"""tracedump's timelines of real guests, judged by trace_processor."""
import contextlib

import pytest

import judge
import qemu
from conftest import BOOT


def convert(guest, path, *options):
    code, text = qemu.tracedump("perfetto", guest.ram, "--elf", guest.elf, "-o", str(path), *options)
    assert code == 0, text
    return str(path)


@pytest.fixture(scope="module")
def healthy_trace(arch, cpus, tmp_path_factory):
    """A guest that has given every CPU something to do."""
    with qemu.Guest(arch, cpus=cpus) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell(f"cpuhog 1 {2 * cpus}")
        return convert(guest, tmp_path_factory.mktemp("trace") / "healthy.pftrace")


@pytest.fixture(scope="module")
def hung_trace(hung4, tmp_path_factory):
    return convert(hung4.guest, tmp_path_factory.mktemp("trace") / "hung.pftrace")


def count(trace, sql):
    return judge.query(trace, f"select count(*) as n from ({sql})")[0]["n"]


def test_healthy_is_clean(healthy_trace):
    assert judge.bad_stats(healthy_trace) == []


def test_sched_on_every_cpu(healthy_trace, cpus):
    rows = judge.query(healthy_trace, "select cpu, count(*) as n from sched group by cpu order by cpu")
    assert [r["cpu"] for r in rows] == list(range(cpus)), rows


def test_wakers_and_names(healthy_trace):
    assert count(healthy_trace, "select 1 from thread_state where waker_utid is not null") > 0
    rows = judge.query(healthy_trace, "select tid from thread where name is null and tid != 0")
    assert rows == []
    assert count(healthy_trace, "select 1 from thread where name = 'init'") >= 1


def test_time_does_not_run_away(healthy_trace):
    """All sched slices that are over lie within the boot, which took under 10 minutes."""
    row = judge.query(healthy_trace, "select min(ts) as a, max(ts + dur) as b from sched where dur >= 0")[0]
    assert 0 <= row["a"] < row["b"] < 600 * 10**9, row


def test_system_calls_are_slices(healthy_trace):
    names = {r["name"] for r in judge.query(healthy_trace, "select distinct name from slice")}
    assert names & {"sys_write", "write"}, names
    assert names & {"sys_execve", "execve"}, names


def test_calls_in_progress_are_open_slices(arch, cpus, tmp_path):
    """A call leaves its record at its end; of one that goes on the timeline knows from the task's entry. It
    begins when it began, lasts to the end, and says that it is not finished."""
    with qemu.Guest(arch, cpus=cpus, mem="256M", gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell("sleep 1000 &")
        guest.shell("sleep 1")
        trace = convert(guest, tmp_path / "calls.pftrace")
    assert judge.bad_stats(trace) == []
    rows = judge.query(trace, """select thread.name as who, slice.name as call, slice.ts as ts, slice.dur as dur,
        slice.arg_set_id as args, (select max(ts) from thread_state) as last,
        (select count(*) from args where args.arg_set_id = slice.arg_set_id and args.key glob '*unfinished*'
         or args.arg_set_id = slice.arg_set_id and args.string_value = 'unfinished') as open
        from slice join thread_track on slice.track_id = thread_track.id join thread using(utid)
        where thread.name in ('sleep', 'sh', 'init') and slice.depth = 0""")
    open_slices = {(r["who"], r["call"]) for r in rows if r["open"]}
    assert {who for who, _ in open_slices} == {"sleep", "sh", "init"}, open_slices
    assert any(who == "sleep" and "nanosleep" in call for who, call in open_slices), open_slices
    assert ("sh", "read") in open_slices, open_slices
    for r in rows:
        if r["who"] == "sleep" and "nanosleep" in r["call"]:
            if r["open"]:  # the other one has been there for the second that its fellow slept
                assert r["ts"] + 10**9 <= r["last"] and r["dur"] >= 10**9, r
            else:
                assert 10**9 <= r["dur"] < 5 * 10**9, r


def test_hung_is_clean(hung_trace):
    assert judge.bad_stats(hung_trace) == []


def test_waiters_lock_slices_and_flows(hung_trace):
    waits = judge.query(hung_trace, """select slice.name as name, thread.name as who from slice
        join thread_track on slice.track_id = thread_track.id join thread using(utid)
        where slice.name glob 'Lock contention on a ext2.root lock*'""")
    assert {"sh", "ls", "cat"} <= {w["who"] for w in waits}, waits
    flows = judge.query(hung_trace, """select a.name as wait, b.name as hold from flow
        join slice a on a.id = flow.slice_out join slice b on b.id = flow.slice_in
        where a.name glob 'Lock contention*' or b.name glob 'Lock contention*'""")
    assert len(flows) >= 3, flows


@pytest.mark.parametrize("arch", qemu.ARCHES)
def test_tasks_have_names_without_switches(arch, tmp_path):
    """Who ran is unknown without scheduling events; whom an event names has a track all the same."""
    with qemu.Guest(arch, mem="128M", append="ring=1M trace=syscall,process", gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell("busybox true")
        trace = convert(guest, tmp_path / "blind.pftrace")
    assert judge.bad_stats(trace) == []
    rows = judge.query(trace, """select thread.name as who, slice.name as what from slice
        join thread_track on slice.track_id = thread_track.id join thread using(utid)""")
    seen = {(r["who"], r["what"]) for r in rows}
    assert {("init", "enter_user"), ("sh", "exec"), ("sh", "enter_user"), ("busybox", "enter_user")} <= seen, seen
    assert not any("unknown" in who for who, _ in seen if who), seen


def test_joined_machines_stay_apart(tmp_path):
    """Two guests with the same thread ids and CPUs. Without numbers they would be taken for one."""
    joined = {}
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(qemu.Guest(a, mem="128M", append="ring=1M", gdb=False))
                  for a in qemu.ARCHES]
        for number, guest in enumerate(guests, 1):
            guest.wait_for(qemu.PROMPT, BOOT)
            guest.shell("cpuhog 1 8")
            guest.qmp("stop")
            for name, options in (("apart", ("--machine", str(number))), ("mixed", ())):
                with open(convert(guest, tmp_path / "one.pftrace", *options), "rb") as f:
                    joined[name] = joined.get(name, b"") + f.read()
    for name, content in joined.items():
        (tmp_path / name).write_bytes(content)
    assert judge.bad_stats(tmp_path / "apart") == []
    assert "mismatched_sched_switch_tids" in {r["name"] for r in judge.bad_stats(tmp_path / "mixed")}
    rows = judge.query(tmp_path / "apart", """select raw_id, arch, count(*) as n from machine
        join thread on thread.machine_id = machine.id where thread.name = 'init' group by raw_id""")
    assert [(r["raw_id"], r["arch"], r["n"]) for r in rows] == [(1, "aarch64", 1), (2, "x86_64", 1)], rows


def test_build_is_named(hung_trace):
    keys = {r["name"] for r in judge.query(
        hung_trace, "select name from metadata where name glob 'trace_attribute.*'")}
    assert any("build" in k for k in keys), keys
