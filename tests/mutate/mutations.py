"""mutations.py - one-line changes of C, each a small mistake that a person could make.

candidates(path, text) lists them all, in the order of the file: the same for the same text. What is in
a comment or a string, the preprocessor's, and lines that only speak (trace, log, panic) or only check
are left alone: changing them is no fault of the logic.
"""
import collections
import hashlib
import re

Mutation = collections.namedtuple("Mutation", "path line old new kind nth")  # nth: of the same in the file

SILENT = re.compile(r"\b(trace|trace_\w+|pr_\w+|panic|BUG|BUG_ON|WARN|WARN_ON|ASSERT|assert|emit|LOG_TAG|lockdep_\w+|"
                    r"static_assert|_Static_assert|KTEST|KT_\w+|DEFINE_\w+|EXPORT\w*|might_sleep|asm|__asm__)\b")
# (kind, pattern, replacement); every match of a line is one change
SWAPS = [
    ("bound", r"(?<=[\w)\]] )<(?= [\w(])", "<="),
    ("bound", r"(?<=[\w)\]] )<=(?= )", "<"),
    ("bound", r"(?<=[\w)\]] )>(?= [\w(])", ">="),
    ("bound", r"(?<=[\w)\]] )>=(?= )", ">"),
    ("equal", r"(?<= )==(?= )", "!="),
    ("equal", r"(?<= )!=(?= )", "=="),
    ("logic", r"(?<= )&&(?=\s|$)", "||"),
    ("logic", r"(?<= )\|\|(?=\s|$)", "&&"),
    ("sign", r"(?<=[\w)\]] )\+(?= [\w(])", "-"),
    ("sign", r"(?<=[\w)\]] )-(?= [\w(])", "+"),
    ("off by one", r"(?<=[\w)\]]) [+-] 1\b(?!\w|\.)", ""),
    ("step", r"\+\+(?!\+)", "--"),
    ("step", r"(?<!-)--(?!-)", "++"),
    ("mask", r"(?<=[\w)] )&(?= [\w~(])", "|"),
    ("mask", r"(?<=[\w)] )\|(?= [\w~(])", "&"),
    ("not", r"(?<=[(\s])!(?=[\w(])", ""),
    ("answer", r"\breturn true;", "return false;"),
    ("answer", r"\breturn false;", "return true;"),
    ("answer", r"\breturn 0;", "return 1;"),
    ("answer", r"\breturn -E\w+;", "return 0;"),
    ("loop", r"\bcontinue;", "break;"),
]
SWAPS = [(kind, re.compile(pattern), new) for kind, pattern, new in SWAPS]
NUMBER = re.compile(r"(?<=[ (])([2-9]|[1-9]\d+)(?=[ ),;]|u\b|ul\b|ull\b)")
STATEMENT = re.compile(r"^\t+(?!return\b|goto\b|break\b|else\b|case\b|default\b|do\b|static\b|const\b|struct\b|"
                       r"unsigned\b|volatile\b)[\w*>.\[\]()+-]+(?: [-+*/|&^<>]*= .*|\(.*\)|\+\+|--);$")
CONDITION = re.compile(r"^(\t+(?:} else )?if )\((.+)\)( \{)?$")


def masked(text):
    """The text with comments and literals blanked, of the same length."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m[0])
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)


def of_line(line, code):
    """(kind, new line) of every change; `code` is the line with comments and literals blanked."""
    for kind, pattern, new in SWAPS:
        for m in pattern.finditer(code):
            yield kind, line[:m.start()] + new + line[m.end():]
    if not re.match(r"\s*case\b|.*\w\[\d", code):
        for m in NUMBER.finditer(code):
            yield "number", line[:m.start(1)] + str(int(m[1]) + 1) + line[m.end(1):]
    if (m := CONDITION.match(code.rstrip())) and m[2].count("(") == m[2].count(")"):
        yield "condition", f"{m[1]}(!({line[m.start(2):m.end(2)]})){m[3] or ''}"
    if STATEMENT.match(code.rstrip()) and code.count("(") == code.count(")"):
        yield "left out", re.match(r"\t+", line)[0] + ";"


def candidates(path, text):
    """Every change of the file."""
    out = []
    same = collections.Counter()
    inside = False  # a function's body: a declaration's numbers are not logic
    for number, (line, code) in enumerate(zip(text.split("\n"), masked(text).split("\n")), 1):
        if code.startswith("{"):
            inside = True
        elif code.startswith("}"):
            inside = False
        if not inside or code.lstrip().startswith("#") or SILENT.search(code):
            continue
        seen = {line}
        for kind, new in of_line(line, code):
            if new not in seen:
                seen.add(new)
                out.append(Mutation(path, number, line, new, kind, same[line, new]))
                same[line, new] += 1
    return out


def apply(text, m):
    lines = text.split("\n")
    assert lines[m.line - 1] == m.old, f"{m.path}:{m.line} is not what it was"
    lines[m.line - 1] = m.new
    return "\n".join(lines)


def name(m):
    """Stays the same when lines above come and go."""
    return hashlib.sha1(f"{m.path}|{m.old}|{m.new}|{m.nth}".encode()).hexdigest()[:12]


def diff(m):
    return f"--- {m.path}:{m.line} ({m.kind})\n-{m.old}\n+{m.new}"
