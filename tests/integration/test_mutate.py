"""`make mutate`: what is changed, what is drawn and what is counted. Runs no mutant."""
import json
import os
import sys

import pytest

import qemu

sys.path.insert(0, os.path.join(qemu.ROOT, "tests/mutate"))
import mutate  # noqa: E402
import mutations  # noqa: E402

pytestmark = pytest.mark.quick

C = """/* a < b */
static int limit = 16;

int f(int a, int b)
{
	const char *s = "a < b && c";
	int n = 7; /* a == b */

	if (a < b && n)
		return 0;
	trace(sched_wake, a < b);
	n = a + 1;
	touch(n);
	return a == b;
}
"""


def changes():
    return {(m.line, m.kind, m.new.strip()) for m in mutations.candidates("f.c", C)}


def test_changes_of_a_line():
    found = changes()
    assert {(9, "bound", "if (a <= b && n)"), (9, "logic", "if (a < b || n)"), (9, "condition", "if (!(a < b && n))"),
            (10, "answer", "return 1;"), (12, "off by one", "n = a;"), (12, "sign", "n = a - 1;"),
            (12, "left out", ";"), (13, "left out", ";"), (14, "equal", "return a != b;"),
            (7, "number", "int n = 8; /* a == b */")} == found


def test_only_logic_is_changed():
    assert {line for line, _, _ in changes()} == {7, 9, 10, 12, 13, 14}  # no comment, literal, declaration, trace


def test_a_change_is_one_line():
    for m in mutations.candidates("f.c", C):
        before, after = C.split("\n"), mutations.apply(C, m).split("\n")
        assert [i + 1 for i, (x, y) in enumerate(zip(before, after)) if x != y] == [m.line]
        assert len(before) == len(after)


def test_drawn_the_same_again_and_in_equal_shares():
    one, two = (mutate.draw(["mm", "sync"], 9, "1") for _ in range(2))
    assert one == two and [a for a, _ in one] == ["mm"] * 5 + ["sync"] * 4
    assert one != mutate.draw(["mm", "sync"], 9, "2")
    assert [x for x in one if x[0] == "sync"] == mutate.draw(["sync"], 4, "1")


def test_every_area_has_something_to_change():
    for area in mutate.AREAS:
        assert len(mutate.draw([area], 50, "1")) == 50, area


def test_equivalents_are_changes_that_can_be_made():
    """A listed change whose line is gone is forgotten, not kept for ever."""
    can = {(m.path, m.old.strip(), m.new.strip()) for path in {p for p, _, _ in mutate.equivalent()}
           for m in mutations.candidates(path, mutate.read(path))}
    assert mutate.equivalent() <= can, mutate.equivalent() - can


def test_the_percentage_is_of_those_that_could_be_noticed():
    drawn = mutate.draw(["sync"], 5, "1")
    names = [mutations.name(m) for _, m in drawn]
    verdicts = dict(zip(names, ["killed", "killed", "survived", "same code"]))
    lines = mutate.report(drawn, verdicts)
    assert lines[1].split() == ["sync", "2", "1", "67", "%", "1", "0", "1"], lines
    assert lines[-1] == mutations.diff(drawn[2][1])


def test_what_has_passed_is_known_for_that_tree_only(tmp_path, monkeypatch):
    monkeypatch.setattr(mutate, "BASE", str(tmp_path))
    first = mutate.Baseline("this tree")
    assert first.claim("make x") and not first.claim("make x")
    first.passed("make x", 100)
    assert first.limits == {"make x": 100 * mutate.LIMIT_FACTOR}
    assert not mutate.Baseline("this tree").claim("make x")
    assert mutate.Baseline("another").claim("make x")


def test_survivors_are_those_of_the_last_run(tmp_path, monkeypatch):
    (_, a), (_, b) = mutate.draw(["sync"], 2, "1")
    monkeypatch.setattr(mutate, "RESULTS", str(tmp_path / "results"))
    assert not mutate.survivors(["sync"])
    with open(mutate.RESULTS, "w", encoding="utf-8") as f:
        for m, verdict in ((a, "survived"), (b, "survived"), (a, "killed")):
            f.write(json.dumps({"name": mutations.name(m), "verdict": verdict}) + "\n")
    assert mutate.survivors(["sync"]) == [("sync", b)] and not mutate.survivors(["mm"])
