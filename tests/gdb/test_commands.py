"""The `hs` commands in gdb-multiarch, live and on a core."""
import os
import re

import pytest

import core_alias
import qemu

LIVE, STUB, CORE, RUNNING, ENDED = "live", "stub", "core", "running", "ended"


@pytest.fixture(params=[LIVE, STUB, CORE, RUNNING, ENDED])
def hs(request, hung4, hung_core):
    """hs('why', 'ps') -> stdout; through the RAM file of a guest that stands, through the stub
    alone, on the core, on a guest that runs, or on nothing but the RAM file of one."""
    def run(*commands):
        lines = [c if c.startswith("set ") else "hs " + c for c in commands]
        if request.param == CORE:
            return qemu.gdb_batch(hung4.guest.elf, lines, before=[f"core-file {hung_core}"])
        ram = f"set hs-ram {hung4.guest.ram}"
        if request.param == ENDED:
            return qemu.gdb_batch(hung4.guest.elf, lines, before=[ram])
        if request.param == RUNNING:
            run_on = [ram, f"target remote {hung4.guest.gdb_address}", "continue &"]
            return qemu.gdb_batch(hung4.guest.elf, lines, before=run_on)
        return hung4.guest.gdb_batch(*lines, ram=request.param == LIVE)
    run.kind = request.param
    return run


def test_why_ps_cpus_locks(hs, hung4):
    words = hs("why")
    assert words.strip() == hung4.guest.why()[1].strip()
    ps = hs("ps")
    for name in ("init", "sh", "ls", "cat"):
        assert re.search(rf"\b{name}\b", ps), ps
    assert "ext2.root" in hs("locks")
    cpus = hs("cpus")
    assert len([line for line in cpus.splitlines() if line.strip()]) >= 4, cpus


def test_ps_fits_the_terminal(hung4, hung_core):
    """What is too wide for a row goes below it, with the same words."""
    def ps(width):
        return qemu.gdb_batch(hung4.guest.elf, [f"set width {width}", "hs ps"], before=[f"core-file {hung_core}"])
    wide, narrow = ps(0), ps(72)
    assert max(map(len, wide.splitlines())) > 90 and wide.split() == narrow.split(), narrow
    assert max(map(len, narrow.splitlines())) <= 72, narrow
    assert re.search(r"^ +\d.*\bcat *\n {8}in \w+\(\)\n {8}waits for .*ext2\.root", narrow, re.M), narrow


def test_trace(hs):
    ten = hs("trace 10").strip().splitlines()
    assert 10 <= len(ten) <= 14, ten  # events, perhaps a head line
    assert "lock_wait" in hs("trace 2000 --cat lock")


def test_bt_of_a_waiter(hs):
    ps = hs("ps")
    tid = re.search(r"^.*\bcat\b.*$", ps, re.M)[0]
    tid = re.search(r"\b(\d+)\b", tid)[1]
    bt = hs(f"bt {tid}")
    assert "ext2_lookup" in bt and re.search(r"kernel/fs/ext2/namei\.c:\d+", bt), bt
    assert re.search(r"#0 .*\n.*#1 ", bt), bt


def test_bt_of_a_cpu_and_of_all(hs):
    bt = hs("bt cpu0")
    if hs.kind in (RUNNING, ENDED):
        assert "its registers are in the CPU" in bt and "#0" not in bt, bt
    else:
        assert "#0" in bt and "??" not in bt and "corrupt" not in bt, bt
    everything = hs("bt")
    for name in ("init", "sh", "ls", "cat"):
        assert re.search(rf"^{name} \(tid \d+\): ", everything, re.M), everything


FRAME = re.compile(r"#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(.*\) at kernel/\S+:\d+$")


def stack_of(text):
    """Function names of one `hs bt cpuN`, innermost first. Every line behind the head is a frame."""
    head, *lines = text.strip().splitlines()
    assert re.search(r": on CPU \d+", head), text
    found = [FRAME.fullmatch(line.strip()) for line in lines]
    assert found and all(found), text
    return [m[1] for m in found]


def assert_crosses(stack, inner, entries, interrupted):
    """From the innermost function by an entry of the kernel to what it interrupted, to the end."""
    at = next((i for i, name in enumerate(stack) if name in entries), 0)
    assert at and inner in stack[:at], stack
    assert stack[at + 1:at + 3] == interrupted and stack[-1] in FIRST, stack


FIRST = ("primary_high", "secondary_high", "boot_high64", "ap_high64")


