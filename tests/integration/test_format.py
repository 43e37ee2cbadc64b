"""FORMAT.md is enough: a reader that knows only that file and `tracedump` tell the same about a
guest's memory, a core and a bare box."""
import collections
import lzma
import mmap
import os
import re
import subprocess

import pytest

import format_reader
import qemu
from conftest import BOOT

LAYOUTS = format_reader.Layouts(open(os.path.join(qemu.ROOT, "tracing/FORMAT.md")).read())


@pytest.fixture(scope="module")
def dumps(arch, tmp_path_factory):
    """A stopped guest whose rings have wrapped, as three files."""
    where = tmp_path_factory.mktemp("dumps")
    core, bare = str(where / "core"), str(where / "bare")
    with qemu.Guest(arch, cpus=4, mem="256M", append="ring=64K trace=all tasks=256",
                    gdb=False) as guest:
        guest.wait_for(qemu.PROMPT, BOOT)
        for _ in range(3):
            guest.shell("ls /bin")
        guest.qmp("stop")
        guest.dump_core(core, alias=False)
        with open(guest.ram, "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as ram:
            at = format_reader.find(LAYOUTS, ram)
            size = format_reader.Box(LAYOUTS, ram, at).header["total_size"]
            with open(bare, "wb") as out:
                out.write(ram[at:at + size])
        yield {"memory file": guest.ram, "ELF core": core, "bare black box": bare}


@pytest.fixture(params=["memory file", "ELF core", "bare black box"])
def dump(request, dumps):
    return request.param, dumps[request.param]


def open_box(path):
    with open(path, "rb") as f:
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    return format_reader.Box(LAYOUTS, data, format_reader.find(LAYOUTS, data))


def told(command, path):
    code, words = qemu.tracedump(command, path)
    assert code == 0, words
    return words


def test_info(arch, dump):
    kind, path = dump
    box, words = open_box(path), told("info", path)
    h = box.header
    machine = {183: "aarch64", 62: "x86-64"}[h["machine"]]
    assert words.startswith(f"{h['release']} on {machine}, {h['cpus']} CPUs, {h['ram_size'] >> 20} MiB\n")
    assert machine == arch.replace("_", "-")
    build_id = bytes(h["build_id"][:h["build_id_len"]]).hex()
    assert f"build id      {build_id}\n" in words
    assert (f"{h['total_size']} bytes at file offset {box.at:#x} of a {kind}, "
            f"physical {h['phys_base']:#x}\n") in words, words
    sections = re.findall(r"section +(\S.*?) +(\d+) x +(\d+) bytes at 0x(\w+)", words)
    assert sorted((n, int(c), int(e), int(o, 16)) for n, c, e, o in sections) == sorted(
        (format_reader.NAMES[k], s["count"], s["entry_size"], s["offset"])
        for k, s in box.sections.items())
    for kind_of, layout in ((1, "bb_control"), (2, "bb_event_row"), (3, "bb_enum_row"),
                            (4, "bb_ring"), (6, "bb_cpu"), (7, "bb_task"), (8, "bb_class"),
                            (9, "bb_lock"), (10, "bb_sym"), (12, "bb_console"), (13, "bb_crash"),
                            (14, "bb_counter"), (16, "bb_report"), (17, "bb_queue"), (18, "bb_line"),
                            (19, "bb_place"), (21, "bb_call")):
        assert box.sections[kind_of]["entry_size"] == LAYOUTS.size[layout]
    counters = {c["name"]: c["value"] for c in box.table(14, "bb_counter") if c["name"]}
    assert {n: int(v) for n, v in re.findall(r"counter +(\S+) +(\d+)", words)} == counters
    read = [box.walk(r) for r in box.table(4, "bb_ring")]
    events, before, between = 0, 0, 0
    for records, reserved in read:
        events += len(records)
        before += records[0][0] if records else reserved
        between += reserved - len(records) - (records[0][0] if records else reserved)
    found = re.search(r"events +(\d+) in (\d+) rings; lost: (\d+) overwritten, (\d+) torn or "
                      r"refused, (\d+) dropped", words)
    drops = sum(r["drops"] for r in box.table(4, "bb_ring"))
    assert [int(n) for n in found.groups()] == [events, len(read), before, between, drops]
    assert before > 1000, "no ring has wrapped"


def pattern(box, record):
    """What tracedump must say of a record; where it needs other sections, anything."""
    row = box.events[record[1]]
    words = [re.escape(f"{row['name']:<14}")]
    if row["role"] == 24:
        return call_pattern(box, row, record[2], words)
    for arg, value in zip(row["args"], record[2]):
        shown = box.show(arg, value)
        words.append(f"{arg['name']}=" + (".*" if shown is None else re.escape(shown)))
    return " ".join(words) + ("(  .*)?" if row["role"] == 20 else "")


def call_pattern(box, row, values, words):
    """The same of a system call: its name and its arguments' names are in sections of their own."""
    nr = values[0] & 0xffff
    known = [c["args"] for c in box.table(21, "bb_call") if c["nr"] == nr]
    args = known[0] if known else row["args"][2:]
    words.append(box.name(format_reader.SYSCALL, nr) or f"sys_{nr}")
    words += [f"{arg['name']}={re.escape(box.show(arg, v))}" for arg, v in zip(args, values[2:])]
    words.append(f"ret={re.escape(box.show(row['args'][1], values[1]))}")
    words.append(f"took={(values[0] >> 16) * 10**9 // box.header['clock_hz']}ns")
    return " ".join(words)


def test_events(dump):
    box = open_box(dump[1])
    lines = collections.defaultdict(list)
    for line in told("text", dump[1]).splitlines():
        found = re.match(r" *(\d+)\.(\d{9}) cpu(\d+) +(.*)", line)
        if found:
            lines[int(found[3])].append((int(found[1]) * 10**9 + int(found[2]), found[4]))
    cpus = box.table(6, "bb_cpu")
    kinds = set()
    for ring in box.table(4, "bb_ring"):
        records, _ = box.walk(ring)
        assert len(records) > 100 or ring["cpu"] > 0
        near = cpus[ring["cpu"]]["last_tick"] or box.header["clock_anchor"]
        mine = sorted(((box.ns(box.full_ticks(r[3], near)), r) for r in records),
                      key=lambda e: (e[0], e[1][0]))
        theirs = lines[ring["cpu"]]
        assert [t for t, _ in mine] == [t for t, _ in theirs]
        for (_, record), (_, words) in zip(mine, theirs):
            assert re.search("(^| )" + pattern(box, record) + "$", words), (record, words)
            kinds.add(record[1])
    assert len(kinds) > 12, kinds


def test_tasks(dump):
    box, words = open_box(dump[1]), told("ps", dump[1])
    listed = [line.split()[:7] for line in words.splitlines()[1:]]
    tasks = [t for t in box.table(7, "bb_task") if t["state"]]
    assert [[str(t[f]) for f in ("tid", "pid", "ppid", "cpu")]
            + [box.name(format_reader.STATE, t["state"]), box.name(format_reader.MODE, t["mode"]),
               t["name"]] for t in tasks] == listed
    assert len(tasks) > 4
    classes = set()
    for t in tasks:
        assert not (t["ident_seq"] | t["sched_seq"] | t["wait_seq"] | t["held_seq"]) & 1
        assert t["stack_base"] < t["stack_top"] or t["flags"] & 2
        waits = re.search(rf"^ +{t['tid']} +{t['pid']} .*waits for (.*?)(?:, w\w+ .*)? in ", words, re.M)
        kind, cls = t["wait"]["kind"], t["wait"]["class"]
        if kind and t["tid"]:
            what = box.table(8, "bb_class")[cls]["name"] if cls else ""
            shown = what and (f" {what}" if kind <= 5 else f" ({what})")
            assert waits[1] == box.name(5, kind) + shown
        classes.add(cls)
    assert len(classes) > 2, "waits have classes"


def test_the_worked_record():
    """The example in the document, byte by byte."""
    text = open(os.path.join(qemu.ROOT, "tracing/FORMAT.md")).read()
    rows = re.findall(r"^    03[01]0: ((?:[0-9a-f]{2} +){15}[0-9a-f]{2})", text, re.M)
    data = bytes.fromhex("".join(rows).replace(" ", ""))
    words = [int.from_bytes(data[i:i + 8], "little") for i in range(0, 32, 8)]
    assert format_reader.check16(words[0], words[1], words[2:]) == words[0] & 0xffff == 0x96fe
    assert words[0] >> 16 == 0x1234567 and words[1] == 0x30 << 32 | 11 << 20 | 2 << 16 | 0x12


def declared(body):
    """(name, bytes of one) of each field of a C structure, in order."""
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    body = re.sub(r"struct \{.*?\}", "struct bb_history", body, flags=re.S)
    width = {"char": 1, "uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "int32_t": 4, "uint64_t": 8,
             "int64_t": 8}
    for kind, names in re.findall(r"((?:struct )?\w+)\s+([^;]+);", body):
        for name in names.split(","):
            label = re.match(r"\s*(\w+)", name)[1]
            yield label, width.get(kind) or LAYOUTS.size[kind.split()[1]]


def test_the_document_has_the_headers_layouts():
    """Every structure of blackbox.h whose size is asserted is in the document: size, order, widths."""
    header = open(os.path.join(qemu.ROOT, "tracing/blackbox.h")).read()
    sizes = {n: int(s) for n, s in re.findall(r"sizeof\(struct (bb_\w+)\) == (\d+)", header)}
    assert len(sizes) > 12
    assert {n: LAYOUTS.size.get(n) for n in sizes} == sizes
    for name in LAYOUTS.size.keys() - {"bb_history"}:
        body = re.search(rf"^struct {name} \{{(.*?)^\}};", header, re.S | re.M)[1]
        reserved = [(f"-{w}" if re.match(r"reserved|clock_flags", n) else n, w)
                    for n, w in declared(body)]
        written = [(f"-{one}" if label == "-" else label, one)
                   for label, _, _, _, one in LAYOUTS.fields[name]]
        assert written == reserved, name


def test_lines(arch, dumps):
    """Each row of the line table says what elfutils says of the call."""
    box = open_box(dumps["bare black box"])
    base, names = box.header["image_virt"], box.sections[20]
    texts = bytes(box.data[box.at + names["offset"]:box.at + names["offset"] + names["size"]])
    text = lambda at: texts[at:texts.index(b"\0", at)].decode("ascii")
    places = list(box.table(19, "bb_place"))
    rows = list(box.table(18, "bb_line"))
    assert len(rows) > 2000
    assert [r["offset"] for r in rows] == sorted({r["offset"] for r in rows})
    elf = os.path.join(qemu.build_dir(arch), "kernel.elf")
    told = subprocess.run(["eu-addr2line", "-a", "-i", "-f", "-e", elf],
                          input="".join(f"{base + r['offset'] - 1:#x}\n" for r in rows),
                          capture_output=True, text=True, check=True).stdout
    # Of each address: the address; "function[ inlined at place in function]" and file:line:column of the
    # innermost; then the same of those around it.
    told = [part.splitlines() for part in re.split(r"^0x[0-9a-f]+\n", told, flags=re.M)[1:]]
    assert len(told) == len(rows)
    wrong = []
    for row, (func, where, *_) in zip(rows, told):
        file, line = where.removeprefix("./").split(":")[:2]
        place = places[row["place"]]
        mine = text(place["file"]), row["line"], text(place["func"])
        right = file, int(line), func.split(" ")[0] if " inlined at " in func else ""
        if mine != right:
            wrong.append((hex(base + row["offset"]), mine, right))
    assert not wrong, (len(wrong), wrong[:10])


OLD = """\
HUNG: 4 tasks can never run again.
Cause: lock ext2.root is held by init (pid 1), which has left the kernel.
       taken at  load_init   t=0.027 s  (event 0:39)
       left at   enter_user   t=0.032 s  - that call never returns
Waiting: sh (pid 3), ls (pid 4), cat (pid 5)  in ext2_lookup
Also stuck behind them: init (pid 1) waits for a child
Fix hint: release ext2.root before enter_user().
"""


@pytest.mark.noarch
@pytest.mark.quick
def test_older_boxes_read(tmp_path):
    """A box that a kernel of format 1.1 wrote: shorter entries, no lines, the same words."""
    path = str(tmp_path / "box")
    with lzma.open(os.path.join(os.path.dirname(__file__), "boxes/exec-deadlock-1.1.xz")) as packed, \
            open(path, "wb") as out:
        out.write(packed.read())
    code, words = qemu.tracedump("why", path)
    assert code == 1 and words.rstrip() == OLD.rstrip(), words
    box = open_box(path)
    assert box.header["version"] == 0x10001
    tasks = {t["tid"]: t for t in box.table(7, "bb_task") if t["state"]}
    assert [h["mode"] & 8 for h in tasks[1]["held"] if h["lock"]] == [8], tasks.get(1)
    for command in ("text", "ps", "locks", "cpus", "info"):
        assert qemu.tracedump(command, path)[0] == 0, command
