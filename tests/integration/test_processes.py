"""What the black box says about processes: who is whose child, who has ended, what they call."""
import json
import re
import time

import pytest

import qemu
from conftest import BOOT, SMALL


def ps(guest):
    """Rows of `tracedump ps` by pid."""
    code, out = qemu.tracedump("ps", guest.ram)
    assert code == 0, out
    return {int(row.split()[1]): row for row in out.splitlines()[1:]}


def test_an_adopted_child_can_be_waited_for(arch, cpus):
    """pid 1 waits for a child that it has not made itself."""
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=f"{SMALL} init=/tests/family -- adopted",
                    gdb=False) as guest:
        guest.wait_for("waits for an adopted child", BOOT)
        time.sleep(2)  # a wait without a child is called a hang after one second
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words
        rows = [row.split() for row in ps(guest).values()]
        assert [r[2] for r in rows if r[6] == "family" and r[1] != "1"] == ["1"], rows


def test_an_unreaped_child_is_a_zombie(arch, cpus):
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.send("/tests/family zombie\n")
        guest.wait_for("has ended", 30)
        pid = int(re.search(r"family: (\d+) has ended", guest.console())[1])
        row = ps(guest)[pid].split()
        assert row[4] == "zombie" and row[6] == "true", row
        code, words = guest.why()
        assert code == 0 and words.startswith("healthy:"), words
        guest.send("\n")
        guest.shell("true")
        assert pid not in ps(guest), ps(guest)[pid]


def test_a_missing_call_is_known_by_name(arch):
    """add_key is a name on both; no program of ours can call what has no name."""
    with qemu.Guest(arch, cpus=1, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.send("/tests/family missing\n")
        guest.wait_for("has made its calls", 30)
        row, = (r for r in ps(guest).values() if " family " in r)
        assert "100 x -ENOSYS, last add_key()" in row, row
        code, events = qemu.tracedump("text", guest.ram)
        # one of a row: the others are in the count, and in the events of calls
        assert code == 0 and len(re.findall(r"syscall_missing +nr=add_key pc=0x", events)) == 1
        assert len(re.findall(r"syscall_done +add_key a0=0x0 .*ret=-ENOSYS", events)) == 100


def test_a_call_says_its_arguments_and_its_length(arch):
    """One record a call: named arguments, as many as it has; a sleep takes as long as it was asked to."""
    with qemu.Guest(arch, cpus=1, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell("cat /etc/motd; sleep 0.25")
        code, events = qemu.tracedump("text", guest.ram)
        assert code == 0
        assert re.search(r" cat/\d+ .*(open|openat) (dirfd=-100 )?path=0x\w+ flags=0x\w+ mode=00 ret=3 took=\d+ns$",
                         events, re.M), events[-3000:]
        took, = re.findall(r" sleep/\d+ .* (?:clock_)?nanosleep .*ret=0 took=(\d+)ns$", events, re.M)
        assert 250e6 <= int(took) < 2e9, took


# What both brothers do: the mutex for which the younger waits, and where.
KILLED = {"read": ("fs.pages", "pagecache_get"), "map": ("fs.pages", "pagecache_get"),
          "fd": ("file.pos", "file_read"), "walk": ("ext2.root", "ext2_lookup")}


@pytest.mark.parametrize("what", KILLED)
def test_who_waits_for_a_mutex_can_be_killed(arch, cpus, what):
    """Its holder waits for a disk that gives a byte a second, so for the test it holds it for ever."""
    lock, where = KILLED[what]

    def until(seen, limit=30):
        end = time.monotonic() + limit
        while not re.search(seen, rows := "\n".join(ps(guest).values())):
            assert time.monotonic() < end, rows
            time.sleep(0.1)
        return rows

    with qemu.Guest(arch, cpus=cpus, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.send(f"/tests/family killed {what}\n")
        guest.wait_for("next is the elder", 30)
        guest.qmp("block_set_io_throttle", device="hd", bps=1, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
        guest.send("\n")
        until(r"family .*disk I/O")
        guest.send("\n")
        guest.wait_for("waits for", 30)
        pid = int(re.search(r"family: (\d+) waits for", guest.console())[1])
        row = until(rf"(?m)^ *\d+ +{pid} .*mutex {re.escape(lock)}")
        assert re.search(rf"(?m)^ *\d+ +{pid} .*{where}", row), row
        code, words = guest.why()
        assert code == 0, words
        guest.send("\n")
        guest.wait_for("the younger ended with 0x9", 10)
        assert pid not in ps(guest)
        assert "the elder ended" not in guest.console()
        guest.qmp("block_set_io_throttle", device="hd", bps=0, bps_rd=0, bps_wr=0, iops=0, iops_rd=0, iops_wr=0)
        guest.wait_for("the elder ended with 0x0", 60)
        guest.send("cat /etc/passwd\n")
        guest.wait_for("root:x:0:0:", 30)  # and who comes after them gets it


# Every cached inode and how many have it, as one line of JSON.
REFS = """python
import gdb, json
inode = gdb.lookup_type("struct inode")
at = {f.name: f.bitpos // 8 for f in inode.fields()}["hash_link"]
refs = {}
for head in (gdb.parse_and_eval("icache")[i] for i in range(256)):
    link = head["next"]
    while link != head.address:
        i = (link.cast(gdb.lookup_type("char").pointer()) - at).cast(inode.pointer())
        refs["%d/%#x" % (i["ino"], int(i["sb"]))] = int(i["refs"])
        link = link["next"]
print("REFS " + json.dumps(refs))
end
"""


def test_changing_the_directory_keeps_no_inode(arch, tmp_path):
    """Who has which inode is the same before and after thousands of chdir and fchdir, good and bad ones."""
    script = tmp_path / "refs.gdb"
    script.write_text(REFS)

    with qemu.Guest(arch, cpus=1, mem="256M", append=SMALL) as guest:
        def refs():
            out = guest.gdb_batch(f"source {script}", ram=False)
            return {ino: n for ino, n in json.loads(re.search("REFS (.*)", out)[1]).items() if n}

        guest.wait_for(qemu.PROMPT, BOOT)
        assert "has moved\n" in guest.shell("/tests/family moves")
        before = refs()
        assert len(before) > 2 and max(before.values()) < 100, before  # the first time would show, too
        assert "has moved\n" in guest.shell("/tests/family moves")
        assert refs() == before


def test_ps_right_after_a_call(arch, cpus):
    """Who computes is in no call, however short ago it made one; who makes one after the other is in that
    one or in none."""
    with qemu.Guest(arch, cpus=cpus, mem="256M", append=SMALL, gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        guest.shell("enosys-loop once &")
        guest.shell("enosys-loop &")
        seen = []
        for _ in range(60):
            seen.append([r for r in ps(guest).values() if " enosys-loop" in r])
            assert len(seen[-1]) == 2, seen[-1]
        computes = [r for look in seen for r in look if " 1 x -ENOSYS" in r]
        asks = [r for look in seen for r in look if " 1 x -ENOSYS" not in r]
        assert len(computes) == len(asks) == len(seen)
        assert [r for r in computes if " in " in r] == []
        assert [r for r in asks if " in " in r and " in add_key()" not in r] == []
        assert any(" in add_key()" in r for r in asks) and any(" in " not in r for r in asks), asks
        count = [int(re.search(r"(\d+) x -ENOSYS", r)[1]) for r in asks]
        assert count == sorted(count) and count[0] < count[-1], count