def test_bt_crosses_an_interrupt(arch):
    """A CPU in the timer's interrupt: the interrupt, then what it interrupted, to the first function."""
    with qemu.Guest(arch, cpus=4) as guest:
        guest.wait_for(qemu.PROMPT, 90)
        bt = qemu.gdb_batch(guest.elf, [
            "python gdb.execute('break trap_timer', to_string=True)",
            "python gdb.execute('continue', to_string=True)",
            "python gdb.execute('hs bt cpu%d' % (gdb.selected_thread().num - 1))",
            "python gdb.execute('delete')"], before=[f"target remote {guest.gdb_address}"])
        stack = stack_of(bt[bt.index("idle of CPU"):])
        assert_crosses(stack, "trap_timer", ("entry_common", "el1_irq"), ["arch_idle_wait", "sched_idle_loop"])


def test_bt_crosses_an_nmi_in_a_panic(arch, tmp_path):
    """The CPUs that a panic stopped are in an NMI, on x86-64 on a stack of its own: live and in a core."""
    with qemu.Guest(arch, cpus=4, append="init=/none panic=halt") as guest:
        guest.wait_for("Halted", 90)
        core = guest.dump_core(str(tmp_path / "core"))
        for target in (f"target remote {guest.gdb_address}", f"core-file {core}"):
            bt = qemu.gdb_batch(guest.elf, ["hs bt cpu3"], before=[target])
            assert_crosses(stack_of(bt), "trap_nmi", ("x86_entry_nmi", "el1_irq"),
                           ["arch_idle_wait", "sched_idle_loop"])


def test_bt_before_the_root_is_mounted(arch):
    """Frames and nothing else, also where GDB is about to read lines of a section that it does not expect."""
    with qemu.Guest(arch, cpus=4, stopped=True) as guest:
        bt = qemu.gdb_batch(guest.elf, [
            "python gdb.execute('hbreak vfs_mount_root', to_string=True)",
            "python gdb.execute('continue', to_string=True)",
            "python print(gdb.execute('hs bt cpu%d' % (gdb.selected_thread().num - 1), to_string=True))",
            "python gdb.execute('delete')"], before=[f"target remote {guest.gdb_address}"])
        stack = stack_of(bt[bt.index("init (tid 1)"):])
        assert stack[:3] == ["vfs_mount_root", "init_thread", "thread_start"], stack


def test_dump_decodes_by_itself(hs, hung4, tmp_path):
    path = tmp_path / "box"
    assert str(path) in hs(f"dump {path}")
    code, words = qemu.tracedump("why", str(path), "--elf", hung4.guest.elf)
    assert code == 1 and words.strip() == hung4.guest.why()[1].strip()


def test_help_lists_every_command(hs):
    text = hs("help")
    for c in ("why", "ps", "cpus", "locks", "trace", "bt", "dump", "help"):
        assert f"hs {c}" in text, text


def test_errors_are_clear(hs):
    with pytest.raises(qemu.GuestError, match="no task 99999"):
        hs("bt 99999")
    with pytest.raises(qemu.GuestError, match="usage: hs bt"):
        hs("bt fred")
    with pytest.raises(qemu.GuestError, match="usage: hs dump"):
        hs("dump")
    with pytest.raises(qemu.GuestError, match="no CPU 77"):
        hs("bt cpu77")
    with pytest.raises(qemu.GuestError, match="no command 'whence'"):
        hs("whence")
    with pytest.raises(qemu.GuestError, match="usage: hs trace"):
        hs("trace some")
    with pytest.raises(qemu.GuestError, match="/no/such/dir/box: No such file"):
        hs("dump /no/such/dir/box")


def test_help_of_each_command_has_its_usage(hung4):
    for c in ("why", "ps", "cpus", "locks", "trace", "bt", "dump", "help"):
        text = qemu.gdb_batch(hung4.guest.elf, [f"help hs {c}"])
        assert f"Usage: hs {c}" in text, text
    listed = qemu.gdb_batch(hung4.guest.elf, ["help hs"])
    assert re.search(r"^hs bt -- Kernel stack of a task", listed, re.M), listed


def test_bt_completes_tasks_and_cpus(hung4):
    ram = [f"set hs-ram {hung4.guest.ram}"]
    assert "hs bt cpu3" in qemu.gdb_batch(hung4.guest.elf, ["complete hs bt cpu"], before=ram)
    assert re.search(r"^hs bt [1-9]$", qemu.gdb_batch(hung4.guest.elf, ["complete hs bt "], before=ram), re.M)
    assert qemu.gdb_batch(hung4.guest.elf, ["complete hs bt c"]).strip() == ""


def test_a_raw_core_is_made_readable(hung4, tmp_path):
    core = hung4.guest.dump_core(str(tmp_path / "core"), alias=False)
    out = qemu.gdb_batch(hung4.guest.elf, ["hs bt cpu0"], before=[f"core-file {core}"])
    assert "added the kernel's addresses" in out and "#0" in out, out


