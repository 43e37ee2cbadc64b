"""The judge itself, with hand-made traces: it must read a right one and object to wrong ones."""
import pytest

import judge


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def uint(field, n):
    return varint(field << 3) + varint(n)


def blob(field, data):
    data = data.encode() if isinstance(data, str) else data
    return varint(field << 3 | 2) + varint(len(data)) + data


def switch(ts, prev, prev_state, next_):
    (pname, ptid), (nname, ntid) = prev, next_
    body = (blob(1, pname) + uint(2, ptid) + uint(3, 120) + uint(4, prev_state) +
            blob(5, nname) + uint(6, ntid) + uint(7, 120))
    return blob(2, uint(1, ts) + uint(2, ptid) + blob(4, body))


def waking(ts, waker, woken, cpu):
    body = blob(1, woken[0]) + uint(2, woken[1]) + uint(3, 120) + uint(4, 1) + uint(5, cpu)
    return blob(2, uint(1, ts) + uint(2, waker[1]) + blob(20, body))


IDLE, INIT, SH = ("swapper", 0), ("init", 1), ("sh", 7)


def bundle(cpu, *events, lost=False):
    return blob(1, blob(1, uint(1, cpu) + b"".join(events) + (uint(3, 1) if lost else b"")))


def good():
    return (bundle(0, switch(1000, IDLE, 0, INIT), waking(1500, INIT, SH, 1),
                   switch(2000, INIT, 1, IDLE)) +
            bundle(1, switch(1100, INIT, 0, IDLE), switch(1600, IDLE, 0, SH),
                   switch(2500, SH, 1, IDLE)))


@pytest.mark.quick
def test_reads_sched_and_wakers(tmp_path):
    trace = tmp_path / "t"
    trace.write_bytes(good())
    sched, wakers = judge.query(
        trace, "select ts, dur, cpu, name from sched join thread using(utid) where name = 'sh'",
        "select w.name as waker from thread_state s join thread w on s.waker_utid = w.utid")
    assert sched == [{"ts": 1600, "dur": 900, "cpu": 1, "name": "sh"}]
    assert wakers == [{"waker": "init"}]
    assert judge.bad_stats(trace) == []


def test_objects_to_loss(tmp_path):
    trace = tmp_path / "t"
    trace.write_bytes(good() + bundle(1, switch(3000, IDLE, 0, SH), lost=True))
    assert [r["name"] for r in judge.bad_stats(trace)] == ["ftrace_cpu_has_data_loss"]
    assert judge.bad_stats(trace, loss_expected=True) == []


def test_objects_to_lost_interning(tmp_path):
    """A packet that needs state which was never set is skipped; only an info stat tells."""
    packet = uint(8, 5000) + uint(10, 3) + uint(13, 2) + blob(11, uint(9, 3) + uint(10, 1))
    trace = tmp_path / "t"
    trace.write_bytes(good() + blob(1, packet))
    assert "packet_skipped_seq_needs_incremental_state_invalid" in \
        [r["name"] for r in judge.bad_stats(trace)]


def test_refuses_what_is_no_trace(tmp_path):
    trace = tmp_path / "t"
    trace.write_bytes(b"\x93\x00 this is no trace" * 20)
    with pytest.raises(judge.JudgeError):
        judge.query(trace, "select 1")
    trace.write_bytes(good())
    with pytest.raises(judge.JudgeError, match="no such column"):
        judge.query(trace, "select nonsense from sched")