def test_plain_gdb_reads_kernel_variables(hung4, hung_core):
    out = qemu.gdb_batch(hung4.guest.elf, ["x/s &__blackbox_start"], before=[f"core-file {hung_core}"])
    assert "HNDSIGHT" in out, out


def test_guest_goes_on_after_gdb(hung4):
    hung4.guest.gdb_batch("hs why", ram=False)
    assert hung4.guest.qmp("query-status")["running"]


def test_a_running_guest_is_never_stopped(hung4):
    """Between the looks of `hs` the CPU that GDB calls selected is still running."""
    before = [f"set hs-ram {hung4.guest.ram}", f"target remote {hung4.guest.gdb_address}", "continue &"]
    out = qemu.gdb_batch(hung4.guest.elf, ["hs why", "hs bt", "hs ps", "hs dump /dev/null",
                                           "python print('running', gdb.selected_thread().is_running())"],
                         before=before)
    assert "running True" in out, out


def test_what_is_not_this_kernel_is_refused(hung4, arch, tmp_path):
    """A core is not touched with an ELF that cannot explain it, and is still good afterwards."""
    other = os.path.join(qemu.build_dir(next(a for a in qemu.ARCHES if a != arch)), "kernel.elf")
    if not os.path.exists(other):
        pytest.skip("the other architecture is not built")
    core = hung4.guest.dump_core(str(tmp_path / "core"), alias=False)
    size = os.path.getsize(core)
    with pytest.raises(qemu.GuestError, match="kernel.elf is for .*, but the guest is .*"):
        qemu.gdb_batch(other, ["hs bt"], before=[f"core-file {core}"])
    with pytest.raises(qemu.GuestError, match="kernel.elf is for .*, but the guest is .*"):
        qemu.gdb_batch(other, ["hs bt"], before=[f"set hs-ram {hung4.guest.ram}"])
    assert os.path.getsize(core) == size
    core_alias.add_aliases(core)  # as the program does without an ELF
    out = qemu.gdb_batch(hung4.guest.elf, ["hs bt"], before=[f"core-file {core}"])
    assert "ext2_lookup" in out, out


def test_another_build_is_said(hung4, tmp_path):
    with open(hung4.guest.elf, "rb") as f:
        elf = f.read()
    build_id = core_alias.elf_build_id(elf)
    assert len(build_id) == 20 and elf.count(build_id) == 1
    rebuilt = tmp_path / "kernel.elf"
    rebuilt.write_bytes(elf.replace(build_id, bytes(20)))
    core = hung4.guest.dump_core(str(tmp_path / "core"), alias=False)
    for before in (f"set hs-ram {hung4.guest.ram}", f"core-file {core}"):
        show = "python print(gdb.execute('hs bt cpu0', to_string=True))"  # its stderr, too
        out = qemu.gdb_batch(str(rebuilt), [show], before=[before])
        assert "build ids differ" in out and "idle of CPU 0" in out, out
    assert "ext2_lookup" in qemu.gdb_batch(hung4.guest.elf, ["hs bt"], before=[f"core-file {core}"])


def test_before_the_first_instruction(arch):
    """No black box yet, MMU off: an error in words, and the guest still stands where it stood."""
    with qemu.Guest(arch, cpus=4, mem="256M", stopped=True) as guest:
        qemu_is_up = guest.qmp("query-status")
        assert not qemu_is_up["running"]
        remote = f"target remote {guest.gdb_address}"
        for before in ([remote], [f"set hs-ram {guest.ram}", remote], [f"set hs-ram {guest.ram}"]):
            leave = ["disconnect"] if remote in before else []  # GDB's end would let the guest go
            for command in ("hs why", "hs bt", "hs dump /dev/null"):
                out = qemu.gdb_batch(guest.elf, [
                    f"python\ntry:\n  gdb.execute('{command}')\nexcept gdb.error as e:\n  print('said', e)",
                    *leave], before=before)
                assert "said" in out and "no black box" in out, (before, command, out)
        assert not guest.qmp("query-status")["running"]


@pytest.mark.noarch
def test_no_target_is_said():
    elf = next((os.path.join(qemu.build_dir(a), "kernel.elf") for a in qemu.ARCHES
                if os.path.exists(os.path.join(qemu.build_dir(a), "kernel.elf"))), None)
    if elf is None:
        pytest.skip("no kernel is built")
    for command in ("hs why", "hs bt", "hs dump /dev/null"):
        with pytest.raises(qemu.GuestError, match="no guest and no core"):
            qemu.gdb_batch(elf, [command])
